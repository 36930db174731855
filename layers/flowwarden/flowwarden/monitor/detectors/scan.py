"""scan: an internal host tries targets that are new for its role, and mostly fails.

What: an internal host whose new contacts fail. A place is a server, protocol and port. The number of places
    that rejected or did not answer the host, minus the number that answered, reaches `scan_hour` within an
    hour or `scan_day` within a day. Contacts that are usual for its role do not count, no matter how many
    fail. If the host contacts a usual service in a new network and fails, the network counts once, and each
    further server there counts 0.2 within an hour and 0.1 within a day (`USUAL_WEIGHTS`). Each server that
    answered offsets one failure, regardless of how many ports answered; servers on the internet offset only
    failures on the internet, because an attacker can operate any number of them. Also an internal host that
    contacts one server on `scan_ports` privileged ports in a batch, answered or not.
Why: an application knows its servers. A scanner must try, and most of its targets do not exist. This is the
    sequential test of Jung, Paxson, Berger and Balakrishnan (IEEE S&P 2004) on first contacts, with odds of
    0.8 and 0.2: twelve more failures than successes mean one false alarm in ten million.
False positives: inventory and vulnerability scanners, new monitoring: add them to `exempt` in the policy. NAT
    gateways and load balancers are excluded, since they connect on behalf of others. Packets of established
    connections do not count: where the log contains flags, only a SYN is an attempt. Connections that rules
    usually refuse for the role do not count. Connections to the internet that the role's own rules deny count
    only if others fail, too.
While a role is being learned, all of its contacts are new. Answers do not offset failures then, and the limit
    is `LEARNING_FACTOR` times as high.
Events: scan.json; no finding in resolver-replies.json, idle-connections.json.
ATT&CK: T1046 Network Service Discovery.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from msgspec import Struct

from flowwarden.monitor.baseline.profile import LEARNING_FACTOR
from flowwarden.monitor.behavior import Behavior, always
from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.causes import Shares
from flowwarden.monitor.detectors.base import Detector, Need
from flowwarden.monitor.findings import (
    FlowSample,
    Severity,
    SurplusFinding,
    TrafficFinding,
    Window,
    representative,
)
from flowwarden.monitor.measured import Measured
from flowwarden.monitor.text import ISOLATE, OPEN_PORTS, Text, estimated, started_by
from flowwarden.monitor.traffic.contact import ContactOutcome
from flowwarden.monitor.traffic.excess import excess, failures
from flowwarden.monitor.traffic.host_activity import SPANS, HostActivity
from flowwarden.monitor.traffic.host_sample import place_of, window_of
from flowwarden.monitor.view import BatchView
from flowwarden.network.addresses import PeerClass
from flowwarden.network.services import UNPRIVILEGED
from flowwarden.notify.text import plural
from flowwarden.policy.detection import Thresholds
from flowwarden.state.schema import BASELINES, CONTACTS_DAY, CONTACTS_HOUR
from flowwarden.state.sets import HOUR


class Failures(Struct, frozen=True):
    """The evidence for a finding about failures."""

    role: str
    failed: int
    """Pairs of host and port that failed within the span, approximately."""
    span: int
    """Seconds."""
    limit: float
    """The threshold: by how many pairs failures exceed answers."""


class Ports(Struct, frozen=True):
    """The evidence for a finding about the ports of one server."""

    role: str
    asked: str
    """The server."""
    limit: int
    """The threshold: privileged ports of the server in a batch."""


type Scan = TrafficFinding[Failures | Ports]


def vertical(host: HostActivity, least: int) -> str | None:
    """The server that the host contacts on at least `least` privileged ports in this batch, or None."""
    return next((server for server, asked in _asked(host).items() if len(asked) >= least), None)


def _asked(host: HostActivity) -> dict[str, set[int]]:
    """The privileged ports of each server that the host contacts in this batch."""
    ports: defaultdict[str, set[int]] = defaultdict(set)
    for contact in host.contacts:
        if contact.port < UNPRIVILEGED:
            ports[contact.server].add(contact.port)
    return ports


def exceeded(host: HostActivity, thresholds: Thresholds) -> int | None:
    """The window, in seconds, in which the host exceeded the limit in any batch; None if it did not."""
    return next((span for span in SPANS if _excess(host, span, thresholds).reached), None)


def _excess(host: HostActivity, span: int, thresholds: Thresholds) -> Measured:
    return Measured(
        what=f"host/port pairs that failed minus those that answered, within {SPANS[span]}",
        value=excess(host.window(span), span),
        limit=_limit(host, span, thresholds),
        threshold="scan_hour" if span == HOUR else "scan_day",
    )


def measured(host: HostActivity, thresholds: Thresholds) -> list[Measured]:
    """What is known of the host, against the limits; one of them is enough."""
    ports = Measured(
        what="privileged ports of one server, in the batch",
        value=max(map(len, _asked(host).values()), default=0),
        limit=thresholds.scan_ports,
        threshold="scan_ports",
    )
    return [*(_excess(host, span, thresholds) for span in SPANS), ports]


def fails(host: HostActivity) -> bool:
    """Whether a contact of this batch failed, other than by the host's own rules."""
    return any(each.failed and each.outcome is not ContactOutcome.DENIED for each in host.contacts)


def suspicious(host: HostActivity, thresholds: Thresholds) -> int | None:
    """The same, if the host also failed in this batch."""
    return exceeded(host, thresholds) if fails(host) else None


def detect(view: BatchView, _state: StateView, thresholds: Thresholds) -> list[Scan | SurplusFinding]:
    """A finding for each host that scans, and the number of hosts that may scan and are not inspected."""
    active = view.active_hosts
    found = [finding for host in active.inspected for finding in inspect(host, thresholds)]
    may_scan = (each.failed >= _least(thresholds, HOUR, learning=each.learning) for each in active.others)
    return [*found, *DETECTOR.surplus(sum(may_scan))]


def inspect(host: HostActivity, thresholds: Thresholds) -> list[Scan]:
    """One finding for the host if it scans."""
    if span := suspicious(host, thresholds):
        failed = round(failures(host.window(span)))
        facts = Failures(host.role, failed, span, _limit(host, span, thresholds))
        missed = [contact for contact in host.contacts if contact.failed]
        return [_report(host, facts, window_of(host, span, missed, lambda each: [place_of(each)]))]
    if server := vertical(host, thresholds.scan_ports):
        return [_report(host, Ports(host.role, server, thresholds.scan_ports))]
    return []


def _limit(host: HostActivity, span: int, thresholds: Thresholds) -> float:
    return _least(thresholds, span, learning=host.learning)


def _least(thresholds: Thresholds, span: int, *, learning: bool) -> float:
    limit = thresholds.scan_hour if span == HOUR else thresholds.scan_day
    return limit * (LEARNING_FACTOR if learning else 1)


def _report(host: HostActivity, facts: Failures | Ports, window: Window | None = None) -> Scan:
    return DETECTOR.finding(
        subject=host.client,
        peer_class=PeerClass.OWN,  # constant: one incident, regardless of the batch
        sample=FlowSample(host.tally(host.contacts), representative(host.flows), window),
        facts=facts,
    )


def text(finding: Scan) -> Text:
    """The finding in words."""
    client, tally, facts = finding.subject, finding.tally, finding.facts
    action, why = _rule(facts, finding.window)
    return Text(
        summary=f"{client} {action}.",
        because=(
            f"{started_by(client, finding.example, 'the connections')}; "
            f"this is new for its role ({facts.role}); {why}"
        ),
        likely=OPEN_PORTS.format(client),
        brief=f"{client} tried {facts.limit}+ ports of {facts.asked}" if isinstance(facts, Ports) else "",
        counted=_counted(facts, finding.window),
        query_terms=(client, facts.asked) if isinstance(facts, Ports) else (client,),
        words={
            "servers": plural(len(tally.servers), "host"),
            "services": plural(len(tally.services), "service"),
        },
    )


def _counted(facts: Failures | Ports, window: Window | None) -> str:
    """What the finding counted in its window; empty for what it counted in the batch."""
    if isinstance(facts, Ports):
        return ""
    return f"{estimated(facts.failed, window)} host/port pairs failed within {SPANS[facts.span]}"


def _rule(facts: Failures | Ports, window: Window | None) -> tuple[str, str]:
    """The action of the host, and the rule that makes it a scan."""
    match facts:
        case Failures():
            failed = f"{estimated(facts.failed, window)} host/port pairs"
            return (
                f"failed to connect to {failed} within {SPANS[facts.span]}",
                f"threshold: {facts.limit:g} more failures than answers",
            )
        case Ports():
            return (
                f"tried {facts.limit} or more privileged ports of {facts.asked} in one batch",
                "no application needs so many ports of one server",
            )


DETECTOR: Final = Detector(
    name="scan",
    summary=(
        "one of your hosts tries targets that are new for its role, and mostly fails: 12 within an "
        "hour or 20 within a day, over any number of batches; or it tries 15 privileged ports of one "
        "server"
    ),
    severity=Severity.HIGH,
    incident="scan",
    shares=Shares.SERVICE,
    measures="failed",
    behavior=always(Behavior.SCAN),
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
        *("stealth-scan", "udp-scan", "scan-from-https"),
        "gossip-rollout",
    ),
    runbook=(
        "Check whether {subject} runs an approved scanner or monitoring tool. If so, add it to `exempt`.",
        ISOLATE,
        "Check the targets of this batch: {servers}, {services}.",
    ),
    detect=detect,
    text=text,
)
