"""lateral-movement: an internal host contacts several others for remote administration, new for its role.

What: new contacts of an internal host to `lateral_hosts` internal hosts within a day, on remote
    administration ports (SSH, RDP, SMB, WinRM and similar), answered or not. A service does not count in a
    network where the role used it on five or more days (three if the first was two weeks ago). If this is so
    for two networks (SMB and RPC: five), the service does not count in any network. SMB and RPC do not count
    if the server answered the host on two directory services (DNS, Kerberos, LDAP, LDAPS, global catalog,
    Kerberos password change): members of a domain read group policy from their domain controllers.
Why: an intruder on one host tries to reach the next. The attempts often succeed, so counting failures does
    not find them.
False positives: CI that starts to deploy to new networks, a new bastion: add them to `exempt` in the policy.
A long session counts on each day, because its ports show the initiator even in records without a SYN.
While a role is being learned, all remote administration is new, and nothing is reported. A new role in a
    learned VPC is inspected nevertheless; otherwise a changed tag would hide a host for two weeks.
Events: none alone; see tests/monitor/detectors/test_administration_over_time.py.
ATT&CK: T1021 Remote Services.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.monitor.behavior import Behavior
from flowwarden.monitor.detectors.base import Detector, Need, each_host
from flowwarden.monitor.findings import Severity, TrafficFinding
from flowwarden.monitor.measured import Measured
from flowwarden.monitor.text import EXEMPT, Text, new_for_role, services, short_services
from flowwarden.monitor.traffic.administration import administered
from flowwarden.monitor.traffic.host_activity import HostActivity
from flowwarden.monitor.traffic.host_sample import contacts_of, sample_of, window_of
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import DirectedFlow
from flowwarden.policy.detection import Thresholds
from flowwarden.state.schema import BASELINES, CONTACTS_DAY
from flowwarden.state.sets import DAY


class Facts(Struct, frozen=True):
    """The evidence for the finding."""

    role: str
    servers: int
    """Internal hosts contacted within a day, approximately."""
    limit: int
    """The threshold for the servers."""
    answered: int = 0
    """Those of the batch that answered."""


type LateralMovement = TrafficFinding[Facts]


def inspect(host: HostActivity, thresholds: Thresholds) -> list[LateralMovement]:
    """One finding for the host if it contacts too many others."""
    count = measured(host, thresholds)
    if host.learning_all or not count.reached:
        return []
    servers, least, moving = int(count.value), thresholds.lateral_hosts, host.administering
    answered = len({each.server for each in contacts_of(host, moving) if not each.failed})
    facts = Facts(role=host.role, servers=servers, limit=least, answered=answered)
    return [_report(host, moving, facts)] if moving else []


def measured(host: HostActivity, thresholds: Thresholds) -> Measured:
    """What is known of the host, against the limit."""
    return Measured(
        what="internal hosts contacted for unusual remote administration, within 24 h",
        value=len(administered(host.day)),
        limit=thresholds.lateral_hosts,
        threshold="lateral_hosts",
    )


def _report(host: HostActivity, flows: Sequence[DirectedFlow], facts: Facts) -> LateralMovement:
    window = window_of(host, DAY, contacts_of(host, flows), lambda each: [each.server])
    return DETECTOR.finding(
        subject=host.client,
        peer_class=PeerClass.OWN,
        sample=replace(sample_of(host, flows), window=window),
        facts=facts,
    )


def behavior(finding: LateralMovement) -> Behavior:
    """What the host does: if no host answered, the attempts are those that `scan` counts."""
    return Behavior.ACCESS if finding.facts.answered else Behavior.SCAN


def text(finding: LateralMovement) -> Text:
    """The finding in words."""
    client, facts, asked = finding.subject, finding.facts, services(finding.tally)
    # A lower bound in any case: hosts can share a bucket, and the batch may show more than the window.
    hosts = f"{max(facts.servers, finding.window.in_batch if finding.window else 0)} or more hosts"
    return Text(
        summary=f"{client} contacted {hosts} for remote administration within 24 h: {asked}.",
        because=new_for_role(client, finding.example, facts.role, f"{facts.limit} hosts"),
        likely="an intruder moving from this host to others, or new automation",
        counted=f"{hosts} within 24 h",
        brief=f"{client} administers {hosts}: {short_services(finding.tally, 2)}",
        query_terms=(client,),
        words={"services": asked},
    )


DETECTOR: Final = Detector(
    name="lateral-movement",
    summary="one of your hosts contacts three others for remote administration, which is new for its role",
    severity=Severity.MEDIUM,
    measures="servers",
    behavior=behavior,
    technique="T1021",
    thresholds=("lateral_hosts",),
    needs=frozenset({Need.BASELINE}),
    state=(BASELINES, CONTACTS_DAY),
    inhibits=("blocked-connection",),
    finds=("lateral-movement", "ssh-brute-force"),
    runbook=(
        "Find the account that connects from {subject} by {services}, and its owner.",
        "If no owner confirms the activity, isolate {subject} and check the hosts that answered it.",
        EXEMPT,
    ),
    detect=each_host(inspect),
    text=text,
)
