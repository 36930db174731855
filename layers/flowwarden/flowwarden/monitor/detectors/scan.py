"""scan: one of our own hosts tries what is new for it, and mostly fails.

What: an own host whose new contacts fail: the places (server, protocol, port) that refused or did not answer
    it, less those that answered, reach `scan_hour` within an hour or `scan_day` within a day. What is
    usual for its role does not count, however much of it fails. Services that it usually asks for, but in
    other networks, count once for each network that is new and fails, and for `USUAL_WEIGHTS` of every
    further server there. Each server that answered makes up for one failure, however many of its ports did;
    those of the internet for failures on the internet only, because an attacker can have any number of them.
    Or an own host that asks one server for `scan_ports` privileged ports in a batch, answered or not.
Why: an application knows which servers to ask. A scanner has to try, and most of what it tries is not there.
    It is the sequential test of Jung, Paxson, Berger and Balakrishnan (IEEE S&P 2004) on first contacts, with
    odds of 0.8 and 0.2: twelve more failures than successes mean one false alarm in ten million.
False positives: inventory and vulnerability scanners, new monitoring: name them in the policy's `exempt`. NAT
    gateways and load balancers are left out, since they ask in others' names.
While a role is learned, all that it does is new: answers are not counted then, and it takes `LEARNING_FACTOR`
    times as many failures.
Events: scan.json; resolver-answers.json is none.
ATT&CK: T1046 Network Service Discovery.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from msgspec import Struct

from flowwarden.monitor.detectors.base import Detector, Need, each_host
from flowwarden.monitor.findings import FlowSample, Severity, TrafficFinding
from flowwarden.monitor.text import ISOLATE, OPEN_PORTS, Text, started_by
from flowwarden.monitor.traffic.excess import excess, failures
from flowwarden.monitor.traffic.host_activity import SPANS, HostActivity
from flowwarden.network.addresses import PeerClass
from flowwarden.network.services import UNPRIVILEGED
from flowwarden.notify.text import plural
from flowwarden.policy.detection import Thresholds
from flowwarden.state.schema import BASELINES, CONTACTS_DAY, CONTACTS_HOUR
from flowwarden.state.sets import HOUR

LEARNING_FACTOR: Final = 2.5


class Failures(Struct, frozen=True):
    """What a finding about failures stands on."""

    role: str
    failed: int
    """Pairs of host and port that failed within the span, about."""
    span: int
    """Seconds."""
    limit: float
    """By how many pairs more failed than answered."""


class Ports(Struct, frozen=True):
    """What a finding about the ports of one server stands on."""

    role: str
    asked: str
    """The server."""
    limit: int
    """Privileged ports of the server in a batch."""


type Scan = TrafficFinding[Failures | Ports]


def vertical(host: HostActivity, least: int) -> str | None:
    """The server that the host asks for very many privileged ports in this batch; None if there is none."""
    ports: defaultdict[str, set[int]] = defaultdict(set)
    for contact in host.contacts:
        if contact.port < UNPRIVILEGED:
            ports[contact.server].add(contact.port)
    return next((server for server, asked in ports.items() if len(asked) >= least), None)


def exceeded(host: HostActivity, thresholds: Thresholds) -> int | None:
    """The window, in seconds, in which the host failed too often, in whatever batch; None if it did not."""
    limits = {span: _limit(host, span, thresholds) for span in SPANS}
    spans = (span for span, limit in limits.items() if excess(host.window(span), span) >= limit)
    return next(spans, None)


def suspicious(host: HostActivity, thresholds: Thresholds) -> int | None:
    """The same, if the host failed in this batch as well."""
    failed = any(contact.failed for contact in host.contacts)
    return exceeded(host, thresholds) if failed else None


def inspect(host: HostActivity, thresholds: Thresholds) -> list[Scan]:
    """One finding for the host, if it scans."""
    if span := suspicious(host, thresholds):
        failed = round(failures(host.window(span)))
        return [_report(host, Failures(host.role, failed, span, _limit(host, span, thresholds)))]
    if server := vertical(host, thresholds.scan_ports):
        return [_report(host, Ports(host.role, server, thresholds.scan_ports))]
    return []


def _limit(host: HostActivity, span: int, thresholds: Thresholds) -> float:
    limit = thresholds.scan_hour if span == HOUR else thresholds.scan_day
    return limit * (LEARNING_FACTOR if host.learning else 1)


def _report(host: HostActivity, facts: Failures | Ports) -> Scan:
    return DETECTOR.finding(
        subject=host.client,
        peer_class=PeerClass.OWN,  # constant, so that it is one incident whatever a batch shows of it
        sample=FlowSample.of(host.flows),
        facts=facts,
    )


def text(finding: Scan) -> Text:
    """The finding in words."""
    client, tally, facts = finding.subject, finding.tally, finding.facts
    tried, why = _rule(facts)
    return Text(
        summary=f"{client} tried {tried}.",
        because=(
            f"{started_by(client, finding.example, 'them')}; "
            f"none of it is usual for its role ({facts.role}); {why}"
        ),
        likely=OPEN_PORTS.format(client),
        query_terms=(client,),
        words={
            "servers": plural(len(tally.servers), "host"),
            "services": plural(len(tally.services), "service"),
        },
    )


def _rule(facts: Failures | Ports) -> tuple[str, str]:
    """What the host tried, and why that is a scan."""
    match facts:
        case Failures():
            return (
                f"about {facts.failed} host and port pairs in vain within {SPANS[facts.span]}",
                f"{facts.limit:g} more failures than answers are the threshold",
            )
        case Ports():
            return (
                f"{facts.limit} privileged ports or more of {facts.asked} in one batch",
                "nobody needs so many of one server",
            )


DETECTOR: Final = Detector(
    name="scan",
    summary=(
        "one of your hosts tries what is new for its role, and mostly fails: 12 places within an "
        "hour or 20 within a day, over any number of batches; or it asks one server for 15 "
        "privileged ports"
    ),
    severity=Severity.HIGH,
    technique="T1046",
    thresholds=("scan_hour", "scan_day", "scan_ports"),
    needs=frozenset({Need.BASELINE}),
    state=(BASELINES, CONTACTS_HOUR, CONTACTS_DAY),
    inhibits=("host-probing", "blocked-connection", "lateral-movement"),
    finds=(
        "fast-vertical-scan",
        "horizontal-scan",
        "block-scan",
        "slow-scan",
        "very-slow-scan",
        "lateral-movement",
    ),
    runbook=(
        "Ask who runs a scanner or monitoring on {subject}; if somebody does, name it in `exempt`.",
        ISOLATE,
        "In this batch: {servers}, {services}.",
    ),
    detect=each_host(inspect),
    text=text,
)
