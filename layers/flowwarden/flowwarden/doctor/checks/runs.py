"""Whether the functions run: their invocations, errors and throttles by CloudWatch's metrics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flowwarden.doctor.check import Check
from flowwarden.doctor.facts import Facts, Runs
from flowwarden.doctor.line import Found, Problem, Verdict

SCHEDULED: Final = frozenset({"DispatcherFunction", "EnforcerFunction"})
"""Functions that a schedule starts, so that they must run. Whether the monitor runs depends on records."""

IDLE: Final = Problem(
    name="function-idle",
    verdict=Verdict.FAILED,
    text="the function has not run in the last {minutes} minutes, although a schedule starts it",
    fix="apply the fixes for its rules, its policy and its concurrency in this report; if there are none, "
    "see the metrics FailedInvocations of its rules and Throttles of {name}",
)
FAILING: Final = Problem(
    name="function-failing",
    verdict=Verdict.FAILED,
    text="each of its {runs} runs in the last {minutes} minutes failed",
    fix="aws logs tail /aws/lambda/{log} --since 1h --region {region}",
)
THROTTLED: Final = Problem(
    name="function-throttled",
    verdict=Verdict.WARNING,
    text="Lambda throttled {throttles} of its invocations in the last {minutes} minutes",
    fix="raise its reserved concurrency, or the concurrency of the account in Service Quotas (L-B99A9384)",
)


def _judge(logical_id: str, runs: Runs, facts: Facts) -> Iterator[Found]:
    name = facts.resources.get(logical_id, logical_id)
    age = facts.place.now - (facts.stack.created_at or 0)
    if not runs.invocations and logical_id in SCHEDULED and age > runs.minutes * 60:
        yield IDLE.of(minutes=runs.minutes, name=name)
    if runs.invocations and runs.errors >= runs.invocations:
        log = f"{facts.place.stack}-{logical_id.removesuffix('Function').lower()}"
        yield FAILING.of(runs=runs.invocations, minutes=runs.minutes, log=log)
    if runs.throttles:
        yield THROTTLED.of(throttles=runs.throttles, minutes=runs.minutes)


CHECK: Final = Check(
    name="runs",
    verifies="the dispatcher and the enforcer have run, at least one run of each function has succeeded, "
    "and none was throttled",
    sound="running, and not failing in every run",
    subjects=lambda facts: facts.runs,
    judge=_judge,
    problems=(IDLE, FAILING, THROTTLED),
)
