"""Flows for tests: one line each, with only what the test is about."""

from __future__ import annotations

from typing import Any

from flowwarden.network.addresses import AddressBook
from flowwarden.network.direction import DirectedFlow, resolve
from flowwarden.records.model import Action, Flow

START = 1_764_000_000


def flow(source: str, destination: str, **given: Any) -> Flow:
    """A TCP flow `address:port` → `address:port` (`[v6]:port`), accepted unless told otherwise."""
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
    return Flow(srcaddr=srcaddr, srcport=srcport, dstaddr=dstaddr, dstport=dstport, **(defaults | given))


def rejected(source: str, destination: str, **given: Any) -> Flow:
    """The same, rejected."""
    return flow(source, destination, action=Action.REJECT, **given)


def directed(*flows: Flow, own_cidrs: tuple[str, ...] = ()) -> list[DirectedFlow]:
    """The flows as a batch, with their directions."""
    return resolve(flows, AddressBook(own_cidrs))


def _split(end: str) -> tuple[str, int]:
    address, _, port = end.rpartition(":")
    return address.strip("[]"), int(port)
