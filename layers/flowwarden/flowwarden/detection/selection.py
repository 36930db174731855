"""Choosing and grouping flows: what several detectors need."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from operator import attrgetter

from flowwarden.network.direction import DirectedFlow
from flowwarden.network.initiator import Initiator, destination, source
from flowwarden.network.places import Places, places
from flowwarden.policy import Policy
from flowwarden.records.model import Action, Flow, FlowDirection

PAGING_CONFIDENCE = 0.95
"""Below it the initiator is a guess (the lower port is wrong for one flow in ten), and guesses never page."""


def wanted(flows: Iterable[Flow], policy: Policy) -> list[Flow]:
    """The flows that any detector looks at: REJECTs, and what touches a place that the policy declares.

    Finding out who started a flow is dear; for the ordinary accepted ones nobody asks.
    """
    declared = policy.private_subnets + policy.listener_only
    if not declared:
        return _distinct(flow for flow in flows if flow.action is Action.REJECT)
    here = places(declared)
    touches = _Touches(here)
    return _distinct(
        flow
        for flow in flows
        if flow.action is Action.REJECT
        or touches[source(flow)]
        or touches[destination(flow)]
        or here.named(flow.interface_id, flow.instance_id, flow.subnet_id)
    )


_IDENTITY = attrgetter(
    *("interface_id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol"),
    *("start", "end", "action", "packets", "bytes"),
)
"""What makes a record the same record, in whatever format."""


def _distinct(flows: Iterable[Flow]) -> list[Flow]:
    # Records are delivered at least once, and once by each of two flow logs that write to one group, maybe
    # in formats of their own: no sum and no threshold may grow with that.
    unique: dict[tuple[object, ...], Flow] = {}
    for flow in flows:
        known = unique.setdefault(_IDENTITY(flow), flow)
        if known is not flow and _telling(flow) > _telling(known):
            unique[_IDENTITY(flow)] = flow
    return list(unique.values())


def _telling(flow: Flow) -> tuple[int, str]:
    """Of two forms of a record the one with flags tells more; beyond that any order will do, if it is one."""
    return (-1 if flow.tcp_flags is None else flow.tcp_flags, repr(flow))


class _Touches(dict[str, bool]):
    """Whether an address is in a declared network; addresses repeat within a batch."""

    def __init__(self, here: Places) -> None:
        super().__init__()
        self._here = here

    def __missing__(self, address: str) -> bool:
        self[address] = answer = self._here.hold(address)
        return answer


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
