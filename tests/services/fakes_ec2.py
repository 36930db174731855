"""A hand-written EC2 with the habits that the enforcer has to live with, and a sink that remembers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from flowwarden.alerting.notification import Notification
from flowwarden.compliance.desired import DesiredFlowLog
from flowwarden.compliance.inventory import FlowLog, Vpc
from flowwarden.errors import EnforcementError, FlowLogExists, PublishFailed, VpcGone


@dataclass
class FakeEc2:
    """An account's VPCs and flow logs.

    `vpcs_listed` are the VPCs that exist. A fault is raised each time until the test takes it away.
    `deleted_but_listed` are flow logs that are gone although DescribeFlowLogs still tells of them.
    `late` flow logs exist, but DescribeFlowLogs does not tell of them yet.
    """

    vpcs_listed: list[Vpc] = field(default_factory=list)
    existing: list[FlowLog] = field(default_factory=list)
    create_faults: dict[str, EnforcementError] = field(default_factory=dict)
    look_faults: dict[str, EnforcementError] = field(default_factory=dict)
    list_fault: EnforcementError | None = None
    list_fault_after: int = 0
    """How many VPCs are listed before `list_fault` is raised."""
    deleted_but_listed: set[str] = field(default_factory=set)
    late: list[FlowLog] = field(default_factory=list)
    clock: int | None = None
    """Unix seconds: the creation time of what is created; None if EC2 does not tell it."""
    created: list[tuple[str, str]] = field(default_factory=list)
    """(VPC, token) of every creation that succeeded."""
    asked: list[str] = field(default_factory=list)
    """The VPC of every CreateFlowLogs call."""
    _by_token: dict[str, str] = field(default_factory=dict)

    def vpcs(self, vpc_ids: Sequence[str] | None) -> Iterator[Vpc]:
        """List like DescribeVpcs with a filter: a missing VPC is left out."""
        found = [vpc for vpc in self.vpcs_listed if vpc_ids is None or vpc.vpc_id in vpc_ids]
        if self.list_fault is not None:
            yield from found[: self.list_fault_after]
            raise self.list_fault
        yield from found

    def flow_logs(self, vpc_ids: Sequence[str]) -> Iterator[FlowLog]:
        """List like DescribeFlowLogs; one faulty VPC fails the whole call."""
        for vpc_id in vpc_ids:
            if vpc_id in self.look_faults:
                raise self.look_faults[vpc_id]
        yield from (each for each in self.existing if each.resource_id in vpc_ids)

    def create(self, vpc_id: str, desired: DesiredFlowLog, client_token: str) -> str:
        """Create like CreateFlowLogs: a used token answers with its flow log, even a deleted one."""
        self.asked.append(vpc_id)
        if vpc_id in self.create_faults:
            raise self.create_faults[vpc_id]
        if not any(vpc.vpc_id == vpc_id for vpc in self.vpcs_listed):
            raise VpcGone(f"InvalidVpcID.NotFound: {vpc_id}")
        if client_token in self._by_token:
            return self._by_token[client_token]
        self._refuse_twins(vpc_id, desired)
        flow_log = wanted(f"fl-new{len(self.created)}", vpc_id, desired, self.clock)
        self.existing.append(flow_log)
        self.created.append((vpc_id, client_token))
        self._by_token[client_token] = flow_log.flow_log_id
        return flow_log.flow_log_id

    def delete(self, flow_log_id: str) -> None:
        """Delete a flow log, as somebody else would."""
        self.existing = [each for each in self.existing if each.flow_log_id != flow_log_id]

    def _refuse_twins(self, vpc_id: str, desired: DesiredFlowLog) -> None:
        for each in (*self.existing, *self.late):
            twin = each.resource_id == vpc_id and each.log_group_name == desired.log_group_name
            if twin and each.flow_log_id not in self.deleted_but_listed:
                raise FlowLogExists(f"FlowLogAlreadyExists: {vpc_id}")


@dataclass
class FakeSink:
    """Remembers what was sent, or refuses it."""

    sent: list[Notification] = field(default_factory=list)
    broken: bool = False

    def send(self, notification: Notification) -> None:
        """Keep the notification."""
        if self.broken:
            raise PublishFailed("the topic does not answer")
        self.sent.append(notification)


def wanted(
    flow_log_id: str, vpc_id: str, desired: DesiredFlowLog, creation_time: int | None = None
) -> FlowLog:
    """The wanted flow log as DescribeFlowLogs tells it."""
    return FlowLog(
        flow_log_id=flow_log_id,
        resource_id=vpc_id,
        traffic_type="ALL",
        log_destination_type="cloud-watch-logs",
        log_group_name=desired.log_group_name,
        log_format=desired.log_format,
        max_aggregation_interval=desired.max_aggregation_interval,
        deliver_logs_status="SUCCESS",
        creation_time=creation_time,
        tags=desired.tags,
    )
