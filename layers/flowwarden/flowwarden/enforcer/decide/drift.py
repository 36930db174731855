"""Is a flow log the wanted one? Pure.

What a description leaves out is unknown, which is no difference.
"""

from __future__ import annotations

from collections.abc import Iterator

from flowwarden.enforcer.state.desired import MANAGED_TAG, DesiredFlowLog
from flowwarden.enforcer.state.inventory import FlowLog
from flowwarden.enforcer.state.stack import Stack
from flowwarden.policy.flow_logs import CLOUD_WATCH_LOGS


def is_wanted(flow_log: FlowLog, desired: DesiredFlowLog, stack: Stack) -> bool:
    """Whether this flow log is the one that policy wants, delivering or not."""
    return not list(differences(flow_log, desired, stack))


def is_own(flow_log: FlowLog, stack: Stack) -> bool:
    """Whether this stack made the flow log: it carries the stack's tag."""
    return flow_log.tags.get(MANAGED_TAG) == stack.stack_name


def log_group_of(flow_log: FlowLog, stack: Stack) -> str | None:
    """The log group of our account that a flow log writes into; None if it writes elsewhere.

    DescribeFlowLogs may tell the group by name, by ARN, by ARN with `:*`, or twice; the ARN also tells
    the account, so it counts first.
    """
    if flow_log.log_destination_type not in {None, CLOUD_WATCH_LOGS}:
        return None
    destination = flow_log.log_destination or flow_log.log_group_name or ""
    arn, found, name = destination.removesuffix(":*").partition(":log-group:")
    if found:
        return name if arn.rpartition(":")[2] == stack.account_id else None
    return destination or None


def same_destination(flow_log: FlowLog, desired: DesiredFlowLog, stack: Stack) -> bool:
    """Whether this flow log writes to the wanted destination itself (not to the one beside it)."""
    if desired.destination_type == CLOUD_WATCH_LOGS:
        return log_group_of(flow_log, stack) == desired.destination
    told = (flow_log.log_destination or "").rstrip("/")
    return flow_log.log_destination_type == desired.destination_type and told == desired.destination.rstrip(
        "/"
    )


def differences(flow_log: FlowLog, desired: DesiredFlowLog, stack: Stack) -> Iterator[str]:
    """What keeps a flow log from being the wanted one, in words."""
    beside = desired.alternate_destination
    if not any(same_destination(flow_log, each, stack) for each in (desired, beside) if each is not None):
        where = flow_log.log_destination or flow_log.log_group_name or "an unknown place"
        yield f"writes to {where}"
    if flow_log.log_format is not None and flow_log.log_format.split() != desired.log_format.split():
        yield "another log format"
    for name, told, wanted, unit in _settings(flow_log, desired, stack):
        if told is not None and told != wanted:
            yield f"{name} {told}{unit}, not {wanted}{unit}"


def _settings(
    flow_log: FlowLog, desired: DesiredFlowLog, stack: Stack
) -> Iterator[tuple[str, object, object, str]]:
    """Name, what is told, what is wanted, unit."""
    yield "traffic type", flow_log.traffic_type, desired.traffic_type, ""
    yield "aggregates", flow_log.max_aggregation_interval, desired.max_aggregation_interval, " s"
    if desired.destination_type == CLOUD_WATCH_LOGS:
        # Somebody else's flow log may well write into the group with a role of theirs.
        told = flow_log.delivery_role_arn if is_own(flow_log, stack) else None
        yield "delivered by the role", told, desired.delivery_role_arn, ""
        return
    yield "file format", flow_log.file_format, desired.file_format, ""
    yield "Hive partitions", flow_log.hive_compatible_partitions, desired.hive_compatible_partitions, ""
    yield "hourly partitions", flow_log.per_hour_partition, desired.per_hour_partition, ""
