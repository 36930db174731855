"""What the enforcer needs from outside, as Protocols; `aws/` implements them, tests use fakes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from flowwarden.enforcer.decide.delivery_role import DeliveryRole
from flowwarden.enforcer.decide.log_groups import LogGroupStep
from flowwarden.enforcer.state.desired import DesiredFlowLog
from flowwarden.enforcer.state.inventory import FlowLog, LogGroup, Subnet, Unread, Vpc
from flowwarden.enforcer.work_queue import WorkQueueStore
from flowwarden.network.interface import NetworkInterface
from flowwarden.notify.notifier import Routes
from flowwarden.notify.ports import Claims
from flowwarden.state.ports import EvidenceStore


class FlowLogService(Protocol):
    """The part of EC2 that the enforcer works with. One instance is bound to one account and region.

    All raise CallRefused, CallFailed and CallThrottled; a listing maybe on a later page.
    """

    def vpcs(self, vpc_ids: Sequence[str] | None) -> Iterable[Vpc]:
        """The named VPCs that exist, or all of them for None."""

    def flow_logs(self, resource_ids: Sequence[str] | None) -> Iterable[FlowLog]:
        """The flow logs of these VPCs, subnets or interfaces, or all of them for None."""

    def interfaces(self, vpc_ids: Sequence[str] | None) -> Iterable[NetworkInterface]:
        """The network interfaces in these VPCs, or all of them for None."""

    def running(self, instance_ids: Sequence[str] | None) -> Iterable[tuple[str, int | None]]:
        """Those of the named instances that run or start, or all that do for None.

        With when each was launched last (Unix seconds; None if it is unknown).
        """

    def subnets(self, vpc_ids: Sequence[str] | None) -> Iterable[Subnet]:
        """The subnets of these VPCs, or all of them for None."""

    def unread(self) -> Sequence[Unread]:
        """What listings left out since this was asked last, because it could not be read."""

    def create(self, vpc_id: str, desired: DesiredFlowLog, client_token: str) -> str:
        """Create the wanted flow log and return its id; the same token asks for the same flow log.

        Raises FlowLogExists, VpcGone as well; an `Unsuccessful` item inside a 200 answer is raised as the
        same errors.
        """

    def delete(self, flow_log_id: str) -> None:
        """Delete a flow log; one that is not there is deleted already."""

    def tag(self, flow_log_ids: Sequence[str], tags: Mapping[str, str]) -> None:
        """Set these tags, and leave all others. Raises NotThere as well, if one of the flow logs is gone."""


class LogGroupService(Protocol):
    """The part of CloudWatch Logs that the enforcer works with, for one account and region.

    Both raise CallRefused, CallFailed and CallThrottled.
    """

    def groups(self, names: Collection[str]) -> Iterable[LogGroup]:
        """Those of the named log groups that exist, with their subscriptions."""

    def carry_out(self, step: LogGroupStep) -> None:
        """Make, change or subscribe a log group; doing it twice is doing it once."""


class RoleService(Protocol):
    """The part of IAM that the enforcer reads."""

    def describe(self, role_arn: str) -> DeliveryRole | None:
        """The role as it is; None if there is none. Raises CallRefused, CallFailed, CallThrottled."""


class Pace(Protocol):
    """How much time a run has, and how it waits."""

    def remaining(self) -> float:
        """Seconds until the run is ended from outside."""

    def wait(self, seconds: float) -> None:
        """Let some time pass."""


class EnforcerPorts(Struct, frozen=True, kw_only=True):
    """What the enforcer works with."""

    ec2: FlowLogService
    groups: LogGroupService
    roles: RoleService
    evidence: EvidenceStore
    queue: WorkQueueStore
    claims: Claims
    routes: Routes
    """The sinks of its reports, which go to operations."""
    pace: Pace
