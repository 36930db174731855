"""Keeps the log groups with their retention, key and subscription, and looks at the delivery role."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flowwarden.enforcer.decide.delivery_role import role_doubts, role_problems
from flowwarden.enforcer.decide.log_groups import LogGroupStep
from flowwarden.enforcer.execute.backoff import with_backoff
from flowwarden.enforcer.observe import Observed
from flowwarden.enforcer.planning import Planned, Planner
from flowwarden.enforcer.ports import LogGroupService, Pace, RoleService
from flowwarden.enforcer.reporting.report import Remediation
from flowwarden.enforcer.state.inventory import LogGroup
from flowwarden.enforcer.state.stack import Stack
from flowwarden.errors import CallFailed, CallRefused, EnforcementError


class LogGroupExecutor:
    """Looks after what flow logs need."""

    def __init__(
        self, groups: LogGroupService, roles: RoleService, planning: Planner, stack: Stack, pace: Pace
    ) -> None:
        self._groups = groups
        self._roles = roles
        self._planner = planning
        self._stack = stack
        self._pace = pace

    def plan(self, world: Observed, plans: Sequence[Planned]) -> tuple[LogGroupStep, ...]:
        """What is to be done about the log groups.

        Raises:
            CallRefused, CallFailed: they could not be looked at.
        """
        wanted = self._planner.groups(world, plans)
        names = wanted.keys() | world.ours
        if not names:
            return ()
        found: list[LogGroup] = with_backoff(lambda: list(self._groups.groups(names)), self._pace)
        return tuple(self._planner.upkeep(wanted, found, world))

    def carry_out(self, steps: Sequence[LogGroupStep]) -> Iterator[Remediation]:
        """Do it, and tell of each step what it was; a step that fails keeps no other from being done."""
        for step in steps:
            yield self._one(step)

    def role(self) -> Iterator[Remediation]:
        """What is wrong about the delivery role, which people have to put right.

        What may be wanted so is an incident.
        """
        name = self._stack.delivery_role_arn.rpartition("/")[2]
        try:
            role = with_backoff(lambda: self._roles.describe(self._stack.delivery_role_arn), self._pace)
        except EnforcementError as error:
            yield Remediation(subject=name, what=f"could not be looked at: {error}", done=False)
            return
        for problem in role_problems(role, self._stack):
            yield Remediation(subject=name, what=problem, done=False)
        for incident, doubt in role_doubts(role, self._stack):
            yield Remediation(subject=name, what=doubt, done=False, incident=incident)

    def _one(self, step: LogGroupStep) -> Remediation:
        try:
            with_backoff(lambda: self._groups.carry_out(step), self._pace)
        except (CallRefused, CallFailed) as error:
            return Remediation(subject=step.group, what=f"{step.reason}: {error}", done=False)
        return Remediation(subject=step.group, what=step.reason)
