"""Gives every VPC the flow log that the policy requires: observe, decide, execute, report.

The failure of one VPC or log group does not block others. The possible results for a VPC, and their
consequences:

- Nothing to do (covered, skipped, exempt, gone): logged only.
- Created, replaced, rolled back: reported. If the report could not be sent, the retry finds the VPC covered;
  the next run sends the stored report (`outbox`). If a run ends before it stores its report, a flow log with
  this stack's tag that was created since the event also counts as created. A run whose event is older than a
  flow log that another run just created therefore reports it, too. A duplicate report is better than none.
- Pending: not decided yet, or a transient condition (throttling, an outage, a resource that EC2 does not
  show yet). The VPC is queued, and a scheduled retry handles it; the run neither waits nor reports. Only a
  deleted flow log whose replacement is delayed is reported immediately, because the retry does not know the
  caller.
- Refused until action is taken (permission, quota, a conflicting flow log), or the required flow log does not
  deliver: reported by each sweep, for all VPCs in one notification. This is intended, because the VPC is not
  covered in the meantime. A retry runs every few minutes while a VPC is queued, so it reports refused
  listings once per suppression window.
- Recurring incidents are reported once per suppression window: see `reporting.recurring`. Nothing is deleted
  or replaced because of them.

A sweep that runs out of time stores where it stopped, and the next retry continues there. A VPC whose calls
stay throttled is moved behind the others, in this run and in later ones. Events and sweeps may run at the
same time: the second run gets FlowLogAlreadyExists, or finds that the flow log to delete is already gone, and
observes the VPC again.

Without the state table, nothing can be requeued: new VPCs are covered immediately, and Lambda's retry handles
transient failures and the unfinished part of a sweep.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import asdict, replace

from flowwarden.enforcer import adoption, deletions
from flowwarden.enforcer.account_plan import AccountPlan, AccountPlanner, Results
from flowwarden.enforcer.adopted_groups import AdoptedGroups
from flowwarden.enforcer.deferral import new_vpcs, unfinished
from flowwarden.enforcer.execute.backoff import with_backoff
from flowwarden.enforcer.execute.flow_logs import FlowLogExecutor
from flowwarden.enforcer.execute.log_groups import LogGroupExecutor
from flowwarden.enforcer.execute.tags import TagExecutor
from flowwarden.enforcer.execute.vpcs import execute_plans
from flowwarden.enforcer.modes import RUN_MODES
from flowwarden.enforcer.observe import Observed, observe
from flowwarden.enforcer.observe_apart import ListedApart, observe_apart
from flowwarden.enforcer.planner import Planner
from flowwarden.enforcer.ports import EnforcerPorts
from flowwarden.enforcer.recovery import recover
from flowwarden.enforcer.registry import Registry
from flowwarden.enforcer.reporting.report import EnforcementReport, VpcOutcome
from flowwarden.enforcer.sending import send, send_policy
from flowwarden.enforcer.state.desired import with_policy
from flowwarden.enforcer.state.stack import Stack
from flowwarden.enforcer.targets import list_again, missing, settle, targets_of, unlisted
from flowwarden.enforcer.triggers.trigger import Trigger
from flowwarden.enforcer.work_queue import Cursor, WorkQueue
from flowwarden.errors import EnforcementError
from flowwarden.notify.delivery import DeliveryReport
from flowwarden.policy.flow_logs import FlowLogsPolicy
from flowwarden.policy.last_good import PolicyInUse, PolicyRecorder
from flowwarden.policy.policy import Policy
from flowwarden.state.rule_changes import RuleChange
from flowwarden.unreadable import Notes


class Enforcer:
    """Covers the VPCs of one account in one region."""

    def __init__(
        self,
        ports: EnforcerPorts,
        policy: FlowLogsPolicy,
        stack: Stack,
        *,
        dry_run: bool = False,
        policy_recorder: PolicyRecorder | None = None,
    ) -> None:
        """Store the dependencies; no call is made.

        Args:
            ports: the AWS services.
            policy: the user's policy.
            stack: the deployed stack.
            dry_run: whether to plan only: nothing is changed, stored or sent.
            policy_recorder: how the policy was chosen; None if it is given.
        """
        self._ports = ports
        self._policy = policy
        self._stack = stack = with_policy(stack, policy)
        self._dry_run = dry_run
        self._policy_recorder = policy_recorder
        self._planner = Planner(policy, stack)
        self._plans = AccountPlanner(self._planner, ports, stack)
        self._adopted = AdoptedGroups(policy, self._planner, ports, stack)
        self._log_groups = LogGroupExecutor(ports.groups, ports.clock)
        self._tags = TagExecutor(ports.ec2, ports.clock)

    @property
    def stack(self) -> Stack:
        """The stack: account, region, and the dependencies of flow logs."""
        return self._stack

    def renew_policy(self, now: int) -> bool:
        """Whether the event at this time, in Unix seconds, needs a new service: the policy has changed."""
        return self._policy_recorder is not None and self._policy_recorder.renew(now)

    @property
    def policy_in_use(self) -> PolicyInUse:
        """The policy, and why it is used."""
        return (
            self._policy_recorder.in_use
            if self._policy_recorder
            else PolicyInUse(policy=Policy(flow_logs=self._policy))
        )

    def reconcile(self, trigger: Trigger, now: int) -> EnforcementReport:
        """Observe the VPCs that the trigger concerns and repair differences.

        Args:
            trigger: what started the run.
            now: Unix seconds; determines the age of the trigger.

        Returns:
            One outcome for each VPC, including AWS failures, which are not raised. Pass it to `notify`.
        """
        if not RUN_MODES[trigger.kind].acts(dry_run=self._dry_run):
            # A dry run does not change the queue, so each retry would report the same; the sweeps report it.
            return self._report(trigger)
        ports = self._ports
        queue = WorkQueue.load(ports.queue, now, ports.unreadable_items, dry_run=self._dry_run)
        deferred = self._defer_new(trigger, queue, now)
        targets = targets_of(trigger, queue, [each.vpc_id for each in deferred], now)
        if targets == [] and not trigger.concerns_flow_logs:
            return self._report(trigger, queue, outcomes=deferred)
        registry = Registry.load(ports.registry, now, ports.unreadable_items, dry_run=self._dry_run)
        deletions.note_event(registry, trigger, ports.clock, now)
        if RUN_MODES[trigger.kind].records:
            return self._record(trigger, registry, now)
        if targets == []:
            return deletions.reported_by(self._report(trigger, queue, outcomes=deferred), registry, None, now)
        try:
            observed = self._observe(targets, registry, now)
        except EnforcementError as error:
            deferred += unlisted(targets, trigger, queue, error, now)
            return deletions.reported_by(self._report(trigger, queue, outcomes=deferred), registry, None, now)
        deferred += missing(targets, observed, trigger, queue, now)
        report = self._act(observed, trigger, queue, registry, deferred, now)
        if targets is None and not self._dry_run:
            deletions.follow(registry, observed, self._ports.clock, now)
        return deletions.reported_by(report, registry, observed, now)

    def remember(self, changes: Sequence[RuleChange]) -> None:
        """Store changes of rules, for the monitor's pages; also in a dry run. Raises StateUnavailable."""
        if self._ports.rule_changes is not None:
            self._ports.rule_changes.store(changes)

    def notify(self, report: EnforcementReport, attempt: str, now: int) -> DeliveryReport:
        """Send the report to operations if there is something to report.

        A dry run sends nothing, except that the policy is not valid.

        Args:
            report: the report of this run.
            attempt: an id that no other run has, not even a retry.
            now: Unix seconds; a run may take minutes, so this is not its start time.
        """
        delivery = DeliveryReport()
        if self._policy_recorder is not None:
            delivery += send_policy(report, attempt, self._ports, self._policy_recorder, now)
        return delivery if self._dry_run else delivery + send(report, attempt, self._ports, now)

    def take_notes(self) -> Notes:
        """What could not be read of stored items since the report of the last run was made."""
        return self._ports.unreadable_items.take()

    def _observe(self, targets: Sequence[str] | None, registry: Registry, now: int) -> Observed:
        """Observe the VPCs, record what earlier runs created without a record, and subscribe log groups."""
        ports, stack = self._ports, self._stack
        observed = self._describe(targets, registry, now)
        if not self._dry_run and recover(registry, observed.listed, ports.ec2, stack, ports.clock, now):
            observed = self._describe(targets, registry, now)
        return self._adopted.read(observed, now, everything=targets is None, dry_run=self._dry_run)

    def _describe(self, targets: Sequence[str] | None, registry: Registry, now: int) -> Observed:
        ports = self._ports
        args = (ports.evidence, registry, self._stack, targets, now)
        try:
            return with_backoff(lambda: observe(ports.ec2, *args), ports.clock)
        except EnforcementError:
            # One page, or one resource, must not hide the rest of the account.
            return observe_apart(ListedApart(ports.ec2, ports.clock), *args)

    def _act(
        self,
        observed: Observed,
        trigger: Trigger,
        queue: WorkQueue,
        registry: Registry,
        deferred: Sequence[VpcOutcome],
        now: int,
    ) -> EnforcementReport:
        """Make the plan and execute it; a dry run only makes it."""
        plan = self._plans.make(observed, trigger, queue, registry, now)
        if self._dry_run:
            return self._report(trigger, queue, plan, outcomes=deferred)
        results = self._execute(plan, trigger, queue, registry, now)
        list_again(observed, trigger, queue, now)
        return self._report(trigger, queue, plan, results, outcomes=[*deferred, *results.outcomes])

    def _record(self, trigger: Trigger, registry: Registry, now: int) -> EnforcementReport:
        """Record flow logs as managed, because a person asked for it."""
        ports = self._ports
        adopted = adoption.adopt(trigger.to_record, registry, ports.ec2, self._stack, ports.clock, now)
        report = self._report(trigger)
        return replace(report, adopted=adopted.flow_logs, remediations=adopted.refused)

    def _defer_new(self, trigger: Trigger, queue: WorkQueue, now: int) -> list[VpcOutcome]:
        """New VPCs in their grace period, for which their creator may still create a flow log."""
        if RUN_MODES[trigger.kind].vpcs != "named":
            return []
        found = new_vpcs(trigger, self._policy.grace_minutes, self._stack, now)
        queued = [
            each
            for each in found
            if each.requeue_after is not None and not queue.unavailable and queue.requeue(each.requeue_after)
        ]
        # In a dry run nothing is deferred: the plan shows what would be done after the grace period.
        return [] if self._dry_run else [each.outcome for each in queued]

    def _execute(
        self, plan: AccountPlan, trigger: Trigger, queue: WorkQueue, registry: Registry, now: int
    ) -> Results:
        """Execute the plan. Log groups come first, because flow logs need them."""
        done = self._log_groups.execute(plan.log_group_steps)
        log_groups = plan.news_of(done, deployed=trigger.deployed)
        mode = RUN_MODES[trigger.kind]
        resumes = mode.resumes_sweep and queue.cursor is not None
        after = queue.cursor.after if resumes and queue.cursor is not None else ""
        ports = self._ports
        flow_logs = FlowLogExecutor(ports.ec2, self._planner, ports.clock, registry)
        run = execute_plans(plan.vpcs, queue, flow_logs, ports.clock, trigger, resumed_after=after)
        outcomes = list(run.outcomes)
        if run.stopped_after is not None and mode.requeues_rest:
            left = unfinished(plan.vpcs, {each.vpc_id for each in outcomes}, now)
            outcomes += settle(left, queue)
        if mode.keeps_cursor or resumes:
            queue.stop_at(None if run.stopped_after is None else Cursor(after=run.stopped_after), now)
        return Results(
            outcomes=tuple(outcomes),
            log_groups=tuple(log_groups),
            tags=tuple(self._tags.execute(plan.vpcs)),
            continues=run.stopped_after is not None,
        )

    def _report(
        self,
        trigger: Trigger,
        queue: WorkQueue | None = None,
        plan: AccountPlan | None = None,
        results: Results | None = None,
        *,
        outcomes: Sequence[VpcOutcome] = (),
    ) -> EnforcementReport:
        report = EnforcementReport(
            account_id=self._stack.account_id,
            region=self._stack.region,
            trigger=trigger,
            outcomes=tuple(outcomes),
            queue_unavailable=queue is not None and queue.unavailable,
            unreadable_items=self._ports.unreadable_items.take(),
        )
        if plan is None:
            return report
        names = {each.vpc_id: each.vpc_state.vpc.tags.get("Name", "") for each in plan.vpcs}
        report = replace(report, names={vpc_id: name for vpc_id, name in names.items() if name.strip()})
        if results is None:
            return replace(
                report,
                plans=tuple(each.plan for each in plan.vpcs),
                log_group_steps=(*plan.subscription_steps, *plan.log_group_steps),
                remediations=(*plan.unreadable, *plan.role, *plan.silences),
            )
        found = (*plan.unreadable, *results.log_groups, *plan.role, *results.tags, *plan.silences)
        # Persistent problems are reported by each sweep, not every few minutes.
        lasting = RUN_MODES[trigger.kind].reports_lasting
        return replace(
            report,
            remediations=tuple(each for each in found if each.applied or lasting),
            **asdict(plan.notices),
            record_command=adoption.command(plan.notices.unrecorded, self._stack),
            continues=results.continues,
        )
