"""The enforcer's external dependencies as Protocols; `aws/` implements them, tests use fakes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

from msgspec import Struct, field

from flowwarden.enforcer.decide.delivery_role import DeliveryRole
from flowwarden.enforcer.decide.log_groups import LogGroupStep
from flowwarden.enforcer.decide.subscriptions import (
    AllowInvocation,
    RevokeInvocation,
    Subscribe,
    Unsubscribe,
)
from flowwarden.enforcer.decide.telemetry_rules import TelemetryRules
from flowwarden.enforcer.outbox import OutboxStore
from flowwarden.enforcer.registry import RegistryStore
from flowwarden.enforcer.state.desired import DesiredFlowLog
from flowwarden.enforcer.state.inventory import FlowLog, LogGroup, Subnet, Unread, Vpc
from flowwarden.enforcer.work_queue import WorkQueueStore
from flowwarden.errors import EnforcementError
from flowwarden.network.interface import NetworkInterface
from flowwarden.notify.notifier import Routes
from flowwarden.notify.ports import Claims
from flowwarden.state.ports import EvidenceStore
from flowwarden.state.rule_changes import RuleChangeStore
from flowwarden.unreadable import Unreadable

type Described = Mapping[str, LogGroup | EnforcementError]
"""Log groups by name, or why one could not be read. The error of a listing has the key of its prefix and
`*`."""


class Listings(Protocol):
    """The EC2 listings that the enforcer uses, bound to one account and region.

    All raise CallRefused, CallFailed and CallThrottled, possibly on a later page.
    """

    def vpcs(self, vpc_ids: Sequence[str] | None) -> Iterable[Vpc]:
        """The named VPCs that exist, or all of them for None."""

    def flow_logs(self, resource_ids: Sequence[str] | None) -> Iterable[FlowLog]:
        """The flow logs of these VPCs, subnets or interfaces, or all of them for None."""

    def interfaces(self, vpc_ids: Sequence[str] | None) -> Iterable[NetworkInterface]:
        """The network interfaces in these VPCs, or all of them for None."""

    def running(self, instance_ids: Sequence[str] | None) -> Iterable[tuple[str, int | None]]:
        """Those of the named instances that are running or starting, or all such instances for None.

        Each comes with its last launch time (Unix seconds; None if unknown).
        """

    def subnets(self, vpc_ids: Sequence[str] | None) -> Iterable[Subnet]:
        """The subnets of these VPCs, or all of them for None."""

    def transit_gateways(self, gateway_ids: Sequence[str] | None) -> Iterable[Vpc]:
        """The named transit gateways that exist, or for None all that the account owns or shares."""

    def unread(self) -> Sequence[Unread]:
        """The unreadable items that listings left out since the last call of this method."""


class FlowLogService(Listings, Protocol):
    """The EC2 operations that the enforcer uses. All raise CallRefused, CallFailed and CallThrottled."""

    def create(self, resource_id: str, desired: DesiredFlowLog, client_token: str) -> str:
        """Create the required flow log of a VPC or of a part of it, and return its id.

        The same token requests the same flow log. Also raises FlowLogExists and VpcGone. An `Unsuccessful`
        item in a response with status 200 is raised as the same errors.
        """

    def delete(self, flow_log_id: str) -> None:
        """Delete a flow log; succeeds if it does not exist."""

    def tag(self, flow_log_ids: Sequence[str], tags: Mapping[str, str]) -> None:
        """Set these tags and keep all others. Also raises NotFound if one of the flow logs does not exist."""


class LogGroupService(Protocol):
    """The CloudWatch Logs operations that the enforcer uses, for one account and region.

    Both raise CallRefused, CallFailed and CallThrottled.
    """

    def groups(self, names: Collection[str]) -> Iterable[LogGroup]:
        """Those of the named log groups that exist, with their subscriptions."""

    def carry_out(self, step: LogGroupStep) -> None:
        """Create, change or subscribe a log group. Idempotent."""


class ExistingLogGroups(Protocol):
    """The existing log groups that the enforcer subscribes, for one account and region."""

    def listed(self, prefixes: Collection[str], names: Collection[str] | None = None) -> Described:
        """The groups whose names begin with one of the prefixes, without subscriptions; errors are values.

        `names` limits them to these; None stands for all.
        """

    def subscribed(self, groups: Sequence[LogGroup]) -> Sequence[LogGroup | EnforcementError]:
        """Each of these groups with its subscriptions, several calls at a time; errors are values.

        A group that was deleted meanwhile is a NotFound.
        """

    def tagged(self, tags: Mapping[str, str]) -> frozenset[str]:
        """The names of the groups with all of these tags; the value `*` matches any value.

        Raises CallRefused, CallFailed and CallThrottled.
        """

    def change(self, steps: Sequence[Subscribe | Unsubscribe]) -> Sequence[EnforcementError | None]:
        """Make each change, several at a time; returns the error of each, None if it was made. Idempotent."""


class InvokePermissions(Protocol):
    """Who may invoke the monitor. All raise CallRefused, CallFailed and CallThrottled."""

    def granted(self) -> Mapping[str, str]:
        """The permissions that the enforcer granted: the name or pattern of log groups by statement id."""

    def change(self, step: AllowInvocation | RevokeInvocation) -> None:
        """Grant or withdraw a permission. Idempotent."""


class LogVolumes(Protocol):
    """How much log groups receive, for one account and region."""

    def daily_bytes(self, groups: Sequence[str], now: int) -> Mapping[str, float]:
        """The bytes that each group received on an average day before `now` (Unix seconds).

        Groups without data are left out. Raises CallRefused, CallFailed and CallThrottled.
        """


class TelemetryRuleService(Protocol):
    """The telemetry enablement rules of CloudWatch; read-only."""

    def read(self) -> TelemetryRules:
        """The rules that switch on VPC Flow Logs. Never raises: the answer says what could not be read."""


class RoleService(Protocol):
    """The IAM operations that the enforcer uses; read-only."""

    def describe(self, role_arn: str) -> DeliveryRole | None:
        """The current role; None if it does not exist. Raises CallRefused, CallFailed, CallThrottled."""


class RunClock(Protocol):
    """The remaining time of a run, and its way to wait."""

    def remaining(self) -> float:
        """Seconds until the run is terminated."""

    def wait(self, seconds: float) -> None:
        """Wait for so many seconds."""


class EnforcerPorts(Struct, frozen=True, kw_only=True):
    """The external dependencies of the enforcer."""

    ec2: FlowLogService
    groups: LogGroupService
    roles: RoleService
    existing: ExistingLogGroups | None = None
    """None if no existing log group is read, as in most tests."""
    permissions: InvokePermissions | None = None
    """None if it is unknown who may invoke the monitor, as before a deployment."""
    rules: TelemetryRuleService | None = None
    """None if telemetry enablement rules are not read, as in most tests."""
    volumes: LogVolumes | None = None
    """None if costs are only estimated, as in most tests."""
    evidence: EvidenceStore
    queue: WorkQueueStore
    registry: RegistryStore
    claims: Claims
    routes: Routes
    """The sinks for its reports, which go to operations."""
    clock: RunClock
    rule_changes: RuleChangeStore | None = None
    """Changes of rules, for the monitor's pages; None if they are not stored."""
    outbox: OutboxStore | None = None
    """Reports that are not sent yet. If None, only Lambda's retry repeats a report that could not be sent."""
    unreadable_items: Unreadable = field(default_factory=Unreadable)
    """Where the ports on the state table note what they cannot read."""
