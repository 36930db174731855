"""The plan for an account: VPCs, and the log groups and the delivery role that their flow logs need.

Which log groups count depends on the plans for the VPCs, so these are made first, and the log groups are read
then.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from flowwarden.enforcer.decide.delivery_role import role_doubts, role_problems
from flowwarden.enforcer.decide.duplicates import Duplicate
from flowwarden.enforcer.decide.log_groups import CreateLogGroup, LogGroupStep
from flowwarden.enforcer.execute.backoff import with_backoff
from flowwarden.enforcer.modes import RUN_MODES
from flowwarden.enforcer.observe import Observed
from flowwarden.enforcer.planner import Planned, Planner
from flowwarden.enforcer.ports import EnforcerPorts
from flowwarden.enforcer.reporting import recurring
from flowwarden.enforcer.reporting.report import Remediation
from flowwarden.enforcer.state.stack import Stack
from flowwarden.enforcer.triggers.trigger import Trigger
from flowwarden.enforcer.work_queue import WorkQueue
from flowwarden.errors import EnforcementError


class AccountPlan(Struct, frozen=True, kw_only=True):
    """What is to be done, and what was found that people have to do."""

    vpcs: tuple[Planned, ...]
    log_group_steps: tuple[LogGroupStep, ...]
    new_groups: frozenset[str]
    """Log groups that are made for their first flow log."""
    unreadable: tuple[Remediation, ...]
    """What could not be read."""
    role: tuple[Remediation, ...]
    """What is wrong about the delivery role, or may be."""
    silences: tuple[Remediation, ...]
    """Log groups and flow logs of which no records are seen."""
    duplicates: tuple[Duplicate, ...]

    def news_of(self, results: Sequence[Remediation]) -> list[Remediation]:
        """The results of the log group steps without new groups that were made: these are no news."""
        return [
            result
            for step, result in zip(self.log_group_steps, results, strict=True)
            if step.group not in self.new_groups or not result.applied
        ]


class PlanMaker:
    """Makes the plan."""

    def __init__(self, planner: Planner, ports: EnforcerPorts, stack: Stack) -> None:
        self._planner = planner
        self._ports = ports
        self._stack = stack

    def make(self, observed: Observed, trigger: Trigger, queue: WorkQueue, now: int) -> AccountPlan:
        """The plan. Reads log groups and the delivery role; what cannot be read is in the plan."""
        vpcs = self._vpcs(observed, trigger, queue, now)
        steps, unreadable = self._log_group_steps(observed, vpcs)
        judged = [(each.vpc_state, each.plan.verdict) for each in vpcs]
        return AccountPlan(
            vpcs=tuple(vpcs),
            log_group_steps=steps,
            new_groups=self._new_groups(steps, observed),
            unreadable=(*observed.unreadable, *unreadable),
            role=tuple(recurring.doubts(self._role(trigger), trigger)),
            silences=tuple(recurring.silences(judged, trigger, self._stack)),
            duplicates=recurring.duplicates(judged, trigger),
        )

    def _vpcs(self, observed: Observed, trigger: Trigger, queue: WorkQueue, now: int) -> list[Planned]:
        """The plans; of a sweep that is resumed, for the VPCs that are left and those that are due."""
        mode = RUN_MODES[trigger.kind]
        if mode.vpcs == "none":
            return []
        plans = self._planner.vpcs(observed, queue.items, now)
        if not mode.resumes_sweep or queue.cursor is None:
            return plans
        due, after = set(queue.due(now)), queue.cursor.after
        return [each for each in plans if each.vpc_id > after or each.vpc_id in due]

    def _log_group_steps(
        self, observed: Observed, vpcs: Sequence[Planned]
    ) -> tuple[tuple[LogGroupStep, ...], tuple[Remediation, ...]]:
        """What is to be done about the log groups, and what says that they could not be read."""
        wanted = self._planner.groups(observed, vpcs)
        names = wanted.keys() | observed.managed_groups
        if not names:
            return (), ()
        try:
            found = with_backoff(lambda: list(self._ports.groups.groups(names)), self._ports.pace)
        except EnforcementError as error:
            return (), (_unread(self._stack.log_group_name, error),)
        return self._planner.log_group_steps(wanted, found, observed), ()

    def _new_groups(self, steps: Sequence[LogGroupStep], observed: Observed) -> frozenset[str]:
        """Where flow logs write already, and in the stack's own, a group was deleted with its records."""
        made = {each.group for each in steps if isinstance(each, CreateLogGroup)}
        return frozenset(made - observed.log_groups - {self._stack.log_group_name})

    def _role(self, trigger: Trigger) -> list[Remediation]:
        """What is wrong about the delivery role, for people to mend; what may be wrong is an incident."""
        if not RUN_MODES[trigger.kind].checks_dependencies:
            return []
        arn = self._stack.delivery_role_arn
        name = arn.rpartition("/")[2]
        try:
            role = with_backoff(lambda: self._ports.roles.describe(arn), self._ports.pace)
        except EnforcementError as error:
            return [_unread(name, error)]
        problems = [
            Remediation(resource=name, summary=problem, applied=False)
            for problem in role_problems(role, self._stack)
        ]
        return problems + [
            Remediation(resource=name, summary=doubt, applied=False, incident=incident)
            for incident, doubt in role_doubts(role, self._stack)
        ]


def _unread(resource: str, error: EnforcementError) -> Remediation:
    return Remediation(resource=resource, summary=f"could not be looked at: {error}", applied=False)
