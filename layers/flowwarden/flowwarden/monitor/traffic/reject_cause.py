"""The cause of a REJECT, as far as records alone tell it.

Security groups keep state and network ACLs do not, which tells them apart: a security group that let a
request through lets its answer through as well. So a refused answer is a network ACL's doing; of its outbound
rules where the interface's own answer is refused, of the inbound ones where it is the far end's. A refused
request may be either's, and no record tells whose.

A security group forgets idle connections, too (after 350 s to five days: EC2 User Guide, "Connection
tracking"). What is still sent on one is refused, without a SYN: a leftover, nobody's attempt at anything.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from flowwarden.monitor.traffic.selection import own_end, sure
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import DirectedFlow
from flowwarden.network.initiator import Initiator
from flowwarden.network.services import TCP
from flowwarden.network.traffic import SYN_ACK
from flowwarden.records.model import Action, FlowDirection


class Cause(StrEnum):
    """What refused a flow."""

    BLOCK_PUBLIC_ACCESS = "block-public-access"
    ENCRYPTION_CONTROLS = "encryption-controls"
    OUTBOUND_ACL = "outbound-network-acl"
    INBOUND_ACL = "inbound-network-acl"
    EXPIRED = "expired-tracking"
    """A leftover of a connection that the security group has forgotten."""
    NOISE = "background-noise"
    """What the internet tries everywhere; the rules are meant to refuse it."""
    UNDECIDED = "security-group-or-network-acl"


REASONS: Final = {"BPA": Cause.BLOCK_PUBLIC_ACCESS, "EC": Cause.ENCRYPTION_CONTROLS}
"""`reject-reason` codes that name the cause outright."""


WORDS: Final = {
    Cause.BLOCK_PUBLIC_ACCESS: "VPC Block Public Access refused it",
    Cause.ENCRYPTION_CONTROLS: "VPC encryption controls refused it: the traffic is not encrypted in transit",
    Cause.OUTBOUND_ACL: "the network ACL at {here}: its outbound rules refuse answers to ephemeral ports",
    Cause.INBOUND_ACL: "the network ACL at {here}: its inbound rules refuse answers to ephemeral ports",
    Cause.EXPIRED: "leftovers of connections that the security group has forgotten",
    Cause.NOISE: "background noise of the internet",
}
"""What there is to say about a cause; about one that is undecided more."""


def cause_of(rejected: DirectedFlow) -> Cause:
    """The cause of a rejected flow, by the first thing that tells it."""
    reason = REASONS.get(rejected.flow.reject_reason or "")
    if reason is not None:
        return reason
    if is_refused_answer(rejected):
        return Cause.OUTBOUND_ACL if rejected.side is FlowDirection.EGRESS else Cause.INBOUND_ACL
    if rejected.leftover:
        return Cause.EXPIRED
    if rejected.client_class is PeerClass.INTERNET and rejected.side is not FlowDirection.EGRESS:
        return Cause.NOISE
    return Cause.UNDECIDED


def is_refused_answer(directed: DirectedFlow) -> bool:
    """Whether a request was let through and this, its answer, was not.

    Flags prove an answer. One that comes in counts only if its request is there, or it is backscatter: an
    answer to somebody who used our address. Without flags it counts only if nothing of its 5-tuple was
    accepted: what comes late on a connection that worked is a leftover. UDP is left out, since its answers
    may come so late that the security group has forgotten the request.
    """
    if directed.flow.action is not Action.REJECT or directed.flow.protocol != TCP or directed.side is None:
        return False
    flags = directed.flow.tcp_flags
    if flags is not None:
        answers = flags & SYN_ACK == SYN_ACK
        return answers and (directed.side is FlowDirection.EGRESS or directed.reverse_accepted)
    answers = directed.verdict.initiator is Initiator.DESTINATION and sure(directed)
    return answers and directed.reverse_accepted and not directed.leftover


def likely_cause(example: DirectedFlow, client: str, target: str) -> str:
    """The likely cause of a refusal in words.

    Args:
        example: a flow that was refused.
        client: who asked, in words.
        target: who was asked, in words.
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
