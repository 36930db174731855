"""Evaluates the network ACL of a subnet. Network ACLs are stateless: replies need rules, too.

The entry with the lowest number that matches decides; without one, the packet is denied (VPC User Guide,
"Network ACL basics").
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from flowwarden.network.rules.check import Check, Code, Component, Outcome
from flowwarden.network.rules.closest import closest_entry
from flowwarden.network.rules.matching import Doubt, Unknown, entry_matches
from flowwarden.network.rules.model import Direction, Entry, NetworkAcl, Passage


def check_network_acl(
    acl: NetworkAcl | None, subnet: str, passage: Passage, *, is_reply: bool = False
) -> Check:
    """What the network ACL of a subnet does with a packet that enters (inbound) or leaves it (outbound).

    Args:
        acl: None if it could not be read.
        subnet: its id.
        passage: the packet.
        is_reply: whether the packet is a reply.
    """
    begun = Check(
        component=Component.NETWORK_ACL,
        direction=passage.direction,
        is_reply=is_reply,
        at=subnet,
        ids=(acl.acl_id,) if acl else (),
        names=(acl.name,) if acl else (),
        packet=passage.packet,
        outcome=Outcome.UNDETERMINED,
    )
    if acl is None or not acl.complete:
        return replace(begun, doubts=(Unknown(Doubt.ACL, acl.acl_id if acl else subnet),))
    return _decided(begun, _entries(acl, passage.direction), passage)


def _entries(acl: NetworkAcl, direction: Direction) -> list[Entry]:
    egress = direction is Direction.OUTBOUND
    return sorted((each for each in acl.entries if each.egress is egress), key=lambda each: each.number)


def _decided(begun: Check, entries: Sequence[Entry], passage: Passage) -> Check:
    """The outcome, unless it depends on entries of which it is not known whether they match."""
    doubts: list[tuple[Unknown, bool]] = []
    deciding: Entry | None = None
    for entry in entries:
        match = entry_matches(entry, passage)
        if match is True:
            deciding = entry
            break
        if isinstance(match, Unknown):
            doubts.append((match, entry.allows))
    allows = deciding is not None and deciding.allows
    if against := [doubt for doubt, would_allow in doubts if would_allow is not allows]:
        return replace(begun, doubts=tuple(dict.fromkeys(against)))
    if allows:
        return replace(begun, outcome=Outcome.ALLOWED, rule=deciding)
    return replace(
        begun,
        outcome=Outcome.DENIED,
        code=Code.SUBNET_ACL_RESTRICTION,
        rule=deciding,
        closest=closest_entry(entries, passage),
    )
