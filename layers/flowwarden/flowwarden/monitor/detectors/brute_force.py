"""brute-force: one of our own hosts logs in on another one again and again, as it never did.

What: new contacts of an own host for remote administration (SSH, RDP, SMB, WinRM and the like) that are
    answered: `brute_force_sessions` connections or more within an hour, and `SESSIONS_EACH` or more for each
    host that it asked. What the role uses on five days or more, for whatever host, does not count.
Why: a service that refuses a password closes the connection, and who guesses opens the next one. People and
    tools keep one open.
False positives: automation that is new and opens a connection for each command (Ansible without
    ControlPersist, a loop around scp): name its host in the policy's `exempt`, or wait until it is usual.
Blind: a host whose role administers others anyway; who guesses slowly; and on more than 140 hosts at once,
    which `lateral-movement` tells.
While a role is learned, administration is new wherever it goes; nothing is found then.
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
"""Connections for each host: whoever sets up a fleet for the first time has a few with each of many."""

_NOTHING: Final[frozenset[int]] = frozenset()


class Facts(Struct, frozen=True):
    """What the finding stands on."""

    role: str
    sessions: int
    """Answered connections within an hour, about."""
    limit: int
    """Of the sessions."""


type BruteForce = TrafficFinding[Facts]


def inspect(host: HostActivity, thresholds: Thresholds) -> list[BruteForce]:
    """One finding for the host, if it guesses."""
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
            f"{client} logged in for remote administration about {facts.sessions} times within an hour, "
            f"on {server} among others ({finding.main_service})."
            if len(finding.tally.servers) > 1
            else f"{client} logged in on {server} about {facts.sessions} times within an hour "
            f"({finding.main_service})."
        ),
        because=new_for_role(client, finding.example, facts.role, f"{facts.limit} connections"),
        likely="somebody who has this host and guesses passwords, or new automation",
        query_terms=(client,),
    )


DETECTOR: Final = Detector(
    name="brute-force",
    summary=(
        "one of your hosts logs in on another one 40 times within an hour and more, over SSH, RDP "
        "and the like, which its role never does"
    ),
    severity=Severity.HIGH,
    technique="T1110",
    thresholds=("brute_force_sessions",),
    needs=frozenset({Need.BASELINE}),
    state=(BASELINES, CONTACTS_HOUR),
    inhibits=("lateral-movement",),
    finds=("ssh-brute-force",),
    runbook=(
        "Look at the logins on {server}: which account, and did one succeed?",
        "If nobody vouches for it: isolate {subject}, and change that password.",
        EXEMPT,
    ),
    detect=each_host(inspect),
    text=text,
)
