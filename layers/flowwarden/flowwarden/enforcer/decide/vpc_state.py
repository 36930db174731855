"""Everything known about one VPC at one moment, and what that says about its flow logs. Pure."""

from __future__ import annotations

from msgspec import Struct

from flowwarden.enforcer.decide.delivery import (
    SILENCE_SECONDS,
    Delivery,
    DeliveryInputs,
    Seen,
    delivery,
    others_wrote,
)
from flowwarden.enforcer.decide.drift import is_managed, is_wanted, log_group_of
from flowwarden.enforcer.state.desired import DesiredFlowLog
from flowwarden.enforcer.state.inventory import FlowLog, Vpc, VpcResources
from flowwarden.enforcer.state.stack import Stack
from flowwarden.network.interface import NetworkInterface


class VpcState(Struct, frozen=True, kw_only=True):
    """Everything known about one VPC at one moment."""

    vpc: Vpc
    parts: VpcResources
    desired: DesiredFlowLog
    stack: Stack
    seen: Seen = {}
    at: int
    """Unix seconds."""
    accepts_unmanaged: bool = False

    def watched_by(self, flow_log: FlowLog) -> tuple[NetworkInterface, ...]:
        """The interfaces that a flow log of the VPC, or of a part of it, records."""
        resource = flow_log.resource_id
        return tuple(
            each
            for each in self.parts.interfaces
            if resource in {self.vpc.vpc_id, each.subnet_id, each.interface_id}
        )

    def may_write_since(self, flow_log: FlowLog, seconds: int) -> bool:
        """Whether a flow log records an interface that may have been active for so long."""
        return any(
            each.at_work and self.at - (each.since or 0) >= seconds for each in self.watched_by(flow_log)
        )


def state_of(flow_log: FlowLog, vpc_state: VpcState) -> Delivery:
    """Whether a flow log of the VPC, or of a part of it, delivers."""
    group = log_group_of(flow_log, vpc_state.stack)
    return delivery(
        flow_log,
        group if group is not None and vpc_state.stack.keeps(group) else None,
        DeliveryInputs(interfaces=vpc_state.watched_by(flow_log), seen=vpc_state.seen, at=vpc_state.at),
    )


def is_overdue(flow_log: FlowLog, vpc_state: VpcState) -> bool:
    """Whether the delivery of a flow log should be verified by now, because the monitor reads its log group.

    It is old, an interface may have been active for long, and others wrote into the group the whole time.
    """
    group = log_group_of(flow_log, vpc_state.stack) or ""
    created = flow_log.creation_time
    return (
        created is not None
        and vpc_state.at - created >= SILENCE_SECONDS
        and others_wrote(vpc_state.seen.get(group, {}))
        and vpc_state.may_write_since(flow_log, SILENCE_SECONDS)
    )


def suits(flow_log: FlowLog, vpc_state: VpcState) -> bool:
    """Whether a flow log is the one that the policy requires, or one that the policy accepts."""
    if is_wanted(flow_log, vpc_state.desired, vpc_state.stack):
        return True
    all_traffic = flow_log.traffic_type == "ALL"
    return vpc_state.accepts_unmanaged and all_traffic and not is_managed(flow_log, vpc_state.stack)
