"""nacl-blocks-replies: a network ACL allows requests and denies their replies.

What: in one batch, at least `nacl_tuples` connections whose request was accepted at an interface and whose
    reply was rejected there. One finding for each subnet (or host, if the log format has no `subnet-id`) and
    direction of the rules: outbound if the interface's own replies are rejected, inbound if the far end's
    replies are rejected.
Why: security groups are stateful and never cause this. Network ACLs are stateless, and their authors easily
    forget the ephemeral ports of replies: every connection hangs until it times out.
False positives: none known in records with flags. In records without flags, a reply so late that the security
    group no longer tracks its request; late packets of a connection that worked do not count.
ATT&CK: none; these are faults.
Events: network-acl-of-two-subnets.json, rejected-replies.json; rejected-replies-too-few.json has too few,
    expired-connection.json late packets.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np

from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.causes import Shares
from flowwarden.monitor.detectors.base import Detector, Need
from flowwarden.monitor.findings import FlowSample, Severity, SurplusFinding, TrafficFinding
from flowwarden.monitor.measured import Measured
from flowwarden.monitor.text import Text, evidence, narrowed
from flowwarden.monitor.traffic.reject_cause import are_refused_answers, likely_cause
from flowwarden.monitor.traffic.row_groups import RowGroups
from flowwarden.monitor.traffic.selection import own_end
from flowwarden.monitor.traffic.tally import connections_in, samples_of
from flowwarden.monitor.view import BatchView
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import DirectedFlow, Directions
from flowwarden.notify.text import plural
from flowwarden.policy.detection import Thresholds
from flowwarden.records.columnar.group_by import Groups, packed
from flowwarden.records.columnar.string_pool import EGRESS
from flowwarden.records.columnar.tokenizer import Integers
from flowwarden.records.model import FlowDirection
from flowwarden.state.sets import HOUR

INBOUND: Final = "inbound"
OUTBOUND: Final = "outbound"
"""Which rules of the network ACL deny the replies: the aspect of the finding."""
_SUBNET: Final = re.compile(r"subnet-[0-9a-f]+")

type BlockedReplies = TrafficFinding[None]


def detect(
    view: BatchView, _state: StateView, thresholds: Thresholds
) -> list[BlockedReplies | SurplusFinding]:
    """One finding for each subnet (or host) and direction in which replies are rejected."""
    if not len(view.rejected):
        return []
    directions, groups = view.directions, replies(view)
    if not len(groups):
        return []
    enough = [measured(directions, rows, thresholds).reached for rows in groups]
    groups = groups.those(np.array(enough, bool))
    most, others = groups.split(view.most_findings)
    samples = samples_of(directions, [*most])
    found = [_report(_place(sample.example), sample) for sample in samples]
    quiet = _exempt(view, others.leads)
    return [*found, *DETECTOR.surplus(len(others) - quiet, quiet)]


def measured(directions: Directions, rows: Integers, thresholds: Thresholds) -> Measured:
    """The rejected replies of one place in these rows, against the limit."""
    return Measured(
        what="connections whose request was accepted and whose reply was rejected, in the batch",
        value=connections_in(directions, rows),
        limit=thresholds.nacl_tuples,
        threshold="nacl_tuples",
    )


def replies(view: BatchView) -> RowGroups:
    """The rejected replies of a batch, by place and side."""
    directions, rows = view.directions, view.rejected
    rows = rows[are_refused_answers(directions, rows)] if len(rows) else rows
    return by_place(directions, rows, view.vpcs)


def _exempt(view: BatchView, rows: Integers) -> int:
    """How many of these rows are about an exempt host."""
    own = _own(view.directions, rows)
    return int((view.exempt(own) & (_places(view.directions, rows) == own)).sum())


def by_place(directions: Directions, rows: Integers, vpcs: Integers) -> RowGroups:
    """Rejected replies, by place and side; `vpcs` has the number of the VPC of each row of the batch."""
    texts, sides = len(directions.traffic.flows.texts), directions.side[rows] == EGRESS
    places = _places(directions, rows)
    # Other VPCs have other subnets, but can have the same addresses.
    apart = np.where(places == directions.traffic.flows["subnet_id"][rows], -1, vpcs[rows])
    columns, sizes = [apart, places, sides.astype(np.int64)], [len(vpcs), texts, 2]
    groups = Groups(packed(columns, sizes), ordered=True)
    return RowGroups(rows, groups, np.arange(len(groups)))


def _places(directions: Directions, rows: Integers) -> Integers:
    """See `_place`: text numbers."""
    flows = directions.traffic.flows
    subnets = flows["subnet_id"][rows]
    return np.where(flows.answers(_are_subnets).of(subnets) > 0, subnets, _own(directions, rows))


def _own(directions: Directions, rows: Integers) -> Integers:
    """The addresses of the interfaces that logged these rows: text numbers."""
    flows = directions.traffic.flows
    return np.where(directions.side[rows] == EGRESS, flows["srcaddr"][rows], flows["dstaddr"][rows])


def _are_subnets(texts: Sequence[str]) -> Sequence[int]:
    return [_SUBNET.fullmatch(text) is not None for text in texts]


def _place(directed: DirectedFlow) -> str:
    """The subnet of the network ACL; the host if the record does not contain the subnet."""
    subnet = directed.flow.subnet_id or ""
    return subnet if _SUBNET.fullmatch(subnet) else own_end(directed) or ""


def _report(place: str, sample: FlowSample) -> BlockedReplies:
    return DETECTOR.finding(
        subject=place,
        # Constant: one incident, regardless of the far ends in a batch.
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
    replies = f"replies from {here}" if out else f"replies to {here}"
    return Text(
        summary=f"The network ACL of {subnet} denies {replies} ({rules}).",
        because=(
            f"{_connections(finding)} the request was accepted and the reply "
            f"rejected {evidence(example)}; security groups are stateful and never cause this"
        ),
        likely=likely_cause(example, example.client, example.server),
        brief=f"NACL of {subnet} denies {replies} ({finding.aspect})",
        query_terms=narrowed(finding, here, "REJECT"),
        words={"rules": rules, "subnet": subnet, "toward": "to" if out else "from"},
    )


def _connections(finding: BlockedReplies) -> str:
    """`in 4 connections`; `several times` if the records lack the ports that distinguish connections."""
    connections = finding.tally.connections
    return "several times" if connections is None else f"in {plural(connections, 'connection')}"


DETECTOR: Final = Detector(
    name="nacl-blocks-replies",
    summary="a network ACL allows requests and denies their replies, inbound or outbound",
    severity=Severity.MEDIUM,
    resolve_after=HOUR // 2,
    asks_rules=True,
    rejects=True,
    shares=Shares.NETWORK_ACL,
    thresholds=("nacl_tuples",),
    needs=frozenset({Need.SUBNET_ID}),
    inhibits=("blocked-connection", "service-blocked", "reject-spike"),
    finds=("nacl-fault",),
    runbook=(
        "Check whether the {rules} of the network ACL of {subnet} changed just before the first rejection.",
        "Allow TCP to ports 1024-65535 in these rules, {toward} the far ends of the connections.",
        "If the connections are not wanted, deny the requests too: they are accepted now, and clients hang.",
    ),
    detect=detect,
    text=text,
)
