"""Choosing and grouping flows: what several detectors need."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from operator import attrgetter

import numpy as np

from flowwarden.network.direction import AWS_SERVICE, INTERNET, DirectedFlow, Directions
from flowwarden.network.host_set import HostSet
from flowwarden.network.initiator import Initiator
from flowwarden.records.columnar.flow_table import FlowTable
from flowwarden.records.columnar.string_pool import ACCEPT, REJECT
from flowwarden.records.columnar.tokenizer import MIX, Integers, Mask
from flowwarden.records.model import Flow, FlowDirection

PAGING_CONFIDENCE = 0.95
"""Below it the initiator is a guess (the lower port is wrong for one flow in ten), and guesses never page."""


def rejected(directions: Directions) -> Integers:
    """The rows of REJECTs, each record once, but for the noise of the internet."""
    flows = directions.traffic.flows
    return without_repeats(flows, ((flows["action"] == REJECT) & ~is_noise(directions)).nonzero()[0])


def touching(directions: Directions, rows: Integers, places: HostSet) -> Integers:
    """Those of these connections with the internet that have an end in one of the places, each record once.

    Making flows of rows is dear, so that only those of declared places are made.
    """
    return without_repeats(directions.traffic.flows, rows[_touching(directions, rows, places)])


def is_noise(directions: Directions) -> Mask:
    """Which flows are refused attempts of the internet; one whose initiator nothing tells is its sender's."""
    client = directions.client_class
    rejected: Mask = directions.traffic.flows["action"] == REJECT
    rejected &= directions.from_source
    rejected &= (client == INTERNET) | (client == AWS_SERVICE)
    return rejected


def noise(directions: Directions) -> Integers:
    """The rows of these attempts, each record once; leftovers of forgotten connections are none."""
    traffic = directions.traffic
    # Repeats first: of two forms of a record the one with flags says that it is a leftover.
    rows = without_repeats(traffic.flows, is_noise(directions).nonzero()[0])
    noise: Integers = rows[~traffic.leftovers[rows]]
    return noise


def with_internet(directions: Directions) -> Integers:
    """The rows of accepted flows that surely are of a connection with the internet."""
    outside: Mask = (directions.client_class == INTERNET) | (directions.server_class == INTERNET)
    outside &= directions.traffic.flows["action"] == ACCEPT
    return (outside & (directions.confidence >= PAGING_CONFIDENCE)).nonzero()[0]


def _touching(directions: Directions, rows: Integers, here: HostSet) -> Mask:
    """Which of these connections with the internet are with an end in one of the places, or logged there."""
    flows = directions.traffic.flows
    touching = np.zeros(len(rows), bool)
    for attribute in ("interface_id", "instance_id", "subnet_id"):
        if here.has_ids and flows.has(attribute):
            touching |= flows.answers(here.naming).of(flows[attribute][rows]) > 0
    if here.has_networks:
        to_internet = directions.server_class[rows] == INTERNET
        ends = np.where(to_internet, directions.client[rows], directions.server[rows])
        touching |= flows.answers(here.holding).of(ends) > 0
    return touching


_TELLING = "srcaddr", "dstaddr", "srcport", "dstport", "start", "interface_id"
"""What hardly any two records have in common that are not the same."""
_IDENTITY = (*_TELLING, "protocol", "end", "action", "packets", "bytes")
"""What makes a record the same record, in whatever format."""


def without_repeats(flows: FlowTable, rows: Integers) -> Integers:
    """The rows without those of records that are there more than once."""
    if len(rows) <= 1:
        return rows
    # Records are delivered at least once, and once by each of two flow logs that write to one group, maybe
    # in formats of their own: no sum and no threshold may grow with that.
    if any(_are_distinct([flows[name][rows] for name in names]) for names in (_TELLING, _IDENTITY)):
        return rows
    unique: dict[tuple[object, ...], tuple[int, Flow]] = {}
    key = attrgetter(*_IDENTITY)
    for row, flow in zip(rows.tolist(), flows.flows(rows), strict=True):
        known = unique.setdefault(key(flow), (row, flow))
        if _telling(flow) > _telling(known[1]):
            unique[key(flow)] = row, flow
    return np.array([row for row, _ in unique.values()])


def _are_distinct(columns: Sequence[Integers]) -> bool:
    """Whether no two rows are the same; False if only their hashes are."""
    mixed = np.zeros(len(columns[0]), np.uint64)
    for column in columns:
        mixed = (mixed ^ column.astype(np.uint64)) * MIX
    mixed.sort()
    return not np.count_nonzero(mixed[1:] == mixed[:-1])


def _telling(flow: Flow) -> tuple[int, str]:
    """Of two forms of a record the one with flags tells more; beyond that any order will do, if it is one."""
    return (-1 if flow.tcp_flags is None else flow.tcp_flags, repr(flow))


def sure(directed: DirectedFlow) -> bool:
    """Whether the initiator is known well enough to page on it."""
    return directed.verdict.initiator is not Initiator.UNKNOWN and directed.confidence >= PAGING_CONFIDENCE


def grouped[K: Hashable](
    flows: Iterable[DirectedFlow], key: Callable[[DirectedFlow], K]
) -> dict[K, list[DirectedFlow]]:
    """The flows by a key, in the order in which the keys first appear."""
    groups: dict[K, list[DirectedFlow]] = defaultdict(list)
    for directed in flows:
        groups[key(directed)].append(directed)
    return dict(groups)


def own_end(directed: DirectedFlow) -> str | None:
    """The address at the interface that logged the flow; None where the side is not known."""
    match directed.side:
        case FlowDirection.INGRESS:
            return directed.flow.dstaddr
        case FlowDirection.EGRESS:
            return directed.flow.srcaddr
        case None:
            return None


def logged_by(directed: DirectedFlow, address: str) -> bool:
    """Whether the address is the one at the interface that logged the flow, which is whose ids it has."""
    return own_end(directed) == address
