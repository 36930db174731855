"""What to do about a verdict: ordered steps as data that can be printed before anything is done.

Flow logs cannot be changed, so a change is a replacement: create the wanted one, verify that it delivers,
then delete our own old one. That takes several looks; each makes the plan anew from what it finds.

- `Delete` only stands in a plan whose VPC is covered without what it deletes: by a wanted flow log that is
  proven to deliver, or (a replacement that failed) by the old one that it goes back to.
- Only what carries this stack's tag is ever deleted; what is wanted, never for what somebody else made,
  unless EC2 says that it fails.
- A replacement never goes where the old one writes: one log group has one format, and EC2 may refuse it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from flowwarden.enforcer.decide import cost
from flowwarden.enforcer.decide.coverage import Coverage, CoverageVerdict, VpcState, judge
from flowwarden.enforcer.decide.delivery import FAILED, SETTLED_SECONDS
from flowwarden.enforcer.decide.destination import LogDestinations, choose_destination
from flowwarden.enforcer.decide.drift import is_own
from flowwarden.enforcer.state.desired import HELD_TAG, DesiredFlowLog
from flowwarden.enforcer.state.inventory import FlowLog

LOOK_AGAIN_SECONDS: Final = 15 * 60
HOLD_SECONDS: Final = 24 * 3600
"""How long a replacement that failed is not tried again, unless policy wants another one meanwhile."""


class Create(Struct, frozen=True, kw_only=True, tag=True):
    """Create this flow log in this VPC."""

    vpc_id: str
    reason: str
    flow_log: DesiredFlowLog
    monthly_dollars: float


class Verify(Struct, frozen=True, kw_only=True, tag=True):
    """Look again, after some seconds, whether the wanted flow log delivers."""

    vpc_id: str
    reason: str
    after: int


class Delete(Struct, frozen=True, kw_only=True, tag=True):
    """Delete our own flow log that another one stands for."""

    vpc_id: str
    flow_log_id: str
    reason: str


class RollBack(Struct, frozen=True, kw_only=True, tag=True):
    """Delete our own replacement that failed, and leave it for a while: the old one goes on."""

    vpc_id: str
    flow_log_id: str
    reason: str
    configuration: str
    """That is not tried again for a while."""


class Wait(Struct, frozen=True, kw_only=True, tag=True):
    """Do nothing yet: look again after some seconds."""

    vpc_id: str
    reason: str
    after: int
    then: tuple[Create | Verify, ...] = ()
    """What the plan will be by then, if nothing changes; only to be told."""


class Tag(Struct, frozen=True, kw_only=True, tag=True):
    """Set these tags of our own flow log, which are missing or have other values; no others are touched."""

    vpc_id: str
    flow_log_id: str
    tags: dict[str, str]


class Notify(Struct, frozen=True, kw_only=True, tag=True):
    """Tell people: this VPC needs somebody."""

    vpc_id: str
    reason: str


type Step = Create | Verify | Delete | RollBack | Wait | Tag | Notify


class Plan(Struct, frozen=True, kw_only=True):
    """The steps for one VPC, none where nothing is to be done, and the verdict that they are for."""

    verdict: CoverageVerdict
    steps: tuple[Step, ...] = ()


class PlanContext(Struct, frozen=True, kw_only=True):
    """What counts besides the VPC itself."""

    places: LogDestinations = LogDestinations()
    """What is written where, by flow logs of any VPC."""
    grace_until: int | None = None
    """Until when (Unix seconds) whoever made the VPC may cover it."""
    held: str = ""
    """The configuration of a replacement that failed lately."""
    held_until: int = 0
    exempt: str | None = None
    """Why policy says that the VPC needs no flow log."""


def make(vpc_state: VpcState, context: PlanContext) -> Plan:
    """The plan for one VPC."""
    verdict = judge(vpc_state)
    if context.exempt is not None and verdict.coverage is not Coverage.SKIPPED:
        vpc_id, reason = vpc_state.vpc.vpc_id, f"exempt: {context.exempt}"
        return Plan(verdict=CoverageVerdict(vpc_id=vpc_id, coverage=Coverage.EXEMPT, reason=reason))
    match verdict.coverage:
        case Coverage.UNCOVERED:
            return Plan(verdict=verdict, steps=_cover(vpc_state, context, verdict))
        case Coverage.BROKEN:
            return Plan(verdict=verdict, steps=_mend(vpc_state, verdict))
        case Coverage.COVERED | Coverage.UNPROVEN:
            return Plan(verdict=verdict, steps=(*_tidy(vpc_state, verdict), *_tag(vpc_state, verdict)))
        case Coverage.SKIPPED | Coverage.EXEMPT:
            return Plan(verdict=verdict)


def _cover(vpc_state: VpcState, context: PlanContext, verdict: CoverageVerdict) -> tuple[Step, ...]:
    vpc_id, now = verdict.vpc_id, vpc_state.at
    until = context.grace_until
    if until is not None and until > now and not verdict.replaced:
        reason = f"{verdict.reason}; it is new, and whoever made it may be about to cover it"
        then = _create(vpc_state, context, verdict)
        return (Wait(vpc_id=vpc_id, reason=reason, after=until - now, then=then),)
    held_until = _held_until(vpc_state, context)
    if held_until > now and _delivers(verdict.replaced):
        reason = f"{verdict.reason}; its replacement failed to deliver, and is tried again later"
        return (Wait(vpc_id=vpc_id, reason=reason, after=held_until - now),)
    return _create(vpc_state, context, verdict)


def hold(configuration: str, now: int) -> str:
    """The value of the tag that keeps a configuration from being tried again for a while."""
    return f"{configuration} until {now + HOLD_SECONDS}"


def _held_until(vpc_state: VpcState, context: PlanContext) -> int:
    """Until when the wanted configuration is not tried again: as the list says, or a tag if that is lost."""
    wanted, now = vpc_state.desired.configuration, vpc_state.at
    found = [context.held_until] if context.held == wanted else []
    for each in vpc_state.parts.flow_logs:
        configuration, _, until = each.tags.get(HELD_TAG, "").partition(" until ")
        if is_own(each, vpc_state.stack) and configuration == wanted and until.isdecimal():
            found.append(int(until))
    # A tag that somebody else wrote must not hold it for ever.
    return max((each for each in found if each <= now + HOLD_SECONDS), default=0)


def _create(vpc_state: VpcState, context: PlanContext, verdict: CoverageVerdict) -> tuple[Create, Verify]:
    vpc_id = verdict.vpc_id
    active = sum(each.at_work for each in vpc_state.parts.interfaces)
    wanted = choose_destination(vpc_state.desired, vpc_state.parts, context.places, vpc_state.stack)
    create = Create(
        vpc_id=vpc_id,
        reason=verdict.reason,
        flow_log=wanted,
        monthly_dollars=cost.monthly_dollars(wanted, active),
    )
    then = "then our old one is deleted" if verdict.replaced else "it has to be seen to deliver"
    return create, Verify(vpc_id=vpc_id, reason=then, after=SETTLED_SECONDS)


def _tidy(vpc_state: VpcState, verdict: CoverageVerdict) -> tuple[Step, ...]:
    """Delete what the wanted flow log stands for, once it is proven to deliver; until then look again."""
    if verdict.proven and verdict.flow_log_id:
        # What covers the parts of a VPC covers no part that comes later, so nothing is deleted for it.
        return tuple(
            Delete(
                vpc_id=verdict.vpc_id,
                flow_log_id=each.flow_log_id,
                reason=f"{verdict.flow_log_id} delivers in its place",
            )
            for each in verdict.replaced
        )
    if verdict.coverage is Coverage.UNPROVEN and (verdict.replaced or _is_young(vpc_state, verdict)):
        return (Verify(vpc_id=verdict.vpc_id, reason=verdict.reason, after=LOOK_AGAIN_SECONDS),)
    return ()


def _tag(vpc_state: VpcState, verdict: CoverageVerdict) -> Iterator[Tag]:
    """Tags can be changed, so they need no replacement. What policy does not name may be somebody's."""
    for each in vpc_state.parts.flow_logs:
        wanted = vpc_state.desired.tags.items()
        tags = {key: value for key, value in wanted if each.tags.get(key) != value}
        if tags and each.flow_log_id == verdict.flow_log_id and is_own(each, vpc_state.stack):
            yield Tag(vpc_id=verdict.vpc_id, flow_log_id=each.flow_log_id, tags=tags)


def _mend(vpc_state: VpcState, verdict: CoverageVerdict) -> tuple[Step, ...]:
    """What does not deliver: back to the old one, if that does; and people are told in any case."""
    notify = Notify(vpc_id=verdict.vpc_id, reason=verdict.reason)
    failed = verdict.flow_log_id
    said = any(
        each.flow_log_id == failed and each.deliver_logs_status == FAILED
        for each in vpc_state.parts.flow_logs
    )
    # Silence alone may be the monitor's: nothing is deleted for it.
    if failed is None or not (verdict.own and said and _delivers(verdict.replaced)):
        return (notify,)
    back = RollBack(
        vpc_id=verdict.vpc_id,
        flow_log_id=failed,
        reason=f"{verdict.reason}; until then {verdict.replaced[0].flow_log_id} goes on",
        configuration=vpc_state.desired.configuration,
    )
    return back, notify


def _delivers(flow_logs: Iterable[FlowLog]) -> bool:
    return any(each.deliver_logs_status != FAILED for each in flow_logs)


def _is_young(vpc_state: VpcState, verdict: CoverageVerdict) -> bool:
    """Whether the next sweep would be late to tell whether the flow log delivers."""
    return any(
        each.flow_log_id == verdict.flow_log_id
        and is_own(each, vpc_state.stack)
        and vpc_state.at - (each.creation_time or 0) < 2 * LOOK_AGAIN_SECONDS + SETTLED_SECONDS
        for each in vpc_state.parts.flow_logs
    )
