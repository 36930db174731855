"""The likely cause of a REJECT, as far as flow records alone show it.

Security groups are stateful and network ACLs are not, which distinguishes them: a security group that allows
a request also allows its reply. A rejected reply is therefore caused by a network ACL: by its outbound rules
if the interface's own reply is rejected, by its inbound rules if the far end's reply is rejected. A rejected
request can be caused by either, and no record shows which.

Security groups also drop idle connections from tracking (after 350 s to five days: EC2 User Guide,
"Connection tracking"). Packets that are sent on such a connection later are rejected, without a SYN. They are
late packets, not connection attempts.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import numpy as np

from flowwarden.monitor.traffic.selection import PAGING_CONFIDENCE, own_end, sure
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import DirectedFlow, Directions
from flowwarden.network.initiator import Initiator
from flowwarden.network.services import TCP
from flowwarden.network.traffic import SYN_ACK
from flowwarden.records.columnar.string_pool import EGRESS, REJECT
from flowwarden.records.columnar.tokenizer import ABSENT, Integers, Mask
from flowwarden.records.model import Action, FlowDirection


class Cause(StrEnum):
    """What rejected a flow."""

    BLOCK_PUBLIC_ACCESS = "block-public-access"
    ENCRYPTION_CONTROLS = "encryption-controls"
    OUTBOUND_ACL = "outbound-network-acl"
    INBOUND_ACL = "inbound-network-acl"
    EXPIRED = "expired-tracking"
    """A late packet of a connection that the security group no longer tracks."""
    NOISE = "background-noise"
    """Unsolicited traffic from the internet, which every public address receives and rules should reject."""
    UNDECIDED = "security-group-or-network-acl"


REASONS: Final = {"BPA": Cause.BLOCK_PUBLIC_ACCESS, "EC": Cause.ENCRYPTION_CONTROLS}
"""`reject-reason` codes that name the cause."""


WORDS: Final = {
    Cause.BLOCK_PUBLIC_ACCESS: "VPC Block Public Access",
    Cause.ENCRYPTION_CONTROLS: "VPC encryption controls: the traffic is not encrypted in transit",
    Cause.OUTBOUND_ACL: "the network ACL at {here}: its outbound rules deny replies to ephemeral ports",
    Cause.INBOUND_ACL: "the network ACL at {here}: its inbound rules deny replies to ephemeral ports",
    Cause.EXPIRED: "late packets of connections that the security group no longer tracks",
    Cause.NOISE: "background noise from the internet",
}
"""The text for each cause except `UNDECIDED`, whose text depends on the flow."""


def cause_of(rejected: DirectedFlow) -> Cause:
    """The cause of a rejected flow; the first rule that matches decides."""
    reason = REASONS.get(rejected.flow.reject_reason or "")
    if reason is not None:
        return reason
    if is_refused_answer(rejected):
        return Cause.OUTBOUND_ACL if rejected.side is FlowDirection.EGRESS else Cause.INBOUND_ACL
    if rejected.expired:
        return Cause.EXPIRED
    if rejected.client_class is PeerClass.INTERNET and rejected.side is not FlowDirection.EGRESS:
        return Cause.NOISE
    return Cause.UNDECIDED


def is_refused_answer(directed: DirectedFlow) -> bool:
    """Whether a request was accepted and this flow, its reply, was rejected.

    Flags prove a reply. An incoming reply counts only if its request was accepted; otherwise it is
    backscatter, a reply to a sender that spoofed an internal address. Without flags, a reply also needs a
    certain initiator, and late packets of an expired connection do not count. UDP is excluded, because its
    replies can arrive after the security group has stopped tracking the request.
    """
    if directed.flow.action is not Action.REJECT or directed.flow.protocol != TCP or directed.side is None:
        return False
    flags = directed.flow.tcp_flags
    if flags is not None:
        answers = flags & SYN_ACK == SYN_ACK
        return answers and (directed.side is FlowDirection.EGRESS or directed.reverse_accepted)
    answers = directed.verdict.initiator is Initiator.DESTINATION and sure(directed)
    return answers and directed.reverse_accepted and not directed.expired


def are_refused_answers(directions: Directions, rows: Integers) -> Mask:
    """`is_refused_answer` for the flows in these rows."""
    flows, side = directions.traffic.flows, directions.side[rows]
    flags = flows["tcp_flags"][rows]
    accepted = directions.traffic.reverse_tuple_accepted[rows]
    by_flags = (flags & SYN_ACK == SYN_ACK) & ((side == EGRESS) | accepted)
    without = ~directions.from_source[rows] & (directions.confidence[rows] >= PAGING_CONFIDENCE)
    without &= accepted & ~directions.traffic.expired_rejects[rows]
    answers: Mask = np.where(flags == ABSENT, without, by_flags)
    answers &= (flows["action"][rows] == REJECT) & (flows["protocol"][rows] == TCP) & (side != ABSENT)
    return answers


def likely_cause(example: DirectedFlow, client: str, target: str) -> str:
    """The likely cause of a rejection in words.

    Args:
        example: a rejected flow.
        client: the client, in words.
        target: the server, in words.
    """
    cause = cause_of(example)
    if cause is Cause.UNDECIDED:
        return _rules(example.side, client, target)
    return WORDS[cause].format(here=own_end(example))


def _rules(side: FlowDirection | None, client: str, target: str) -> str:
    match side:
        case FlowDirection.INGRESS:
            return f"the inbound rules at {target}: its security group or its subnet's network ACL"
        case FlowDirection.EGRESS:
            return f"the outbound rules at {client}: its security group or its subnet's network ACL"
        case None:
            return f"a security group or network ACL at {client} or {target}"
