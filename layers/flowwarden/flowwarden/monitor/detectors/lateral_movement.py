"""lateral-movement: one of our own hosts asks several others for remote administration, as it never did.

What: new contacts of an own host to `lateral_hosts` own hosts within a day, on ports by which hosts are
    operated from afar (SSH, RDP, SMB, WinRM and the like), answered or not. What the role uses on five days
    or more, for whatever host, does not count.
Why: an intruder who has one host wants the next. He succeeds often, so that counting failures does not find
    him.
False positives: CI that learns to deploy to new places, a new bastion: name them in the policy's `exempt`.
While a role is learned, administration is new wherever it goes; nothing is found then.
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
from flowwarden.monitor.traffic.excess import ADMINISTERED
from flowwarden.monitor.traffic.host_activity import HostActivity
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import DirectedFlow
from flowwarden.policy.detection import Thresholds
from flowwarden.state.schema import BASELINES, CONTACTS_DAY


class Facts(Struct, frozen=True):
    """What the finding stands on."""

    role: str
    servers: int
    """Own hosts that were asked within a day, about."""
    limit: int
    """Of the servers."""


type LateralMovement = TrafficFinding[Facts]


def inspect(host: HostActivity, thresholds: Thresholds) -> list[LateralMovement]:
    """One finding for the host, if it moves."""
    servers = len(host.day.get(ADMINISTERED, frozenset()))
    least = thresholds.lateral_hosts
    if host.learning or servers < least:
        return []
    moving = host.administering(host.flows)
    facts = Facts(role=host.role, servers=servers, limit=least)
    return [_report(host, moving, facts)] if moving else []


def _report(host: HostActivity, flows: Sequence[DirectedFlow], facts: Facts) -> LateralMovement:
    sample = FlowSample.of(flows)
    return DETECTOR.finding(subject=host.client, peer_class=PeerClass.OWN, sample=sample, facts=facts)


def text(finding: LateralMovement) -> Text:
    """The finding in words."""
    client, service, facts = finding.subject, finding.main_service, finding.facts
    return Text(
        summary=f"{client} asked {facts.servers} hosts within a day for remote administration ({service}).",
        because=new_for_role(client, finding.example, facts.role, f"{facts.limit} hosts"),
        likely="somebody who has this host and looks for the next one, or new automation",
        query_terms=(client,),
    )


DETECTOR: Final = Detector(
    name="lateral-movement",
    summary=("one of your hosts asks three others for remote administration, which its role never does"),
    severity=Severity.MEDIUM,
    technique="T1021",
    thresholds=("lateral_hosts",),
    needs=frozenset({Need.BASELINE}),
    state=(BASELINES, CONTACTS_DAY),
    inhibits=("blocked-connection",),
    finds=("lateral-movement", "ssh-brute-force"),
    runbook=(
        "Find out which account opens {service} from {subject}, and whose it is.",
        "If nobody vouches for it: isolate {subject}, and look at the hosts that answered it.",
        EXEMPT,
    ),
    detect=each_host(inspect),
    text=text,
)
