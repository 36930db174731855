"""The deployed stack: account, region, and what it provides for flow logs."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from flowwarden.policy.log_groups import matches
from flowwarden.policy.transit_gateways import SUFFIX

CONFIGURATION: Final = re.compile(r"[0-9a-f]{8}")


class Stack(Struct, frozen=True, kw_only=True):
    """What the stack provides: destination and settings of flow logs, unless the policy overrides them."""

    account_id: str
    region: str
    stack_name: str
    log_group_name: str
    delivery_role_arn: str
    log_format: str
    retention_days: int | None = None
    kms_key_arn: str = ""
    monitor_arn: str = ""
    """ARN of the function that receives the log group subscriptions."""
    enforcer_role_arn: str = ""
    """ARN of the role that the enforcer uses for its own calls."""
    enforcer_name: str = ""
    """Name of the enforcer's function, for the commands in its reports."""
    suffixes: tuple[str, ...] = ()
    """Suffixes of log group names in the policy."""
    retentions: dict[str, int] = {}
    """The retention in days by log group, as `desired.retentions` derives it from a policy."""
    protects: bool = False
    """Whether the policy wants the stack's log groups protected from deletion."""
    existing: tuple[str, ...] = ()
    """The names and patterns of the existing log groups that the policy lets the monitor read."""
    lists_parts: bool = False
    """Whether the policy asks for flow logs of subnets or interfaces."""
    lists_gateways: bool = False
    """Whether the policy asks for flow logs of transit gateways."""

    @property
    def partition(self) -> str:
        """The AWS partition, such as `aws-cn`: that of the delivery role."""
        return self.delivery_role_arn.partition(":")[2].partition(":")[0]

    def keeps(self, log_group: str) -> bool:
        """Whether a log group is the stack's own, or one that the enforcer creates in addition.

        The log group of another stack may start with the same name: `flow-logs` and `flow-logs-2`. So only
        these additions to the name count: a suffix of the policy, a current or earlier configuration
        (`DesiredFlowLog.alternate_destination`), or both.
        """
        names = {self.log_group_name, *(f"{self.log_group_name}-{each}" for each in self.suffixes)}
        return log_group in names or any(is_alternate(log_group, each) for each in names)

    def holds_gateways(self, log_group: str) -> bool:
        """Whether a log group has the name of that for transit gateways, which the monitor does not read."""
        name = f"{self.log_group_name}-{SUFFIX}"
        return log_group == name or is_alternate(log_group, name)

    def reads(self, log_group: str) -> bool:
        """Whether the monitor reads a log group because it is the stack's own."""
        return self.keeps(log_group) and not self.holds_gateways(log_group)

    def may_read(self, log_group: str) -> bool:
        """Whether the policy lets the monitor read an existing log group."""
        return any(matches(each, log_group) for each in self.existing)

    def retention_of(self, log_group: str) -> int | None:
        """The required retention of a log group in days; None if no setting defines it."""
        named = (days for name, days in self.retentions.items() if is_alternate(log_group, name))
        return self.retentions.get(log_group) or next(named, None)


def is_alternate(log_group: str, other: str) -> bool:
    """Whether a log group has the name of an alternate to another one, for any configuration."""
    before, _, last = log_group.rpartition("-")
    return before == other and bool(CONFIGURATION.fullmatch(last))
