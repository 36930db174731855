"""Choosing and grouping flows: what several detectors need."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from operator import attrgetter

import numpy as np

from flowwarden.network.direction import DirectedFlow
from flowwarden.network.initiator import Initiator
from flowwarden.network.places import Places, places
from flowwarden.policy import Policy
from flowwarden.records.model import Flow, FlowDirection
from flowwarden.records.table import FlowTable
from flowwarden.records.tokens import ABSENT, Integers, Mask
from flowwarden.records.vocabulary import REJECT

PAGING_CONFIDENCE = 0.95
"""Below it the initiator is a guess (the lower port is wrong for one flow in ten), and guesses never page."""


def wanted(flows: FlowTable, policy: Policy) -> Integers:
    """The rows of the flows that any detector looks at: REJECTs, and what touches a declared place.

    Making flows of rows is dear; for the ordinary accepted ones nobody asks. A record that was delivered
    more than once is one flow.
    """
    looked_at = flows["action"] == REJECT
    declared = policy.private_subnets + policy.listener_only
    if declared:
        looked_at = looked_at | _touching(flows, places(declared))
    return _distinct(flows, np.flatnonzero(looked_at))


def _touching(flows: FlowTable, here: Places) -> Mask:
    """Which flows have an end in one of the places, or were logged there."""
    touching = np.zeros(len(flows), bool)
    for attribute in ("interface_id", "instance_id", "subnet_id"):
        touching |= _named(flows, attribute, here.named)
    for end in ("src", "dst"):
        packet = _named(flows, f"pkt_{end}addr", here.hold)
        told = flows[f"pkt_{end}addr"] != ABSENT
        touching |= np.where(told, packet, _named(flows, f"{end}addr", here.hold))
    return touching


def _named(flows: FlowTable, attribute: str, holds: Callable[[str], bool]) -> Mask:
    """Of which flows the text of a column fulfils a condition."""
    fitting = [number for number in np.unique(flows[attribute]) if number >= 0 and holds(flows.texts[number])]
    return np.isin(flows[attribute], fitting) if fitting else np.zeros(len(flows), bool)


_IDENTITY = (
    *("interface_id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol"),
    *("start", "end", "action", "packets", "bytes"),
)
"""What makes a record the same record, in whatever format."""


def _distinct(flows: FlowTable, rows: Integers) -> Integers:
    # Records are delivered at least once, and once by each of two flow logs that write to one group, maybe
    # in formats of their own: no sum and no threshold may grow with that.
    identity = np.array([flows[attribute][rows] for attribute in _IDENTITY])
    identity = identity[:, np.lexsort(identity)]
    if not (identity[:, 1:] == identity[:, :-1]).all(axis=0).any():
        return rows
    unique: dict[tuple[object, ...], tuple[int, Flow]] = {}
    key = attrgetter(*_IDENTITY)
    for row, flow in zip(rows.tolist(), flows.flows(rows), strict=True):
        known = unique.setdefault(key(flow), (row, flow))
        if _telling(flow) > _telling(known[1]):
            unique[key(flow)] = row, flow
    return np.array([row for row, _ in unique.values()])


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


def plural(count: int, noun: str) -> str:
    """`1 packet`, `2 packets`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
