"""Judges whether a VPC is covered by the flow log that the policy requires. Pure.

A flow log belongs to a VPC, a subnet or a network interface. A VPC is covered by a flow log of its own, or
by those of its parts if they cover all of it: each subnet has a flow log, or it has interfaces and each of
them has one. A subnet with neither would be a blind spot as soon as something starts in it.

A property that a description omits is unknown and does not count as drift.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.enforcer.decide.delivery import Delivery, may_deliver
from flowwarden.enforcer.decide.drift import is_managed, is_tagged, is_wanted, log_group_of, other_stack_of
from flowwarden.enforcer.decide.reasons import why_broken, why_uncovered
from flowwarden.enforcer.decide.vpc_state import VpcState, is_overdue, state_of, suits
from flowwarden.enforcer.state.desired import DesiredFlowLog
from flowwarden.enforcer.state.inventory import FlowLog


class Coverage(StrEnum):
    """The coverage of a VPC by the required flow log."""

    COVERED = "COVERED"
    UNCOVERED = "UNCOVERED"
    SKIPPED = "SKIPPED"
    """Another account owns the VPC."""
    EXEMPT = "EXEMPT"
    """The policy exempts the VPC."""
    UNPROVEN = "UNPROVEN"
    """The VPC has the required flow log, but its delivery is not verified yet."""
    BROKEN = "BROKEN"
    """The VPC has the required flow log, which does not deliver. A new flow log would not help."""


class CoverageVerdict(Struct, frozen=True, kw_only=True):
    """The verdict about one VPC, with its reason."""

    vpc_id: str
    resource_id: str = ""
    """The subnet or interface that the verdict is about; '' if it is about the VPC."""
    coverage: Coverage
    reason: str
    flow_log_id: str | None = None
    """The required flow log, if it exists."""
    proven: bool = False
    """Whether records, or a status that has lasted, verify that the required flow log delivers."""
    own: bool = False
    """Whether the required flow log is managed."""
    replaced: tuple[FlowLog, ...] = ()
    """Managed flow logs of the VPC that are not, or no longer, the required one. An unmanaged flow log never
    replaces a required managed one, unless EC2 reports that the managed one fails."""
    duplicates: tuple[str, ...] = ()
    """Unmanaged flow logs that record the same traffic again; those that fail are left out."""
    unproven: tuple[str, ...] = ()
    """The required flow logs of parts of the VPC whose delivery is not verified yet."""
    other_stacks: Mapping[str, tuple[str, ...]] = {}
    """Flow logs with the tag of another stack of Flow Warden, by the stack's name. The tag proves nothing."""


def judge(vpc_state: VpcState) -> CoverageVerdict:
    """Judge one VPC, or one part of it.

    A shared VPC belongs to another account, and only its owner may create a VPC-level flow log: it is
    skipped. A VPC of unknown owner counts as this account's; at worst, EC2 refuses the call. A required flow
    log that delivers is preferred to one that does not, and one that may deliver to one that fails. A flow
    log that the policy only accepts is never preferred to a managed wanted one that may deliver.
    """
    vpc = vpc_state.vpc
    if is_foreign(vpc_state):
        return CoverageVerdict(
            vpc_id=vpc.vpc_id,
            coverage=Coverage.SKIPPED,
            reason=f"owned and shared by account {vpc.owner_id}: only the owner can create its flow log",
        )
    own = [each for each in vpc_state.parts.flow_logs if each.resource_id == vpc_state.resource_id]
    suitable = [(state_of(each, vpc_state), each) for each in own if covers(each, vpc_state)]
    if suitable:
        state, best = min(suitable, key=lambda one: _preference(one[0], one[1], vpc_state))
        verdict = _with_wanted(vpc_state, [*own, *_managed_inside(vpc_state)], best, state)
    else:
        verdict = _without_wanted(vpc_state, own)
    return replace(verdict, resource_id=vpc_state.part, other_stacks=of_other_stacks(vpc_state))


def is_foreign(vpc_state: VpcState) -> bool:
    """Whether another account owns the VPC."""
    return vpc_state.vpc.owner_id not in {"", vpc_state.stack.account_id}


_RANK: Final = {Delivery.DELIVERING: 0, Delivery.UNPROVEN: 1, Delivery.SILENT: 2, Delivery.FAILED: 3}
_COVERAGE: Final = {
    Delivery.DELIVERING: Coverage.COVERED,
    Delivery.UNPROVEN: Coverage.UNPROVEN,
    Delivery.SILENT: Coverage.BROKEN,
    Delivery.FAILED: Coverage.BROKEN,
}


def _preference(state: Delivery, flow_log: FlowLog, vpc_state: VpcState) -> tuple[int, bool, int, int, str]:
    """The sort key: delivering flow logs first, then managed ones (others do not remove them), then older.

    For a flow log that the policy only accepts, the status from EC2 is the only evidence. A status that has
    lasted is weaker than records, so it ranks no higher than a required flow log that may deliver.
    """
    stack, rank = vpc_state.stack, _RANK[state]
    wanted = is_wanted(flow_log, vpc_state.desired, stack)
    counts = rank if wanted else max(rank, _RANK[Delivery.UNPROVEN])
    return counts, not is_managed(flow_log, stack), rank, flow_log.creation_time or 0, flow_log.flow_log_id


def covers(flow_log: FlowLog, vpc_state: VpcState) -> bool:
    """Whether a flow log suits and can be relied on.

    The enforcer cannot repair an unmanaged flow log: one that fails, according to EC2, counts as absent. So
    does one whose delivery is still not verified when it should be (`is_overdue`): others may have made it
    look like the required one. A managed one is not replaced because of silence, which may be a fault of the
    monitor or come from idle hosts.
    """
    if not suits(flow_log, vpc_state):
        return False
    state = state_of(flow_log, vpc_state)
    overdue = state is not Delivery.DELIVERING and is_overdue(flow_log, vpc_state)
    return is_managed(flow_log, vpc_state.stack) or not (state is Delivery.FAILED or overdue)


def _with_wanted(
    vpc_state: VpcState, own: Sequence[FlowLog], best: FlowLog, state: Delivery
) -> CoverageVerdict:
    coverage = _COVERAGE[state]
    relied_on = _relied_on(best, vpc_state)
    reasons = {
        Delivery.DELIVERING: relied_on,
        Delivery.UNPROVEN: f"{relied_on}; its delivery is not verified yet",
    }
    return CoverageVerdict(
        vpc_id=vpc_state.vpc.vpc_id,
        coverage=coverage,
        reason=reasons.get(state) or why_broken(best, state),
        flow_log_id=best.flow_log_id,
        # Without a known age, delivery is not verified.
        proven=state is Delivery.DELIVERING and best.creation_time is not None,
        own=is_managed(best, vpc_state.stack),
        replaced=tuple(each for each in own if _replaces(best, each, vpc_state)),
        duplicates=tuple(
            each.flow_log_id
            for each in vpc_state.parts.flow_logs
            if each.flow_log_id != best.flow_log_id and _is_duplicate(each, vpc_state)
        ),
    )


def _is_duplicate(flow_log: FlowLog, vpc_state: VpcState) -> bool:
    """Whether an unmanaged flow log, but not of another stack, records the traffic again.

    A stack only writes into log groups of its own account: elsewhere, the tag of one excuses nothing.
    """
    stack = vpc_state.stack
    of_other_stack = other_stack_of(flow_log, stack) and log_group_of(flow_log, stack) is not None
    return (
        not (is_tagged(flow_log, stack) or of_other_stack)
        and may_deliver(flow_log)
        and _records_the_same(flow_log, vpc_state.desired)
    )


def _managed_inside(vpc_state: VpcState) -> list[FlowLog]:
    """The managed flow logs of parts of the resource, which are from before a change of the level."""
    wider = {vpc_state.vpc.vpc_id, *(each.subnet_id for each in vpc_state.parts.interfaces)}
    outside = {vpc_state.resource_id} | (wider if vpc_state.part else set())
    return [
        each
        for each in vpc_state.parts.flow_logs
        if each.resource_id not in outside and is_managed(each, vpc_state.stack)
    ]


def of_other_stacks(vpc_state: VpcState) -> dict[str, tuple[str, ...]]:
    """The flow logs with the tag of another stack of Flow Warden, by the stack's name."""
    found: dict[str, tuple[str, ...]] = {}
    for each in vpc_state.parts.flow_logs:
        if name := other_stack_of(each, vpc_state.stack):
            found[name] = (*found.get(name, ()), each.flow_log_id)
    return found


def _relied_on(best: FlowLog, vpc_state: VpcState) -> str:
    if is_wanted(best, vpc_state.desired, vpc_state.stack):
        return f"{best.flow_log_id} is the required flow log"
    where = best.log_destination or best.log_group_name or "an unknown destination"
    return f"unmanaged {best.flow_log_id} records it to {where}, which the monitor reads"


def _replaces(best: FlowLog, other: FlowLog, vpc_state: VpcState) -> bool:
    """Whether the flow log to rely on replaces this one, which is managed.

    An unmanaged flow log may be deleted at any time, and the monitor does not read it. So it never replaces
    a managed one that the policy wants, even if few records arrived lately, unless EC2 reports that the
    managed one fails.
    """
    stack = vpc_state.stack
    if not is_managed(other, stack) or other.flow_log_id == best.flow_log_id:
        return False
    wanted = is_wanted(other, vpc_state.desired, stack) and may_deliver(other)
    return is_managed(best, stack) or not wanted


def _records_the_same(flow_log: FlowLog, desired: DesiredFlowLog) -> bool:
    return (
        "ALL" in {flow_log.traffic_type, desired.traffic_type}
        or flow_log.traffic_type == desired.traffic_type
    )


def _without_wanted(vpc_state: VpcState, own: Sequence[FlowLog]) -> CoverageVerdict:
    """The verdict for a resource without a suitable flow log of its own.

    Unmanaged flow logs of its parts, or of what it is a part of, may cover it. Managed ones do not: they are
    from before a change of the level, and record until the required flow log is verified.
    """
    vpc_id = vpc_state.vpc.vpc_id
    replaced = tuple(each for each in vpc_state.parts.flow_logs if is_managed(each, vpc_state.stack))
    parts = [each for each in vpc_state.parts.flow_logs if each.resource_id != vpc_state.resource_id]
    suitable = [each for each in parts if covers(each, vpc_state) and each not in replaced]
    if not suitable:
        reason = why_uncovered([*own, *parts], vpc_state)
        return CoverageVerdict(vpc_id=vpc_id, coverage=Coverage.UNCOVERED, reason=reason, replaced=replaced)
    without = _uncovered_parts(vpc_state, {each.resource_id for each in suitable})
    if without:
        return CoverageVerdict(
            vpc_id=vpc_id,
            coverage=Coverage.UNCOVERED,
            reason=f"has flow logs for some parts only; not covered: {', '.join(without)}",
            replaced=replaced,
        )
    worst = max((state_of(each, vpc_state) for each in suitable), key=lambda state: _RANK[state])
    if _COVERAGE[worst] is Coverage.BROKEN:
        reason = "; ".join(
            why_broken(each, state) for each in suitable if (state := state_of(each, vpc_state)) is worst
        )
    else:
        reason = (
            f"unmanaged {', '.join(each.flow_log_id for each in suitable)} records it"
            if vpc_state.part
            else "each subnet has its own flow log or one for each of its interfaces "
            f"({len(suitable)} in all)"
        )
    return CoverageVerdict(
        vpc_id=vpc_id,
        coverage=_COVERAGE[worst],
        reason=reason,
        proven=worst is Delivery.DELIVERING,
        replaced=replaced,
    )


def _uncovered_parts(vpc_state: VpcState, watched: set[str]) -> tuple[str, ...]:
    """Subnets without a flow log of their own or of all their interfaces; the VPC if it has no subnets.

    A part of a VPC is also covered by a flow log of the VPC.
    """
    if vpc_state.vpc.vpc_id in watched:
        return ()
    inside: dict[str, list[str]] = {each.subnet_id: [] for each in vpc_state.parts.subnets}
    for interface in vpc_state.parts.interfaces:
        inside.setdefault(interface.subnet_id, []).append(interface.interface_id)
    without = tuple(
        subnet
        for subnet, interfaces in sorted(inside.items())
        if subnet not in watched and not (interfaces and watched.issuperset(interfaces))
    )
    return without if inside else (vpc_state.resource_id,)
