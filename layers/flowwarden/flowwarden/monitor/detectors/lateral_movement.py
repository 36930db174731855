"""lateral-movement: one of our own hosts asks several others for remote administration, as it never did.

What: new contacts of an own host to `lateral_hosts` own hosts within a day, on ports by which hosts are
    operated from afar (SSH, RDP, SMB, WinRM and the like), answered or not. What the role uses on five days
    or more, for whatever host, does not count.
Why: an intruder who has one host wants the next. He succeeds often, so that counting failures does not find
    him.
False positives: CI that learns to deploy to new places, a new bastion: name them in the policy's `exempt`.
While a role is learned, administration is new wherever it goes; nothing is found then.
What to do: find out who is on the host, and which account opened the sessions.
Events: none alone; see tests/monitor/detectors/test_administration_over_time.py.
ATT&CK: T1021 Remote Services.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from flowwarden.monitor.detectors.base import Detector, Need, each_host
from flowwarden.monitor.findings import Severity, Tally, TrafficFinding, representative, started_by
from flowwarden.monitor.traffic.excess import ADMINISTERED
from flowwarden.monitor.traffic.host_activity import HostActivity
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import DirectedFlow
from flowwarden.network.services import describe_service
from flowwarden.policy.detection import Thresholds
from flowwarden.state.schema import BASELINES, CONTACTS_DAY


def inspect(host: HostActivity, thresholds: Thresholds) -> list[TrafficFinding]:
    """One finding for the host, if it moves."""
    servers = len(host.day.get(ADMINISTERED, frozenset()))
    least = thresholds.lateral_hosts
    if host.learning or servers < least:
        return []
    moving = host.administering(host.flows)
    return [_report(host, moving, servers, least)] if moving else []


def _report(host: HostActivity, flows: Sequence[DirectedFlow], servers: int, least: int) -> TrafficFinding:
    tally = Tally.of(flows)
    client, example = host.client, representative(flows)
    service = describe_service(*tally.services[0][0])
    return TrafficFinding(
        detector=DETECTOR.name,
        severity=DETECTOR.severity,
        subject=client,
        peer_class=PeerClass.OWN,
        summary=f"{client} asked {servers} hosts within a day for remote administration ({service}).",
        because=(
            f"{started_by(client, example)}; its role ({host.role}) never did; "
            f"{least} hosts are the threshold"
        ),
        likely="somebody who has this host and looks for the next one, or new automation",
        advice=(
            f"Find out which account opens {service} from {client}, and whose it is.",
            f"If nobody vouches for it: isolate {client}, and look at the hosts that answered it.",
            "If it is wanted: name the host in the policy's `exempt`.",
        ),
        technique=DETECTOR.technique,
        query_terms=(client,),
        tally=tally,
        example=example,
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
    detect=each_host(inspect),
)
