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
What to do: find out what runs on the host; isolate it if nobody knows.
Events: scan.json; resolver-answers.json is none.
ATT&CK: T1046 Network Service Discovery.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from flowwarden.monitor.detectors.base import Detector, Need, each_host
from flowwarden.monitor.findings import Severity, Tally, TrafficFinding, representative
from flowwarden.monitor.traffic.excess import excess, failures
from flowwarden.monitor.traffic.host_activity import SPANS, HostActivity
from flowwarden.network.addresses import PeerClass
from flowwarden.network.services import UNPRIVILEGED
from flowwarden.notify.text import plural
from flowwarden.policy.detection import Thresholds
from flowwarden.state.schema import BASELINES, CONTACTS_DAY, CONTACTS_HOUR
from flowwarden.state.sets import HOUR

LEARNING_FACTOR: Final = 2.5


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


def inspect(host: HostActivity, thresholds: Thresholds) -> list[TrafficFinding]:
    """One finding for the host, if it scans."""
    if span := suspicious(host, thresholds):
        failed = round(failures(host.window(span)))
        tried = f"about {failed} host and port pairs in vain within {SPANS[span]}"
        why = f"{_limit(host, span, thresholds):g} more failures than answers are the threshold"
        return [_report(host, tried, why)]
    if server := vertical(host, thresholds.scan_ports):
        tried = f"{thresholds.scan_ports} privileged ports or more of {server} in one batch"
        return [_report(host, tried, "nobody needs so many of one server")]
    return []


def _limit(host: HostActivity, span: int, thresholds: Thresholds) -> float:
    limit = thresholds.scan_hour if span == HOUR else thresholds.scan_day
    return limit * (LEARNING_FACTOR if host.learning else 1)


def _report(host: HostActivity, tried: str, why: str) -> TrafficFinding:
    tally = Tally.of(host.flows)
    client, example = host.client, representative(host.flows)
    return TrafficFinding(
        detector=DETECTOR.name,
        severity=DETECTOR.severity,
        subject=client,
        peer_class=PeerClass.OWN,  # constant, so that it is one incident whatever a batch shows of it
        summary=f"{client} tried {tried}.",
        because=(
            f"{client} is ours and started them ({example.verdict.evidence}, confidence "
            f"{example.confidence:.2f}); none of it is usual for its role ({host.role}); {why}"
        ),
        likely=f"something on {client} looks for open ports: a scanner, an inventory tool, or an intruder",
        advice=(
            f"Ask who runs a scanner or monitoring on {client}; if somebody does, name it in `exempt`.",
            f"If nobody does: isolate {client} (a security group without rules), keep its disk and memory.",
            f"In this batch: {plural(len(tally.servers), 'host')}, {plural(len(tally.services), 'service')}.",
        ),
        technique=DETECTOR.technique,
        query_terms=(client,),
        tally=tally,
        example=example,
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
    detect=each_host(inspect),
)
