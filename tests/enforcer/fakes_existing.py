"""Hand-written fakes of existing log groups and of the permissions to invoke the monitor."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from flowwarden.enforcer.decide.subscriptions import (
    MOST_FILTERS,
    AllowInvocation,
    RevokeInvocation,
    Subscribe,
    Unsubscribe,
)
from flowwarden.enforcer.decide.telemetry_rules import TelemetryRules
from flowwarden.enforcer.state.inventory import STANDARD, FoundSubscription, LogGroup, Subscription
from flowwarden.errors import CallRefused, EnforcementError, NotFound
from flowwarden.policy.log_groups import matches


@dataclass
class FakePermissions:
    """The statements that the enforcer added to the monitor's resource policy."""

    statements: dict[str, str] = field(default_factory=dict)
    """The name or pattern by id."""
    fault: EnforcementError | None = None
    allow_fault: EnforcementError | None = None
    """The error of each new permission."""
    changes: list[AllowInvocation | RevokeInvocation] = field(default_factory=list)

    def granted(self) -> Mapping[str, str]:
        """The statements."""
        if self.fault is not None:
            raise self.fault
        return dict(self.statements)

    def change(self, step: AllowInvocation | RevokeInvocation) -> None:
        """Add or remove one."""
        if self.fault is not None:
            raise self.fault
        if self.allow_fault is not None and isinstance(step, AllowInvocation):
            raise self.allow_fault
        self.changes.append(step)
        if isinstance(step, AllowInvocation):
            self.statements[step.statement_id] = step.group
        else:
            self.statements.pop(step.statement_id, None)


@dataclass
class FakeVolumes:
    """What log groups receive a day."""

    bytes: dict[str, float] | EnforcementError = field(default_factory=dict)

    def daily_bytes(self, groups: Sequence[str], now: int) -> Mapping[str, float]:
        """See the port."""
        assert now
        if isinstance(self.bytes, EnforcementError):
            raise self.bytes
        return {name: number for name, number in self.bytes.items() if name in groups}


@dataclass
class FakeRules:
    """The telemetry enablement rules of the account."""

    found: TelemetryRules = field(default_factory=TelemetryRules)
    reads: int = 0

    def read(self) -> TelemetryRules:
        """See the port."""
        self.reads += 1
        return self.found


@dataclass
class FakeExisting:
    """Existing log groups, with the rules of CloudWatch Logs: class, quota, and the permission to invoke."""

    permissions: FakePermissions
    there: dict[str, LogGroup] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    """By log group."""
    faults: dict[str, EnforcementError] = field(default_factory=dict)
    """The error of each call about a group; of a listing, by its prefix and `*`; of tags, by `tags`."""
    change_faults: dict[str, EnforcementError] = field(default_factory=dict)
    """The error of each change of a group."""
    changes: list[Subscribe | Unsubscribe] = field(default_factory=list)
    described: list[str] = field(default_factory=list)
    """The prefix of each listing."""
    read: list[str] = field(default_factory=list)
    """The groups whose subscriptions were described."""
    now: int = 0
    """Unix seconds: when new filters are created."""

    def add(self, *groups: LogGroup) -> None:
        """Add existing groups."""
        self.there |= {each.name: each for each in groups}

    def listed(
        self, prefixes: Collection[str], names: Collection[str] | None = None
    ) -> dict[str, LogGroup | EnforcementError]:
        """See the port."""
        found: dict[str, LogGroup | EnforcementError] = {}
        for prefix in prefixes:
            self.described.append(prefix)
            if fault := self.faults.get(f"{prefix}*"):
                found[f"{prefix}*"] = fault
                continue
            for name, group in self.there.items():
                if name.startswith(prefix) and (names is None or name in names):
                    found[name] = replace(group, subscriptions=())
        return found

    def subscribed(self, groups: Sequence[LogGroup]) -> list[LogGroup | EnforcementError]:
        """See the port."""
        self.read += [each.name for each in groups]
        return [
            self.faults.get(each.name) or self.there.get(each.name) or NotFound(each.name) for each in groups
        ]

    def tagged(self, tags: Mapping[str, str]) -> frozenset[str]:
        """See the port."""
        if error := self.faults.get("tags"):
            raise error
        return frozenset(
            name
            for name in self.there
            if all(value in {"*", self.tags.get(name, {}).get(key, "")} for key, value in tags.items())
        )

    def change(self, steps: Sequence[Subscribe | Unsubscribe]) -> list[EnforcementError | None]:
        """See the port."""
        return [self._change(each) for each in steps]

    def _change(self, step: Subscribe | Unsubscribe) -> EnforcementError | None:
        if fault := self.change_faults.get(step.group):
            return fault
        group = self.there[step.group]
        if isinstance(step, Unsubscribe):
            kept: tuple[Subscription, ...] = tuple(
                each for each in group.subscriptions if each.name != step.filter_name
            )
        else:
            others = tuple(each for each in group.subscriptions if each.name != step.subscription.name)
            made = step.subscription
            found = FoundSubscription(
                name=made.name, destination_arn=made.destination_arn, creation_time=self.now
            )
            kept = (*others, found)
            if not any(matches(name, step.group) for name in self.permissions.statements.values()):
                return CallRefused("InvalidParameterException: could not execute the lambda function")
            assert group.log_class == STANDARD
            assert len(kept) <= MOST_FILTERS
        self.changes.append(step)
        self.there[step.group] = replace(group, subscriptions=kept)
        return None
