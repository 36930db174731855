"""Runs of the enforcer, shared by its tests."""

from __future__ import annotations

from itertools import count
from typing import Any

from msgspec.structs import replace

from flowwarden.enforcer.reconcile import Enforcer
from flowwarden.enforcer.reporting.report import EnforcementReport, VpcOutcome
from flowwarden.enforcer.state.desired import resolved
from flowwarden.enforcer.state.inventory import FlowLog, Vpc
from flowwarden.enforcer.triggers.cloudtrail import ApiCaller
from flowwarden.enforcer.triggers.trigger import NewVpc, RunKind, Trigger
from flowwarden.errors import CallRefused, CallThrottled
from flowwarden.notify.delivery import DeliveryReport
from flowwarden.policy.flow_logs import FlowLogSpec, FlowLogsPolicy
from tests.enforcer.cases import changed
from tests.enforcer.fakes import ACCOUNT, STACK, Fakes
from tests.enforcer.fakes_ec2 import wanted

BORN = 1_793_611_800
DESIRED = resolved(FlowLogSpec(), STACK)
AT_ONCE = FlowLogsPolicy(grace_minutes=0)
SWEEP = Trigger(
    kind=RunKind.SWEEP, reason="scheduled sweep", happened_at=BORN, idempotency_key="2026-11-02T09:30:00Z"
)
RETRY = Trigger(
    kind=RunKind.RETRY, reason="scheduled retry of pending VPCs", happened_at=BORN, idempotency_key="retry"
)
BIRTH = Trigger(
    kind=RunKind.EVENT,
    reason="CreateVpc names the VPC",
    vpcs=(NewVpc(vpc_id="vpc-1", owner_id=ACCOUNT),),
    origin=ApiCaller(event_name="CreateVpc"),
    happened_at=BORN,
    idempotency_key="8f6d",
)
THROTTLED = CallThrottled("RequestLimitExceeded")
FORBIDDEN = CallRefused("UnauthorizedOperation")


def own(*vpc_ids: str) -> list[Vpc]:
    """VPCs of the stack's account."""
    return [Vpc(vpc_id=vpc_id, owner_id=ACCOUNT) for vpc_id in vpc_ids]


def existing(vpc_id: str = "vpc-1", **changes: Any) -> FlowLog:
    """The required flow log of a VPC, with changes."""
    return changed(wanted(f"fl-of-{vpc_id}", vpc_id, DESIRED), **changes)


def enforce(
    fakes: Fakes, trigger: Trigger = SWEEP, now: int = BORN + 10, policy: FlowLogsPolicy = AT_ONCE
) -> EnforcementReport:
    """One run."""
    return fakes.service(policy).reconcile(trigger, now)


_attempts = count()


def deliver(service: Enforcer, report: EnforcementReport, now: int = BORN) -> DeliveryReport:
    """Handle a report like the Lambda handler: send it, and fail if a retry is needed."""
    delivery = service.notify(report, f"attempt-{next(_attempts)}", now)
    delivery.raise_if_unsent()
    report.raise_if_incomplete()
    return delivery


def run(service: Enforcer, trigger: Trigger, now: int = BORN) -> EnforcementReport:
    """One run for a separate event, with its report sent."""
    event = replace(trigger, idempotency_key=f"{trigger.idempotency_key} at {now}")
    report = service.reconcile(event, now)
    deliver(service, report, now)
    return report


def only(report: EnforcementReport) -> VpcOutcome:
    """The only outcome of a run."""
    (outcome,) = report.outcomes
    return outcome
