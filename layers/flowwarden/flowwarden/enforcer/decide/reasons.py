"""Why a flow log does not cover its VPC, and how to fix it, as text. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from flowwarden.enforcer.decide.delivery import ACTIVE, Delivery, is_active, may_deliver
from flowwarden.enforcer.decide.drift import differences, is_managed, log_group_of
from flowwarden.enforcer.decide.vpc_state import VpcState, suits
from flowwarden.enforcer.state.inventory import FlowLog
from flowwarden.policy.field_needs import lacking

REMEDY: Final = {
    "Access error": (
        "check that the delivery role trusts vpc-flow-logs.amazonaws.com, that it may write to the log "
        "group, that the group exists, and that the KMS key of the group allows CloudWatch Logs to use it. "
        "For S3, check that the bucket policy allows delivery.logs.amazonaws.com to write; for Firehose, "
        "check that the stream exists"
    ),
    "Rate limited": "request a higher CloudWatch Logs quota (PutLogEvents) in this region",
}
"""DescribeFlowLogs error messages for failed deliveries, and their fix (EC2 API reference, FlowLog)."""
REMEDY_UNKNOWN: Final = (
    "delete this flow log and let the next sweep recreate it; if it fails again, contact AWS Support"
)
NOT_VERIFIED: Final = "unmanaged, and none of its records arrive, so it cannot be relied on"
REMEDY_SILENCE: Final = (
    "EC2 reports no failure: check that the log group's subscription filter sends every line to the monitor, "
    "and that the delivery role may write to the group"
)


def why_broken(flow_log: FlowLog, state: Delivery) -> str:
    """Why a flow log does not deliver, and how to fix it."""
    if state is Delivery.SILENT:
        return f"{flow_log.flow_log_id} exists but none of its records arrive: {REMEDY_SILENCE}"
    remedy = REMEDY.get(flow_log.deliver_logs_error_message or "", REMEDY_UNKNOWN)
    return f"{flow_log.flow_log_id} exists but does not deliver ({failure_of(flow_log)}): {remedy}"


def failure_of(flow_log: FlowLog) -> str:
    """What EC2 reports about a flow log that does not deliver."""
    if not is_active(flow_log):
        return f"its status is {flow_log.flow_log_status}, not {ACTIVE}"
    return flow_log.deliver_logs_error_message or "no error message"


def why_uncovered(existing: Sequence[FlowLog], vpc_state: VpcState) -> str:
    """Why the VPC is not covered: which flow logs it has instead of the required one."""
    if not existing:
        return "has no flow log"
    return f"has only {'; '.join(why_not(each, vpc_state) for each in existing)}"


def why_not(flow_log: FlowLog, vpc_state: VpcState) -> str:
    """Why a flow log does not cover the VPC: its differences, or that it does not deliver."""
    if suits(flow_log, vpc_state):
        why = _why_not_relied_on(flow_log, vpc_state)
    elif missing := _lacking(flow_log, vpc_state):
        why = f"its format lacks {', '.join(missing)}, so the monitor cannot judge its records"
    else:
        why = ", ".join(differences(flow_log, vpc_state.desired, vpc_state.stack))
    return f"{flow_log.flow_log_id} ({why})"


def _why_not_relied_on(flow_log: FlowLog, vpc_state: VpcState) -> str:
    """Why a suitable flow log does not cover the resource. A managed one is then of another level."""
    if not may_deliver(flow_log):
        return f"does not deliver: {failure_of(flow_log)}"
    if is_managed(flow_log, vpc_state.stack):
        return f"of {flow_log.resource_id}, which records until the required flow log delivers"
    return NOT_VERIFIED


def _lacking(flow_log: FlowLog, vpc_state: VpcState) -> tuple[str, ...]:
    """What the format of an unmanaged flow log lacks, if the policy would let it cover the VPC otherwise."""
    stack = vpc_state.stack
    may_read = stack.may_read(log_group_of(flow_log, stack) or "")
    adoptable = may_read and flow_log.traffic_type == "ALL" and not is_managed(flow_log, stack)
    return lacking(flow_log.log_format) if adoptable else ()
