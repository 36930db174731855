"""What exists: VPCs and their flow logs, as the enforcer sees them."""

from __future__ import annotations

from msgspec import Struct


class Vpc(Struct, frozen=True, kw_only=True):
    """One VPC; `owner_id` is the account that owns it, which differs from ours for a shared VPC.

    It is '' where nobody told: an event without an account.
    """

    vpc_id: str
    owner_id: str
    tags: dict[str, str] = {}


class FlowLog(Struct, frozen=True, kw_only=True):
    """One flow log as DescribeFlowLogs tells it; None where the description has no such member."""

    flow_log_id: str
    resource_id: str
    traffic_type: str | None = None
    log_destination_type: str | None = None
    log_group_name: str | None = None
    log_destination: str | None = None
    log_format: str | None = None
    max_aggregation_interval: int | None = None
    deliver_logs_status: str | None = None
    deliver_logs_error_message: str | None = None
    creation_time: int | None = None
    """Unix seconds."""
    tags: dict[str, str] = {}
