"""How the monitor reads a flow: side, initiator with its rules, roles of the ends, baseline. Pure."""

from __future__ import annotations

import numpy as np

from flowwarden.monitor.baseline.baseline import DAYS_SEEN
from flowwarden.monitor.baseline.peers import DYNAMIC, edge_of
from flowwarden.monitor.baseline.profile import RoleProfile
from flowwarden.monitor.view import BatchView
from flowwarden.network import initiator
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import DirectedFlow
from flowwarden.network.initiator import Initiator, InitiatorVerdict
from flowwarden.network.services import describe_service, protocol_name
from flowwarden.records.columnar.tokenizer import ABSENT, Integers
from flowwarden.records.model import Flow
from flowwarden.replay.explain.model import BaselinePart, End, InitiatorPart, Step, Traffic

_TELLING = ("srcport", "dstport", "start", "end", "packets", "bytes")
"""Columns that distinguish nearly all records."""


def rows_of(view: BatchView, flow: Flow) -> Integers:
    """The rows of a batch with this record: several if it was delivered more than once."""
    flows = view.records.flows
    chosen = np.ones(len(flows), bool)
    for name in _TELLING:
        value = getattr(flow, name)
        chosen &= flows[name] == (ABSENT if value is None else value)
    (rows,) = chosen.nonzero()
    return rows[[each == flow for each in flows.flows(rows)]] if len(rows) else rows


def traffic_of(view: BatchView, row: int, directed: DirectedFlow) -> Traffic:
    """How the monitor reads the flow in a row."""
    flow = directed.flow
    side, basis = _side(directed)
    return Traffic(
        source=_place(flow.pkt_srcaddr or flow.srcaddr, flow.srcport),
        destination=_place(flow.pkt_dstaddr or flow.dstaddr, flow.dstport),
        protocol=protocol_name(flow.protocol),
        action="" if flow.action is None else flow.action.value,
        packets=flow.packets,
        bytes=flow.bytes,
        start=flow.start,
        end=flow.end,
        interface=flow.interface_id or "",
        side=side,
        side_basis=basis,
        initiator=_initiator(view, row, directed.verdict),
        client=_client(view, directed),
        server=_server(view, directed),
        service=describe_service(flow.protocol, directed.service_port),
        baseline=_baseline(view, directed),
    )


def _place(address: str, port: int | None) -> str:
    name = f"[{address}]" if ":" in address and port is not None else address
    return name if port is None else f"{name}:{port}"


def _side(directed: DirectedFlow) -> tuple[str, str]:
    if directed.side is None:
        return "unknown", "the record has no flow-direction, and the interface's addresses are not known"
    if directed.flow.flow_direction is not None:
        return directed.side.value, "the record's flow-direction"
    return directed.side.value, "which end has an address of the interface"


def _initiator(view: BatchView, row: int, verdict: InitiatorVerdict) -> InitiatorPart:
    found = initiator.steps(view.directions.traffic, row)
    steps = [
        Step(rule=each.question, decides=each.verdict is not None, says=_says(each.verdict)) for each in found
    ]
    return InitiatorPart(
        initiator=verdict.initiator.value,
        confidence=verdict.confidence,
        basis=verdict.evidence.value,
        steps=steps,
    )


def _says(verdict: InitiatorVerdict | None) -> str:
    if verdict is None:
        return ""
    if verdict.initiator is Initiator.UNKNOWN:
        return "unknown"
    return f"the {verdict.initiator}, confidence {verdict.confidence:.0%}"


def _client(view: BatchView, directed: DirectedFlow) -> End:
    profile = view.client_of(directed)
    return _end(directed.client, directed.client_port, directed.client_class, profile)


def _server(view: BatchView, directed: DirectedFlow) -> End:
    flow = directed.flow
    here = view.described.get(flow.interface_id or "")
    is_here = here is not None and directed.server in here.addresses
    found = here if is_here else view.interfaces.at(directed.server, here.vpc_id if here else None)
    moment = ABSENT if flow.start is None else flow.start
    profile = view.profile(found.interface_id, moment) if found else RoleProfile(0)
    return _end(directed.server, directed.service_port, directed.server_class, profile)


def _end(address: str, port: int | None, peer_class: PeerClass, profile: RoleProfile) -> End:
    own = peer_class is PeerClass.OWN
    return End(
        address=address,
        port=port,
        peer_class=peer_class.value,
        interface=profile.interface.interface_id if profile.interface and own else "",
        role=profile.role if own else "",
        learning=profile.learning,
        days_learned=profile.baseline.days if profile.baseline else 0,
    )


def _baseline(view: BatchView, directed: DirectedFlow) -> BaselinePart | None:
    edge, flow = edge_of(directed), directed.flow
    if edge is None:
        return None
    profile = view.profile(flow.interface_id, ABSENT if flow.start is None else flow.start)
    port = f"ports from {DYNAMIC}" if edge.port == DYNAMIC else describe_service(edge.protocol, edge.port)
    where = f"to {edge.peer}" if edge.direction == "out" else f"from {edge.peer}"
    return BaselinePart(
        role=profile.role,
        connection=f"{port} {where}",
        days_seen=profile.days_of(edge),
        days_needed=DAYS_SEEN,
        usual=profile.knows(edge),
    )
