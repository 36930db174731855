"""Gives every VPC the flow log that policy wants, one VPC's failure never in another's way.

How it ends for a VPC, and what follows:

- Nothing to do, or nothing to do any more (covered, skipped, gone): the log says so.
- Created: told to operations. If telling failed, the retry finds the VPC covered. So a flow log with this
  stack's tag that was made since the event counts as created too, and is told: by each further delivery
  of the same event once more, and also by a run whose event is older than what another run just
  made. One report too many is better than none.
- Failed for a reason that passes (throttling, outage): told, and EnforcementIncomplete is raised, so that
  Lambda runs the same event again and then keeps it in the failure queue.
- Refused until somebody acts (permission, quota, another flow log in the way), or the wanted flow log
  does not deliver: told, once by each run and for all VPCs in one notification, and not raised, because a
  retry would be refused too. So an hourly sweep repeats itself hourly. That is on purpose: the VPC is
  unwatched all that time, and silence would look like peace.

EC2 shows what it has with some delay. A VPC that its creation event names but that EC2 does not know is
either not visible yet or deleted already; a flow log that EC2 says exists but does not list may be the
wanted one. Until FRESH_SECONDS after the event both count as pending: not told, but raised. Lambda
retries after one and two minutes more, so the last attempt is past that age: it takes the VPC for gone,
so that one that lived for seconds leaves nothing in the failure queue, and tells the hidden flow log as
a failure.
Raising is the only way to ask Lambda for a retry, and Lambda counts it as an error of the function: each
pending attempt shows in the metric behind the alarm `enforcer-errors`, though nothing is wrong yet.

The token of a creation holds the event's id, or the sweep's time. Retries of the same event repeat one
request; a later sweep makes another. Whether EC2 shows what it just created is not looked at: it may
not for a while, and the next sweep looks anyway. Where an event and a sweep meet in one VPC, the second
is told FlowLogAlreadyExists, and looks again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import batched

from msgspec.structs import replace

from flowwarden.alerting.enforcement_report import render
from flowwarden.compliance import coverage, plan
from flowwarden.compliance.coverage import Coverage, Verdict
from flowwarden.compliance.desired import DesiredFlowLog
from flowwarden.compliance.inventory import FlowLog, Vpc
from flowwarden.compliance.report import EnforcementReport, Outcome, Result
from flowwarden.compliance.triggers import Scope, Trigger
from flowwarden.errors import (
    CallFailed,
    CallRefused,
    EnforcementError,
    EnforcementIncomplete,
    FlowLogExists,
    VpcGone,
)
from flowwarden.ports import FlowLogService, Sink

VPCS_PER_LOOK = 200
"""VPCs whose flow logs are looked at together; a failed look costs these and no others."""
FRESH_SECONDS = 120
"""How long after an event EC2 may not show yet what exists: a new VPC, a flow log."""

RESULTS = {
    Coverage.COVERED: Result.COVERED,
    Coverage.SKIPPED: Result.SKIPPED,
    Coverage.BROKEN: Result.BROKEN,
}
"""How a verdict ends that leads to no creation."""


class EnforcingService:
    """Covers the VPCs of one account in one region."""

    def __init__(
        self,
        flow_logs: FlowLogService,
        reports: Sink,
        desired: DesiredFlowLog,
        *,
        account_id: str,
        region: str,
    ) -> None:
        self._ec2 = flow_logs
        self._reports = reports
        self._desired = desired
        self._account_id = account_id
        self._region = region

    @property
    def region(self) -> str:
        """The region whose VPCs are covered."""
        return self._region

    def enforce(self, trigger: Trigger, now: int) -> EnforcementReport:
        """Look at the VPCs that the trigger concerns and create what is missing.

        Args:
            trigger: what set the enforcer off.
            now: Unix seconds; tells how old the trigger is.

        Returns:
            One outcome for each VPC; the failures of EC2 are among them, not raised. Hand it to `tell`.
        """
        outcomes = () if trigger.scope is Scope.NOTHING else tuple(self._outcomes(trigger, now))
        return EnforcementReport(
            account_id=self._account_id, region=self._region, trigger=trigger, outcomes=outcomes
        )

    def tell(self, report: EnforcementReport) -> None:
        """Tell operations if there is news, then say whether the event must be retried.

        Raises:
            PublishFailed: operations could not be told.
            EnforcementIncomplete: a retry may cover what is not covered yet.
        """
        if report.is_news:
            self._reports.send(render(report))
        if report.unfinished:
            named = ", ".join(each.vpc_id or "the list of VPCs" for each in report.unfinished)
            raise EnforcementIncomplete(f"not covered yet, a retry may do it: {named}")

    def _outcomes(self, trigger: Trigger, now: int) -> Iterator[Outcome]:
        vpcs, failure = self._find(trigger)
        if failure is not None:
            yield failure
        for some in batched(vpcs, VPCS_PER_LOOK, strict=False):
            yield from self._cover_some(some, trigger, now)

    def _find(self, trigger: Trigger) -> tuple[list[Vpc], Outcome | None]:
        """The VPCs to look at, and what went wrong while listing them.

        What was listed before a failure is still looked at. A named VPC that is not listed is looked at
        too, with the owner that its creation event tells: it may not be visible yet.
        """
        failure = None
        names = None if trigger.scope is Scope.EVERYTHING else [each.vpc_id for each in trigger.vpcs]
        found: dict[str, Vpc] = {}
        try:
            for vpc in self._ec2.vpcs(names):
                found[vpc.vpc_id] = vpc
        except (CallRefused, CallFailed) as error:
            failure = _failed(None, error)
        for each in trigger.vpcs:
            found.setdefault(each.vpc_id, Vpc(vpc_id=each.vpc_id, owner_id=each.owner_id))
        return list(found.values()), failure

    def _cover_some(self, vpcs: Sequence[Vpc], trigger: Trigger, now: int) -> Iterator[Outcome]:
        try:
            flow_logs = _by_vpc(self._existing(vpcs, trigger))
        except (CallRefused, CallFailed) as error:
            yield from (_failed(vpc.vpc_id, error) for vpc in vpcs)
            return
        for vpc in vpcs:
            yield self._cover(vpc, flow_logs.get(vpc.vpc_id, []), trigger, now)

    def _cover(self, vpc: Vpc, flow_logs: list[FlowLog], trigger: Trigger, now: int) -> Outcome:
        verdict = self._judge(vpc, flow_logs)
        for step in plan.make(verdict):
            if isinstance(step, plan.Create):
                return self._create(vpc, step.reason, trigger, now)
        return self._settle(verdict, flow_logs, trigger)

    def _create(self, vpc: Vpc, reason: str, trigger: Trigger, now: int) -> Outcome:
        # An event that tells nothing of itself must not repeat the request of another one.
        token = self._desired.client_token(vpc.vpc_id, trigger.occasion or f"at {now}")
        try:
            flow_log_id = self._ec2.create(vpc.vpc_id, self._desired, token)
        except FlowLogExists as error:
            return self._look_again(vpc, error, trigger, now)
        except VpcGone as error:
            return _missing(vpc.vpc_id, error, trigger, now)
        except (CallRefused, CallFailed) as error:
            return _failed(vpc.vpc_id, error)
        return Outcome(
            result=Result.CREATED,
            vpc_id=vpc.vpc_id,
            reason=f"the VPC {reason}: created {flow_log_id}",
            flow_log_id=flow_log_id,
        )

    def _look_again(self, vpc: Vpc, exists: FlowLogExists, trigger: Trigger, now: int) -> Outcome:
        """After EC2 said that such a flow log exists: only the wanted one counts as success."""
        try:
            flow_logs = self._existing([vpc], trigger)
        except (CallRefused, CallFailed) as error:
            return _failed(vpc.vpc_id, error)
        verdict = self._judge(vpc, flow_logs)
        if verdict.coverage is not Coverage.UNCOVERED:
            return self._settle(verdict, flow_logs, trigger)
        in_the_way = any(
            coverage.same_destination(each, self._desired, self._account_id) for each in flow_logs
        )
        if not in_the_way:
            return _hidden(vpc.vpc_id, exists, trigger, now)
        return _failed(
            vpc.vpc_id,
            CallRefused(
                f"{exists}; in its way: the VPC {verdict.reason}; delete that flow log if it is yours"
            ),
        )

    def _existing(self, vpcs: Sequence[Vpc], trigger: Trigger) -> list[FlowLog]:
        """The flow logs of these VPCs, without those that the trigger says were deleted.

        EC2 may list a deleted flow log for a while, and the VPC would pass for covered.
        """
        listed = self._ec2.flow_logs([vpc.vpc_id for vpc in vpcs])
        return [each for each in listed if each.flow_log_id not in trigger.deleted]

    def _settle(self, verdict: Verdict, flow_logs: Iterable[FlowLog], trigger: Trigger) -> Outcome:
        """How a verdict ends without a creation: as created if the flow log was made since the event."""
        outcome = _settled(verdict)
        if verdict.coverage is not Coverage.COVERED or trigger.happened_at is None:
            return outcome
        for each in flow_logs:
            if each.flow_log_id == verdict.flow_log_id and self._is_news(each, trigger.happened_at):
                reason = f"{each.flow_log_id} was created since this event, by an earlier or another run"
                return replace(outcome, result=Result.CREATED, reason=reason, earlier=True)
        return outcome

    def _is_news(self, flow_log: FlowLog, since: int) -> bool:
        own = coverage.is_own(flow_log, self._desired)
        return own and flow_log.creation_time is not None and flow_log.creation_time >= since

    def _judge(self, vpc: Vpc, flow_logs: Iterable[FlowLog]) -> Verdict:
        return coverage.judge(vpc, flow_logs, self._desired, self._account_id)


def _by_vpc(flow_logs: Iterable[FlowLog]) -> dict[str, list[FlowLog]]:
    found: dict[str, list[FlowLog]] = {}
    for flow_log in flow_logs:
        found.setdefault(flow_log.resource_id, []).append(flow_log)
    return found


def _settled(verdict: Verdict) -> Outcome:
    return Outcome(
        result=RESULTS[verdict.coverage],
        vpc_id=verdict.vpc_id,
        reason=verdict.reason,
        flow_log_id=verdict.flow_log_id,
    )


def _failed(vpc_id: str | None, error: EnforcementError) -> Outcome:
    return Outcome(
        result=Result.FAILED, vpc_id=vpc_id, reason=str(error), retryable=isinstance(error, CallFailed)
    )


def _missing(vpc_id: str, error: VpcGone, trigger: Trigger, now: int) -> Outcome:
    """EC2 does not know the VPC: not yet, if it was created a moment ago; otherwise not any more."""
    named = any(each.vpc_id == vpc_id for each in trigger.vpcs)
    age = _age(trigger, now)
    if named and age is not None and age < FRESH_SECONDS:
        reason = f"created {age} s ago and not visible yet ({error})"
        return Outcome(result=Result.PENDING, vpc_id=vpc_id, reason=reason, retryable=True)
    return Outcome(result=Result.GONE, vpc_id=vpc_id, reason=f"deleted meanwhile ({error})")


def _hidden(vpc_id: str, exists: FlowLogExists, trigger: Trigger, now: int) -> Outcome:
    """EC2 says that the flow log exists and does not list it: not yet, or after a while a failure."""
    reason = f"{exists}; it does not show up yet, so nobody can tell whether it is wanted"
    age = _age(trigger, now)
    fresh = age is not None and age < FRESH_SECONDS
    return Outcome(
        result=Result.PENDING if fresh else Result.FAILED, vpc_id=vpc_id, reason=reason, retryable=True
    )


def _age(trigger: Trigger, now: int) -> int | None:
    """Seconds since the event; None if unknown, or if it lies further ahead than clocks differ."""
    born = trigger.happened_at
    if born is None or born - now > FRESH_SECONDS:
        return None
    return max(0, now - born)
