"""Keeps the log groups with their retention, key and subscription, and looks at the delivery role."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flowwarden.enforcer.decide.delivery_role import role_doubts, role_problems
from flowwarden.enforcer.decide.log_groups import Upkeep
from flowwarden.enforcer.execute.backoff import patiently
from flowwarden.enforcer.observe import World
from flowwarden.enforcer.planning import Planned, Planning
from flowwarden.enforcer.ports import LogGroupService, Pace, RoleService
from flowwarden.enforcer.reporting.report import Repair
from flowwarden.enforcer.state.inventory import LogGroup
from flowwarden.enforcer.state.stack import House
from flowwarden.errors import CallFailed, CallRefused, EnforcementError


class Keeping:
    """Looks after what flow logs need."""

    def __init__(
        self, groups: LogGroupService, roles: RoleService, planning: Planning, house: House, pace: Pace
    ) -> None:
        self._groups = groups
        self._roles = roles
        self._planning = planning
        self._house = house
        self._pace = pace

    def plan(self, world: World, plans: Sequence[Planned]) -> tuple[Upkeep, ...]:
        """What is to be done about the log groups.

        Raises:
            CallRefused, CallFailed: they could not be looked at.
        """
        wanted = self._planning.groups(world, plans)
        names = wanted.keys() | world.ours
        if not names:
            return ()
        found: list[LogGroup] = patiently(lambda: list(self._groups.groups(names)), self._pace)
        return tuple(self._planning.upkeep(wanted, found, world))

    def carry_out(self, steps: Sequence[Upkeep]) -> Iterator[Repair]:
        """Do it, and tell of each step what it was; a step that fails keeps no other from being done."""
        for step in steps:
            yield self._one(step)

    def role(self) -> Iterator[Repair]:
        """What is wrong about the delivery role, which people have to put right.

        What may be wanted so has the turn that is to be asked for.
        """
        name = self._house.delivery_role_arn.rpartition("/")[2]
        try:
            role = patiently(lambda: self._roles.describe(self._house.delivery_role_arn), self._pace)
        except EnforcementError as error:
            yield Repair(subject=name, what=f"could not be looked at: {error}", done=False)
            return
        for problem in role_problems(role, self._house):
            yield Repair(subject=name, what=problem, done=False)
        for turn, doubt in role_doubts(role, self._house):
            yield Repair(subject=name, what=doubt, done=False, turn=turn)

    def _one(self, step: Upkeep) -> Repair:
        try:
            patiently(lambda: self._groups.carry_out(step), self._pace)
        except (CallRefused, CallFailed) as error:
            return Repair(subject=step.group, what=f"{step.reason}: {error}", done=False)
        return Repair(subject=step.group, what=step.reason)
