"""A hand-written fake of EC2 with the behavior that the enforcer must handle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from flowwarden.enforcer.state.desired import DesiredFlowLog
from flowwarden.enforcer.state.inventory import FlowLog, Subnet, Unread, Vpc
from flowwarden.errors import EnforcementError, FlowLogExists, VpcGone
from flowwarden.network.interface import NetworkInterface
from flowwarden.policy.flow_logs import CLOUD_WATCH_LOGS, SETTINGS
from flowwarden.policy.transit_gateways import is_gateway


@dataclass
class FakeEc2:
    """An account's VPCs and flow logs.

    `vpcs_listed` are the VPCs that exist. A fault is raised each time until the test removes it.
    `deleted_but_listed` are deleted flow logs that DescribeFlowLogs still lists.
    `late` flow logs exist, but DescribeFlowLogs does not list them yet.
    """

    vpcs_listed: list[Vpc] = field(default_factory=list)
    existing: list[FlowLog] = field(default_factory=list)
    interfaces_listed: list[NetworkInterface] = field(default_factory=list)
    instances_running: dict[str, int | None] = field(default_factory=dict)
    """Launch times by instance; other instances are stopped."""
    instances_asked: list[Sequence[str] | None] = field(default_factory=list)
    instances_fault: EnforcementError | None = None
    unread_listed: list[Unread] = field(default_factory=list)
    """The items that each listing cannot read."""
    subnets_listed: list[Subnet] = field(default_factory=list)
    gateways_listed: list[Vpc] = field(default_factory=list)
    gateways_fault: EnforcementError | None = None
    create_faults: dict[str, EnforcementError] = field(default_factory=dict)
    delete_fault: EnforcementError | None = None
    delete_faults: dict[str, EnforcementError] = field(default_factory=dict)
    list_fault: EnforcementError | None = None
    deleted_but_listed: set[str] = field(default_factory=set)
    late: list[FlowLog] = field(default_factory=list)
    clock: int | None = None
    """The creation time of new flow logs, Unix seconds; None if EC2 omits it."""
    created: list[tuple[str, str]] = field(default_factory=list)
    """(Resource, token) of every creation that succeeded."""
    asked: list[str] = field(default_factory=list)
    """The resource of every CreateFlowLogs call."""
    deleted: list[str] = field(default_factory=list)
    """The flow log of every DeleteFlowLogs call."""
    tagged: list[tuple[tuple[str, ...], dict[str, str]]] = field(default_factory=list)
    """The flow logs and tags of every CreateTags call."""
    tag_fault: EnforcementError | None = None
    calls: Counter[str] = field(default_factory=Counter)
    _listings: int = 0
    _by_token: dict[str, str] = field(default_factory=dict)

    def vpcs(self, vpc_ids: Sequence[str] | None) -> Iterator[Vpc]:
        """List like DescribeVpcs with a filter: a missing VPC is left out."""
        self._listed("DescribeVpcs")
        yield from (vpc for vpc in self.vpcs_listed if vpc_ids is None or vpc.vpc_id in vpc_ids)

    def flow_logs(self, resource_ids: Sequence[str] | None) -> Iterator[FlowLog]:
        """List like DescribeFlowLogs."""
        self._listed("DescribeFlowLogs")
        yield from (
            each for each in self.existing if resource_ids is None or each.resource_id in resource_ids
        )

    def interfaces(self, vpc_ids: Sequence[str] | None) -> Iterator[NetworkInterface]:
        """List like DescribeNetworkInterfaces."""
        self._listed("DescribeNetworkInterfaces")
        yield from (each for each in self.interfaces_listed if vpc_ids is None or each.vpc_id in vpc_ids)

    def running(self, instance_ids: Sequence[str] | None) -> Iterator[tuple[str, int | None]]:
        """List like DescribeInstances with a filter for running instances."""
        self._listed("DescribeInstances")
        self.instances_asked.append(instance_ids)
        if self.instances_fault is not None:
            raise self.instances_fault
        running = self.instances_running.items()
        yield from (each for each in running if instance_ids is None or each[0] in instance_ids)

    def subnets(self, vpc_ids: Sequence[str] | None) -> Iterator[Subnet]:
        """List like DescribeSubnets."""
        self._listed("DescribeSubnets")
        yield from (each for each in self.subnets_listed if vpc_ids is None or each.vpc_id in vpc_ids)

    def transit_gateways(self, gateway_ids: Sequence[str] | None) -> Iterator[Vpc]:
        """List like DescribeTransitGateways with a filter."""
        self._listed("DescribeTransitGateways")
        if self.gateways_fault is not None:
            raise self.gateways_fault
        yield from (
            each for each in self.gateways_listed if gateway_ids is None or each.vpc_id in gateway_ids
        )

    def unread(self) -> list[Unread]:
        """The items that listings could not read since the last call."""
        found = self.unread_listed if self._listings else []
        self._listings = 0
        return found

    def create(self, resource_id: str, desired: DesiredFlowLog, client_token: str) -> str:
        """Create like CreateFlowLogs: a used token returns its flow log, even a deleted one."""
        self.asked.append(resource_id)
        if resource_id in self.create_faults:
            raise self.create_faults[resource_id]
        if resource_id not in self._resources():
            raise VpcGone(f"InvalidVpcID.NotFound: {resource_id}")
        if client_token in self._by_token:
            return self._by_token[client_token]
        self._refuse_twins(resource_id, desired)
        flow_log = wanted(f"fl-new{len(self.created)}", resource_id, desired, self.clock)
        self.existing.append(flow_log)
        self.created.append((resource_id, client_token))
        self._by_token[client_token] = flow_log.flow_log_id
        return flow_log.flow_log_id

    def delete(self, flow_log_id: str) -> None:
        """Delete a flow log; succeeds if it does not exist."""
        if self.delete_fault is not None:
            raise self.delete_fault
        if flow_log_id in self.delete_faults:
            raise self.delete_faults[flow_log_id]
        self.deleted.append(flow_log_id)
        self.existing = [each for each in self.existing if each.flow_log_id != flow_log_id]

    def tag(self, flow_log_ids: Sequence[str], tags: Mapping[str, str]) -> None:
        """Set tags."""
        if self.tag_fault is not None:
            raise self.tag_fault
        self.tagged.append((tuple(flow_log_ids), dict(tags)))
        self.existing = [
            replace(each, tags=each.tags | dict(tags)) if each.flow_log_id in flow_log_ids else each
            for each in self.existing
        ]

    def fail(self, flow_log_id: str, message: str = "Access error") -> None:
        """Make a flow log fail to deliver from now on."""
        self.existing = [
            replace(each, deliver_logs_status="FAILED", deliver_logs_error_message=message)
            if each.flow_log_id == flow_log_id
            else each
            for each in self.existing
        ]

    def _resources(self) -> set[str]:
        """The resources that can have a flow log."""
        return {
            *(each.vpc_id for each in (*self.vpcs_listed, *self.gateways_listed)),
            *(each.subnet_id for each in self.subnets_listed),
            *(each.interface_id for each in self.interfaces_listed),
        }

    def _listed(self, call: str) -> None:
        self.calls[call] += 1
        self._listings += 1
        if self.list_fault is not None:
            raise self.list_fault

    def _refuse_twins(self, vpc_id: str, desired: DesiredFlowLog) -> None:
        for each in (*self.existing, *self.late):
            twin = each.resource_id == vpc_id and desired.destination in {
                each.log_group_name,
                each.log_destination,
            }
            if twin and each.flow_log_id not in self.deleted_but_listed:
                raise FlowLogExists(f"FlowLogAlreadyExists: {vpc_id}")


def wanted(
    flow_log_id: str, resource_id: str, desired: DesiredFlowLog, creation_time: int | None = None
) -> FlowLog:
    """The required flow log as DescribeFlowLogs describes it."""
    to_logs = desired.destination_type == CLOUD_WATCH_LOGS
    return FlowLog(
        flow_log_id=flow_log_id,
        resource_id=resource_id,
        settings={
            each.name: value
            for each in SETTINGS
            if each.applies_to(desired.destination_type)
            and (value := getattr(desired, each.name)) != {}
            and not (each.name == "traffic_type" and is_gateway(resource_id))
        },
        log_destination_type=desired.destination_type,
        log_group_name=desired.destination if to_logs else None,
        log_destination=None if to_logs else desired.destination,
        delivery_role_arn=desired.delivery_role_arn or None,
        deliver_logs_status="SUCCESS",
        creation_time=creation_time,
        tags=desired.tags,
        recorded=True,
    )
