"""The flow log that a VPC shall have, with all that CreateFlowLogs needs to know."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

import msgspec
from msgspec import field
from msgspec.structs import replace

from flowwarden.enforcer.state.inventory import Vpc
from flowwarden.enforcer.state.selector import selects
from flowwarden.enforcer.state.stack import Stack
from flowwarden.policy.flow_logs import (
    CLOUD_WATCH_LOGS,
    S3,
    SETTINGS,
    FlowLogSettings,
    FlowLogSpec,
    FlowLogsPolicy,
)
from flowwarden.records.log_format import LogFormat

MANAGED_TAG: Final = "flow-warden:managed"
"""Tag key of every flow log that Flow Warden made; its value is the name of the stack."""
HELD_TAG: Final = "flow-warden:held"
"""Tag key of our own flow log whose replacement failed: `CONFIGURATION until UNIX_SECONDS` in its value."""


class DesiredFlowLog(FlowLogSettings, frozen=True, kw_only=True):
    """The flow log that a VPC shall have: its settings, where it writes, its tags, and its log group."""

    destination: str
    """Name of the log group, or ARN of the bucket or the stream."""
    destination_type: str = CLOUD_WATCH_LOGS
    delivery_role_arn: str = ""
    """Only for CloudWatch Logs: the others are delivered to by a service-linked role."""
    log_format: str
    """As CreateFlowLogs takes it: `${field} ${field} …`."""
    tags: dict[str, str] = field(default_factory=dict)
    retention_days: int | None = None
    kms_key_arn: str = ""

    def client_token(self, vpc_id: str, idempotency_key: str) -> str:
        """The idempotency token (64 hexadecimal digits, what EC2 allows) for this flow log in this VPC.

        It is derived from VPC, configuration and occasion: a retry of the same event asks for one and the
        same flow log; a changed configuration, which EC2 refuses under a used token, gets its own.

        Args:
            vpc_id: the VPC.
            idempotency_key: the same in every retry of what asked for it: an event's id, a sweep's
                time. Without it, EC2 might take the repair of a deleted flow log for a repetition of
                the call that made it, and answer with the id of what is gone, at every sweep.
        """
        parts = (vpc_id, self, idempotency_key)
        return sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()

    @property
    def configuration(self) -> str:
        """Eight characters that stand for what cannot be changed in a flow log once it is made.

        A setting at its default does not count, so that a new setting renames nothing.
        """
        chosen = {each.name: getattr(self, each.name) for each in SETTINGS}
        changed = {each.name: chosen[each.name] for each in SETTINGS if chosen[each.name] != each.default}
        parts = (self.destination_type, self.delivery_role_arn, changed)
        return sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()[:8]

    @property
    def alternate_destination(self) -> DesiredFlowLog | None:
        """The same in a destination of its own, for when the usual one is taken; None if there is none.

        Its name holds the configuration, so that nothing of another configuration ever goes there. A
        Firehose stream has no inside that could be told apart.
        """
        if self.destination_type == CLOUD_WATCH_LOGS:
            return replace(self, destination=f"{self.destination}-{self.configuration}")
        if self.destination_type == S3:
            return replace(self, destination=f"{self.destination.rstrip('/')}/{self.configuration}/")
        return None


def managed_tags(stack_name: str) -> dict[str, str]:
    """The tags of a flow log that the stack `stack_name` makes."""
    return {MANAGED_TAG: stack_name, "Name": stack_name}


def retentions(policy: FlowLogsPolicy, stack: Stack) -> dict[str, int]:
    """For how many days (value) each log group (key) that a policy names is to keep records."""
    specs = (policy.default, *(rule.flow_log for rule in policy.rules))
    wanted = (resolved(each, stack) for each in specs if each.destination_type == CLOUD_WATCH_LOGS)
    return {each.destination: each.retention_days for each in wanted if each.retention_days}


def wanted_for(vpc: Vpc, policy: FlowLogsPolicy, stack: Stack) -> DesiredFlowLog:
    """The flow log that this VPC shall have: of the first rule that fits, or else the default."""
    for rule in policy.rules:
        if selects(rule.where, stack.account_id, stack.region, vpc):
            return resolved(rule.flow_log, stack)
    return resolved(policy.default, stack)


def resolved(spec: FlowLogSpec, stack: Stack) -> DesiredFlowLog:
    """A spec, with what it leaves open as the stack has it."""
    to_logs = spec.destination_type == CLOUD_WATCH_LOGS
    suffix = f"-{spec.log_group_suffix}" if spec.log_group_suffix else ""
    settings = {each.name: getattr(spec, each.name) for each in SETTINGS}
    if spec.log_format:
        settings["log_format"] = LogFormat.parse(spec.log_format).to_log_format()
    else:
        settings["log_format"] = stack.log_format
    return DesiredFlowLog(
        destination=f"{stack.log_group_name}{suffix}" if to_logs else spec.destination,
        destination_type=spec.destination_type,
        delivery_role_arn=stack.delivery_role_arn if to_logs else "",
        tags=spec.tags | managed_tags(stack.stack_name),
        retention_days=spec.retention_days or stack.retention_days,
        kms_key_arn=spec.kms_key_arn or stack.kms_key_arn,
        **settings,
    )
