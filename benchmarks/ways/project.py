"""This project's way: what the monitor does with an event before it looks for anything in it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from operator import attrgetter

from msgspec import Struct

from benchmarks.aggregates import Aggregates, Group, Pair
from benchmarks.ways.way import Event, Way
from flowwarden.network.addresses import AddressBook
from flowwarden.network.traffic import Sums, Traffic, family
from flowwarden.records.layout import RecordLayout
from flowwarden.records.model import Action, Flow, FlowDirection
from flowwarden.records.reader import Reader
from flowwarden.records.subscription import ControlMessage, decode

MAX_BYTES = 64 * 2**20
"""The template's cap."""

_direction = attrgetter("flow_direction")
_ends = attrgetter("interface_id", "srcaddr", "dstaddr")


class Found(Struct, frozen=True):
    """What the project makes of a payload, in the form in which its detectors get it."""

    traffic: Traffic
    rejected_ports: dict[Pair, set[int | None]]
    sides: dict[str, int]


def make(layout: RecordLayout) -> Way:
    """The reader and the classes of addresses are kept from event to event, as in a warm container."""
    reader = Reader((layout,))
    book = AddressBook()

    def run(event: Event) -> Found:
        batch = decode(event["awslogs"]["data"], MAX_BYTES)
        if isinstance(batch, ControlMessage):
            raise TypeError("the generator makes no control messages")
        return summed(reader.read(batch.lines).flows, book)

    return Way(run=run, aggregates=aggregates)


def summed(flows: Sequence[Flow], book: AddressBook) -> Found:
    """Everything that is asked for, from the flows of a batch."""
    traffic = Traffic(flows)
    rejected: defaultdict[Pair, set[int | None]] = defaultdict(set)
    for source, destination, port, _, action in traffic.groups:
        if action is Action.REJECT:
            rejected[source, destination].add(port)
    return Found(traffic, rejected, _sides(flows, traffic, book))


def _sides(flows: Sequence[Flow], traffic: Traffic, book: AddressBook) -> dict[str, int]:
    sides: Counter[str] = Counter(map(_direction, flows))
    if sides.pop(None, 0):  # type: ignore[call-overload]  # the layout has no flow-direction
        own = traffic.own_addresses(book)
        for (interface, source, destination), records in Counter(map(_ends, flows)).items():
            sides[_side(own.get((interface, family(destination))), source, destination)] += records
    return dict(sides)


def _side(own: str | None, source: str, destination: str) -> str:
    if own is None or source == destination:
        return "unknown"
    return FlowDirection.EGRESS if source == own else FlowDirection.INGRESS


def aggregates(found: Found) -> Aggregates:
    """The same as the other ways' results."""
    groups: dict[Group, list[int]] = {key: _sums(group) for key, group in found.traffic.groups.items()}
    return Aggregates(groups, found.rejected_ports, found.sides)


def _sums(group: Flow | Sums) -> list[int]:
    records = group.records if isinstance(group, Sums) else 1
    return [records, group.packets or 0, group.bytes or 0]
