"""`Text`, a finding in words, and phrases shared by several detectors. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from flowwarden.monitor.findings import Tally, TrafficFinding, Window
from flowwarden.network.direction import DirectedFlow
from flowwarden.network.services import describe_service, has_ports, short_service
from flowwarden.notify.text import plural

ISOLATE: Final = (
    "Otherwise, isolate {subject} (attach a security group without rules) and preserve its disk and memory."
)
"""A runbook step about hosts that probe; follows a step that describes the harmless case."""
EXEMPT: Final = "If the activity is expected, add the host to `exempt` in the policy."
"""A runbook step about new behavior."""
SERVICES: Final = 5
"""Maximum number of services that a sentence names."""
OPEN_PORTS: Final = "a port scan from {} by a scanner, an inventory tool, or an intruder"
"""The likely cause when a host probes; the placeholder is the host."""


class Text(Struct, frozen=True, kw_only=True):
    """A finding in words."""

    summary: str
    """One sentence: what happened and where, such as which host did what to which host."""
    brief: str = ""
    """The same in few words, for receivers that show one short line; empty if the sentence is short."""
    because: str = ""
    """The evidence for the finding and the threshold that it passed."""
    likely: str = ""
    """The likely cause."""
    counted: str = ""
    """What was counted in the finding's window: `about 63 connections within 1 h`."""
    query_terms: tuple[str, ...] = ()
    """Tokens that all log lines behind the finding share, for a log query."""
    words: Mapping[str, str | None] = {}
    """Values of the runbook placeholders that only this detector defines. A step whose placeholder is None is
    omitted."""


def evidence(example: DirectedFlow) -> str:
    """The basis of the initiator and its confidence: `(the lower port, confidence 0.90)`."""
    return f"({example.verdict.evidence}, confidence {example.confidence:.2f})"


def started_by(client: str, example: DirectedFlow, what: str = "the connection") -> str:
    """A clause: the client is internal and initiated the connection, with the evidence."""
    return f"{client} is an internal host and initiated {what} {evidence(example)}"


def new_for_role(client: str, example: DirectedFlow, role: str, limit: str) -> str:
    """A clause: the behavior is new for the role. `limit` is the threshold with its noun."""
    return f"{started_by(client, example)}; this is new for its role ({role}); threshold: {limit}"


def estimated(estimate: float, window: Window | None, unit: int = 1) -> str:
    """`about 63`: the number counted in a window that includes the batch, divided by `unit`.

    It is the exact number of the batch if that is higher, or lower by at most the estimate's error. Otherwise
    the page would show two different numbers for the same traffic.
    """
    if window and estimate <= window.in_batch + window.error:
        estimate = window.in_batch
    return f"about {estimate / unit:,.0f}"


def services(tally: Tally) -> str:
    """The services, the most used first: `SSH (tcp/22), RDP (tcp/3389) and 2 more`."""
    shown = ", ".join(describe_service(*each) for each, _ in tally.services[:SERVICES])
    rest = len(tally.services) - SERVICES
    return f"{shown} and {rest} more" if rest > 0 else shown


def short_services(tally: Tally, most: int = 1) -> str:
    """The first services, at most `most`, without their names, and the number of others: `tcp/22 +2`."""
    shown = ", ".join(short_service(*each) for each, _ in tally.services[:most])
    rest = len(tally.services) - most
    return f"{shown} +{rest}" if rest > 0 else shown


def narrowed(finding: TrafficFinding, *terms: str) -> tuple[str, ...]:
    """The terms of a log query, with the server and the service port where the finding has only one."""
    servers = finding.tally.servers
    return (*terms, *([finding.main_server] if len(servers) == 1 else []), *service_port(finding))


def service_port(finding: TrafficFinding) -> tuple[str, ...]:
    """The service port as a term of a log query; () if there are several, or if the protocol has no ports."""
    service, shown = finding.main_service, [each for each, _ in finding.tally.services]
    several = len(shown) > 1 and (service.protocol, service.port) in shown
    return () if several or not has_ports(service.protocol) or not service.port else (str(service.port),)


def main_server_and_others(tally: Tally) -> str:
    """The server with the most records and the number of others: `10.0.2.30 and 2 other hosts`."""
    server, others = tally.servers[0][0], len(tally.servers) - 1
    return f"{server} and {plural(others, 'other host')}" if others else server


def short_servers(tally: Tally) -> str:
    """The server with the most records and the number of others, in short: `10.0.2.30 +2`."""
    return _short(tally.servers)


def short_clients(tally: Tally) -> str:
    """The client with the most records and the number of others, in short: `10.0.1.15 +2`."""
    return _short(tally.clients)


def _short(addresses: tuple[tuple[str, int], ...]) -> str:
    first, others = addresses[0][0], len(addresses) - 1
    return f"{first} +{others}" if others else first
