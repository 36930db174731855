"""brute-force: an internal host repeatedly connects for remote administration, which is new for its role.

What: answered connections of an internal host for remote administration (SSH, RDP, SMB, WinRM and similar) or
    to a database, of the same small size: at least `brute_force_sessions` within an hour to hosts with at
    least `SESSIONS_EACH` each, or `DAY_FACTOR` times as many to one host within a day. A connection is small
    if it has at most 5 KB and 30 packets in each direction and lasts two minutes at most. Small connections
    count only if they are at least half of all connections of the host with that service. If the format
    contains no sizes, all connections count. Where the role usually uses the service, they count only in
    batches with `bursts.LEAST` (5) or more of the same size, unless such bursts are usual for the role in
    that network. If they are usual, and for SMB and RPC with directory servers, the limit for administration
    is `USUAL_FACTOR` times as high, to one host within an hour.
Why: a service that rejects a password closes the connection, and password guessing opens the next one. Tools
    that open a connection for each call (WMI, WinRM, scp, Git over SSH) transfer more, or varying sizes.
False positives: new automation that opens a connection for each small command: add its host to `exempt` in
    the policy, or wait until the traffic is usual.
Blind: guessing over one connection; guessing on more than some hundred hosts, a few times each, which
    `lateral-movement` reports; guessing at a service that the role uses anyway, with fewer than five
    connections in a batch, or if the role usually opens as many small connections.
While a role is being learned, all remote administration is new, and nothing is reported. A new role in a
    learned VPC is inspected nevertheless; otherwise a changed tag would hide a host for two weeks.
Events: none alone; see tests/monitor/detectors/test_administration_over_time.py.
ATT&CK: T1110 Brute Force.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.monitor.baseline.profile import Standing
from flowwarden.monitor.behavior import Behavior, always
from flowwarden.monitor.detectors.base import Detector, Need, each_host
from flowwarden.monitor.findings import Severity, TrafficFinding
from flowwarden.monitor.measured import Measured
from flowwarden.monitor.text import (
    EXEMPT,
    Text,
    estimated,
    narrowed,
    new_for_role,
    services,
    short_servers,
    short_services,
    started_by,
)
from flowwarden.monitor.traffic.administration import guesses
from flowwarden.monitor.traffic.contact import Contact
from flowwarden.monitor.traffic.host_activity import SPANS, HostActivity
from flowwarden.monitor.traffic.host_sample import contacts_of, place_of, sample_of, window_of
from flowwarden.monitor.traffic.sessions import SmallSessions, connections
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import DirectedFlow
from flowwarden.policy.detection import Thresholds
from flowwarden.state.schema import BASELINES, CONTACTS_DAY, CONTACTS_HOUR
from flowwarden.state.sets import DAY, HOUR

SESSIONS_EACH: Final = 10
"""Connections per host: an initial fleet setup opens only a few to each of many hosts."""
USUAL_FACTOR: Final = 4
"""How many times more sessions of the same small size with one server are unusual where sessions are usual:
monitoring opens one each minute, and guessing is not worth less."""
DAY_FACTOR: Final = 1.5
"""How many times more sessions within a day, with one server, are unusual: one every 24 minutes with the
default. As for `scan`, the limit of a day is little higher than that of an hour."""


class Facts(Struct, frozen=True):
    """The evidence for the finding."""

    role: str
    sessions: int
    """Answered connections within the span, approximately."""
    limit: int
    """The threshold for the connections."""
    servers: int = 1
    """Hosts that they were opened to."""
    span: int = HOUR
    """Seconds."""
    usual: bool = False
    """Whether the role usually contacts the service, in small sessions too."""
    sudden: bool = False
    """Whether the role usually contacts the service, but not in so many small sessions."""


type BruteForce = TrafficFinding[Facts]
type _Guesses = Sequence[SmallSessions]


def inspect(host: HostActivity, thresholds: Thresholds) -> list[BruteForce]:
    """One finding for the host if it guesses passwords."""
    if host.learning_all:
        return []
    for limit, span, found, to in _rules(host, thresholds.brute_force_sessions):
        count = _measured(limit, span, found, to)
        flows = host.contacting({(each.server, each.port) for each in found})
        if found and count.reached and flows:
            servers = len({each.server for each in found})
            sudden = any(each.standing is Standing.SUDDEN for each in contacts_of(host, flows))
            usual = found[0].usual
            facts = Facts(host.role, int(count.value), limit, servers, span, usual=usual, sudden=sudden)
            return [_report(host, flows, facts)]
    return []


def measured(host: HostActivity, thresholds: Thresholds) -> list[Measured]:
    """What is known of the host, against the limits; one of them is enough."""
    return [_measured(*rule) for rule in _rules(host, thresholds.brute_force_sessions)]


def _measured(limit: int, span: int, found: _Guesses, to: str) -> Measured:
    return Measured(
        what=f"answered connections of the same small size to {to}, within {SPANS[span]}",
        value=round(sum(each.count for each in found)),
        limit=limit,
        threshold="brute_force_sessions",
    )


def _rules(host: HostActivity, least: int) -> Iterator[tuple[int, int, _Guesses, str]]:
    """The rules: limit, span (seconds), the sessions that count, and with what."""
    hour, each_host = guesses(host.hour), f"hosts with {SESSIONS_EACH} or more each"
    yield least, HOUR, [each for each in hour if not each.usual and each.count >= SESSIONS_EACH], each_host
    most = USUAL_FACTOR * least
    yield (
        most,
        HOUR,
        [each for each in hour if each.usual and each.count >= most],
        "one host, at a usual service",
    )
    slow = round(DAY_FACTOR * least)
    yield slow, DAY, [each for each in guesses(host.day) if not each.usual and each.count >= slow], "one host"


def _report(host: HostActivity, flows: Sequence[DirectedFlow], facts: Facts) -> BruteForce:
    window = window_of(host, facts.span, contacts_of(host, flows), _connections)
    return DETECTOR.finding(
        subject=host.client,
        peer_class=PeerClass.OWN,
        sample=replace(sample_of(host, flows), window=window),
        facts=facts,
    )


def _connections(contact: Contact) -> list[object]:
    return [(*place_of(contact), port) for port in connections(contact.sizes, contact.client_ports)]


def text(finding: BruteForce) -> Text:
    """The finding in words."""
    client, facts, tally = finding.subject, finding.facts, finding.tally
    elsewhere = facts.servers > len(tally.servers)
    several = elsewhere or len(tally.servers) > 1
    targets = f"{finding.main_server}{' and other hosts' if several else ''}"
    count, rule = f"{estimated(facts.sessions, finding.window)} connections", f"{facts.limit} connections"
    within = f"within {SPANS[facts.span]}"
    because = new_for_role(client, finding.example, facts.role, rule)
    if facts.usual or facts.sudden:
        because = (
            f"{started_by(client, finding.example, 'the connections')}; many more of the same small size "
            f"than usual for its role ({facts.role}); threshold: {rule}"
        )
    return Text(
        summary=f"{client} opened {count} to {targets} {within}: {services(tally)}.",
        because=because,
        likely="an intruder guessing passwords from this host, or new automation",
        counted=f"{count} {within}",
        brief=f"{client} to {short_servers(tally)}: {count}, {short_services(tally)}",
        query_terms=(client,) if elsewhere else narrowed(finding, client),
    )


DETECTOR: Final = Detector(
    name="brute-force",
    summary=(
        "one of your hosts opens 40 or more connections of the same small size to another host within an "
        "hour, or 60 within a day, over SSH, RDP or similar, or to a database, which is new for its role"
    ),
    severity=Severity.HIGH,
    measures="sessions",
    behavior=always(Behavior.ACCESS),
    technique="T1110",
    thresholds=("brute_force_sessions",),
    needs=frozenset({Need.BASELINE}),
    state=(BASELINES, CONTACTS_HOUR, CONTACTS_DAY),
    inhibits=("lateral-movement",),
    finds=("ssh-brute-force", "slow-guessing", "guessing-at-database", "guessing-from-bastion"),
    runbook=(
        "Check the authentication log of {server}: which account is used, and whether it succeeded.",
        "If no owner confirms the activity, isolate {subject} and change the password of that account.",
        EXEMPT,
    ),
    detect=each_host(inspect),
    text=text,
)
