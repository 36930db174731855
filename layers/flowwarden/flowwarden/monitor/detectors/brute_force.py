"""brute-force: an internal host repeatedly opens remote administration sessions, which is new for its role.

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

from flowwarden.monitor.detectors.base import Detector, Need, each_host
from flowwarden.monitor.findings import FlowSample, Severity, TrafficFinding
from flowwarden.monitor.text import EXEMPT, Text, new_for_role
from flowwarden.monitor.traffic.excess import ADMINISTERED, SESSIONS
from flowwarden.monitor.traffic.host_activity import HostActivity
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import DirectedFlow
from flowwarden.policy.detection import Thresholds
from flowwarden.state.schema import BASELINES, CONTACTS_HOUR
from flowwarden.state.sets import distinct

SESSIONS_EACH: Final = 10
"""Connections per host: an initial fleet setup opens only a few to each of many hosts."""

_NOTHING: Final[frozenset[int]] = frozenset()


class Facts(Struct, frozen=True):
    """The evidence for the finding."""

    role: str
    sessions: int
    """Answered connections within an hour, approximately."""
    limit: int
    """The threshold for the sessions."""


type BruteForce = TrafficFinding[Facts]


def inspect(host: HostActivity, thresholds: Thresholds) -> list[BruteForce]:
    """One finding for the host if it guesses passwords."""
    sessions, servers = (distinct(host.hour.get(name, _NOTHING)) for name in (SESSIONS, ADMINISTERED))
    least = thresholds.brute_force_sessions
    if host.learning or sessions < max(least, SESSIONS_EACH * servers):
        return []
    logins = host.administering(host.answered)
    facts = Facts(role=host.role, sessions=round(sessions), limit=least)
    return [_report(host, logins, facts)] if logins else []


def _report(host: HostActivity, flows: Sequence[DirectedFlow], facts: Facts) -> BruteForce:
    sample = FlowSample.of(flows)
    return DETECTOR.finding(subject=host.client, peer_class=PeerClass.OWN, sample=sample, facts=facts)


def text(finding: BruteForce) -> Text:
    """The finding in words."""
    client, server, facts = finding.subject, finding.main_server, finding.facts
    return Text(
        summary=(
            f"{client} opened about {facts.sessions} admin sessions on "
            f"{server}{' and other hosts' if len(finding.tally.servers) > 1 else ''} "
            f"within 1 h: {finding.main_service}."
        ),
        because=new_for_role(client, finding.example, facts.role, f"{facts.limit} connections"),
        likely="an intruder guessing passwords from this host, or new automation",
        query_terms=(client,),
    )


DETECTOR: Final = Detector(
    name="brute-force",
    summary=(
        "one of your hosts opens 40 or more sessions on another host within an hour, over SSH, RDP or "
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
        "Check the logins on {server}: which account is used, and whether one succeeded.",
        "If no owner confirms the activity, isolate {subject} and change the password of that account.",
        EXEMPT,
    ),
    detect=each_host(inspect),
    text=text,
)
