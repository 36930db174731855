"""Is a VPC covered by the flow log that policy wants? Pure: what exists goes in, a verdict comes out.

Flow logs are made for a VPC, for a subnet or for a network interface. A VPC is covered by one of its own, or
wholly by those of its parts: each subnet has one, or has interfaces and each of them has one. A subnet
without either would be blind as soon as something starts in it.

What a description leaves out is unknown, which is no drift.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct

from flowwarden.enforcer.decide.delivery import FAILED, Delivery, DeliveryInputs, Seen, delivery
from flowwarden.enforcer.decide.drift import differences, is_own, is_wanted, log_group_of
from flowwarden.enforcer.state.desired import DesiredFlowLog
from flowwarden.enforcer.state.inventory import FlowLog, Vpc, VpcResources
from flowwarden.enforcer.state.stack import Stack
from flowwarden.network.interface import NetworkInterface

MENDING: Final = {
    "Access error": (
        "check that the delivery role trusts vpc-flow-logs.amazonaws.com, that it may write to the log "
        "group, that the group exists, and that the group's KMS key lets CloudWatch Logs use it; for S3 and "
        "Firehose, that the bucket's policy lets delivery.logs.amazonaws.com write or that the stream exists"
    ),
    "Rate limited": "ask for a higher CloudWatch Logs quota (PutLogEvents) in this region",
}
"""What DescribeFlowLogs says about failed deliveries, and what to do (EC2 API reference, FlowLog)."""
MENDING_UNKNOWN: Final = (
    "delete this flow log and let the next sweep make it anew; if it fails again, ask AWS Support"
)
MENDING_SILENCE: Final = (
    "EC2 reports no failure: check that the log group's subscription filter hands every line to the monitor, "
    "and that the delivery role may write to the group"
)


class Coverage(StrEnum):
    """How a VPC stands towards the wanted flow log."""

    COVERED = "COVERED"
    UNCOVERED = "UNCOVERED"
    SKIPPED = "SKIPPED"
    """Another account's."""
    EXEMPT = "EXEMPT"
    """Policy says that it needs none."""
    UNPROVEN = "UNPROVEN"
    """It has the wanted flow log, of which nobody can say yet that it delivers."""
    BROKEN = "BROKEN"
    """It has the wanted flow log, which does not deliver: a blind spot that creating would not mend."""


class CoverageVerdict(Struct, frozen=True, kw_only=True):
    """What was found about one VPC, and why."""

    vpc_id: str
    coverage: Coverage
    reason: str
    flow_log_id: str | None = None
    """The wanted flow log, where it exists."""
    proven: bool = False
    """Whether records, or a status that has lasted, prove that the wanted flow log delivers."""
    own: bool = False
    """Whether the wanted flow log carries this stack's tag."""
    replaced: tuple[FlowLog, ...] = ()
    """Flow logs of the VPC with this stack's tag that are not, or not any more, the wanted one. What somebody
    else made replaces none that is wanted, unless EC2 says that it fails."""
    duplicates: tuple[str, ...] = ()
    """Other flow logs, made by others, that record the same traffic, at as much cost; none that fails."""
    uncovered_parts: tuple[str, ...] = ()
    """Subnets without a flow log, where some parts have one."""


class VpcState(Struct, frozen=True, kw_only=True):
    """All that is known about one VPC at one moment."""

    vpc: Vpc
    parts: VpcResources
    desired: DesiredFlowLog
    stack: Stack
    seen: Seen = {}
    at: int
    """Unix seconds."""
    foreign_is_enough: bool = False

    def watched_by(self, flow_log: FlowLog) -> tuple[NetworkInterface, ...]:
        """The interfaces that a flow log of the VPC, or of a part of it, watches."""
        resource = flow_log.resource_id
        return tuple(
            each
            for each in self.parts.interfaces
            if resource in {self.vpc.vpc_id, each.subnet_id, each.interface_id}
        )


def judge(vpc_state: VpcState) -> CoverageVerdict:
    """Judge one VPC.

    A VPC shared with us belongs to another account, and only its owner may switch on a VPC-level flow
    log: it is skipped. A VPC whose owner nobody told counts as ours: at worst EC2 refuses. A wanted flow
    log that delivers outweighs one that does not, and one that may deliver one that fails. One that policy
    is merely content with outweighs none of ours that may deliver.
    """
    vpc, stack = vpc_state.vpc, vpc_state.stack
    if vpc.owner_id not in {"", stack.account_id}:
        return CoverageVerdict(
            vpc_id=vpc.vpc_id,
            coverage=Coverage.SKIPPED,
            reason=f"shared by account {vpc.owner_id}, which owns it: only the owner can cover it",
        )
    own = [each for each in vpc_state.parts.flow_logs if each.resource_id == vpc.vpc_id]
    suitable = [(state_of(each, vpc_state), each) for each in own if covers(each, vpc_state)]
    if not suitable:
        return _without_wanted(vpc_state, own)
    state, best = min(suitable, key=lambda one: _preference(one[0], one[1], vpc_state))
    return _with_wanted(vpc_state, own, best, state)


_RANK: Final = {Delivery.DELIVERING: 0, Delivery.UNPROVEN: 1, Delivery.SILENT: 2, Delivery.FAILED: 3}
_COVERAGE: Final = {
    Delivery.DELIVERING: Coverage.COVERED,
    Delivery.UNPROVEN: Coverage.UNPROVEN,
    Delivery.SILENT: Coverage.BROKEN,
    Delivery.FAILED: Coverage.BROKEN,
}


def _preference(state: Delivery, flow_log: FlowLog, vpc_state: VpcState) -> tuple[int, bool, int, int, str]:
    """What delivers comes first, then what is ours, because nobody else removes it; then what is older.

    Of what policy is merely content with, EC2's word is all that is known. That a status has lasted is less
    than records, so it counts for no more than a wanted one of ours that may deliver.
    """
    stack, rank = vpc_state.stack, _RANK[state]
    wanted = is_wanted(flow_log, vpc_state.desired, stack)
    counts = rank if wanted else max(rank, _RANK[Delivery.UNPROVEN])
    return counts, not is_own(flow_log, stack), rank, flow_log.creation_time or 0, flow_log.flow_log_id


def state_of(flow_log: FlowLog, vpc_state: VpcState) -> Delivery:
    """Whether a flow log of the VPC, or of a part of it, delivers."""
    group = log_group_of(flow_log, vpc_state.stack)
    return delivery(
        flow_log,
        group if group is not None and vpc_state.stack.keeps(group) else None,
        DeliveryInputs(interfaces=vpc_state.watched_by(flow_log), seen=vpc_state.seen, at=vpc_state.at),
    )


def suits(flow_log: FlowLog, vpc_state: VpcState) -> bool:
    """Whether a flow log is the one that policy wants, or one that policy is content with."""
    if is_wanted(flow_log, vpc_state.desired, vpc_state.stack):
        return True
    all_traffic = flow_log.traffic_type == "ALL"
    return vpc_state.foreign_is_enough and all_traffic and not is_own(flow_log, vpc_state.stack)


def covers(flow_log: FlowLog, vpc_state: VpcState) -> bool:
    """Whether a flow log that suits is one to count on.

    Nobody here can mend what somebody else made: one that EC2 says fails is as if it were not there. Silence
    alone may be the monitor's, or that of hosts that stand still: nothing is made beside a flow log for it.
    """
    failed = state_of(flow_log, vpc_state) is Delivery.FAILED
    return suits(flow_log, vpc_state) and (is_own(flow_log, vpc_state.stack) or not failed)


def _with_wanted(
    vpc_state: VpcState, own: Sequence[FlowLog], best: FlowLog, state: Delivery
) -> CoverageVerdict:
    coverage = _COVERAGE[state]
    told = {
        Delivery.DELIVERING: f"{best.flow_log_id} is the wanted flow log",
        Delivery.UNPROVEN: f"{best.flow_log_id} is the wanted flow log; nothing proves yet that it delivers",
    }
    return CoverageVerdict(
        vpc_id=vpc_state.vpc.vpc_id,
        coverage=coverage,
        reason=told.get(state) or why_broken(best, state),
        flow_log_id=best.flow_log_id,
        # An unknown age is no proof.
        proven=state is Delivery.DELIVERING and best.creation_time is not None,
        own=is_own(best, vpc_state.stack),
        replaced=tuple(each for each in own if _replaces(best, each, vpc_state)),
        duplicates=tuple(
            each.flow_log_id
            for each in vpc_state.parts.flow_logs
            if not is_own(each, vpc_state.stack)
            and each.flow_log_id != best.flow_log_id
            and each.deliver_logs_status != FAILED
            and _records_the_same(each, vpc_state.desired)
        ),
    )


def _replaces(best: FlowLog, other: FlowLog, vpc_state: VpcState) -> bool:
    """Whether the flow log to count on stands for this one, which is ours.

    What somebody else made may be deleted any day, and the monitor does not read it: it stands for none
    of ours that policy wants, however little was seen of that lately, unless EC2 says that it fails.
    """
    stack = vpc_state.stack
    if not is_own(other, stack) or other.flow_log_id == best.flow_log_id:
        return False
    wanted = is_wanted(other, vpc_state.desired, stack) and other.deliver_logs_status != FAILED
    return is_own(best, stack) or not wanted


def _records_the_same(flow_log: FlowLog, desired: DesiredFlowLog) -> bool:
    return (
        "ALL" in {flow_log.traffic_type, desired.traffic_type}
        or flow_log.traffic_type == desired.traffic_type
    )


def _without_wanted(vpc_state: VpcState, own: Sequence[FlowLog]) -> CoverageVerdict:
    """A VPC without a suitable flow log of its own: maybe its parts have some."""
    vpc_id = vpc_state.vpc.vpc_id
    replaced = tuple(each for each in own if is_own(each, vpc_state.stack))
    parts = [each for each in vpc_state.parts.flow_logs if each.resource_id != vpc_id]
    suitable = [each for each in parts if covers(each, vpc_state)]
    if not suitable:
        reason = _why_uncovered([*own, *parts], vpc_state)
        return CoverageVerdict(vpc_id=vpc_id, coverage=Coverage.UNCOVERED, reason=reason, replaced=replaced)
    without = _uncovered_parts(vpc_state, {each.resource_id for each in suitable})
    if without:
        return CoverageVerdict(
            vpc_id=vpc_id,
            coverage=Coverage.UNCOVERED,
            reason=f"has flow logs of parts alone, and none in {', '.join(without)}",
            replaced=replaced,
            uncovered_parts=without,
        )
    worst = max((state_of(each, vpc_state) for each in suitable), key=lambda state: _RANK[state])
    if _COVERAGE[worst] is Coverage.BROKEN:
        reason = "; ".join(
            why_broken(each, state) for each in suitable if (state := state_of(each, vpc_state)) is worst
        )
    else:
        reason = f"each subnet is covered by a flow log of its own or of its interfaces ({len(suitable)})"
    return CoverageVerdict(
        vpc_id=vpc_id,
        coverage=_COVERAGE[worst],
        reason=reason,
        proven=worst is Delivery.DELIVERING,
        replaced=replaced,
    )


def _uncovered_parts(vpc_state: VpcState, watched: set[str]) -> tuple[str, ...]:
    """The subnets that are not covered, by themselves or by all interfaces; the VPC if it has none."""
    inside: dict[str, list[str]] = {each.subnet_id: [] for each in vpc_state.parts.subnets}
    for interface in vpc_state.parts.interfaces:
        inside.setdefault(interface.subnet_id, []).append(interface.interface_id)
    without = tuple(
        subnet
        for subnet, interfaces in sorted(inside.items())
        if subnet not in watched and not (interfaces and watched.issuperset(interfaces))
    )
    return without if inside else (vpc_state.vpc.vpc_id,)


def why_broken(flow_log: FlowLog, state: Delivery) -> str:
    """Why a flow log does not deliver, and what to do."""
    if state is Delivery.SILENT:
        return f"{flow_log.flow_log_id} exists but none of its records arrive: {MENDING_SILENCE}"
    message = flow_log.deliver_logs_error_message or "no error message"
    mending = MENDING.get(message, MENDING_UNKNOWN)
    return f"{flow_log.flow_log_id} exists but does not deliver ({message}): {mending}"


def _why_uncovered(existing: Sequence[FlowLog], vpc_state: VpcState) -> str:
    """What the VPC has instead of the wanted flow log."""
    if not existing:
        return "has no flow log"
    return f"has only {'; '.join(why_not(each, vpc_state) for each in existing)}"


def why_not(flow_log: FlowLog, vpc_state: VpcState) -> str:
    """Why a flow log does not cover: what is different, or that it does not deliver."""
    if suits(flow_log, vpc_state):
        why = f"does not deliver: {flow_log.deliver_logs_error_message or 'no error message'}"
    else:
        why = ", ".join(differences(flow_log, vpc_state.desired, vpc_state.stack))
    return f"{flow_log.flow_log_id} ({why})"
