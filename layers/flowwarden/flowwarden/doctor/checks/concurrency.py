"""Whether the account's concurrency is enough for the functions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flowwarden.doctor.check import Check
from flowwarden.doctor.facts import AccountLimits, Facts
from flowwarden.doctor.line import Found, Problem, Verdict

LEAST: Final = 20
"""Concurrent executions that should be available to functions without a reservation. New accounts have 10 in
total; a busy stack runs several batches at once, and all other functions of the Region share the number."""

LOW: Final = Problem(
    name="concurrency-low",
    verdict=Verdict.WARNING,
    text="{unreserved} of the account's {concurrency} concurrent executions are not reserved for other "
    "functions, so batches may wait",
    fix="request a higher quota: aws service-quotas request-service-quota-increase --service-code lambda "
    "--quota-code L-B99A9384 --desired-value 1000 --region {region}; or set MonitorReservedConcurrency",
)


def _judge(_name: str, limits: AccountLimits, _facts: Facts) -> Iterator[Found]:
    if limits.unreserved < LEAST:
        yield LOW.of(unreserved=limits.unreserved, concurrency=limits.concurrency)


CHECK: Final = Check(
    name="concurrency",
    verifies=f"at least {LEAST} concurrent executions of the account are not reserved for other functions",
    sound="the functions have enough concurrency",
    subjects=lambda facts: {facts.place.region: facts.limits},
    judge=_judge,
    problems=(LOW,),
)
