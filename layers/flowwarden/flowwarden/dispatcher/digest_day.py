"""The day of a daily digest, put together from its hours. Pure.

All counts of records and ports are lower bounds; the numbers of all hosts and records are estimates.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from flowwarden.network.services import describe_service
from flowwarden.state.digests import HOSTS, RECORDS, SOURCES, TARGETS, Content, Source, Target
from flowwarden.state.registers import estimate


class SourceOfDay(Struct, frozen=True, kw_only=True):
    """An internet host that was rejected on a day."""

    address: str
    records: int
    """At least."""
    tried: int
    """Ports tried within one batch, at least."""
    ports: tuple[int, ...]
    """Some of them, see `state.digests.port_number`."""


class Day(Struct, frozen=True, kw_only=True):
    """The REJECTs of internet hosts on a day."""

    sources: tuple[SourceOfDay, ...]
    """Those with most records first."""
    targets: tuple[tuple[str, int], ...]
    """Hosts of the account, with at least so many records; those with most first."""
    hosts: int
    """Distinct internet hosts, approximately."""
    records: int
    """Rejected records, approximately."""

    @classmethod
    def of(cls, hours: Iterable[Content]) -> Day:
        """The day with these hours."""
        hosts, records = set[int](), set[int]()
        sources, tried = defaultdict[str, int](int), dict[str, int]()
        ports, targets = defaultdict[str, set[int]](set), defaultdict[str, int](int)
        for hour in hours:
            hosts |= hour.numbers.get(HOSTS, frozenset())
            records |= hour.numbers.get(RECORDS, frozenset())
            found = [*Source.read(hour.texts.get(SOURCES, ()))]
            _add(sources, ((each.address, each.records) for each in found))
            _add(targets, ((each.host, each.records) for each in Target.read(hour.texts.get(TARGETS, ()))))
            for each in found:
                tried[each.address] = max(tried.get(each.address, 0), 2**each.tried)
                ports[each.address].update(each.ports)
        rows = [
            SourceOfDay(
                address=address, records=count, tried=max(tried[address], len(ports[address])),
                ports=tuple(sorted(ports[address])),
            )
            for address, count in _most_first(sources)
        ]  # fmt: skip
        at_least = sum(sources.values())
        return cls(
            sources=tuple(rows),
            targets=tuple(_most_first(targets)),
            hosts=max(estimate(hosts), len(rows)),
            records=max(estimate(records), at_least),
        )

    @property
    def services(self) -> frozenset[int]:
        """The services that sources tried, as far as they are stored."""
        return frozenset(port for each in self.sources for port in each.ports)


NOTHING: Final = Day(sources=(), targets=(), hosts=0, records=0)


def named(port: int) -> str:
    """A port, see `state.digests.port_number`, for people."""
    return describe_service(port >> 16, port & 0xFFFF or None)


def _add(counts: defaultdict[str, int], exponents: Iterable[tuple[str, int]]) -> None:
    """Add the largest count of an hour: other containers may have seen the same batches."""
    largest: dict[str, int] = {}
    for name, exponent in exponents:
        largest[name] = max(largest.get(name, 0), exponent)
    for name, exponent in largest.items():
        counts[name] += 2**exponent


def _most_first(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda each: (-each[1], each[0]))
