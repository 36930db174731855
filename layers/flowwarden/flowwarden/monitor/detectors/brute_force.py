"""brute-force: an internal host repeatedly connects for remote administration, which is new for its role.

What: new contacts of an internal host for remote administration (SSH, RDP, SMB, WinRM and similar) that are
    answered: at least `brute_force_sessions` connections within an hour, and at least `SESSIONS_EACH` for
    each host contacted. Services that the role uses on five or more days, on any host, do not count.
Why: a service that rejects a password closes the connection, and password guessing opens the next one. People
    and tools keep one connection open.
False positives: new automation that opens a connection for each command (Ansible without ControlPersist, a
    loop around scp): add its host to `exempt` in the policy, or wait until the traffic is usual.
Blind: a host whose role administers others anyway; slow password guessing; and guessing on more than 140
    hosts at once, which `lateral-movement` reports.
While a role is learned, all remote administration is new; nothing is reported.
Events: none alone; see tests/monitor/detectors/test_administration_over_time.py.
ATT&CK: T1110 Brute Force.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.monitor.detectors.base import Detector, Need, each_host
from flowwarden.monitor.findings import Severity, TrafficFinding
from flowwarden.monitor.text import (
    EXEMPT,
    Text,
    estimated,
    narrowed,
    new_for_role,
    services,
    short_servers,
    short_services,
)
from flowwarden.monitor.traffic.contact import Contact
from flowwarden.monitor.traffic.excess import ADMINISTERED, SESSIONS
from flowwarden.monitor.traffic.host_activity import HostActivity
from flowwarden.monitor.traffic.host_sample import contacts_of, place_of, sample_of, window_of
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import DirectedFlow
from flowwarden.policy.detection import Thresholds
from flowwarden.state.schema import BASELINES, CONTACTS_HOUR
from flowwarden.state.sets import HOUR, distinct

SESSIONS_EACH: Final = 10
"""Connections per host: an initial fleet setup opens only a few to each of many hosts."""

_NOTHING: Final[frozenset[int]] = frozenset()


class Facts(Struct, frozen=True):
    """The evidence for the finding."""

    role: str
    sessions: int
    """Answered connections within an hour, approximately."""
    limit: int
    """The threshold for the connections."""
    servers: int = 1
    """Hosts that they were opened to, approximately."""


type BruteForce = TrafficFinding[Facts]


def inspect(host: HostActivity, thresholds: Thresholds) -> list[BruteForce]:
    """One finding for the host if it guesses passwords."""
    sessions, servers = (distinct(host.hour.get(name, _NOTHING)) for name in (SESSIONS, ADMINISTERED))
    least = thresholds.brute_force_sessions
    if host.learning or sessions < max(least, SESSIONS_EACH * servers):
        return []
    answered = host.administering(host.answered)
    facts = Facts(role=host.role, sessions=round(sessions), limit=least, servers=round(servers))
    return [_report(host, answered, facts)] if answered else []


def _report(host: HostActivity, flows: Sequence[DirectedFlow], facts: Facts) -> BruteForce:
    window = window_of(host, HOUR, contacts_of(host, flows), _connections)
    return DETECTOR.finding(
        subject=host.client,
        peer_class=PeerClass.OWN,
        sample=replace(sample_of(host, flows), window=window),
        facts=facts,
    )


def _connections(contact: Contact) -> list[object]:
    return [(*place_of(contact), port) for port in contact.client_ports]


def text(finding: BruteForce) -> Text:
    """The finding in words."""
    client, facts, tally = finding.subject, finding.facts, finding.tally
    elsewhere = facts.servers > len(tally.servers)
    several = elsewhere or len(tally.servers) > 1
    targets = f"{finding.main_server}{' and other hosts' if several else ''}"
    connections = f"{estimated(facts.sessions, finding.window)} connections"
    return Text(
        summary=(f"{client} opened {connections} to {targets} within 1 h: {services(tally)}."),
        because=new_for_role(client, finding.example, facts.role, f"{facts.limit} connections"),
        likely="an intruder guessing passwords from this host, or new automation",
        counted=f"{connections} within 1 h",
        brief=f"{client} to {short_servers(tally)}: {connections}, {short_services(tally)}",
        query_terms=(client,) if elsewhere else narrowed(finding, client),
    )


DETECTOR: Final = Detector(
    name="brute-force",
    summary=(
        "one of your hosts opens 40 or more connections to another host within an hour, over SSH, RDP or "
        "similar, which is new for its role"
    ),
    severity=Severity.HIGH,
    technique="T1110",
    thresholds=("brute_force_sessions",),
    needs=frozenset({Need.BASELINE}),
    state=(BASELINES, CONTACTS_HOUR),
    inhibits=("lateral-movement",),
    finds=("ssh-brute-force",),
    runbook=(
        "Check the authentication log of {server}: which account is used, and whether it was let in.",
        "If no owner confirms the activity, isolate {subject} and change the password of that account.",
        EXEMPT,
    ),
    detect=each_host(inspect),
    text=text,
)
