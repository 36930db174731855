"""Makes the plan for an account: its VPCs, and the log groups and the delivery role that flow logs need.

The plans for the VPCs determine which log groups are needed, so they are made first, and the log groups are
read afterward.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.enforcer.decide.delivery_role import role_doubts, role_problems
from flowwarden.enforcer.decide.log_groups import (
    UNPROTECTED,
    YOUNG_SECONDS,
    CreateLogGroup,
    LogGroupStep,
    problems,
)
from flowwarden.enforcer.decide.subscriptions import SubscriptionStep
from flowwarden.enforcer.decide.telemetry_rules import judge_rules
from flowwarden.enforcer.execute.backoff import with_backoff
from flowwarden.enforcer.execute.isolate import isolate
from flowwarden.enforcer.measured_cost import measured
from flowwarden.enforcer.modes import RUN_MODES
from flowwarden.enforcer.observe import Observed
from flowwarden.enforcer.planner import Planned, Planner
from flowwarden.enforcer.ports import EnforcerPorts
from flowwarden.enforcer.registry import Registry
from flowwarden.enforcer.reporting import recurring, subscriptions
from flowwarden.enforcer.reporting.recurring import Notices, Scope, Verdicts
from flowwarden.enforcer.reporting.report import Remediation, VpcOutcome
from flowwarden.enforcer.state.inventory import LogGroup
from flowwarden.enforcer.state.stack import Stack
from flowwarden.enforcer.triggers.trigger import Trigger
from flowwarden.enforcer.work_queue import WorkQueue
from flowwarden.errors import EnforcementError


class AccountPlan(Struct, frozen=True, kw_only=True):
    """The steps to execute, and the problems that require action."""

    vpcs: tuple[Planned, ...]
    log_group_steps: tuple[LogGroupStep, ...]
    subscription_steps: tuple[SubscriptionStep, ...]
    """The steps for existing log groups, which were executed already, except in a dry run."""
    new_groups: frozenset[str]
    """Log groups that are created for their first flow log."""
    unreadable: tuple[Remediation, ...]
    """What could not be read."""
    role: tuple[Remediation, ...]
    """Definite and possible problems of the delivery role."""
    silences: tuple[Remediation, ...]
    """Log groups and flow logs without visible records."""
    notices: Notices
    """What to report once about unmanaged flow logs."""

    def news_of(self, results: Sequence[Remediation], *, deployed: bool) -> list[Remediation]:
        """The results of the log group steps to report, without groups created for their first flow log.

        After a deployment, groups that are protected from deletion for the first time are no news.
        """
        return [each for each in results if not (each.applied and self._is_new(each, deployed=deployed))]

    def _is_new(self, result: Remediation, *, deployed: bool) -> bool:
        return result.resource in self.new_groups or (deployed and result.summary == UNPROTECTED)


class Results(Struct, frozen=True, kw_only=True):
    """The results of a plan."""

    outcomes: tuple[VpcOutcome, ...]
    log_groups: tuple[Remediation, ...]
    tags: tuple[Remediation, ...]
    continues: bool
    """Whether time ran out."""


class AccountPlanner:
    """Makes the plan."""

    def __init__(self, planner: Planner, ports: EnforcerPorts, stack: Stack) -> None:
        self._planner = planner
        self._ports = ports
        self._stack = stack

    def make(
        self, observed: Observed, trigger: Trigger, queue: WorkQueue, registry: Registry, now: int
    ) -> AccountPlan:
        """The plan. Reads log groups and the delivery role; the plan lists what could not be read."""
        vpcs = self._vpcs(observed, trigger, queue, now)
        settled = now if trigger.deployed else now - YOUNG_SECONDS
        steps, unreadable = self._log_group_steps(observed, vpcs, settled)
        scope = Scope(
            stack=self._stack,
            accepted_duplicates=self._planner.accepted_duplicates,
            reading=observed.reading,
            now=now,
        )
        judged = [(each.vpc_state, each.plan.verdict) for each in vpcs]
        return AccountPlan(
            vpcs=tuple(vpcs),
            log_group_steps=steps,
            subscription_steps=observed.reading.steps,
            new_groups=self._new_groups(steps, observed),
            unreadable=(
                *observed.unreadable,
                *unreadable,
                *subscriptions.report(observed.listed, registry, scope),
            ),
            role=tuple(recurring.doubts(self._role(trigger), trigger)),
            silences=tuple(recurring.silences(judged, trigger, self._stack)),
            notices=self._notices(judged, observed, trigger, registry, scope),
        )

    def _notices(
        self, judged: Verdicts, observed: Observed, trigger: Trigger, registry: Registry, scope: Scope
    ) -> Notices:
        """What to report once, with measured costs, and the telemetry enablement rules."""
        listed, ports = observed.listed, self._ports
        found = recurring.notices(judged, listed, trigger, registry, scope)
        found = measured(found, listed, ports.volumes, self._stack, scope.now)
        if ports.rules is None or not RUN_MODES[trigger.kind].checks_silence:
            return found
        return replace(found, rules=judge_rules(ports.rules.read(), listed, self._stack))

    def _vpcs(self, observed: Observed, trigger: Trigger, queue: WorkQueue, now: int) -> list[Planned]:
        """The plans; for a resumed sweep, those of the remaining and of the due VPCs."""
        mode = RUN_MODES[trigger.kind]
        if mode.vpcs == "none":
            return []
        plans = self._planner.vpcs(observed, queue.items, now)
        if not mode.resumes_sweep or queue.cursor is None:
            return plans
        due, after = set(queue.due(now)), queue.cursor.after
        return [each for each in plans if each.vpc_id > after or each.vpc_id in due]

    def _log_group_steps(
        self, observed: Observed, vpcs: Sequence[Planned], settled: int
    ) -> tuple[tuple[LogGroupStep, ...], tuple[Remediation, ...]]:
        """The steps for the log groups, and a report entry for each that cannot be read or mended.

        `settled`: see `log_groups.keep`.
        """
        wanted = self._planner.groups(observed, vpcs)
        names = wanted.keys() | observed.managed_groups
        if not names:
            return (), ()
        found, unread = self._read_groups(sorted(names))
        steps = self._planner.log_group_steps(wanted, found, observed, unread, settled=settled)
        to_report = [_unread(name, error) for name, error in unread.items()]
        to_report += [
            Remediation(resource=name, summary=problem, applied=False)
            for name, problem in problems(found, self._stack)
        ]
        return steps, tuple(to_report)

    def _read_groups(self, names: Sequence[str]) -> tuple[list[LogGroup], Mapping[str, EnforcementError]]:
        """Those of the groups that exist, and those that could not be read: one does not hide the others."""
        groups, clock = self._ports.groups, self._ports.clock
        try:
            return with_backoff(lambda: list(groups.groups(names)), clock), {}
        except EnforcementError:
            apart = isolate(lambda some: list(groups.groups(some)), names, clock)
            return [each for answer in apart.answers for each in answer], apart.failed

    def _new_groups(self, steps: Sequence[LogGroupStep], observed: Observed) -> frozenset[str]:
        """The groups to create that never existed.

        A missing group that flow logs already write to, or the stack's own, was deleted with its records.
        """
        made = {each.group for each in steps if isinstance(each, CreateLogGroup)}
        return frozenset(made - observed.log_groups - {self._stack.log_group_name})

    def _role(self, trigger: Trigger) -> list[Remediation]:
        """Problems of the delivery role, which require action; possible problems are recurring incidents."""
        if not RUN_MODES[trigger.kind].checks_dependencies:
            return []
        arn = self._stack.delivery_role_arn
        name = arn.rpartition("/")[2]
        try:
            role = with_backoff(lambda: self._ports.roles.describe(arn), self._ports.clock)
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
    return Remediation(resource=resource, summary=f"could not be read: {error}", applied=False)
