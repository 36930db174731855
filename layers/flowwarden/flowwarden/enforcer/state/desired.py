"""The desired flow log of a VPC, with all parameters of CreateFlowLogs."""

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
    VPC,
    FlowLogSettings,
    FlowLogSpec,
    FlowLogsPolicy,
)
from flowwarden.policy.transit_gateways import is_gateway
from flowwarden.records.log_format import LogFormat

MANAGED_TAG: Final = "flow-warden:managed"
"""Tag key of every flow log that Flow Warden creates; the value is the stack name."""
BACKOFF_SECONDS: Final = 24 * 3600
"""How long a failed replacement is not retried, unless the policy changes the required flow log."""
BACKOFF_TAG: Final = "flow-warden:backoff"
"""Tag key of a managed flow log whose replacement failed; the value is `CONFIGURATION until UNIX_SECONDS`."""


class DesiredFlowLog(FlowLogSettings, frozen=True, kw_only=True):
    """The desired flow log of a VPC: its settings, destination, tags, and the settings of its log group."""

    destination: str
    """Name of the log group, or ARN of the bucket or the stream."""
    destination_type: str = CLOUD_WATCH_LOGS
    delivery_role_arn: str = ""
    """Only for CloudWatch Logs: a service-linked role delivers to the other destinations."""
    log_format: str
    """In the syntax of CreateFlowLogs: `${field} ${field} …`."""
    tags: dict[str, str] = field(default_factory=dict)
    retention_days: int | None = None
    kms_key_arn: str = ""

    def client_token(self, resource_id: str, idempotency_key: str) -> str:
        """The idempotency token (64 hexadecimal digits, the maximum of EC2) for this flow log.

        It is derived from the resource, the configuration and the event. So a retry of the same event
        requests the same flow log, and a changed configuration, which EC2 refuses for a used token, gets a
        new token.

        Args:
            resource_id: the VPC, or the part of it.
            idempotency_key: the key shared by all retries: the id of an event or the time of a sweep. Without
                it, EC2 might treat the recreation of a deleted flow log as a repetition of the original call
                and return the id of the deleted flow log, at every sweep.
        """
        parts = (resource_id, self, idempotency_key)
        return sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()

    @property
    def configuration(self) -> str:
        """An eight-character hash of the properties that cannot be changed after creation.

        A setting with its default value is left out, so that a new setting does not change existing hashes.
        """
        chosen = {each.name: getattr(self, each.name) for each in SETTINGS}
        changed = {each.name: chosen[each.name] for each in SETTINGS if chosen[each.name] != each.default}
        parts = (self.destination_type, self.delivery_role_arn, changed)
        return sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()[:8]

    @property
    def alternate_destination(self) -> DesiredFlowLog | None:
        """The same flow log with its alternate destination, used if the usual one is taken; None without one.

        The name contains the configuration, so that no other configuration ever writes there. A Firehose
        stream has no separate locations, so it has no alternate.
        """
        if self.destination_type == CLOUD_WATCH_LOGS:
            return replace(self, destination=f"{self.destination}-{self.configuration}")
        if self.destination_type == S3:
            return replace(self, destination=f"{self.destination.rstrip('/')}/{self.configuration}/")
        return None


def managed_tags(stack_name: str) -> dict[str, str]:
    """The tags of a flow log that the stack `stack_name` creates."""
    return {MANAGED_TAG: stack_name, "Name": stack_name}


def with_policy(stack: Stack, policy: FlowLogsPolicy) -> Stack:
    """The stack with the log groups that a policy names."""
    existing = tuple(each.name for each in policy.adopted)
    return replace(
        stack,
        suffixes=policy.suffixes,
        retentions=retentions(policy, stack),
        protects=policy.deletion_protection,
        existing=existing,
        lists_parts=any(each.level != VPC for each in policy.rules),
        lists_gateways=bool(policy.transit_gateways.where),
    )


def retentions(policy: FlowLogsPolicy, stack: Stack) -> dict[str, int]:
    """The retention in days of each log group that a policy names, by log group."""
    wanted = (resolved(each, stack) for each in policy.specs if each.destination_type == CLOUD_WATCH_LOGS)
    return {each.destination: each.retention_days for each in wanted if each.retention_days}


def wanted_for(vpc: Vpc, policy: FlowLogsPolicy, stack: Stack) -> DesiredFlowLog:
    """The desired flow log of this VPC: from the first matching rule, otherwise the default.

    That of a transit gateway has its own part of the policy.
    """
    if is_gateway(vpc.vpc_id):
        return resolved(policy.gateway_spec, stack)
    for rule in policy.rules:
        if selects(rule.where, stack.account_id, stack.region, vpc):
            return resolved(rule.flow_log, stack)
    return resolved(policy.default, stack)


def level_for(vpc: Vpc, policy: FlowLogsPolicy, stack: Stack) -> str:
    """Whether this VPC gets a flow log of its own, or each of its subnets or interfaces (`LEVELS`)."""
    if is_gateway(vpc.vpc_id):
        return VPC
    first = (each for each in policy.rules if selects(each.where, stack.account_id, stack.region, vpc))
    return next((each.level for each in first), VPC)


def resolved(spec: FlowLogSpec, stack: Stack) -> DesiredFlowLog:
    """The desired flow log for a spec; the stack provides what the spec leaves open."""
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


def backoff_tag(configuration: str, now: int) -> str:
    """The value of the tag that puts a configuration on hold."""
    return f"{configuration} until {now + BACKOFF_SECONDS}"
