"""Everything known about one VPC at one moment, and what that says about its flow logs. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from msgspec import Struct

from flowwarden.enforcer.decide.adoptable import can_cover
from flowwarden.enforcer.decide.delivery import (
    SETTLED_SECONDS,
    SILENCE_SECONDS,
    SUCCESS,
    Delivery,
    DeliveryInputs,
    Seen,
    delivery,
    others_wrote,
)
from flowwarden.enforcer.decide.drift import is_wanted, log_group_of
from flowwarden.enforcer.state.desired import DesiredFlowLog
from flowwarden.enforcer.state.inventory import FlowLog, Vpc, VpcResources
from flowwarden.enforcer.state.stack import Stack
from flowwarden.network.interface import NetworkInterface
from flowwarden.policy.flow_logs import VPC


class VpcState(Struct, frozen=True, kw_only=True):
    """Everything known about one VPC at one moment."""

    vpc: Vpc
    parts: VpcResources
    desired: DesiredFlowLog
    stack: Stack
    seen: Seen = {}
    at: int
    """Unix seconds."""
    adopted: Mapping[str, int] = {}
    """The existing log groups that the monitor reads and that may cover the VPC, each with the time since
    when (Unix seconds)."""
    level: str = VPC
    """Whether the VPC needs a flow log, or each of its subnets or interfaces (`flow_logs.LEVELS`)."""
    complete: bool = True
    """Whether all subnets and interfaces could be read; if not, one of them may lack a flow log unnoticed.
    Of a transit gateway: whether all descriptions could; if not, its tags may be unknown."""
    selected: bool = True
    """Whether the policy asks for a flow log at all; a transit gateway gets one only if it is selected."""
    part: str = ""
    """The subnet or interface that this state is about; '' if it is about the VPC."""

    @property
    def resource_id(self) -> str:
        """The id of the resource that this state is about."""
        return self.part or self.vpc.vpc_id

    def reads(self, log_group: str | None) -> bool:
        """Whether the monitor reads a log group."""
        return log_group is not None and (self.stack.reads(log_group) or log_group in self.adopted)

    def readable_since(self, flow_log: FlowLog) -> int | None:
        """When a flow log began to deliver to the monitor, Unix seconds; None if its age is unknown.

        An existing log group may have been subscribed long after the flow log was created.
        """
        since = self.adopted.get(log_group_of(flow_log, self.stack) or "", 0)
        return None if flow_log.creation_time is None else max(flow_log.creation_time, since)

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
        group if vpc_state.reads(group) else None,
        DeliveryInputs(interfaces=vpc_state.watched_by(flow_log), seen=vpc_state.seen, at=vpc_state.at),
    )


def tells_apart(flow_log: FlowLog, other: FlowLog, vpc_state: VpcState) -> bool:
    """Whether the evidence that a flow log delivers is not that of another flow log of the same interfaces.

    Records in a log group do not say which flow log wrote them. If both write to one group, only EC2's
    status of a flow log that is old enough is evidence.
    """
    group = log_group_of(flow_log, vpc_state.stack)
    if group is None or group != log_group_of(other, vpc_state.stack):
        return True
    created = flow_log.creation_time
    return (
        flow_log.deliver_logs_status == SUCCESS
        and created is not None
        and vpc_state.at - created >= SETTLED_SECONDS
    )


def is_overdue(flow_log: FlowLog, vpc_state: VpcState) -> bool:
    """Whether the delivery of a flow log should be verified by now, because the monitor reads its log group.

    It is old, an interface may have been active for long, and others wrote into the group the whole time. An
    existing log group may belong to this VPC alone: there, it is enough that the monitor read other groups.
    """
    group = log_group_of(flow_log, vpc_state.stack) or ""
    began = vpc_state.readable_since(flow_log)
    written = vpc_state.seen.get(group, {})
    return (
        began is not None
        and vpc_state.at - began >= SILENCE_SECONDS
        and (others_wrote(written) or (group in vpc_state.adopted and others_wrote(_in_any(vpc_state.seen))))
        and vpc_state.may_write_since(flow_log, SILENCE_SECONDS)
    )


def _in_any(seen: Seen) -> dict[int, AbstractSet[int]]:
    """The interfaces that wrote into any log group, by slot."""
    found: dict[int, AbstractSet[int]] = {}
    for written in seen.values():
        for slot, numbers in written.items():
            found[slot] = found.get(slot, frozenset()) | numbers
    return found


def suits(flow_log: FlowLog, vpc_state: VpcState) -> bool:
    """Whether a flow log is the one that the policy requires, or one that it adopts."""
    return is_wanted(flow_log, vpc_state.desired, vpc_state.stack) or is_adopted(flow_log, vpc_state)


def is_adopted(flow_log: FlowLog, vpc_state: VpcState) -> bool:
    """Whether an unmanaged flow log delivers enough into an existing log group that the monitor reads."""
    group = log_group_of(flow_log, vpc_state.stack)
    return group in vpc_state.adopted and can_cover(flow_log, vpc_state.stack)
