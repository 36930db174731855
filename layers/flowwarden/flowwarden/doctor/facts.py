"""What the doctor reads of an installation, as values. `aws/doctor` reads it; the checks only use it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from flowwarden.doctor.fact import Fact
from flowwarden.enforcer.decide.delivery_role import DeliveryRole
from flowwarden.enforcer.decide.plan import Plan
from flowwarden.enforcer.state.inventory import FlowLog, LogGroup
from flowwarden.policy.last_good import PolicyInUse
from flowwarden.policy.log_groups import ANYTHING
from flowwarden.policy.made_mutes import MadeMute

ACCOUNT: Final = 4
"""The place of the account in an ARN."""


class Place(Struct, frozen=True, kw_only=True):
    """The stack and when it is checked."""

    stack: str
    region: str
    account: str
    partition: str
    now: int
    """Unix seconds."""


class StackState(Struct, frozen=True, kw_only=True):
    """The stack as CloudFormation describes it."""

    status: str
    reason: str = ""
    drift: str = ""
    """The result of the last drift detection: `DRIFTED`, `IN_SYNC`, `NOT_CHECKED`."""
    created_at: int | None = None
    """Unix seconds."""
    parameters: Mapping[str, str] = {}
    protected: bool = False
    """Whether termination protection keeps it from being deleted."""
    listed: Fact[bool] = True
    """Whether its resources could be listed; otherwise only its outputs name some of them."""


class Permission(Struct, frozen=True, kw_only=True):
    """A statement of a function's policy that allows a service to invoke it."""

    service: str
    source: str = ""
    """The pattern of the ARN of the source; '' for every source."""
    account: str = ""
    """The account of the source, where a condition of its own names it; '' if none does."""
    statement_id: str = ""

    @property
    def is_open(self) -> bool:
        """Whether sources of every account may invoke the function."""
        account = [*self.source.split(":"), *([""] * ACCOUNT)][ACCOUNT]
        return not self.account and account in {"", ANYTHING}


class FunctionState(Struct, frozen=True, kw_only=True):
    """One function."""

    name: str
    state: str = ""
    state_reason: str = ""
    update: str = ""
    """The status of the last update of its code or configuration."""
    update_reason: str = ""
    runtime: str = ""
    layers: tuple[str, ...] = ()
    """ARNs of layer versions."""
    variables: Mapping[str, str] = {}
    reserved: Fact[int] = None
    """Its reserved concurrency; None if it has none."""
    on_failure: Fact[str] = None
    """The ARN of the queue that receives events that it could not process."""


class Rule(Struct, frozen=True, kw_only=True):
    """A rule or schedule of EventBridge."""

    name: str
    enabled: bool
    targets: Fact[tuple[str, ...]] = ()
    """ARNs."""


class Runs(Struct, frozen=True, kw_only=True):
    """The invocations of a function in a window of time, by CloudWatch's metrics."""

    invocations: int
    errors: int = 0
    throttles: int = 0
    minutes: int
    """The length of the window."""


class Delivery(Struct, frozen=True, kw_only=True):
    """What arrived in a log group in the last hours, and at the monitor."""

    hours: int
    writers: Fact[int] = None
    """Interfaces whose records the monitor processed, by their heartbeats."""
    incoming: Fact[int] = None
    """Log events that CloudWatch Logs received."""
    delivery_errors: Fact[int] = None
    """Log events that the subscription filter could not send."""
    last_event: Fact[int] = None
    """Unix seconds of the newest event by the streams of the group, which AWS updates late."""
    expected: Fact[int] = None
    """Interfaces that a flow log into this group has covered for longer than the window, and that are active
    for longer."""


class Topic(Struct, frozen=True, kw_only=True):
    """An SNS topic."""

    arn: str
    confirmed: int = 0
    pending: int = 0


class SinkSecret(Struct, frozen=True, kw_only=True):
    """The secret of a configured service outside AWS."""

    name: str
    deleting: bool = False
    """Whether its deletion is scheduled."""


class FindingService(Struct, frozen=True, kw_only=True):
    """A configured AWS service that gets findings: an event bus, or Security Hub."""

    exists: bool = True
    """Whether the bus exists, or Security Hub is enabled."""


class Trail(Struct, frozen=True, kw_only=True):
    """A CloudTrail trail that covers the Region."""

    name: str
    logging: Fact[bool] = None
    management: Fact[bool] = None
    """Whether it records write events of the management plane."""


class Table(Struct, frozen=True, kw_only=True):
    """The state table."""

    status: str
    index: str = ""
    """The status of the index of open incidents; '' if there is none."""
    expiry: Fact[bool] = None
    """Whether DynamoDB deletes expired items."""
    recovery: Fact[bool] = None
    """Whether point-in-time recovery is on."""
    throttled: Fact[int] = None
    """Throttled requests in the last hours."""


class Alarm(Struct, frozen=True, kw_only=True):
    """A CloudWatch alarm."""

    state: str
    reason: str = ""
    notifies: bool = True
    """Whether its actions are enabled, and there is one."""


class AccountLimits(Struct, frozen=True, kw_only=True):
    """Lambda's concurrency in the account and Region."""

    concurrency: int
    unreserved: int


class EndingMute(Struct, frozen=True, kw_only=True):
    """A mute of the policy, or one made by command."""

    what: str
    ends_at: int | None = None
    """Unix seconds; None if it never ends."""


class Facts(Struct, frozen=True, kw_only=True):
    """Everything that was read. Each mapping is by the name that a line shows."""

    place: Place
    stack: StackState
    functions: Mapping[str, Fact[FunctionState]] = {}
    """By logical id, as all resources of the stack."""
    permissions: Mapping[str, Fact[tuple[Permission, ...]]] = {}
    """Who may invoke a function; by the function's logical id."""
    roles: Mapping[str, Fact[DeliveryRole]] = {}
    """By logical id."""
    resources: Mapping[str, str] = {}
    """Names or ARNs of the stack's resources, by logical id."""
    rules: Mapping[str, Fact[Rule]] = {}
    runs: Mapping[str, Fact[Runs]] = {}
    groups: Mapping[str, Fact[LogGroup]] = {}
    """The log groups that the monitor should read."""
    deliveries: Mapping[str, Fact[Delivery]] = {}
    flow_logs: Mapping[str, Fact[FlowLog]] = {}
    """Those that write into these groups, by id."""
    coverage: Mapping[str, Fact[Plan]] = {}
    """What the enforcer plans for each VPC, by id."""
    topics: Mapping[str, Fact[Topic]] = {}
    """`pages` and `operations`, and `chat` if it is configured."""
    sinks: Mapping[str, Fact[SinkSecret]] = {}
    """The secrets of the configured services outside AWS, by the names of the sinks."""
    services: Mapping[str, Fact[FindingService]] = {}
    """The configured AWS services that get findings, by the names of the sinks."""
    keys: Mapping[str, Fact[str]] = {}
    """The state of KMS keys, by what they encrypt."""
    trails: Fact[tuple[Trail, ...]] = ()
    table: Fact[Table] = None
    queues: Mapping[str, Fact[int]] = {}
    """The number of messages by the name of `flowwarden redrive --queue`."""
    alarms: Mapping[str, Fact[Alarm]] = {}
    mutes: Fact[tuple[MadeMute, ...]] = ()
    """Those made by command."""
    policy: Fact[PolicyInUse] = None
    limits: Fact[AccountLimits] = None
