"""Does a VPC have the flow log that policy wants? Pure: what exists goes in, a verdict comes out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum

from msgspec import Struct

from flowwarden.compliance.desired import MANAGED_TAG, DesiredFlowLog
from flowwarden.compliance.inventory import FlowLog, Vpc

CLOUD_WATCH_LOGS = "cloud-watch-logs"
DELIVERY_FAILED = "FAILED"

MENDING = {
    "Access error": (
        "check that the delivery role trusts vpc-flow-logs.amazonaws.com, that it may write to the log "
        "group, that the group exists, and that the group's KMS key lets CloudWatch Logs use it"
    ),
    "Rate limited": "ask for a higher CloudWatch Logs quota (PutLogEvents) in this region",
}
"""What DescribeFlowLogs says about failed deliveries, and what to do (EC2 API reference, FlowLog)."""
MENDING_UNKNOWN = (
    "delete this flow log and let the next sweep make it anew; if it fails again, ask AWS Support"
)


class Coverage(StrEnum):
    """How a VPC stands towards the wanted flow log."""

    COVERED = "COVERED"
    UNCOVERED = "UNCOVERED"
    SKIPPED = "SKIPPED"
    """Not ours to cover."""
    BROKEN = "BROKEN"
    """It has the wanted flow log, which does not deliver: a blind spot that creating would not mend."""


class Verdict(Struct, frozen=True, kw_only=True):
    """What was found about one VPC, and why; `flow_log_id` is the wanted flow log where it exists."""

    vpc_id: str
    coverage: Coverage
    reason: str
    flow_log_id: str | None = None


def judge(vpc: Vpc, flow_logs: Iterable[FlowLog], desired: DesiredFlowLog, account_id: str) -> Verdict:
    """Judge one VPC; of `flow_logs`, those of other resources are ignored.

    A VPC shared with us belongs to another account, and only its owner may switch on a VPC-level flow
    log: it is skipped. A VPC whose owner nobody told counts as ours: at worst EC2 refuses. A wanted flow
    log that delivers outweighs one that does not.
    """
    if vpc.owner_id not in {"", account_id}:
        return Verdict(
            vpc_id=vpc.vpc_id,
            coverage=Coverage.SKIPPED,
            reason=f"shared by account {vpc.owner_id}, which owns it: only the owner can cover it",
        )
    own = [each for each in flow_logs if each.resource_id == vpc.vpc_id]
    wanted = [each for each in own if is_wanted(each, desired, account_id)]
    delivering = [each for each in wanted if each.deliver_logs_status != DELIVERY_FAILED]
    if delivering:
        return Verdict(
            vpc_id=vpc.vpc_id,
            coverage=Coverage.COVERED,
            reason=f"{delivering[0].flow_log_id} is the wanted flow log",
            flow_log_id=delivering[0].flow_log_id,
        )
    if wanted:
        return Verdict(
            vpc_id=vpc.vpc_id,
            coverage=Coverage.BROKEN,
            reason=_why_broken(wanted[0]),
            flow_log_id=wanted[0].flow_log_id,
        )
    return Verdict(
        vpc_id=vpc.vpc_id, coverage=Coverage.UNCOVERED, reason=_why_uncovered(own, desired, account_id)
    )


def is_wanted(flow_log: FlowLog, desired: DesiredFlowLog, account_id: str) -> bool:
    """Whether this flow log is the one that policy wants, delivering or not."""
    return not list(differences(flow_log, desired, account_id))


def is_own(flow_log: FlowLog, desired: DesiredFlowLog) -> bool:
    """Whether this stack made the flow log: it carries the stack's tag."""
    stack = desired.tags.get(MANAGED_TAG)
    return stack is not None and flow_log.tags.get(MANAGED_TAG) == stack


def same_destination(flow_log: FlowLog, desired: DesiredFlowLog, account_id: str) -> bool:
    """Whether this flow log writes to the wanted log group of this account.

    DescribeFlowLogs may tell the group by name, by ARN, by ARN with `:*`, or twice; the ARN also tells
    the account, so it counts first.
    """
    if flow_log.log_destination_type not in {None, CLOUD_WATCH_LOGS}:
        return False
    destination = flow_log.log_destination or flow_log.log_group_name or ""
    arn, found, name = destination.removesuffix(":*").partition(":log-group:")
    if found:
        return name == desired.log_group_name and arn.rpartition(":")[2] == account_id
    return destination == desired.log_group_name


def differences(flow_log: FlowLog, desired: DesiredFlowLog, account_id: str) -> Iterator[str]:
    """What keeps a flow log from being the wanted one, in words.

    What the description leaves out is unknown, which is no difference.
    """
    if not same_destination(flow_log, desired, account_id):
        where = flow_log.log_destination or flow_log.log_group_name or "an unknown place"
        yield f"writes to {where}"
    if flow_log.traffic_type not in {None, desired.traffic_type}:
        yield f"traffic type {flow_log.traffic_type}, not {desired.traffic_type}"
    if flow_log.log_format is not None and flow_log.log_format.split() != desired.log_format.split():
        yield "another log format"
    if flow_log.max_aggregation_interval not in {None, desired.max_aggregation_interval}:
        yield f"aggregates {flow_log.max_aggregation_interval} s, not {desired.max_aggregation_interval} s"


def _why_broken(flow_log: FlowLog) -> str:
    message = flow_log.deliver_logs_error_message or "no error message"
    mending = MENDING.get(message, MENDING_UNKNOWN)
    return f"{flow_log.flow_log_id} exists but does not deliver ({message}): {mending}"


def _why_uncovered(own: list[FlowLog], desired: DesiredFlowLog, account_id: str) -> str:
    """What the VPC has instead of the wanted flow log."""
    if not own:
        return "has no flow log"
    has = (f"{each.flow_log_id} ({', '.join(differences(each, desired, account_id))})" for each in own)
    return f"has only {'; '.join(has)}"
