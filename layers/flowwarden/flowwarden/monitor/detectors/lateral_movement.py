"""lateral-movement: an internal host contacts several others for remote administration, new for its role.

What: new contacts of an internal host to `lateral_hosts` internal hosts within a day, on remote
    administration ports (SSH, RDP, SMB, WinRM and similar), answered or not. A service that the role uses in
    a network on five or more days, or three if the first is two weeks ago, does not count there, nor anywhere
    if the role uses it in five networks. SMB and RPC do not count if the server answered the host on two
    directory services (DNS, Kerberos, LDAP, LDAPS, global catalog, Kerberos password change): members of a
    domain read group policy from their domain controllers.
Why: an intruder on one host tries to reach the next. The attempts often succeed, so counting failures does
    not find them.
False positives: CI that starts to deploy to new places, a new bastion: add them to `exempt` in the policy.
While a role is learned, all remote administration is new; nothing is reported. A new role in a learned VPC is
    judged, though: a host whose tag was changed must not be unobserved for two weeks.
Events: none alone; see tests/monitor/detectors/test_administration_over_time.py.
ATT&CK: T1021 Remote Services.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from flowwarden.monitor.detectors.base import Detector, Need, each_host
from flowwarden.monitor.findings import FlowSample, Severity, TrafficFinding
from flowwarden.monitor.text import EXEMPT, Text, new_for_role
from flowwarden.monitor.traffic.administration import administered
from flowwarden.monitor.traffic.host_activity import HostActivity
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import DirectedFlow
from flowwarden.policy.detection import Thresholds
from flowwarden.state.schema import BASELINES, CONTACTS_DAY


class Facts(Struct, frozen=True):
    """The evidence for the finding."""

    role: str
    servers: int
    """Internal hosts contacted within a day, approximately."""
    limit: int
    """The threshold for the servers."""


type LateralMovement = TrafficFinding[Facts]


def inspect(host: HostActivity, thresholds: Thresholds) -> list[LateralMovement]:
    """One finding for the host if it contacts too many others."""
    servers = len(administered(host.day))
    least = thresholds.lateral_hosts
    if host.learning_all or servers < least:
        return []
    moving = host.administering
    facts = Facts(role=host.role, servers=servers, limit=least)
    return [_report(host, moving, facts)] if moving else []


def _report(host: HostActivity, flows: Sequence[DirectedFlow], facts: Facts) -> LateralMovement:
    sample = FlowSample.of(flows)
    return DETECTOR.finding(subject=host.client, peer_class=PeerClass.OWN, sample=sample, facts=facts)


def text(finding: LateralMovement) -> Text:
    """The finding in words."""
    client, service, facts = finding.subject, finding.main_service, finding.facts
    return Text(
        summary=(
            f"{client} contacted {facts.servers} hosts for remote administration within a day: {service}."
        ),
        because=new_for_role(client, finding.example, facts.role, f"{facts.limit} hosts"),
        likely="an intruder moving from this host to others, or new automation",
        query_terms=(client,),
    )


DETECTOR: Final = Detector(
    name="lateral-movement",
    summary="one of your hosts contacts three others for remote administration, which is new for its role",
    severity=Severity.MEDIUM,
    technique="T1021",
    thresholds=("lateral_hosts",),
    needs=frozenset({Need.BASELINE}),
    state=(BASELINES, CONTACTS_DAY),
    inhibits=("blocked-connection",),
    finds=("lateral-movement", "ssh-brute-force"),
    runbook=(
        "Find the account that opens {service} from {subject}, and its owner.",
        "If no owner confirms the activity, isolate {subject} and check the hosts that answered it.",
        EXEMPT,
    ),
    detect=each_host(inspect),
    text=text,
)
