"""nacl-blocks-replies: a network ACL lets requests through and refuses their answers.

What: in one batch `nacl_tuples` connections or more whose request was accepted at an interface and whose
    answer was rejected there. One finding for the subnet (the host, where the log format has no `subnet-id`)
    and the direction of the rules: outbound where our own answers are refused, inbound where those of others.
Why: security groups keep state and never do that. A network ACL keeps none, and the ephemeral ports of
    answers are easily forgotten when one is written: every connection hangs until it times out.
False positives: none known in records with flags. In those without, an answer that is so late that the
    security group has forgotten its request; what is late on a connection that worked does not count.
ATT&CK: none; these are faults.
Events: rejected-answers-many.json; rejected-answers.json has too few, expired-connection.json leftovers.
"""

from __future__ import annotations

import re
from typing import Final

from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.detectors.base import Detector, Need
from flowwarden.monitor.findings import FlowSample, Severity, TrafficFinding, connection
from flowwarden.monitor.text import Text, evidence
from flowwarden.monitor.traffic.reject_cause import is_refused_answer, likely_cause
from flowwarden.monitor.traffic.selection import grouped, own_end
from flowwarden.monitor.view import BatchView
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import DirectedFlow
from flowwarden.notify.text import plural
from flowwarden.policy.detection import Thresholds
from flowwarden.records.model import FlowDirection

INBOUND: Final = "inbound"
OUTBOUND: Final = "outbound"
"""Which rules of the network ACL refuse the answers: the aspect of the finding."""
_SUBNET: Final = re.compile(r"subnet-[0-9a-f]+")

type BlockedReplies = TrafficFinding[None]


def detect(view: BatchView, _state: StateView, thresholds: Thresholds) -> list[BlockedReplies]:
    """One finding for each subnet (or host) and direction in which answers are refused."""
    found: list[BlockedReplies] = []
    refused = [directed for directed in view.rejected if is_refused_answer(directed)]
    groups = grouped(refused, lambda directed: (_place(directed), directed.side))
    for (place, _), group in groups.items():
        if len({connection(directed) for directed in group}) >= thresholds.nacl_tuples:
            found.append(_report(place, group))
    return found


def _place(directed: DirectedFlow) -> str:
    """What the network ACL belongs to, as far as the record tells."""
    subnet = directed.flow.subnet_id or ""
    return subnet if _SUBNET.fullmatch(subnet) else own_end(directed) or ""


def _report(place: str, group: list[DirectedFlow]) -> BlockedReplies:
    sample = FlowSample.of(group)
    return DETECTOR.finding(
        subject=place,
        # Constant, so that it is one incident whoever the far ends of a batch are.
        peer_class=PeerClass.OWN,
        aspect=OUTBOUND if sample.example.side is FlowDirection.EGRESS else INBOUND,
        sample=sample,
        facts=None,
    )


def text(finding: BlockedReplies) -> Text:
    """The finding in words."""
    place, example, out = finding.subject, finding.example, finding.aspect == OUTBOUND
    here = own_end(example) or place
    subnet = "its subnet" if place == here else place
    rules = f"{finding.aspect} rules"
    whose = f"{here} gives" if out else f"{here} asks for"
    return Text(
        summary=f"The network ACL of {subnet} refuses the answers that {whose} ({rules}).",
        because=(
            f"in {plural(finding.tally.connections, 'connection')} the request was accepted and the answer "
            f"rejected {evidence(example)}; a security group keeps state and never does that"
        ),
        likely=likely_cause(example, example.client, example.server),
        query_terms=(here, "REJECT"),
        words={"rules": rules, "subnet": subnet, "towards": "to" if out else "from"},
    )


DETECTOR: Final = Detector(
    name="nacl-blocks-replies",
    summary=("a network ACL lets requests through and refuses the answers; it says in which direction"),
    severity=Severity.MEDIUM,
    thresholds=("nacl_tuples",),
    needs=frozenset({Need.SUBNET_ID}),
    inhibits=("blocked-connection", "service-blocked", "reject-spike"),
    finds=("nacl-fault",),
    runbook=(
        "Look at the {rules} of the network ACL of {subnet}: were they changed just before it began?",
        "Allow TCP to ports 1024-65535 there, {towards} the far ends below.",
        "If the requests are to be refused, refuse these: now they come through, and their clients hang.",
    ),
    detect=detect,
    text=text,
)
