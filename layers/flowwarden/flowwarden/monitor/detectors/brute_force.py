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
What to do: look at the logins on the host that was asked, and find out what runs on the one that asks.
Events: none can show it, since a role has to be learned; tests/monitor/test_watching.py has weeks of them.
ATT&CK: T1110 Brute Force.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from flowwarden.monitor.detectors.base import Detector, Need, PerHost
from flowwarden.monitor.findings import Finding, Severity, Tally, representative, started_by
from flowwarden.monitor.traffic.host_activity import ADMINISTERED, SESSIONS, HostActivity
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import DirectedFlow
from flowwarden.network.services import describe_service
from flowwarden.policy.policy import Policy
from flowwarden.state.sets import HOUR, distinct

SESSIONS_EACH: Final = 10
"""Connections for each host: whoever sets up a fleet for the first time has a few with each of many."""

_NOTHING: Final[frozenset[int]] = frozenset()


def inspect(suspect: HostActivity, flows: Sequence[DirectedFlow], policy: Policy) -> list[Finding]:
    """One finding for the host, if it guesses; the flows are those of its new contacts."""
    logins = suspect.administering(suspect.answered(flows))
    if suspect.learning or not logins:
        return []
    hour = suspect.window(HOUR)
    sessions, servers = (distinct(hour.get(name, _NOTHING)) for name in (SESSIONS, ADMINISTERED))
    if sessions < max(policy.thresholds.brute_force_sessions, SESSIONS_EACH * servers):
        return []
    return [_report(suspect, logins, round(sessions), policy.thresholds.brute_force_sessions)]


def _report(suspect: HostActivity, flows: Sequence[DirectedFlow], sessions: int, least: int) -> Finding:
    tally = Tally.of(flows)
    client, example = suspect.client, representative(flows)
    service, server = describe_service(*tally.services[0][0]), tally.servers[0][0]
    return Finding(
        detector=DETECTOR.name,
        severity=DETECTOR.severity,
        subject=client,
        peer_class=PeerClass.OWN,
        summary=(
            f"{client} logged in for remote administration about {sessions} times within an hour, "
            f"on {server} among others ({service})."
            if len(tally.servers) > 1
            else f"{client} logged in on {server} about {sessions} times within an hour ({service})."
        ),
        because=(
            f"{started_by(client, example)}; its role ({suspect.role}) never did; "
            f"{least} connections are the threshold"
        ),
        likely="somebody who has this host and guesses passwords, or new automation",
        advice=(
            f"Look at the logins on {server}: which account, and did one succeed?",
            f"If nobody vouches for it: isolate {client}, and change that password.",
            "If it is wanted: name the host in the policy's `exempt`.",
        ),
        technique=DETECTOR.technique,
        query_terms=(client,),
        tally=tally,
        example=example,
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
    inhibits=("lateral-movement",),
    detect=(PerHost(inspect),),
)
