"""Whether CloudFormation completed the last deployment, and whether resources were changed since."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flowwarden.doctor.check import Check
from flowwarden.doctor.fact import Unread
from flowwarden.doctor.facts import Facts, StackState
from flowwarden.doctor.fixes import RESTORE
from flowwarden.doctor.line import Found, Problem, Verdict

BROKEN: Final = Problem(
    name="stack-broken",
    verdict=Verdict.FAILED,
    text="the stack is in the state {status}: {reason}",
    fix="correct the cause that aws cloudformation describe-stack-events --stack-name {stack} --region "
    "{region} shows, and deploy again; after ROLLBACK_COMPLETE or DELETE_FAILED, first remove the stack as "
    "docs/operating.md#removal describes",
)
ROLLED_BACK: Final = Problem(
    name="stack-rolled-back",
    verdict=Verdict.WARNING,
    text="the last update failed and was rolled back, so the stack has its earlier settings: {reason}",
    fix="find the cause with aws cloudformation describe-stack-events --stack-name {stack} --region "
    "{region}, and deploy again",
)
CHANGING: Final = Problem(
    name="stack-changing",
    verdict=Verdict.WARNING,
    text="CloudFormation is changing the stack ({status}), so other lines may be temporary",
    fix="wait with aws cloudformation wait stack-update-complete --stack-name {stack} --region {region}, "
    "and run this command again",
)
DRIFTED: Final = Problem(
    name="stack-drifted",
    verdict=Verdict.WARNING,
    text="the last drift detection found resources that differ from the template",
    fix=RESTORE,
)
_ROLLED_BACK: Final = frozenset({"UPDATE_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"})
_DONE: Final = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"})


def _judge(_name: str, stack: StackState, _facts: Facts) -> Iterator[Found | Unread]:
    reason = stack.reason or "CloudFormation gives no reason"
    if stack.status in _ROLLED_BACK:
        yield ROLLED_BACK.of(reason=reason)
    elif stack.status.endswith("_IN_PROGRESS") and not stack.status.startswith("DELETE"):
        yield CHANGING.of(status=stack.status)
    elif stack.status not in _DONE:
        yield BROKEN.of(status=stack.status or "unknown", reason=reason)
    if stack.drift == "DRIFTED":
        yield DRIFTED.of()
    if isinstance(stack.listed, Unread):
        yield stack.listed


CHECK: Final = Check(
    name="stack",
    verifies="the last deployment is complete, and the last drift detection found no difference",
    sound="the last deployment is complete",
    subjects=lambda facts: {facts.place.stack: facts.stack},
    judge=_judge,
    problems=(BROKEN, ROLLED_BACK, CHANGING, DRIFTED),
)
