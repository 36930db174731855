"""Whether the configured policy is in use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flowwarden.doctor.check import Check
from flowwarden.doctor.facts import Facts
from flowwarden.doctor.line import Found, Problem, Verdict
from flowwarden.policy.last_good import Origin, PolicyInUse

REFUSED: Final = Problem(
    name="policy-not-used",
    verdict=Verdict.FAILED,
    text="the configured policy cannot be used: {reason}; used instead: {origin}",
    fix="correct it, check it with flowwarden policy check FILE, and deploy it to the parameter Policy or "
    "to the AppConfig profile",
)
_ORIGINS: Final = {
    Origin.LAST_GOOD: "the last policy that was valid",
    Origin.PARAMETER: "the parameter Policy, and the enforcer only plans",
    Origin.DEFAULT: "the built-in default, and the enforcer only plans",
}


def _judge(_name: str, policy: PolicyInUse, _facts: Facts) -> Iterator[Found]:
    if policy.origin is not Origin.CONFIGURED:
        yield REFUSED.of(reason=policy.problem, origin=_ORIGINS[policy.origin])


def _where(facts: Facts) -> str:
    """Where the policy is configured."""
    profile = facts.stack.parameters.get("PolicyProfile", "")
    return f"AppConfig profile {profile}" if profile else "parameter Policy"


CHECK: Final = Check(
    name="policy",
    verifies="the configured policy can be read, is valid, and is in use",
    sound="valid, and in use",
    subjects=lambda facts: {_where(facts): facts.policy},
    judge=_judge,
    problems=(REFUSED,),
)
