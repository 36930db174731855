"""The names that notifications show: looked up for them alone, cached by each container.

Lookups never delay a notification by more than `NAME_SECONDS` and one lookup that hangs, and never make one
fail: what AWS does not return is missing on the page, which says why. Detection does not use what is found
here, so that no incident depends on whether a lookup succeeded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from sys import getsizeof
from typing import Final

from msgspec import Struct

from flowwarden.errors import NamesUnavailable
from flowwarden.monitor.budget import Budget
from flowwarden.monitor.caches.bounded import BoundedCache, size_of_interface
from flowwarden.monitor.caches.interfaces import InterfaceView
from flowwarden.monitor.names import MOST_LOOKED_UP, Names, Wanted, subnets_of
from flowwarden.monitor.ports import NameDirectory
from flowwarden.network.interface import NetworkInterface
from flowwarden.notify.run import RESERVE

NAME_SECONDS: Final = 3.0
"""For the lookups of a batch. EC2 and IAM usually answer each of them within 0.3 s."""
SLOWEST_LOOKUP: Final = 9.0
"""Seconds that one lookup can take: three calls of EC2, each with 1 s to connect and 2 s to respond. None
begins unless so much time is left besides that for notifications."""
VALID_SECONDS: Final = 3600
"""How long a name is valid, as a description of an interface is."""
MISSING_SECONDS: Final = 900
"""How long an address or an interface that EC2 does not know is not looked up again."""
PAUSE_SECONDS: Final = 60
"""How long the same kind of lookup is not made after it failed: EC2's quota is shared with other callers."""
MOST_BYTES: Final = 4 * 2**20
"""Of all cached names and descriptions."""
_ENTRY: Final = 200
"""Bytes of an entry besides its texts."""
NO_TIME: Final = "no time was left for lookups"


class _Entry[T](Struct, frozen=True):
    """What a lookup found, or that it found nothing."""

    found: T | None
    at: int
    """Unix seconds of the lookup."""
    until: int
    """Unix seconds at which it is looked up again."""


class _Pause(Struct, frozen=True):
    """A kind of lookup that failed."""

    why: str
    until: int
    """Unix seconds."""


type Key = str | tuple[str, str]
"""An id, or a VPC and an address."""


class NameCache:
    """Finds names. One per container."""

    def __init__(self, directory: NameDirectory, account: str, warn: Callable[[str], None]) -> None:
        """Begin with an empty cache.

        Args:
            directory: asks AWS.
            account: the id of its account.
            warn: receives warnings for the log.
        """
        self._directory = directory
        self._account = account
        self._warn = warn
        self._interfaces: BoundedCache[Key, _Entry[NetworkInterface]] = BoundedCache(MOST_BYTES)
        self._texts: BoundedCache[Key, _Entry[str]] = BoundedCache(MOST_BYTES)
        self._paused: dict[str, _Pause] = {}

    def find(self, wanted: Wanted, known: InterfaceView, now: int, time_left: Callable[[], float]) -> Names:
        """The names of what notifications show; asks AWS for those that are not cached.

        Args:
            wanted: what they show.
            known: the interfaces that the batch has described; not asked.
            now: Unix seconds.
            time_left: seconds until Lambda stops the function.
        """
        lookup = _Lookup(self._paused, Budget(NAME_SECONDS, time_left, RESERVE + SLOWEST_LOOKUP), now)
        hosts = self._hosts(wanted, lookup)
        interfaces = self._named(wanted, known, lookup)
        subnets = (*wanted.subnets, *subnets_of(each.found for each in hosts.values() if each.found))
        subnets = (*subnets, *subnets_of(interfaces.values()))
        names = Names(
            hosts={pair: (each.found, each.at) for pair, each in hosts.items() if each.found},
            interfaces=interfaces,
            subnets=self._subnets(tuple(dict.fromkeys(subnets))[:MOST_LOOKED_UP], lookup),
            aliases=self._alias(lookup),
            unavailable="; ".join(dict.fromkeys((*known.refusals, *lookup.failures))),
        )
        for each in lookup.new_failures:
            self._warn(f"names for notifications cannot be looked up: {each}")
        return names

    def broken(self, error: Exception) -> Names:
        """No names, because of an error of this code."""
        self._warn(f"names for notifications were not looked up: {error!r}")
        return Names(unavailable=f"an error in the lookup ({type(error).__name__})")

    def _hosts(self, wanted: Wanted, lookup: _Lookup) -> Mapping[tuple[str, str], _Entry[NetworkInterface]]:
        """The interfaces at addresses. Of an address with several interfaces, none: it moved recently."""
        due = [each for each in wanted.addresses if _is_due(self._interfaces.get(each), lookup.now)]
        for is_ipv6 in (False, True):
            some = [each for each in due if (":" in each[1]) == is_ipv6]
            vpcs, addresses = (
                ([*dict.fromkeys(part)] for part in zip(*some, strict=True)) if some else ([], [])
            )
            ask = partial(self._directory.having, vpcs, addresses)
            held = lookup.of("hosts", ask) if some else None
            if held is not None:
                self._keep(some, _only(held), lookup.now)
        entries = ((each, self._interfaces.get(each)) for each in wanted.addresses)
        return {pair: entry for pair, entry in entries if entry}

    def _named(self, wanted: Wanted, known: InterfaceView, lookup: _Lookup) -> Mapping[str, NetworkInterface]:
        """The interfaces that findings name."""
        cached = {name: found for name in wanted.interfaces if (found := known.cached(name))}
        rest = [each for each in wanted.interfaces if each not in cached]
        due = [each for each in rest if _is_due(self._interfaces.get(each), lookup.now)]
        described = lookup.of("interfaces", lambda: self._directory.describe(due)) if due else None
        if described is not None:
            self._keep(due, described, lookup.now)
        entries = ((each, self._interfaces.get(each)) for each in rest)
        return cached | {name: entry.found for name, entry in entries if entry and entry.found}

    def _keep[K: Key](self, asked: Sequence[K], found: Mapping[K, NetworkInterface], now: int) -> None:
        for key in asked:
            interface = found.get(key)
            wait = MISSING_SECONDS if interface is None else VALID_SECONDS
            size = _ENTRY + (size_of_interface(interface) if interface else 0)
            self._interfaces.put(key, _Entry(interface, now, now + wait), size)

    def _subnets(self, ids: Sequence[str], lookup: _Lookup) -> dict[str, str]:
        """The names of subnets; those without a name are left out."""
        due = [each for each in ids if _is_due(self._texts.get(each), lookup.now)]
        found = lookup.of("subnets", lambda: self._directory.subnet_names(due)) if due else None
        for each in due if found is not None else ():
            self._keep_text(each, (found or {}).get(each, ""), lookup.now)
        names = ((each, entry.found) for each in ids if (entry := self._texts.get(each)))
        return {subnet: name for subnet, name in names if name}

    def _alias(self, lookup: _Lookup) -> dict[str, str]:
        """The alias of the account. It is optional: a page without it does not say why."""
        if _is_due(self._texts.get(self._account), lookup.now):
            alias = lookup.of("alias", self._directory.account_alias, optional=True)
            if alias is not None:
                self._keep_text(self._account, alias, lookup.now)
        entry = self._texts.get(self._account)
        return {self._account: entry.found} if entry and entry.found else {}

    def _keep_text(self, key: str, text: str, now: int) -> None:
        entry = _Entry(text, now, now + VALID_SECONDS)
        self._texts.put(key, entry, _ENTRY + getsizeof(key) + getsizeof(text))


class _Lookup:
    """The lookups of one batch."""

    def __init__(self, paused: dict[str, _Pause], budget: Budget, now: int) -> None:
        self._paused = paused
        self._budget = budget
        self.now = now
        self.failures: list[str] = []
        """Why something is missing on the page."""
        self.new_failures: list[str] = []
        """Lookups that failed in this batch."""

    def of[T](self, kind: str, ask: Callable[[], T], *, optional: bool = False) -> T | None:
        """The answer; None if the lookup fails, failed shortly before, or has no time left."""
        failed: list[str] = [] if optional else self.failures
        pause = self._paused.get(kind)
        if pause and self.now < pause.until:
            failed.append(pause.why)
            return None
        if self._budget.is_spent:
            failed.append(NO_TIME)
            return None
        try:
            with self._budget.spending():
                return ask()
        except NamesUnavailable as error:
            self._paused[kind] = _Pause(str(error), self.now + PAUSE_SECONDS)
            self.new_failures.append(str(error))
            failed.append(str(error))
            return None


def _is_due[T](entry: _Entry[T] | None, now: int) -> bool:
    return entry is None or now >= entry.until


def _only(found: Sequence[NetworkInterface]) -> dict[tuple[str, str], NetworkInterface]:
    """The interface of each VPC and address that has only one."""
    holders: dict[tuple[str, str], list[NetworkInterface]] = {}
    for interface in found:
        for address in interface.addresses:
            holders.setdefault((interface.vpc_id, address), []).append(interface)
    return {pair: several[0] for pair, several in holders.items() if len(several) == 1}
