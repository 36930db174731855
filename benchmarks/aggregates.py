"""The aggregates that every way must compute, and an aggregation that several ways share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

type Group = tuple[str, str, int | None, int | None, str | None]
"""Source, destination, destination port, protocol, action."""
type Pair = tuple[str, str]
"""Source and destination."""
type InterfacePair = tuple[str | None, str, str]
"""Interface, source and destination."""


class Aggregates(Struct, frozen=True):
    """The aggregates of a payload's flows."""

    groups: Mapping[Group, list[int]]
    """Records, packets and bytes."""
    rejected_ports: Mapping[Pair, set[int | None]]
    """Distinct destination ports of the rejected flows."""
    sides: Mapping[str, int]
    """Records at `ingress`, at `egress`, and `unknown`; sides without records are omitted."""

    def difference(self, other: Aggregates) -> str | None:
        """The first difference between two aggregates, or None if they are equal."""
        for name in ("groups", "rejected_ports", "sides"):
            mine, theirs = getattr(self, name), getattr(other, name)
            if mine != theirs:
                key = min((key for key in mine | theirs if mine.get(key) != theirs.get(key)), key=repr)
                return f"{name}[{key!r}] is {mine.get(key)!r} in one and {theirs.get(key)!r} in the other"
        return None


def aggregate(flows: Iterable[Any]) -> Aggregates:
    """Aggregate flows (without gaps) in one pass.

    Flows are objects of any class whose attributes have AWS's names, with `_` instead of `-`.
    """
    groups: dict[Group, list[int]] = {}
    rejected: defaultdict[Pair, set[int | None]] = defaultdict(set)
    by_side: defaultdict[str, int] = defaultdict(int)
    without_direction: defaultdict[InterfacePair, int] = defaultdict(int)
    for flow in flows:
        source, destination, port, action = flow.srcaddr, flow.dstaddr, flow.dstport, flow.action
        key = (source, destination, port, flow.protocol, action)
        group = groups.get(key)
        if group is None:
            groups[key] = [1, flow.packets, flow.bytes]
        else:
            group[0] += 1
            group[1] += flow.packets
            group[2] += flow.bytes
        if action == "REJECT":
            rejected[source, destination].add(port)
        side = flow.flow_direction
        if side is None:
            without_direction[flow.interface_id, source, destination] += 1
        else:
            by_side[side] += 1
    for side, records in sides(without_direction).items():
        by_side[side] += records
    return Aggregates(groups, rejected, by_side)


def sides(pairs: Mapping[InterfacePair, int]) -> dict[str, int]:
    """Records at each side, for logs without the flow direction.

    An interface's own address is the one that all its flows of an address family have in common.
    """
    common: dict[tuple[str | None, bool], set[str]] = {}
    for interface, source, destination in pairs:
        ends = {source, destination}
        key = interface, ":" in source
        common[key] = common.get(key, ends) & ends
    own = {key: next(iter(addresses)) for key, addresses in common.items() if len(addresses) == 1}
    counts: defaultdict[str, int] = defaultdict(int)
    for (interface, source, destination), records in pairs.items():
        counts[_side(own.get((interface, ":" in source)), source, destination)] += records
    return dict(counts)


def _side(own: str | None, source: str, destination: str) -> str:
    if own is None or source == destination:
        return "unknown"
    return "egress" if source == own else "ingress"
