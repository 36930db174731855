"""The standard library and one loop: a minimal script for these aggregates, without checks of the lines.

It is the simplest way and easy to verify, so the tests compare the other ways with it.
"""

from __future__ import annotations

from collections import defaultdict
from operator import itemgetter

from benchmarks.aggregates import Aggregates, Group, InterfacePair, Pair, sides
from benchmarks.ways.floors import document
from benchmarks.ways.way import Event, Way
from flowwarden.records.log_format import LogFormat

_NEEDED = (
    "interface-id",
    "srcaddr",
    "dstaddr",
    "dstport",
    "protocol",
    "packets",
    "bytes",
    "action",
    "log-status",
)


def make(layout: LogFormat) -> Way:
    """Knows the positions of the needed tokens."""
    needed = itemgetter(*(layout.names.index(name) for name in _NEEDED))
    has_direction = "flow-direction" in layout.names
    direction = layout.names.index("flow-direction") if has_direction else 0

    def run(event: Event) -> Aggregates:
        groups: dict[Group, list[int]] = {}
        rejected: defaultdict[Pair, set[int | None]] = defaultdict(set)
        by_side: defaultdict[str, int] = defaultdict(int)
        unknown_side: defaultdict[InterfacePair, int] = defaultdict(int)
        for each in document(event)["logEvents"]:
            tokens = each["message"].split(" ")
            interface, source, destination, port, protocol, packets, size, action, status = needed(tokens)
            if status != "OK":
                continue
            group = groups.setdefault((source, destination, int(port), int(protocol), action), [0, 0, 0])
            group[0] += 1
            group[1] += int(packets)
            group[2] += int(size)
            if action == "REJECT":
                rejected[source, destination].add(int(port))
            if has_direction:
                by_side[tokens[direction]] += 1
            else:
                unknown_side[interface, source, destination] += 1
        return Aggregates(groups, rejected, by_side if has_direction else sides(unknown_side))

    return Way(run=run, aggregates=lambda result: result)
