"""Selecting and grouping flows, shared by several detectors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Final

import numpy as np

from flowwarden.network.direction import AWS_SERVICE, INTERNET, LOCAL, OWN, DirectedFlow, Directions
from flowwarden.network.host_set import HostSet
from flowwarden.network.initiator import Initiator
from flowwarden.network.traffic import RST
from flowwarden.records.columnar.flow_table import COLUMNS, FlowTable
from flowwarden.records.columnar.string_pool import ACCEPT, INGRESS, REJECT
from flowwarden.records.columnar.tokenizer import ABSENT, MIX, Integers, Mask, Words
from flowwarden.records.model import FlowDirection

LEARNING_CONFIDENCE = 0.6
"""Sufficient for learning: the typical error is to mistake a response for a request."""
PAGING_CONFIDENCE = 0.95
"""Below it, the initiator is a guess, and guesses never page. A guess by the lower port is wrong for one flow
in ten."""
_NONE: Final = np.empty(0, np.int64)


def of_contacts(directions: Directions) -> Mask:
    """The flows that belong to contacts: of an internal host with another host, with a service port."""
    usable: Mask = (directions.confidence >= LEARNING_CONFIDENCE) & (directions.service_port > 0)
    usable &= (directions.client_class != LOCAL) & (directions.server_class != LOCAL)
    usable &= directions.side != ABSENT
    inbound = (directions.side == INGRESS) == directions.from_source
    usable &= np.where(inbound, directions.server_class, directions.client_class) == OWN
    return usable


def is_outside(classes: Integers) -> Mask:
    """Which peer classes are those of public addresses, which are too many to be known individually."""
    outside: Mask = (classes == INTERNET) | (classes == AWS_SERVICE)
    return outside


def rejected(directions: Directions) -> Integers:
    """The rows of REJECTs except internet noise, without duplicate records."""
    flows = directions.traffic.flows
    return without_repeats(flows, ((flows["action"] == REJECT) & ~is_noise(directions)).nonzero()[0])


def touching(directions: Directions, rows: Integers, places: HostSet) -> Integers:
    """The connections with the internet that have an end in one of the places, without duplicates.

    Creating flows from rows is expensive, so only those of declared places are created.
    """
    return without_repeats(directions.traffic.flows, rows[_touching(directions, rows, places)])


def is_noise(directions: Directions) -> Mask:
    """Which flows are rejected attempts from the internet; an unknown initiator counts as the sender."""
    rejected: Mask = directions.traffic.flows["action"] == REJECT
    rejected &= directions.from_source & is_outside(directions.client_class)
    return rejected


def noise(directions: Directions) -> Integers:
    """The rows of `is_noise`, without duplicates and without late packets of expired connections."""
    traffic = directions.traffic
    if not np.count_nonzero(traffic.flows["action"] == REJECT):  # as in most batches
        return _NONE
    # Duplicates first: if a record has two forms, only the one with flags identifies a late packet.
    rows = without_repeats(traffic.flows, is_noise(directions).nonzero()[0])
    noise: Integers = rows[~traffic.expired_rejects[rows]]
    return noise


def are_replies(directions: Directions) -> Mask:
    """Which rows are accepted replies; a reset alone is no reply."""
    flows = directions.traffic.flows
    replies: Mask = ~directions.from_source & (flows["action"] == ACCEPT) & (flows["tcp_flags"] != RST)
    return replies


def with_internet(directions: Directions) -> Integers:
    """The rows of accepted flows that certainly belong to a connection with the internet."""
    outside: Mask = (directions.client_class == INTERNET) | (directions.server_class == INTERNET)
    outside &= directions.traffic.flows["action"] == ACCEPT
    return (outside & (directions.confidence >= PAGING_CONFIDENCE)).nonzero()[0]


def _touching(directions: Directions, rows: Integers, here: HostSet) -> Mask:
    """Which of these connections with the internet have an end in one of the places, or were logged there."""
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
"""Fields that distinguish nearly all different records."""
_IDENTITY = (*_TELLING, "protocol", "end", "action", "packets", "bytes")
"""Fields that identify a record, regardless of its format."""


def without_repeats(flows: FlowTable, rows: Integers) -> Integers:
    """The rows without duplicate records."""
    if len(rows) <= 1:
        return rows
    # Delivery is at least once, and two flow logs that write to one log group deliver each record twice,
    # possibly in different formats. No sum and no threshold may grow with that.
    if any(_are_distinct([flows[name][rows] for name in names]) for names in (_TELLING, _IDENTITY)):
        return rows
    return rows[_fullest_of_each(flows, rows)]


def _fullest_of_each(flows: FlowTable, rows: Integers) -> Integers:
    """The position of one form of each record, in the order of the records' first forms.

    Of several forms of a record, it is the one with flags, then the one with most fields, then the first.
    """
    columns = [flows[name][rows] for name in _IDENTITY]
    order = mixed(columns).argsort(kind="stable")
    new = np.ones(len(rows), bool)  # records with equal hashes are adjacent; they are compared exactly
    new[1:] = False
    for column in columns:
        new[1:] |= column[order[1:]] != column[order[:-1]]
    (begins,) = new.nonzero()
    ranks = _ranks(flows, rows)[order]
    best = np.maximum.reduceat(ranks, begins)[new.cumsum() - 1] == ranks
    _, first = np.unique((new.cumsum() - 1)[best], return_index=True)
    fullest: Integers = order[best.nonzero()[0][first]]
    return fullest[order[begins].argsort()]


def _ranks(flows: FlowTable, rows: Integers) -> Integers:
    """A rank for each form of a record: higher with flags, then with more fields."""
    fields = np.zeros(len(rows), np.int64)
    for name in COLUMNS:
        if flows.has(name):
            fields += flows[name][rows] != ABSENT
    ranks: Integers = flows["tcp_flags"][rows].astype(np.int64) * len(COLUMNS) + fields
    return ranks


def _are_distinct(columns: Sequence[Integers]) -> bool:
    """Whether no two rows have the same hash, so that none are equal."""
    hashes = mixed(columns)
    hashes.sort()
    return not np.count_nonzero(hashes[1:] == hashes[:-1])


def mixed(columns: Sequence[Integers], factor: np.uint64 = MIX) -> Words:
    """A hash of each row. With the default factor, the hashes differ between processes."""
    hashes = np.zeros(len(columns[0]), np.uint64)
    for column in columns:
        hashes = (hashes ^ column.astype(np.uint64)) * factor
    return hashes


def sure(directed: DirectedFlow) -> bool:
    """Whether the initiator is certain enough to page."""
    return directed.verdict.initiator is not Initiator.UNKNOWN and directed.confidence >= PAGING_CONFIDENCE


def grouped[K: Hashable](
    flows: Iterable[DirectedFlow], key: Callable[[DirectedFlow], K]
) -> dict[K, list[DirectedFlow]]:
    """The flows by key, in order of first appearance."""
    groups: dict[K, list[DirectedFlow]] = defaultdict(list)
    for directed in flows:
        groups[key(directed)].append(directed)
    return dict(groups)


def own_end(directed: DirectedFlow) -> str | None:
    """The address at the interface that logged the flow; None if the side is unknown."""
    match directed.side:
        case FlowDirection.INGRESS:
            return directed.flow.dstaddr
        case FlowDirection.EGRESS:
            return directed.flow.srcaddr
        case None:
            return None


def logged_by(directed: DirectedFlow, address: str) -> bool:
    """Whether the address is at the interface that logged the flow, to which the record's ids belong."""
    return own_end(directed) == address
