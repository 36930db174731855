"""The deployed stack: account, region, and what it brings for flow logs."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

CONFIGURATION: Final = re.compile(r"[0-9a-f]{8}")


class Stack(Struct, frozen=True, kw_only=True):
    """What the stack brings: where flow logs go, and how, if the policy does not say otherwise."""

    account_id: str
    region: str
    stack_name: str
    log_group_name: str
    delivery_role_arn: str
    log_format: str
    retention_days: int | None = None
    kms_key_arn: str = ""
    monitor_arn: str = ""
    """Of the function that the log groups are subscribed to."""
    enforcer_role_arn: str = ""
    """Of the role that the enforcer itself calls with."""
    suffixes: tuple[str, ...] = ()
    """With which the policy lets names of log groups go on."""
    retentions: dict[str, int] = {}
    """For how many days log groups are to keep records, as `retentions` says it of a policy."""

    def keeps(self, log_group: str) -> bool:
        """Whether a log group is the stack's own, or one that the enforcer makes beside it.

        Another stack's may begin with the same name: `flow-logs` and `flow-logs-2`. So a name goes on with a
        suffix of the policy, with a configuration (`DesiredFlowLog.elsewhere`), of now or of before, or both.
        """
        names = {self.log_group_name, *(f"{self.log_group_name}-{each}" for each in self.suffixes)}
        return log_group in names or any(is_alternate(log_group, each) for each in names)

    def retention_of(self, log_group: str) -> int | None:
        """For how many days a log group is to keep records; None if no setting says."""
        named = (days for name, days in self.retentions.items() if is_alternate(log_group, name))
        return self.retentions.get(log_group) or next(named, None)


def is_alternate(log_group: str, other: str) -> bool:
    """Whether a log group has the name of one beside another, of whatever configuration."""
    before, _, last = log_group.rpartition("-")
    return before == other and bool(CONFIGURATION.fullmatch(last))
