"""Turns a verdict into a plan: ordered steps as data that can be printed before anything is executed.

Flow logs cannot be modified, so a change is a replacement: create the required one, verify that it delivers,
then delete the old managed one. That takes several runs; each makes a new plan from what it observes.

- A plan deletes a flow log only if the VPC is covered without it: by a required flow log whose delivery is
  verified, or (when a replacement failed) by the old flow log that the rollback returns to.
- Only managed flow logs are ever deleted: they have this stack's tag and the record of their creation. A
  required one is deleted in favor of an unmanaged one only if EC2 reports that the required one fails.
- A replacement never writes to the destination of the old one: one log group has one format, and EC2 may
  refuse a second flow log there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from flowwarden.enforcer.decide import cost
from flowwarden.enforcer.decide.coverage import Coverage, CoverageVerdict, judge
from flowwarden.enforcer.decide.delivery import SETTLED_SECONDS, may_deliver, reports_failure
from flowwarden.enforcer.decide.destination import LogDestinations, choose_destination
from flowwarden.enforcer.decide.drift import is_managed
from flowwarden.enforcer.decide.vpc_state import VpcState, tells_apart
from flowwarden.enforcer.state.desired import BACKOFF_SECONDS, BACKOFF_TAG, DesiredFlowLog
from flowwarden.enforcer.state.inventory import FlowLog

RECHECK_SECONDS: Final = 15 * 60


class Create(Struct, frozen=True, kw_only=True, tag=True, omit_defaults=True):
    """Create this flow log for this VPC, or for a part of it."""

    vpc_id: str
    resource_id: str = ""
    """The subnet or interface in the VPC; '' for the VPC."""
    reason: str
    flow_log: DesiredFlowLog
    monthly_dollars: float

    @property
    def target(self) -> str:
        """The id of the resource whose traffic the flow log records."""
        return self.resource_id or self.vpc_id


class Verify(Struct, frozen=True, kw_only=True, tag=True):
    """Check after `after` seconds whether the required flow log delivers."""

    vpc_id: str
    reason: str
    after: int


class Delete(Struct, frozen=True, kw_only=True, tag=True):
    """Delete a managed flow log that another one replaces."""

    vpc_id: str
    flow_log_id: str
    reason: str


class RollBack(Struct, frozen=True, kw_only=True, tag=True):
    """Delete a managed replacement that failed, and put it on hold: the old flow log stays in place."""

    vpc_id: str
    flow_log_id: str
    reason: str
    configuration: str
    """The configuration that is on hold, that is, not retried for `BACKOFF_SECONDS`."""


class Wait(Struct, frozen=True, kw_only=True, tag=True):
    """Do nothing yet; check again after `after` seconds."""

    vpc_id: str
    reason: str
    after: int
    then: tuple[Create | Verify, ...] = ()
    """The plan at that time if nothing changes. For display only."""


class Tag(Struct, frozen=True, kw_only=True, tag=True):
    """Set these tags of a managed flow log, which are missing or have other values. Other tags are kept."""

    vpc_id: str
    flow_log_id: str
    tags: dict[str, str]


class Notify(Struct, frozen=True, kw_only=True, tag=True):
    """Notify operations that this VPC requires action."""

    vpc_id: str
    reason: str


type Step = Create | Verify | Delete | RollBack | Wait | Tag | Notify


class Plan(Struct, frozen=True, kw_only=True):
    """The verdict about one VPC, or about a part of it, and the steps that follow from it, if any."""

    verdict: CoverageVerdict
    steps: tuple[Step, ...] = ()
    """All steps, those of its parts first."""
    parts: tuple[Plan, ...] = ()
    """The plans of its subnets or interfaces, if the policy asks for flow logs of these."""


class PlanContext(Struct, frozen=True, kw_only=True):
    """The inputs of a plan other than the VPC itself."""

    places: LogDestinations = LogDestinations()
    """What flow logs of any VPC write to each destination."""
    grace_until: int | None = None
    """End of the grace period (Unix seconds) in which the creator of the VPC may cover it."""
    backoff_configuration: str = ""
    """The configuration of a replacement that failed recently."""
    backoff_until: int = 0
    exempt: str | None = None
    """Why the policy exempts the VPC; None if it does not."""


def make(vpc_state: VpcState, context: PlanContext) -> Plan:
    """The plan for one VPC."""
    if not vpc_state.selected:
        return _remove(vpc_state)
    verdict = judge(vpc_state)
    if context.exempt is not None and verdict.coverage is not Coverage.SKIPPED:
        vpc_id, reason = vpc_state.vpc.vpc_id, f"exempt: {context.exempt}"
        return Plan(verdict=CoverageVerdict(vpc_id=vpc_id, coverage=Coverage.EXEMPT, reason=reason))
    match verdict.coverage:
        case Coverage.UNCOVERED:
            return Plan(verdict=verdict, steps=_cover(vpc_state, context, verdict))
        case Coverage.BROKEN:
            return Plan(verdict=verdict, steps=_repair(vpc_state, verdict))
        case Coverage.COVERED | Coverage.UNPROVEN:
            return Plan(
                verdict=verdict, steps=(*_delete_replaced(vpc_state, verdict), *_tag(vpc_state, verdict))
            )
        case Coverage.SKIPPED | Coverage.EXEMPT:
            return Plan(verdict=verdict)


def _remove(vpc_state: VpcState) -> Plan:
    """Delete the managed flow logs of a transit gateway that the policy does not select.

    With a tag that could not be read, the policy might select it: then nothing is deleted.
    """
    vpc_id = vpc_state.vpc.vpc_id
    verdict = CoverageVerdict(
        vpc_id=vpc_id, coverage=Coverage.EXEMPT, reason="the policy does not select the transit gateway"
    )
    steps = tuple(
        Delete(vpc_id=vpc_id, flow_log_id=each.flow_log_id, reason=verdict.reason)
        for each in vpc_state.parts.flow_logs
        if vpc_state.complete and each.resource_id == vpc_id and is_managed(each, vpc_state.stack)
    )
    return Plan(verdict=verdict, steps=steps)


def _cover(vpc_state: VpcState, context: PlanContext, verdict: CoverageVerdict) -> tuple[Step, ...]:
    vpc_id, now = verdict.vpc_id, vpc_state.at
    until = context.grace_until
    if until is not None and until > now and not verdict.replaced:
        reason = f"{verdict.reason}; the VPC is new, and its creator may be about to create a flow log"
        then = _create(vpc_state, context, verdict)
        return (Wait(vpc_id=vpc_id, reason=reason, after=until - now, then=then),)
    backoff_until = _backoff_until(vpc_state, context)
    if backoff_until > now and _delivers(verdict.replaced):
        reason = f"{verdict.reason}; its replacement failed to deliver and is retried later"
        return (Wait(vpc_id=vpc_id, reason=reason, after=backoff_until - now),)
    return _create(vpc_state, context, verdict)


def _backoff_until(vpc_state: VpcState, context: PlanContext) -> int:
    """Until when the required configuration is on hold: from the work queue or, if that is lost, a tag."""
    wanted, now = vpc_state.desired.configuration, vpc_state.at
    found = [context.backoff_until] if context.backoff_configuration == wanted else []
    for each in vpc_state.parts.flow_logs:
        configuration, _, until = each.tags.get(BACKOFF_TAG, "").partition(" until ")
        if is_managed(each, vpc_state.stack) and configuration == wanted and until.isdecimal():
            found.append(int(until))
    # A tag written by another party must not hold it forever.
    return max((each for each in found if each <= now + BACKOFF_SECONDS), default=0)


def _create(vpc_state: VpcState, context: PlanContext, verdict: CoverageVerdict) -> tuple[Create, Verify]:
    vpc_id = verdict.vpc_id
    active = sum(each.at_work for each in vpc_state.parts.interfaces)
    wanted = choose_destination(vpc_state.desired, vpc_state.parts, context.places, vpc_state.stack)
    create = Create(
        vpc_id=vpc_id,
        resource_id=verdict.resource_id,
        reason=verdict.reason,
        flow_log=wanted,
        monthly_dollars=cost.monthly_dollars(wanted, active),
    )
    then = "then delete the old managed flow log" if verdict.replaced else "new flow logs must be verified"
    return create, Verify(vpc_id=vpc_id, reason=then, after=SETTLED_SECONDS)


def _delete_replaced(vpc_state: VpcState, verdict: CoverageVerdict) -> tuple[Step, ...]:
    """Delete what the required flow log replaces, once its delivery is verified; until then, check again."""
    if verdict.proven and verdict.flow_log_id:
        # Flow logs of the parts do not cover parts that are added later, so nothing is deleted for them.
        best = next(each for each in vpc_state.parts.flow_logs if each.flow_log_id == verdict.flow_log_id)
        return tuple(
            Delete(
                vpc_id=verdict.vpc_id,
                flow_log_id=each.flow_log_id,
                reason=f"{verdict.flow_log_id} delivers in its place",
            )
            for each in verdict.replaced
            if each.resource_id == best.resource_id or tells_apart(best, each, vpc_state)
        )
    if verdict.coverage is Coverage.UNPROVEN and (verdict.replaced or _is_young(vpc_state, verdict)):
        return (Verify(vpc_id=verdict.vpc_id, reason=verdict.reason, after=RECHECK_SECONDS),)
    return ()


def _tag(vpc_state: VpcState, verdict: CoverageVerdict) -> Iterator[Tag]:
    """Tags can be changed without a replacement. Tags that the policy does not name may belong to others."""
    for each in vpc_state.parts.flow_logs:
        wanted = vpc_state.desired.tags.items()
        tags = {key: value for key, value in wanted if each.tags.get(key) != value}
        if tags and each.flow_log_id == verdict.flow_log_id and is_managed(each, vpc_state.stack):
            yield Tag(vpc_id=verdict.vpc_id, flow_log_id=each.flow_log_id, tags=tags)


def _repair(vpc_state: VpcState, verdict: CoverageVerdict) -> tuple[Step, ...]:
    """For a flow log that does not deliver: roll back to the old one if that delivers, and always notify."""
    notify = Notify(vpc_id=verdict.vpc_id, reason=verdict.reason)
    failed = verdict.flow_log_id
    reported = any(each.flow_log_id == failed and reports_failure(each) for each in vpc_state.parts.flow_logs)
    # Silence alone may be a fault of the monitor, so nothing is deleted because of it.
    if failed is None or not (verdict.own and reported and _delivers(verdict.replaced)):
        return (notify,)
    back = RollBack(
        vpc_id=verdict.vpc_id,
        flow_log_id=failed,
        reason=f"{verdict.reason}; until then, {verdict.replaced[0].flow_log_id} stays in place",
        configuration=vpc_state.desired.configuration,
    )
    return back, notify


def _delivers(flow_logs: Iterable[FlowLog]) -> bool:
    return any(may_deliver(each) for each in flow_logs)


def _is_young(vpc_state: VpcState, verdict: CoverageVerdict) -> bool:
    """Whether the flow log is so new that its delivery should be checked before the next sweep."""
    return any(
        each.flow_log_id == verdict.flow_log_id
        and vpc_state.at - (vpc_state.readable_since(each) or 0) < 2 * RECHECK_SECONDS + SETTLED_SECONDS
        for each in vpc_state.parts.flow_logs
    )
