"""A small version of the account of `make sweep` and `make peers`."""

from __future__ import annotations

from collections import Counter

from moto import mock_aws

from benchmarks.enforcement.account import BARE, COVERED, FAILING, UNMANAGED, Counted, build, enforcer
from flowwarden.enforcer.reporting.report import Result
from flowwarden.enforcer.triggers.trigger import RunKind, Trigger

NOW = 2_000_000_000


def test_a_sweep_covers_uncovered_vpcs_reports_failing_ones_and_makes_no_calls_for_covered_ones() -> None:
    """On moto, through the real adapters."""
    with mock_aws():
        states = build(30, lambda _: None)
        counted = Counted(Counter())
        trigger = Trigger(kind=RunKind.SWEEP, reason="a sweep", happened_at=NOW, idempotency_key="x")
        report = enforcer(counted).reconcile(trigger, NOW)
    ended = {each.vpc_id: each.result for each in report.outcomes}
    wanted = {COVERED: Result.COVERED, FAILING: Result.BROKEN}
    assert ended == {vpc: wanted.get(state, Result.CREATED) for vpc, state in states.items()}
    assert {BARE, FAILING} <= {*states.values()}
    created, unmanaged = len(report.created), list(states.values()).count(UNMANAGED)
    assert counted.calls["ec2:CreateFlowLogs"] == created
    # Of each created flow log: the intent, the record, and when to verify it; the intent is removed.
    # Of a flow log of others: its VPC.
    assert counted.calls["dynamodb:UpdateItem"] == 3 * created + unmanaged
    assert counted.calls["dynamodb:DeleteItem"] == created
    assert sum(counted.calls.values()) == 5 * created + unmanaged + 13
