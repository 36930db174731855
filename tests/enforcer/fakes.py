"""Hand-written fakes of the enforcer's ports other than EC2: log groups, roles, state, time, a topic."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from flowwarden.enforcer.creation import ManagedFlowLog
from flowwarden.enforcer.decide.delivery_role import NEEDED, SERVICE, DeliveryRole
from flowwarden.enforcer.decide.drift import is_tagged
from flowwarden.enforcer.decide.iam_policy import Statement
from flowwarden.enforcer.decide.log_groups import (
    AssociateKmsKey,
    CreateLogGroup,
    LogGroupStep,
    ProtectLogGroup,
    PutRetentionPolicy,
    PutSubscriptionFilter,
)
from flowwarden.enforcer.outbox import Unsent
from flowwarden.enforcer.ports import EnforcerPorts, FlowLogService
from flowwarden.enforcer.reconcile import Enforcer
from flowwarden.enforcer.registry import Entry, key_of
from flowwarden.enforcer.state.desired import managed_tags
from flowwarden.enforcer.state.inventory import FlowLog, LogGroup, Subscription
from flowwarden.enforcer.state.stack import Stack
from flowwarden.enforcer.work_queue import Cursor, WorkItem
from flowwarden.errors import EnforcementError, NotAvailable, StateUnavailable
from flowwarden.notify.alert import Route
from flowwarden.notify.claims import ClaimTerms
from flowwarden.policy.flow_logs import FlowLogsPolicy
from flowwarden.state.attempts import ATTEMPTS
from flowwarden.state.rule_changes import RuleChange
from flowwarden.state.writing import MOST_TOGETHER
from tests.enforcer.fakes_ec2 import FakeEc2
from tests.enforcer.fakes_existing import FakeExisting, FakePermissions, FakeRules, FakeVolumes
from tests.monitor.fakes_state import MemoryEvidence
from tests.notify.fakes import MemoryClaims, MemorySink

TERMS = ClaimTerms(suppression=4 * 3600, lease=50)

ACCOUNT = "111122223333"
GROUP = "/flow-warden/flow-logs"
MONITOR = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:flow-warden-monitor"
STACK = Stack(
    account_id=ACCOUNT,
    region="eu-west-1",
    stack_name="flow-warden",
    log_group_name=GROUP,
    delivery_role_arn=f"arn:aws:iam::{ACCOUNT}:role/delivery",
    log_format="${version} ${srcaddr} ${dstaddr} ${action}",
    retention_days=30,
    monitor_arn=MONITOR,
    enforcer_role_arn=f"arn:aws:iam::{ACCOUNT}:role/enforcer",
)
LETS_WRITE = Statement(allows=True, actions=NEEDED, resources=("*",))
SOUND_ROLE = DeliveryRole(trusted=(SERVICE,), statements=(LETS_WRITE,))


def sound(name: str = GROUP) -> LogGroup:
    """A log group as the stack requires it."""
    subscription = Subscription(name=STACK.stack_name, destination_arn=MONITOR)
    return LogGroup(name=name, retention_days=30, subscriptions=(subscription,), is_protected=True)


@dataclass
class FakeGroups:
    """Log groups by name."""

    there: dict[str, LogGroup] = field(default_factory=lambda: {GROUP: sound()})
    fault: EnforcementError | None = None
    carry_out_fault: EnforcementError | None = None
    done: list[LogGroupStep] = field(default_factory=list)

    def groups(self, names: Collection[str]) -> Iterator[LogGroup]:
        """The log groups with these names."""
        if self.fault is not None:
            raise self.fault
        yield from (each for name, each in self.there.items() if name in names)

    def carry_out(self, step: LogGroupStep) -> None:
        """Execute the step."""
        if fault := self.fault or self.carry_out_fault:
            raise fault
        self.done.append(step)
        group = self.there.get(step.group, LogGroup(name=step.group))
        match step:
            case CreateLogGroup():
                pass
            case PutRetentionPolicy():
                group = replace(group, retention_days=step.days)
            case AssociateKmsKey():
                group = replace(group, kms_key_arn=step.kms_key_arn)
            case ProtectLogGroup():
                group = replace(group, is_protected=True)
            case PutSubscriptionFilter():
                others = tuple(each for each in group.subscriptions if each.name != step.subscription.name)
                group = replace(group, subscriptions=(*others, step.subscription))
        self.there[step.group] = group


class GroupsWithoutProtection(FakeGroups):
    """CloudWatch Logs in a Region, with an SDK or on an emulator that does not know deletion protection."""

    def carry_out(self, step: LogGroupStep) -> None:
        """Refuse the one step."""
        if isinstance(step, ProtectLogGroup):
            raise NotAvailable("PutLogGroupDeletionProtection: not available in this runtime")
        super().carry_out(step)


@dataclass
class FakeRoles:
    """The delivery role."""

    role: DeliveryRole | None = SOUND_ROLE
    fault: EnforcementError | None = None

    def describe(self, role_arn: str) -> DeliveryRole | None:
        """The current role."""
        assert role_arn == STACK.delivery_role_arn
        if self.fault is not None:
            raise self.fault
        return self.role


@dataclass
class FakeWorkQueue:
    """The work queue in the state table."""

    items: dict[str, WorkItem] = field(default_factory=dict)
    cursor: Cursor | None = None
    broken: bool = False
    reads: int = 0
    writes: int = 0

    def load(self) -> tuple[list[WorkItem], Cursor | None]:
        """The whole queue."""
        self.reads += 1
        self._check()
        return list(self.items.values()), self.cursor

    def put(self, item: WorkItem) -> None:
        """Store the item."""
        self._write()
        self.items[item.vpc_id] = item

    def remove(self, vpc_id: str) -> None:
        """Remove the item."""
        self._write()
        self.items.pop(vpc_id, None)

    def put_cursor(self, cursor: Cursor | None, now: int) -> None:
        """Store or remove the cursor."""
        assert now
        self._write()
        self.cursor = cursor

    def _write(self) -> None:
        self.writes += 1
        self._check()

    def _check(self) -> None:
        if self.broken:
            raise StateUnavailable("the table does not answer")


@dataclass
class FakeOutbox:
    """The reports in the state table that are not sent yet."""

    reports: dict[str, Unsent] = field(default_factory=dict)

    def load(self) -> list[Unsent]:
        """All reports."""
        return list(self.reports.values())

    def put(self, report: Unsent, now: int) -> None:
        """Store the report."""
        assert now
        self.reports[report.key] = report

    def remove(self, key: str) -> None:
        """Remove the report."""
        self.reports.pop(key, None)


@dataclass
class MemoryRegistry:
    """The registry of flow logs in the state table."""

    entries: dict[tuple[type[Entry], str], Entry] = field(default_factory=dict)
    broken: bool = False
    writes: int = 0
    fails_at: int = 0
    """The number of the write that fails, in all its attempts; 0 for none."""
    attempts: int = ATTEMPTS
    """How many of them fail."""
    loaded: list[type[Entry] | None] = field(default_factory=list)
    """The kind of entry of each call of `load`; None for all."""

    def load(self, kind: type[Entry] | None = None) -> list[Entry]:
        """All entries, or those of one kind."""
        self.loaded.append(kind)
        self._check()
        return [each for each in self.entries.values() if kind is None or isinstance(each, kind)]

    def put(self, *entries: Entry) -> None:
        """Store the entries."""
        assert len({_key(each) for each in entries}) == len(entries) <= MOST_TOGETHER
        for each in entries:
            self._write()
            self.entries[_key(each)] = each

    def remove(self, entry: Entry) -> None:
        """Remove the entry."""
        self._write()
        self.entries.pop(_key(entry), None)

    def record(self, *flow_logs: FlowLog) -> None:
        """Store that the stack created these flow logs."""
        for each in flow_logs:
            entry = ManagedFlowLog(flow_log_id=each.flow_log_id, vpc_id=each.resource_id, at=0)
            self.entries[_key(entry)] = entry

    def of[Kind: Entry](self, kind: type[Kind]) -> list[Kind]:
        """The entries of a kind."""
        return [each for each in self.entries.values() if isinstance(each, kind)]

    def _write(self) -> None:
        self.writes += 1
        self._check()
        if self.fails_at <= self.writes < self.fails_at + self.attempts and self.fails_at:
            raise StateUnavailable("the table does not answer")

    def _check(self) -> None:
        if self.broken:
            raise StateUnavailable("the table does not answer")


def _key(entry: Entry) -> tuple[type[Entry], str]:
    return type(entry), key_of(entry)


@dataclass
class FakeRunClock:
    """Time that passes only through waiting."""

    left: float = 300
    waited: list[float] = field(default_factory=list)

    def remaining(self) -> float:
        """The remaining seconds."""
        return self.left

    def wait(self, seconds: float) -> None:
        """Advance the time."""
        self.waited.append(seconds)
        self.left -= seconds


@dataclass
class FakeRuleChanges:
    """Changes of rules in a list; each call is one of `calls`."""

    calls: list[tuple[RuleChange, ...]] = field(default_factory=list)
    away: bool = False

    def store(self, changes: Sequence[RuleChange]) -> None:
        """See the port."""
        if self.away:
            raise StateUnavailable("by the test")
        self.calls.append(tuple(changes))


@dataclass
class Fakes:
    """All ports of a service."""

    ec2: FlowLogService
    groups: FakeGroups = field(default_factory=FakeGroups)
    roles: FakeRoles = field(default_factory=FakeRoles)
    evidence: MemoryEvidence = field(default_factory=MemoryEvidence)
    queue: FakeWorkQueue = field(default_factory=FakeWorkQueue)
    registry: MemoryRegistry = field(default_factory=MemoryRegistry)
    claims: MemoryClaims = field(default_factory=lambda: MemoryClaims(TERMS))
    sink: MemorySink = field(default_factory=lambda: MemorySink(name="memory:operations"))
    more_sinks: tuple[MemorySink, ...] = ()
    """Further sinks on the same route."""
    clock: FakeRunClock = field(default_factory=FakeRunClock)
    outbox: FakeOutbox = field(default_factory=FakeOutbox)
    permissions: FakePermissions = field(default_factory=FakePermissions)
    existing: FakeExisting = field(init=False)
    volumes: FakeVolumes = field(default_factory=FakeVolumes)
    rules: FakeRules = field(default_factory=FakeRules)
    rule_changes: FakeRuleChanges = field(default_factory=FakeRuleChanges)

    def aws(self) -> EnforcerPorts:
        """The ports of the service. Work queue and claims share a table, so both are unavailable together."""
        self.registry.broken = self.registry.broken or self.queue.broken
        self.claims.away = {"claim", "confirm", "release"} if self.queue.broken else set()
        return EnforcerPorts(
            ec2=self.ec2,
            groups=self.groups,
            roles=self.roles,
            existing=self.existing,
            permissions=self.permissions,
            volumes=self.volumes,
            rules=self.rules,
            evidence=self.evidence,
            queue=self.queue,
            registry=self.registry,
            claims=self.claims,
            routes={Route.OPERATIONS: (self.sink, *self.more_sinks)},
            clock=self.clock,
            outbox=self.outbox,
            rule_changes=self.rule_changes,
        )

    def __post_init__(self) -> None:
        """Record the flow logs of a fake EC2 that have the stack's tag: the stack created them."""
        self.existing = FakeExisting(self.permissions)
        if isinstance(self.ec2, FakeEc2) and not self.registry.entries:
            self.registry.record(*(each for each in self.ec2.existing if is_tagged(each, STACK)))

    @property
    def reported(self) -> set[str]:
        """The incidents that were sent so far."""
        return {key.incident for key, item in self.claims.items.items() if item.sent_at is not None}

    def service(
        self, policy: FlowLogsPolicy | None = None, stack: Stack = STACK, *, dry_run: bool = False
    ) -> Enforcer:
        """A service with these ports."""
        return Enforcer(self.aws(), policy or FlowLogsPolicy(), stack, dry_run=dry_run)


TAGS = managed_tags(STACK.stack_name)
