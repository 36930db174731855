"""Network interfaces: queried from EC2 when needed, cached by each container.

A failed query never fails a batch: the cached description is used, or the interface is unknown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import compress, islice

from msgspec import Struct

from flowwarden.errors import InterfacesUnavailable
from flowwarden.monitor.budget import UNLIMITED, Budget
from flowwarden.monitor.caches.bounded import size_of_interface
from flowwarden.monitor.ports import InterfaceDirectory
from flowwarden.network.interface import NetworkInterface

VALID_SECONDS = 3600
"""How long a description is valid. Tags and security groups change rarely, and a role's baseline stays valid
if one interface leaves the role."""
MISSING_SECONDS = 300
"""Initial wait before an interface that EC2 does not describe is queried again: EC2 may not show a new
interface yet, and a deleted one still has records for some minutes."""
MISSING_SECONDS_AT_MOST = 6 * 3600
"""The wait doubles after each failed query up to this limit: an interface of another account is never
described."""
REFUSED_SECONDS = 60
"""How long no query is sent after EC2 refused one. All containers share EC2's request quota with the
account's other callers, such as the enforcer."""
TOGETHER = 50
"""Interfaces per query, unless a batch needs more. Most batches need one; expired entries fill the query,
because otherwise each would cost its own call every hour. A larger response would delay the batch."""
MOST_NEW = 400
"""Maximum missing and expired interfaces that a batch queries, in two calls of 200, each of which takes EC2 a
third of a second. The others are unknown to the batch, and the next batch queries them."""
MOST = 4096
"""Maximum cached interfaces; beyond that, the least recently queried ones are dropped."""
MOST_BYTES = 16 * 2**20
"""Maximum bytes of all cached descriptions, with the same effect. Most take 2 to 4 KB, but the tags of an
interface and of its instance can take over 100 KB."""


class CachedInterface(Struct, frozen=True):
    """A cached interface."""

    interface: NetworkInterface | None
    """None if EC2 never described it."""
    refresh_at: int
    """Unix seconds at which the entry expires."""
    wait: int = 0
    """Seconds from the query to the expiry, if the query found nothing."""
    size: int = 0
    """Bytes, approximately."""


class Answer(Struct, frozen=True, kw_only=True):
    """Known interfaces, by id."""

    interfaces: Mapping[str, NetworkInterface]
    refused: bool = False
    """Whether EC2 refused a query, or it was not sent because no time was left."""


class InterfaceCache:
    """Caches network interfaces. One per container."""

    def __init__(self, directory: InterfaceDirectory, warn: Callable[[str], None], breadth: int = 1) -> None:
        """Begin with an empty cache.

        Args:
            directory: queries EC2.
            warn: receives warnings for the log: that EC2 refuses queries.
            breadth: a batch has the limits of so many usual ones.
        """
        self._directory = directory
        self._warn = warn
        self._breadth = breadth
        self._entries: dict[str, CachedInterface] = {}
        """By interface id, in the order of their queries."""
        self.bytes = 0
        """The bytes of all entries, approximately."""
        self._at: defaultdict[str, set[str]] = defaultdict(set)
        """The ids of cached interfaces by address: several, if VPCs use the same networks."""
        self._retry_at = 0
        """Unix seconds; no query is sent before, because EC2 refused one."""
        self._why = ""
        """Why EC2 refused it, in a few words."""
        self._trusted_until = 0
        """Unix seconds; no entry expires before."""

    def for_batch(self, now: int, budget: Budget | None = None) -> InterfaceView:
        """The interfaces as one batch sees them.

        Args:
            now: Unix seconds.
            budget: limits the time of queries, and allows one repetition of a refused one; None for no limit
                and no repetition.
        """
        return InterfaceView(self, now, budget)

    def known(self, interface_ids: Iterable[str], now: int, *, asks: bool = True) -> Answer:
        """The known interfaces among these; `now` is Unix seconds.

        Sends no query while the entries are valid or EC2 refuses queries; otherwise one query for missing and
        expired entries, at most `MOST_NEW`. Without `asks`, a query that would be sent counts as refused.
        """
        wanted = list(dict.fromkeys(interface_ids))
        is_time = now >= self._retry_at
        most = MOST_NEW * self._breadth if is_time else 0
        found = [*map(self._entries.get, wanted)]
        old = (entry is None or now >= entry.refresh_at for entry in found)
        due = [*islice(compress(wanted, old), most)]
        refused = bool(due) and (not asks or self._ask(due + self._old(due, now), now) is None)
        if due:
            found = [*map(self._entries.get, wanted)]
        entries = {each: entry for each, entry in zip(wanted, found, strict=True) if entry}
        self._forget()
        known = {each: entry.interface for each, entry in entries.items() if entry.interface}
        return Answer(interfaces=known, refused=refused)

    def described(self, interface_ids: Iterable[str], now: int) -> Answer | None:
        """The interfaces that EC2 describes right now; None during the pause after a refused query.

        For callers that must know whether an interface still exists, which the cache does not show.
        """
        wanted = list(dict.fromkeys(interface_ids))
        if not wanted:
            return Answer(interfaces={})
        if now < self._retry_at:
            return None
        described = self._ask(wanted, now)
        self._forget()
        return Answer(interfaces={}, refused=True) if described is None else Answer(interfaces=described)

    def cached(self, interface_id: str) -> NetworkInterface | None:
        """The interface, if its description is cached, whatever its age; sends no query."""
        entry = self._entries.get(interface_id)
        return entry.interface if entry else None

    def at(self, address: str, vpc_id: str | None) -> NetworkInterface | None:
        """The cached interface with an address in a VPC; None if it is not certain. Sends no query.

        Addresses are unique only within a VPC: the same address in another VPC is another host, also if only
        that one is cached. An interface that EC2 no longer describes has lost its address.
        """
        entries = [self._entries[name] for name in self._at.get(address, ())]
        found = [each.interface for each in entries if each.interface and not each.wait]
        here = [each for each in found if vpc_id and each.vpc_id == vpc_id]
        return here[0] if len(here) == 1 else None

    def valid_at(self, address: str, now: int) -> Iterator[tuple[NetworkInterface, int]]:
        """The interfaces with an address and a valid description, with the Unix seconds of the description.

        Sends no query.
        """
        for name in self._at.get(address, ()):
            entry = self._entries[name]
            if entry.interface and not entry.wait and now < entry.refresh_at:
                yield entry.interface, entry.refresh_at - VALID_SECONDS

    def refusal(self, now: int) -> str:
        """Why no query is sent at this time (Unix seconds); '' if queries are sent."""
        return self._why if now < self._retry_at else ""

    def insist(self) -> None:
        """Send the next query although EC2 refused the last one."""
        self._retry_at = 0

    def _old(self, due: Sequence[str], now: int) -> list[str]:
        """Other expired entries that fit into the query, oldest first."""
        if now < self._trusted_until:
            return []
        self._trusted_until = min((entry.refresh_at for entry in self._entries.values()), default=now)
        others = (
            each for each, entry in self._entries.items() if now >= entry.refresh_at and each not in due
        )
        return list(islice(others, max(0, TOGETHER - len(due))))

    def _ask(self, due: Sequence[str], now: int) -> Mapping[str, NetworkInterface] | None:
        """The interfaces that EC2 describes; None if it refuses."""
        try:
            described = self._directory.describe(due)
        except InterfacesUnavailable as error:
            self._retry_at, self._why = now + REFUSED_SECONDS, error.short
            self._warn(
                f"network interfaces cannot be described, so roles may be outdated or unknown: {error}; "
                f"requested: {len(due)} interfaces, such as {due[0]}"
            )
            return None
        for each in due:
            before = self._pop(each)  # moves the entry to the end
            if interface := described.get(each):
                entry = CachedInterface(interface, now + VALID_SECONDS, size=size_of_interface(interface))
            else:
                # A deleted interface: ids are not reused, so its last records use the cached description.
                known, waited, size = (before.interface, before.wait, before.size) if before else (None, 0, 0)
                wait = min(max(2 * waited, MISSING_SECONDS), MISSING_SECONDS_AT_MOST)
                entry = CachedInterface(known, now + wait, wait, size)
            self._entries[each] = entry
            for address in entry.interface.addresses if entry.interface else ():
                self._at[address].add(each)
            self.bytes += entry.size
            self._trusted_until = min(self._trusted_until, entry.refresh_at)
        return described

    def _pop(self, interface_id: str) -> CachedInterface | None:
        entry = self._entries.pop(interface_id, None)
        self.bytes -= entry.size if entry else 0
        for address in entry.interface.addresses if entry and entry.interface else ():
            self._at[address].discard(interface_id)
            if not self._at[address]:
                del self._at[address]
        return entry

    def _forget(self) -> None:
        most, most_bytes = MOST * self._breadth, MOST_BYTES * self._breadth
        while len(self._entries) > most or self.bytes > most_bytes:
            self._pop(next(iter(self._entries)))


class InterfaceView:
    """The interfaces as one batch sees them."""

    def __init__(self, cache: InterfaceCache, now: int, budget: Budget | None = None) -> None:
        self._cache = cache
        self._now = now
        self._budget = budget or UNLIMITED
        self._may_insist = budget is not None
        self.failures = 0
        """Queries of this batch that EC2 refused, or for which no time was left."""

    def known(self, interface_ids: Iterable[str]) -> Mapping[str, NetworkInterface]:
        """The known interfaces among these, by id."""
        wanted, asks = list(interface_ids), not self._budget.is_spent
        answer = self._query(lambda: self._cache.known(wanted, self._now, asks=asks))
        return answer.interfaces if answer else {}

    def described(self, interface_ids: Iterable[str]) -> Mapping[str, NetworkInterface] | None:
        """The interfaces that EC2 describes right now, by id; None if it refuses or no time is left."""
        if self._budget.is_spent:
            return None
        wanted = list(interface_ids)
        answer = self._query(lambda: self._cache.described(wanted, self._now))
        return None if answer is None or answer.refused else answer.interfaces

    def cached(self, interface_id: str) -> NetworkInterface | None:
        """The interface, if its description is cached; sends no query."""
        return self._cache.cached(interface_id)

    def networks(self, interface_id: str) -> tuple[str, ...]:
        """The networks of an interface's VPC, if its description is cached; sends no query."""
        found = self._cache.cached(interface_id)
        return found.vpc_cidrs if found else ()

    def at(self, address: str, vpc_id: str | None) -> NetworkInterface | None:
        """The cached interface with an address in a VPC; None if it is not certain. Sends no query."""
        return self._cache.at(address, vpc_id)

    def valid_at(self, address: str) -> Iterator[tuple[NetworkInterface, int]]:
        """The interfaces with an address and a valid description, with the Unix seconds of the description.

        Sends no query.
        """
        return self._cache.valid_at(address, self._now)

    @property
    def refusals(self) -> tuple[str, ...]:
        """Why EC2 is not asked at this time, in a few words; () if it is."""
        why = self._cache.refusal(self._now)
        return (why,) if why else ()

    def _query(self, query: Callable[[], Answer | None]) -> Answer | None:
        """The answer to a query, which is repeated once in a batch if EC2 refuses it and time is left."""
        before = self._budget.left
        with self._budget.spending():
            answer = query()
        if answer is not None and answer.refused and self._may_insist and self._budget.allows_repeat(before):
            self._may_insist = False
            self._cache.insist()
            with self._budget.spending():
                answer = query()
        self.failures += answer is not None and answer.refused
        return answer
