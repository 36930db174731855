"""The flow log that every VPC shall have."""

from __future__ import annotations

from msgspec import Struct


class DesiredFlowLog(Struct, frozen=True, kw_only=True):
    """The flow log that every VPC shall have: all traffic, to one CloudWatch log group."""

    log_group_name: str
    delivery_role_arn: str
    log_format: str
    """As CreateFlowLogs takes it: `${field} ${field} …`."""
    max_aggregation_interval: int = 60
    """Seconds: 60 or 600."""
    traffic_type: str = "ALL"
    tags: dict[str, str] = {}
