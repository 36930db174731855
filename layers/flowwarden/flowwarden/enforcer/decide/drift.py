"""Compares a flow log with the required one. Pure.

A property that a description omits is unknown and does not count as a difference.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from flowwarden.enforcer.state.desired import MANAGED_TAG, DesiredFlowLog
from flowwarden.enforcer.state.inventory import FlowLog
from flowwarden.enforcer.state.stack import Stack
from flowwarden.policy.flow_logs import CLOUD_WATCH_LOGS, SETTINGS
from flowwarden.policy.setting import Setting

STACK_NAME: Final = re.compile(r"[A-Za-z][-A-Za-z0-9]{0,127}")
"""What CloudFormation accepts as the name of a stack."""


def is_wanted(flow_log: FlowLog, desired: DesiredFlowLog, stack: Stack) -> bool:
    """Whether this flow log is the one that the policy requires, delivering or not."""
    return not list(differences(flow_log, desired, stack))


def is_tagged(flow_log: FlowLog, stack: Stack) -> bool:
    """Whether the flow log has this stack's tag. Others can set it, so it proves nothing."""
    return flow_log.tags.get(MANAGED_TAG) == stack.stack_name


def is_managed(flow_log: FlowLog, stack: Stack) -> bool:
    """Whether this stack manages the flow log: it has the stack's tag and the record of its creation."""
    return flow_log.recorded and is_tagged(flow_log, stack)


def other_stack_of(flow_log: FlowLog, stack: Stack) -> str:
    """The name of the other stack of Flow Warden whose tag the flow log has; '' if it has none.

    Others can set it, so it proves nothing. On a flow log that this stack created, it is not true.
    """
    name = flow_log.tags.get(MANAGED_TAG, "")
    other = not flow_log.recorded and name != stack.stack_name and STACK_NAME.fullmatch(name)
    return name if other else ""


def log_group_of(flow_log: FlowLog, stack: Stack) -> str | None:
    """The log group of this account that a flow log writes into; None if it writes elsewhere.

    DescribeFlowLogs may report the group as a name, an ARN, an ARN with `:*`, or twice. The ARN takes
    precedence, because it also contains the account.
    """
    if flow_log.log_destination_type not in {None, CLOUD_WATCH_LOGS}:
        return None
    destination = flow_log.log_destination or flow_log.log_group_name or ""
    arn, found, name = destination.removesuffix(":*").partition(":log-group:")
    if found:
        return name if arn.rpartition(":")[2] == stack.account_id else None
    return destination or None


def same_destination(flow_log: FlowLog, desired: DesiredFlowLog, stack: Stack) -> bool:
    """Whether this flow log writes to the required destination itself, not to its alternate."""
    if desired.destination_type == CLOUD_WATCH_LOGS:
        return log_group_of(flow_log, stack) == desired.destination
    found = (flow_log.log_destination or "").rstrip("/")
    same_type = flow_log.log_destination_type == desired.destination_type
    return same_type and found == desired.destination.rstrip("/")


def differences(flow_log: FlowLog, desired: DesiredFlowLog, stack: Stack) -> Iterator[str]:
    """Descriptions of what differs between a flow log and the required one."""
    alternate = desired.alternate_destination
    if not any(same_destination(flow_log, each, stack) for each in (desired, alternate) if each is not None):
        where = flow_log.log_destination or flow_log.log_group_name or "an unknown destination"
        yield f"writes to {where}"
    for setting in SETTINGS:
        observed, value = flow_log.settings.get(setting.name), getattr(desired, setting.name)
        applies = setting.applies_to(desired.destination_type) and observed is not None
        if applies and setting.comparable(observed) != setting.comparable(value):
            yield _difference(setting, observed, value)
    role = flow_log.delivery_role_arn
    # An unmanaged flow log may write into the group with its own role. One that an earlier deployment of this
    # stack created has that deployment's role, which no longer exists.
    checked = desired.destination_type == CLOUD_WATCH_LOGS and is_tagged(flow_log, stack)
    if checked and role is not None and role != desired.delivery_role_arn:
        yield f"delivered by the role {role}, not {desired.delivery_role_arn}"


def _difference(setting: Setting, observed: object, desired: object) -> str:
    if setting.is_long:
        return f"different {setting.difference}"
    return f"{setting.difference} {observed}{setting.unit}, not {desired}{setting.unit}"
