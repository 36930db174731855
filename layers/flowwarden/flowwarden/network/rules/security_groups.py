"""Evaluates the security groups of an interface. They are stateful: replies need no rule.

A packet is allowed if any rule of any group matches it (VPC User Guide, "Security group rules").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from flowwarden.network.rules.check import Check, Code, Component, Outcome
from flowwarden.network.rules.closest import closest_rule
from flowwarden.network.rules.matching import Doubt, Unknown, rule_matches
from flowwarden.network.rules.model import Direction, End, Passage, Rule, SecurityGroup

type _Grouped = tuple[str, Rule]
"""A rule, after the id of its group."""


def check_security_groups(here: End, passage: Passage, groups: Mapping[str, SecurityGroup]) -> Check | None:
    """What the security groups of an interface do with a packet; None if it has none, such as a NAT gateway.

    Args:
        here: the end at the interface.
        passage: the packet, which arrives at the interface (inbound) or leaves it (outbound).
        groups: the known groups, by id.
    """
    if not here.groups:
        return None
    known = {each: groups.get(each) for each in here.groups}
    begun = Check(
        component=Component.SECURITY_GROUPS,
        direction=passage.direction,
        at=here.interface_id,
        ids=here.groups,
        names=tuple(each.name if each else "" for each in known.values()),
        packet=passage.packet,
        outcome=Outcome.UNDETERMINED,
    )
    rules = [(each.group_id, rule) for each in known.values() if each for rule in _rules(each, passage)]
    unread = [name for name, each in known.items() if each is None or not each.complete]
    return _decided(begun, rules, passage, unread)


def _decided(begun: Check, rules: Sequence[_Grouped], passage: Passage, unread: Sequence[str]) -> Check:
    """The outcome: a rule that matches allows the packet, whatever else is not known."""
    matches = [(rule_matches(rule, passage), rule) for _, rule in rules]
    allowing = next((rule for match, rule in matches if match is True), None)
    if allowing is not None:
        return replace(begun, outcome=Outcome.ALLOWED, rule=allowing)
    doubts = [Unknown(Doubt.GROUP, each) for each in unread]
    doubts += [match for match, _ in matches if isinstance(match, Unknown)]
    if doubts:
        return replace(begun, doubts=tuple(dict.fromkeys(doubts)))
    group, closest = closest_rule(rules, passage)
    return replace(
        begun,
        outcome=Outcome.DENIED,
        code=Code.ENI_SG_RULES_MISMATCH if rules else Code.SG_HAS_NO_RULES,
        closest=closest,
        closest_in=group,
    )


def _rules(group: SecurityGroup, passage: Passage) -> tuple[Rule, ...]:
    return group.inbound if passage.direction is Direction.INBOUND else group.outbound
