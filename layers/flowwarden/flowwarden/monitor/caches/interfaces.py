"""What is known of network interfaces: asked from EC2 when needed, remembered by each container.

What EC2 does not tell never fails a batch: an interface is what was known of it before, or not known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice

from msgspec import Struct

from flowwarden.errors import InterfacesUnavailable
from flowwarden.monitor.ports import InterfaceDirectory
from flowwarden.network.interface import NetworkInterface

VALID_SECONDS = 3600
"""How long a description is trusted. Tags and security groups change seldom, and what was learned of a role
does not become wrong because one interface has left it."""
MISSING_SECONDS = 300
"""How long an interface that EC2 does not describe is not asked for again at first: EC2 may not show a new
one yet, and one that was deleted still has records for some minutes."""
MISSING_SECONDS_AT_MOST = 6 * 3600
"""Each time in vain it is twice as long, until this: an interface of another account is missing for ever."""
REFUSED_SECONDS = 60
"""How long nothing is asked after EC2 refused. All containers of the account share EC2's request quota with
whatever else calls it, such as the enforcer."""
TOGETHER = 50
"""Interfaces that are asked for in one question, if a batch needs no more. Most need one: the others that are
too old are asked for along with it, or each would cost a call of its own every hour. An answer about more
would keep the batch waiting."""
MOST = 4096
"""Interfaces that are remembered, about 1 KB each; beyond, those go that were asked for the longest ago."""


class CachedInterface(Struct, frozen=True):
    """What is known of an interface."""

    interface: NetworkInterface | None
    """None if EC2 never described it."""
    look_again: int
    """Unix seconds: from then on the entry is too old to be trusted."""
    wait: int = 0
    """Seconds from the question until then, if it was in vain."""


class Answer(Struct, frozen=True, kw_only=True):
    """What is known of interfaces, by their ids."""

    interfaces: Mapping[str, NetworkInterface]
    refused: bool = False
    """Whether EC2 was asked and refused."""


class InterfaceCache:
    """Knows network interfaces. One for a container."""

    def __init__(self, directory: InterfaceDirectory, tell: Callable[[str], None]) -> None:
        """Begin with nothing known.

        Args:
            directory: asks EC2.
            tell: takes what a person should know: that EC2 refuses.
        """
        self._directory = directory
        self._tell = tell
        self._entries: dict[str, CachedInterface] = {}
        """In the order in which they were asked for."""
        self._ask_again = 0
        """Unix seconds: before, EC2 is not asked, because it refused."""
        self._trusted_until = 0
        """Unix seconds: before, no entry is too old to be trusted."""

    def for_batch(self, now: int) -> InterfaceView:
        """The interfaces as one batch sees them; `now` is Unix seconds."""
        return InterfaceView(self, now)

    def known(self, interface_ids: Iterable[str], now: int) -> Answer:
        """Those of the interfaces that are known; `now` is Unix seconds.

        Costs nothing while what is known is trusted or EC2 refuses, otherwise one question to EC2 for all
        that is missing or too old.
        """
        wanted = list(dict.fromkeys(interface_ids))
        due = [each for each in wanted if self._is_due(each, now)] if now >= self._ask_again else []
        refused = bool(due) and self._ask(due + self._old(due, now), now) is None
        entries = {each: entry for each in wanted if (entry := self._entries.get(each))}
        self._forget()
        known = {each: entry.interface for each, entry in entries.items() if entry.interface}
        return Answer(interfaces=known, refused=refused)

    def described(self, interface_ids: Iterable[str], now: int) -> Answer | None:
        """Those of the interfaces that EC2 describes at this moment; None while EC2 is not asked.

        For whoever has to know whether an interface is still there: what is known of it does not tell.
        """
        wanted = list(dict.fromkeys(interface_ids))
        if not wanted:
            return Answer(interfaces={})
        if now < self._ask_again:
            return None
        described = self._ask(wanted, now)
        return Answer(interfaces={}, refused=True) if described is None else Answer(interfaces=described)

    def _is_due(self, interface_id: str, now: int) -> bool:
        entry = self._entries.get(interface_id)
        return entry is None or now >= entry.look_again

    def _old(self, due: Sequence[str], now: int) -> list[str]:
        """Others that are too old to be trusted, as many as may be asked for along: the oldest first."""
        if now < self._trusted_until:
            return []
        self._trusted_until = min((entry.look_again for entry in self._entries.values()), default=now)
        others = (
            each for each, entry in self._entries.items() if now >= entry.look_again and each not in due
        )
        return list(islice(others, max(0, TOGETHER - len(due))))

    def _ask(self, due: Sequence[str], now: int) -> Mapping[str, NetworkInterface] | None:
        """What EC2 describes; None if it refuses."""
        try:
            described = self._directory.describe(due)
        except InterfacesUnavailable as error:
            self._ask_again = now + REFUSED_SECONDS
            self._tell(
                f"network interfaces cannot be described now, so roles may be old or unknown: {error}; "
                f"asked for were {len(due)}, such as {due[0]}"
            )
            return None
        for each in due:
            before = self._entries.pop(each, None)  # so that it moves to the end
            if interface := described.get(each):
                entry = CachedInterface(interface, now + VALID_SECONDS)
            else:
                # It was deleted. Ids are not used again, so its last records are read by what it was.
                known, waited = (before.interface, before.wait) if before else (None, 0)
                wait = min(max(2 * waited, MISSING_SECONDS), MISSING_SECONDS_AT_MOST)
                entry = CachedInterface(known, now + wait, wait)
            self._entries[each] = entry
            self._trusted_until = min(self._trusted_until, entry.look_again)
        return described

    def _forget(self) -> None:
        while len(self._entries) > MOST:
            del self._entries[next(iter(self._entries))]


class InterfaceView:
    """The interfaces as one batch sees them."""

    def __init__(self, cache: InterfaceCache, now: int) -> None:
        self._cache = cache
        self._now = now
        self.failures = 0
        """Questions of this batch that EC2 refused."""

    def known(self, interface_ids: Iterable[str]) -> Mapping[str, NetworkInterface]:
        """Those of the interfaces that are known, by id."""
        answer = self._cache.known(interface_ids, self._now)
        self.failures += answer.refused
        return answer.interfaces

    def described(self, interface_ids: Iterable[str]) -> Mapping[str, NetworkInterface] | None:
        """Those of the interfaces that EC2 describes at this moment, by id; None if it does not answer."""
        answer = self._cache.described(interface_ids, self._now)
        if answer is None:
            return None
        self.failures += answer.refused
        return None if answer.refused else answer.interfaces
