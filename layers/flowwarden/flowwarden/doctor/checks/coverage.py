"""Whether each VPC is covered as the policy requires, judged as the enforcer does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flowwarden.doctor.check import Check
from flowwarden.doctor.facts import Facts
from flowwarden.doctor.line import Found, Problem, Verdict
from flowwarden.enforcer.decide.coverage import Coverage
from flowwarden.enforcer.decide.plan import Plan, Wait
from flowwarden.enforcer.state.inventory import kind_of

UNCOVERED: Final = Problem(
    name="vpc-uncovered",
    verdict=Verdict.FAILED,
    text="{what} is not covered: {reason}",
    fix="the enforcer covers it in its next sweep; flowwarden plan --stack {stack} --region {region} shows "
    "how, and what prevents it",
)
BROKEN: Final = Problem(
    name="vpc-not-delivered",
    verdict=Verdict.FAILED,
    text="{what} has the required flow log, which does not deliver: {reason}",
    fix="correct the cause; this report contains the fixes for a role or a log group, and flowwarden plan "
    "--stack {stack} --region {region} shows what the enforcer does",
)


def _judge(_name: str, plan: Plan, _facts: Facts) -> Iterator[Found]:
    what = kind_of(plan.verdict.vpc_id)
    # In the grace period of a new VPC, its creator may still create a flow log.
    if plan.verdict.coverage is Coverage.UNCOVERED and any(map(_needs_one, plan.parts or (plan,))):
        yield UNCOVERED.of(what=what, reason=plan.verdict.reason)
    elif plan.verdict.coverage is Coverage.BROKEN:
        yield BROKEN.of(what=what, reason=plan.verdict.reason)


def _needs_one(plan: Plan) -> bool:
    """Whether a VPC, or a part of one, lacks a flow log for which nothing is waited."""
    waits = any(isinstance(each, Wait) for each in plan.steps)
    return plan.verdict.coverage is Coverage.UNCOVERED and not waits


def needs_none(facts: Facts) -> bool:
    """Whether it is known that no VPC needs a flow log: the policy exempts all, or others own them."""
    plans = facts.coverage.values()
    free = {Coverage.EXEMPT, Coverage.SKIPPED}
    return bool(plans) and all(isinstance(each, Plan) and each.verdict.coverage in free for each in plans)


CHECK: Final = Check(
    name="coverage",
    verifies="each VPC, or each of its subnets or interfaces, and each selected transit gateway has the flow "
    "log that the policy requires, or one that may cover it, and it delivers; VPCs that the policy exempts, "
    "those of other accounts, and new ones in their grace period need none",
    sound="covered, or no flow log is required",
    subjects=lambda facts: facts.coverage,
    judge=_judge,
    problems=(UNCOVERED, BROKEN),
)
