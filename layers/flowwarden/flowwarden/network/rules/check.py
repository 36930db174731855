"""A check: what one component does with a packet, and because of which rule."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from flowwarden.network.rules.matching import Unknown
from flowwarden.network.rules.model import Direction, Entry, Packet, Rule


class Outcome(StrEnum):
    """What a component does with a packet."""

    ALLOWED = "allowed"
    DENIED = "denied"
    UNDETERMINED = "undetermined"


class Component(StrEnum):
    """A kind of component that rejects packets."""

    SECURITY_GROUPS = "security-groups"
    NETWORK_ACL = "network-acl"


class Code(StrEnum):
    """Why a packet is denied: explanation codes of VPC Reachability Analyzer."""

    ENI_SG_RULES_MISMATCH = "ENI_SG_RULES_MISMATCH"
    """No security group of the interface has a rule that allows the packet."""
    SG_HAS_NO_RULES = "SG_HAS_NO_RULES"
    """The security groups of the interface have no rules in this direction."""
    SUBNET_ACL_RESTRICTION = "SUBNET_ACL_RESTRICTION"
    """The network ACL of the subnet denies the packet."""


class Check(Struct, frozen=True, kw_only=True):
    """What one component does with a packet."""

    component: Component
    direction: Direction
    is_reply: bool = False
    """Whether the packet is a reply, which only network ACLs examine."""
    at: str
    """Id of the interface, or of the subnet."""
    ids: tuple[str, ...]
    """Ids of the security groups, or of the network ACL; () if it is not known."""
    names: tuple[str, ...] = ()
    """Their names, in the same order; '' for one without a name."""
    packet: Packet
    outcome: Outcome
    code: Code | None = None
    """If the packet is denied: why."""
    rule: Rule | Entry | None = None
    """The rule that allows or denies the packet; None if no rule matches it."""
    closest: Rule | Entry | None = None
    """If the packet is denied: the allow rule that comes closest to matching it."""
    closest_in: str = ""
    """The security group of the closest rule."""
    doubts: tuple[Unknown, ...] = ()
    """If it is undetermined: why."""
