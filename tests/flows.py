"""Flows for tests: one line each, with only the relevant fields."""

from __future__ import annotations

from typing import Any

from flowwarden.monitor.traffic.selection import noise
from flowwarden.network.addresses import AddressClassifier
from flowwarden.network.direction import DirectedFlow, Directions, resolve
from flowwarden.network.traffic import Traffic
from flowwarden.records.columnar.flow_table import FlowTable
from flowwarden.records.columnar.tokenizer import Integers
from flowwarden.records.line_decoder import flow_type
from flowwarden.records.log_format import LogFormat
from flowwarden.records.model import FLOW_ATTRIBUTES, Action, Flow

START = 1_764_000_000


WHOLE = LogFormat(tuple(name.replace("_", "-") for name in FLOW_ATTRIBUTES))
"""A layout of all fields that the project evaluates."""


_FLOW = flow_type(WHOLE)
_ABSENT = dict.fromkeys(FLOW_ATTRIBUTES)


def make_flow(**given: Any) -> Flow:
    """A flow with the layout `WHOLE`; fields that are not given are absent."""
    return _FLOW(**(_ABSENT | given))


def flow(source: str, destination: str, **given: Any) -> Flow:
    """A TCP flow `address:port` → `address:port` (`[v6]:port`), accepted by default."""
    srcaddr, srcport = _split(source)
    dstaddr, dstport = _split(destination)
    defaults: dict[str, Any] = {
        "protocol": 6,
        "packets": 6,
        "bytes": 360,
        "start": START,
        "end": START + 58,
        "action": Action.ACCEPT,
        "interface_id": "eni-1",
    }
    ends = {"srcaddr": srcaddr, "srcport": srcport, "dstaddr": dstaddr, "dstport": dstport}
    return make_flow(**ends, **(defaults | given))


def rejected(source: str, destination: str, **given: Any) -> Flow:
    """A rejected TCP flow."""
    return flow(source, destination, action=Action.REJECT, **given)


def directed(*flows: Flow, own_cidrs: tuple[str, ...] = ()) -> list[DirectedFlow]:
    """The flows as a batch, with their directions."""
    return resolve(Traffic(FlowTable.of(flows)), AddressClassifier(own_cidrs))


def directions(*flows: Flow) -> Directions:
    """The directions of the flows, as columns."""
    return Directions(Traffic(FlowTable.of(flows)), AddressClassifier())


def noisy(*flows: Flow) -> tuple[Directions, Integers]:
    """The directions of the flows, and the rows that are rejected attempts of internet hosts."""
    batch = directions(*flows)
    return batch, noise(batch)


def _split(end: str) -> tuple[str, int]:
    address, _, port = end.rpartition(":")
    return address.strip("[]"), int(port)
