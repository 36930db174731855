"""Gives every VPC the flow log that policy wants, and keeps it so: one look, plans, and what they say.

One VPC's failure is never in another's way. How it ends for a VPC, and what follows:

- Nothing to do (covered, skipped, exempt, gone): the log says so.
- Created, replaced, rolled back: told to operations. If telling failed, the retry finds the VPC covered. So a
  flow log with this stack's tag that was made since the event counts as created too, and is told: by each
  further delivery of the same event once more, and also by a run whose event is older than what another run
  just made. One report too many is better than none.
- Pending: too early to tell, or it may pass by itself (throttling, an outage, what EC2 does not show yet).
  The VPC is put on a list, which a scheduled look works off; nobody waits, and nobody is told. Only that
  somebody deleted a flow log whose successor is put off is told at once: the look does not know who it was.
- A log group that should hold records, and of which the monitor sees none at all: told once in a suppression
  window, as `decide.silent_log_groups` says. So are flow logs of a day and more of which no record
  proves that they deliver (`decide.unverified_flow_logs`). Nothing is deleted or replaced because of it.
- A permissions boundary of the delivery role, and policies that may not be read: told once in a suppression
  window. Nobody knows whether they do harm, and they may be wanted so.
- Flow logs of others that record the same traffic again: told by a sweep once in a suppression window, and
  when they are others.
- Refused until somebody acts (permission, quota, another flow log in the way), or the wanted flow log does
  not deliver: told by each sweep, for all VPCs in one notification. That is on purpose: the VPC is unwatched
  all that time, and silence would look like peace. The looks between, every few minutes while a VPC is
  pending, tell what EC2 refuses to list only if nobody told it within the suppression window.

A sweep that runs out of time remembers where it stopped, and the next scheduled look goes on from there.
A VPC whose calls stay throttled is put back behind the others, in this run and in later ones.
Events and sweeps may run at the same time: whoever comes second is told FlowLogAlreadyExists, or finds
deleted what it wanted to delete, and looks again.

Without the state table nothing can be put off: new VPCs are covered at once, and what may pass by itself, or
what a sweep had no time for, is left to Lambda's retry.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.enforcer.decide.coverage import CoverageVerdict, VpcState
from flowwarden.enforcer.decide.log_groups import CreateLogGroup, LogGroupStep
from flowwarden.enforcer.execute.backoff import has_time, with_backoff
from flowwarden.enforcer.execute.flow_logs import FlowLogExecutor, fairly
from flowwarden.enforcer.execute.log_groups import LogGroupExecutor
from flowwarden.enforcer.execute.tags import TagExecutor
from flowwarden.enforcer.modes import RUN_MODES
from flowwarden.enforcer.observe import Observed, Observer
from flowwarden.enforcer.planning import Planned, Planner
from flowwarden.enforcer.ports import EnforcerMemory, FlowLogService, LogGroupService, Pace, RoleService
from flowwarden.enforcer.reporting import alerts, recurring
from flowwarden.enforcer.reporting.report import EnforcementReport, Remediation, Result, VpcOutcome
from flowwarden.enforcer.requeue import left, missing, unseen
from flowwarden.enforcer.state.desired import retentions
from flowwarden.enforcer.state.stack import Stack
from flowwarden.enforcer.triggers.trigger import Trigger
from flowwarden.enforcer.work_item import Cursor, WorkItem
from flowwarden.enforcer.work_queue import WorkQueue
from flowwarden.errors import CallFailed, CallRefused, EnforcementError
from flowwarden.notify.delivery import DeliveryReport
from flowwarden.notify.notifier import Routes, Run
from flowwarden.notify.ports import Claims
from flowwarden.policy.flow_logs import FlowLogsPolicy
from flowwarden.state.ports import EvidenceStore

MINUTE: Final = 60


class Aws(Struct, frozen=True, kw_only=True):
    """What the enforcer works with."""

    ec2: FlowLogService
    groups: LogGroupService
    roles: RoleService
    evidence: EvidenceStore
    memory: EnforcerMemory
    claims: Claims
    routes: Routes
    pace: Pace


class EnforcingService:
    """Covers the VPCs of one account in one region."""

    def __init__(
        self,
        aws: Aws,
        policy: FlowLogsPolicy,
        stack: Stack,
        *,
        dry_run: bool = False,
    ) -> None:
        """Take what to work with, what the user wishes, and what the stack brings.

        Args:
            aws: the ports.
            policy: the user's.
            stack: the stack's.
            dry_run: whether to plan only: nothing is changed, remembered or sent.
        """
        self._aws = aws
        self._policy = policy
        self._stack = stack = replace(stack, suffixes=policy.suffixes, retentions=retentions(policy, stack))
        self._dry_run = dry_run
        self._planner = Planner(policy, stack)
        self._observer = Observer(aws.ec2, aws.evidence, stack)
        self._log_groups = LogGroupExecutor(aws.groups, aws.roles, self._planner, stack, aws.pace)
        self._tags = TagExecutor(aws.ec2, aws.pace)
        self._flow_logs = FlowLogExecutor(aws.ec2, self._planner, aws.pace)

    @property
    def stack(self) -> Stack:
        """The stack: account, region, and what flow logs need."""
        return self._stack

    def enforce(self, trigger: Trigger, now: int) -> EnforcementReport:
        """Look at the VPCs that the trigger concerns and do what is missing.

        Args:
            trigger: what set the enforcer off.
            now: Unix seconds; tells how old the trigger is.

        Returns:
            One outcome for each VPC; the failures of AWS are among them, not raised. Hand it to `notify`.
        """
        if not RUN_MODES[trigger.kind].acts(dry_run=self._dry_run):
            # Where nothing is done, what is pending stays so, and each look would tell the same: sweeps tell.
            return self._report(trigger, ())
        agenda = WorkQueue(self._aws.memory, dry_run=self._dry_run)
        wanted, outcomes = self._wanted(trigger, agenda, now)
        if wanted == []:
            return self._report(trigger, outcomes, agenda=agenda)
        try:
            world = with_backoff(
                lambda: self._observer.at(wanted, now, without=trigger.deleted), self._aws.pace
            )
        except (CallFailed, CallRefused) as error:
            unlisted = unseen(wanted, trigger, agenda, error, now)
            outcomes += recurring.unlisted(unlisted, trigger)
            return self._report(trigger, outcomes, agenda=agenda)
        outcomes += missing(wanted or [], world, trigger, agenda, now)
        return self._work(trigger, agenda, world, outcomes, now)

    def notify(self, report: EnforcementReport, attempt: str, now: int) -> DeliveryReport:
        """Send the report to operations if there is news; in a dry run nothing is sent.

        Args:
            report: of this run.
            attempt: unique: no other run has it, not even a retry.
            now: Unix seconds; a run may take minutes, so this is not when it began.
        """
        if self._dry_run:
            return DeliveryReport()
        owner = alerts.owner_of(report, attempt)
        run = Run(owner=owner, at=now, time_left=self._aws.pace.remaining)
        return alerts.send(report, run, self._aws.claims, self._aws.routes)

    def _wanted(
        self, trigger: Trigger, agenda: WorkQueue, now: int
    ) -> tuple[list[str] | None, list[VpcOutcome]]:
        """The VPCs to look at, None for all of them; and the outcomes of those that are left for later."""
        mode = RUN_MODES[trigger.kind]
        if mode.resumes_sweep:
            return (agenda.due(now) if agenda.cursor is None else None), []
        if mode.vpcs != "named":
            return None, []
        outcomes = list(self._put_off(trigger, agenda, now))
        later = {each.vpc_id for each in outcomes}
        return [each.vpc_id for each in trigger.vpcs if each.vpc_id not in later], outcomes

    def _put_off(self, trigger: Trigger, agenda: WorkQueue, now: int) -> Iterator[VpcOutcome]:
        """New VPCs that are left to whoever made them, if somebody can come back."""
        grace = self._policy.grace_minutes
        # An event from the future must not excuse its VPC for ever.
        until = min(trigger.happened_at or now, now) + grace * MINUTE
        for each in trigger.vpcs:
            reason = f"new: for {grace} min it is left to whoever made it"
            pending = WorkItem(vpc_id=each.vpc_id, due=until, reason=reason, grace_until=until)
            ours = each.owner_id in {"", self._stack.account_id}
            waits = until > now and ours and not agenda.forgotten and agenda.put(pending)
            # A dry run has nobody who comes back: it says now what will be done then.
            if waits and not self._dry_run:
                yield VpcOutcome(result=Result.PENDING, vpc_id=each.vpc_id, reason=reason)

    def _work(
        self, trigger: Trigger, agenda: WorkQueue, world: Observed, outcomes: list[VpcOutcome], now: int
    ) -> EnforcementReport:
        """Make the plans and carry them out, log groups first: a flow log needs them."""
        planned = self._planned(trigger, agenda, world, now)
        repairs = list(world.troubles)
        try:
            upkeep = self._log_groups.plan(world, planned)
        except EnforcementError as error:
            upkeep = ()
            what = f"could not be looked at: {error}"
            repairs.append(Remediation(subject=self._stack.log_group_name, what=what, done=False))
        if self._dry_run:
            plans = tuple(each.plan for each in planned)
            repairs += [*self._role(trigger), *recurring.silences(_judged(planned), trigger, self._stack)]
            return self._report(
                trigger, outcomes, agenda=agenda, plans=plans, upkeep=upkeep, repairs=tuple(repairs)
            )
        mode = RUN_MODES[trigger.kind]
        repairs += self._keep(trigger, upkeep, world)
        if not mode.reports_lasting:
            # What fails for good is told by each sweep, not every few minutes.
            repairs = [each for each in repairs if each.done]
        stopped = self._carry_out(planned, trigger, agenda, outcomes)
        if stopped is not None and mode.requeues_rest:
            outcomes += left(planned, outcomes, agenda, now)
        goes_on = mode.resumes_sweep and agenda.cursor is not None
        if mode.keeps_cursor or goes_on:
            cursor = None if stopped is None else Cursor(after=stopped)
            agenda.stop_at(cursor, now)
        repairs += [each for each in self._tags.carry_out(planned) if each.done or mode.reports_lasting]
        repairs = recurring.doubts(repairs, trigger)
        repairs += recurring.silences(_judged(planned), trigger, self._stack)
        return self._report(
            trigger,
            outcomes,
            agenda=agenda,
            repairs=tuple(repairs),
            duplicates=recurring.duplicates(_judged(planned), trigger),
            goes_on=stopped is not None,
        )

    def _planned(self, trigger: Trigger, agenda: WorkQueue, world: Observed, now: int) -> list[Planned]:
        """The plans; of a sweep that goes on, for the VPCs that are left and those that are due."""
        mode = RUN_MODES[trigger.kind]
        if mode.vpcs == "none":
            return []
        plans = self._planner.vpcs(world, agenda.pending, now)
        if not mode.resumes_sweep or agenda.cursor is None:
            return plans
        due, after = set(agenda.due(now)), agenda.cursor.after
        return [each for each in plans if each.vpc_id > after or each.vpc_id in due]

    def _keep(
        self, trigger: Trigger, upkeep: Sequence[LogGroupStep], world: Observed
    ) -> Iterator[Remediation]:
        """Put the log groups right; a group that is made for a first flow log is no news.

        Where flow logs write already, and in the stack's own, somebody deleted it, with the records in it.
        """
        made = {each.group for each in upkeep if isinstance(each, CreateLogGroup)}
        new = made - world.groups - {self._stack.log_group_name}
        for step, repair in zip(upkeep, self._log_groups.carry_out(upkeep), strict=True):
            if step.group not in new or not repair.done:
                yield repair
        yield from self._role(trigger)

    def _role(self, trigger: Trigger) -> Iterator[Remediation]:
        """What is wrong about the delivery role; not asked for each VPC."""
        if RUN_MODES[trigger.kind].checks_dependencies:
            yield from self._log_groups.role()

    def _carry_out(
        self, planned: Sequence[Planned], trigger: Trigger, agenda: WorkQueue, outcomes: list[VpcOutcome]
    ) -> str | None:
        """Carry out the plans, one VPC after the other; where the sweep stopped, if time ran out.

        All VPCs up to there were served or are on the list. Those that were throttled before come last, and
        are on the list: a sweep that has come to them is at its end.
        """
        last = (
            agenda.cursor.after if agenda.cursor is not None and RUN_MODES[trigger.kind].resumes_sweep else ""
        )
        for each in fairly(planned, agenda.pending):
            before = agenda.pending.get(each.vpc_id)
            if each.plan.steps and not has_time(self._aws.pace):
                return None if before is not None and before.throttled_at else last
            done = self._flow_logs.carry_out(each, before, trigger)
            agenda.settle(each.vpc_id, done.again)
            outcomes.append(done.outcome)
            last = max(last, each.vpc_id)
        return None

    def _report(
        self,
        trigger: Trigger,
        outcomes: Sequence[VpcOutcome],
        *,
        agenda: WorkQueue | None = None,
        **told: object,
    ) -> EnforcementReport:
        return EnforcementReport(
            account_id=self._stack.account_id,
            region=self._stack.region,
            trigger=trigger,
            outcomes=tuple(outcomes),
            forgotten=agenda is not None and agenda.forgotten,
            **told,  # type: ignore[arg-type]  # the parts of a report
        )


def _judged(planned: Sequence[Planned]) -> list[tuple[VpcState, CoverageVerdict]]:
    return [(each.vpc_state, each.plan.verdict) for each in planned]
