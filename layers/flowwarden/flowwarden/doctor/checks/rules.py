"""Whether the rules and schedules exist, are enabled, and have their function as a target."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flowwarden.doctor.check import Check
from flowwarden.doctor.fact import Unread
from flowwarden.doctor.facts import Facts, Rule
from flowwarden.doctor.fixes import RESTORE
from flowwarden.doctor.line import Found, Problem, Verdict

MISSING: Final = Problem(
    name="rule-missing", verdict=Verdict.FAILED, text="the rule does not exist", fix=RESTORE
)
DISABLED: Final = Problem(
    name="rule-disabled",
    verdict=Verdict.FAILED,
    text="the rule is disabled",
    fix="aws events enable-rule --name {name} --region {region}",
)
NO_TARGET: Final = Problem(
    name="rule-without-target",
    verdict=Verdict.FAILED,
    text="the rule does not have {function} as its target",
    fix=RESTORE,
)


def function_of(rule: str) -> str:
    """The logical id of the function that a rule invokes, by the rule's logical id."""
    return "DispatcherFunction" if rule == "DispatchSchedule" else "EnforcerFunction"


def _judge(logical_id: str, rule: Rule, facts: Facts) -> Iterator[Found | Unread]:
    if not rule.enabled:
        yield DISABLED.of(name=rule.name)
    function = function_of(logical_id)
    if isinstance(rule.targets, Unread):
        yield rule.targets
    elif not any(_is_function(each, facts.resources.get(function, "")) for each in rule.targets or ()):
        yield NO_TARGET.of(function=function)


def _is_function(arn: str, name: str) -> bool:
    return bool(name) and arn.partition(":function:")[2].partition(":")[0] == name


CHECK: Final = Check(
    name="rules",
    verifies="the rules and schedules, including the dispatcher's, are enabled and have their function as "
    "the target",
    sound="enabled, with their function as the target",
    subjects=lambda facts: facts.rules,
    judge=_judge,
    missing=MISSING,
    problems=(MISSING, DISABLED, NO_TARGET),
)
