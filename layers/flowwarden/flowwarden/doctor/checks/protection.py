"""Whether the log groups of the stack are protected from deletion, if the policy asks for that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from flowwarden.doctor.check import Check
from flowwarden.doctor.fact import Fact, known
from flowwarden.doctor.facts import Facts
from flowwarden.doctor.line import Found, Problem, Verdict
from flowwarden.enforcer.decide.log_groups import YOUNG_SECONDS
from flowwarden.enforcer.state.inventory import LogGroup
from flowwarden.enforcer.state.stack import is_alternate
from flowwarden.policy.last_good import PolicyInUse
from flowwarden.policy.policy import Policy

OWN_GROUP: Final = "FlowLogGroup"

UNPROTECTED: Final = Problem(
    name="log-group-unprotected",
    verdict=Verdict.WARNING,
    text="the log group is not protected from deletion, as the policy requires",
    fix="the enforcer protects it in its next sweep, and reports why if it cannot; at once: aws logs "
    "put-log-group-deletion-protection --log-group-identifier {group} --deletion-protection-enabled "
    "--region {region}",
)


def _judge(name: str, group: LogGroup, facts: Facts) -> Iterator[Found]:
    # Without a description, the Region or the SDK does not offer the protection.
    is_young = group.created_at is not None and facts.place.now - group.created_at < YOUNG_SECONDS
    if group.is_protected is False and not is_young:
        yield UNPROTECTED.of(group=name)


def _own(facts: Facts) -> Mapping[str, Fact[LogGroup]]:
    """The groups that the enforcer protects; none if the policy does not ask for it."""
    policy = known(facts.policy, PolicyInUse(policy=Policy())).policy.flow_logs
    own = facts.resources.get(OWN_GROUP, "")
    names = {own, *(f"{own}-{each}" for each in policy.suffixes)}
    return {
        name: each
        for name, each in facts.groups.items()
        if policy.deletion_protection and (name in names or any(is_alternate(name, one) for one in names))
    }


CHECK: Final = Check(
    name="deletion-protection",
    verifies="the log groups of the stack are protected from deletion, unless the policy does not ask for "
    "it; where the Region does not describe the protection, nothing is reported",
    sound="protected from deletion",
    subjects=_own,
    judge=_judge,
    problems=(UNPROTECTED,),
)
