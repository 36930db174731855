"""Whether the configured policy is in use, and which detectors are report-only in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flowwarden.doctor.check import Check
from flowwarden.doctor.facts import Facts
from flowwarden.doctor.line import Found, Problem, Verdict
from flowwarden.policy.last_good import Origin, PolicyInUse
from flowwarden.state.digests import Digests

REFUSED: Final = Problem(
    name="policy-not-used",
    verdict=Verdict.FAILED,
    text="the configured policy cannot be used: {reason}; used instead: {origin}",
    fix="correct it, check it with flowwarden policy check FILE, and deploy it to the parameter Policy or "
    "to the AppConfig profile",
)
REPORT_ONLY: Final = Problem(
    name="detectors-report-only",
    verdict=Verdict.WARNING,
    text="{detectors}: report-only, so the hourly digest lists their findings, and they do not notify",
    fix="when you trust their findings, remove the detectors from `report_only` in the policy",
)
UNLISTED: Final = Problem(
    name="report-only-not-listed",
    verdict=Verdict.WARNING,
    text="{detectors}: report-only, but with Digests={digests} no digest lists their findings",
    fix="set Digests to hourly and daily, or remove the detectors from `report_only` in the policy",
)
_ORIGINS: Final = {
    Origin.LAST_GOOD: "the last policy that was valid",
    Origin.PARAMETER: "the parameter Policy, and the enforcer only plans",
    Origin.DEFAULT: "the built-in default, and the enforcer only plans",
}


def _judge(_name: str, policy: PolicyInUse, facts: Facts) -> Iterator[Found]:
    if policy.origin is not Origin.CONFIGURED:
        yield REFUSED.of(reason=policy.problem, origin=_ORIGINS[policy.origin])
    if detectors := ", ".join(policy.policy.report_only):
        digests = facts.stack.parameters.get("Digests", Digests.HOURLY_AND_DAILY)
        if digests == Digests.HOURLY_AND_DAILY:
            yield REPORT_ONLY.of(detectors=detectors)
        else:
            yield UNLISTED.of(detectors=detectors, digests=digests)


def _where(facts: Facts) -> str:
    """Where the policy is configured."""
    profile = facts.stack.parameters.get("PolicyProfile", "")
    return f"AppConfig profile {profile}" if profile else "parameter Policy"


CHECK: Final = Check(
    name="policy",
    verifies="the configured policy can be read, is valid, and is in use; no detector is report-only",
    sound="valid, and in use",
    subjects=lambda facts: {_where(facts): facts.policy},
    judge=_judge,
    problems=(REFUSED, REPORT_ONLY, UNLISTED),
)
