"""Plans the flow logs of the subnets or interfaces of a VPC, if the policy asks for these. Pure.

Each subnet or interface is planned like a VPC of its own, by the same rules, from the part of the state that
concerns it. What is left are the managed flow logs of the VPC (or of its subnets) from before the change of
the level: they are deleted only after every part is covered by a managed flow log that is verified.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from flowwarden.enforcer.decide import plan
from flowwarden.enforcer.decide.coverage import Coverage, CoverageVerdict, is_foreign, of_other_stacks
from flowwarden.enforcer.decide.drift import is_managed
from flowwarden.enforcer.decide.plan import Delete, Plan, PlanContext, Step
from flowwarden.enforcer.decide.vpc_state import VpcState, tells_apart
from flowwarden.enforcer.state.inventory import FlowLog, Subnet, VpcResources
from flowwarden.network.interface import NetworkInterface
from flowwarden.policy.flow_logs import SUBNET, VPC

NAMED_AT_MOST: Final = 3
"""Parts that a reason names; the rest is counted."""
_WORST_FIRST: Final = (Coverage.UNCOVERED, Coverage.BROKEN, Coverage.UNPROVEN, Coverage.COVERED)


def make(vpc_state: VpcState, context: PlanContext) -> Plan:
    """The plan for one VPC, or for one part of it."""
    if vpc_state.level == VPC or vpc_state.part or context.exempt is not None or is_foreign(vpc_state):
        return plan.make(vpc_state, context)
    states = parts_of(vpc_state)
    parts = tuple(plan.make(each, context) for each in states)
    steps: list[Step] = [step for each in parts for step in each.steps]
    verdict = _verdict(vpc_state, [each.verdict for each in parts])
    steps += _delete_wider(vpc_state, states, verdict, parts)
    return Plan(verdict=verdict, steps=tuple(steps), parts=parts)


def parts_of(vpc_state: VpcState) -> tuple[VpcState, ...]:
    """The state of each subnet or interface that needs a flow log, in the order of their ids."""
    by_subnet: dict[str, list[NetworkInterface]] = {}
    for interface in vpc_state.parts.interfaces:
        by_subnet.setdefault(interface.subnet_id, []).append(interface)
    flow_logs: dict[str, list[FlowLog]] = {}
    for flow_log in vpc_state.parts.flow_logs:
        flow_logs.setdefault(flow_log.resource_id, []).append(flow_log)
    if vpc_state.level == SUBNET:
        found = [(each.subnet_id, by_subnet.get(each.subnet_id, [])) for each in vpc_state.parts.subnets]
    else:
        found = [(each.interface_id, [each]) for each in vpc_state.parts.interfaces]
    return tuple(
        _narrowed(vpc_state, part, interfaces, flow_logs) for part, interfaces in sorted(found, key=_id)
    )


def _id(part: tuple[str, object]) -> str:
    return part[0]


def observed_resources(vpc_state: VpcState) -> list[str]:
    """The resources whose flow logs decide about the state."""
    if vpc_state.level == VPC or vpc_state.part:
        return [vpc_state.resource_id]
    return [vpc_state.vpc.vpc_id, *_part_ids(vpc_state)]


def _part_ids(vpc_state: VpcState) -> list[str]:
    if vpc_state.level == SUBNET:
        return [each.subnet_id for each in vpc_state.parts.subnets]
    return [each.interface_id for each in vpc_state.parts.interfaces]


def _narrowed(
    vpc_state: VpcState,
    part: str,
    interfaces: Sequence[NetworkInterface],
    flow_logs: Mapping[str, Sequence[FlowLog]],
) -> VpcState:
    """What concerns one part: its interfaces, and the flow logs (by resource) that record some of them."""
    recording = [vpc_state.vpc.vpc_id, part]
    for each in interfaces:
        recording += [each.subnet_id, each.interface_id]
    named = dict.fromkeys(recording)
    parts = VpcResources(
        subnets=(Subnet(subnet_id=part, vpc_id=vpc_state.vpc.vpc_id),) if vpc_state.level == SUBNET else (),
        interfaces=tuple(interfaces),
        flow_logs=tuple(each for name in named for each in flow_logs.get(name, ())),
    )
    return replace(vpc_state, part=part, parts=parts)


def _verdict(vpc_state: VpcState, parts: Sequence[CoverageVerdict]) -> CoverageVerdict:
    """The verdict about the VPC: the worst about one of its parts."""
    worst = next((each for each in _WORST_FIRST if any(one.coverage is each for one in parts)), None)
    return CoverageVerdict(
        vpc_id=vpc_state.vpc.vpc_id,
        coverage=worst or Coverage.COVERED,
        reason=_reason(vpc_state, parts, worst),
        proven=bool(parts) and all(each.proven for each in parts),
        own=bool(parts) and all(each.own for each in parts),
        replaced=tuple(_unique([one for each in parts for one in each.replaced])),
        duplicates=tuple(dict.fromkeys(name for each in parts for name in each.duplicates)),
        other_stacks=of_other_stacks(vpc_state),
        unproven=tuple(
            each.flow_log_id
            for each in parts
            if each.coverage is Coverage.UNPROVEN and each.flow_log_id is not None
        ),
    )


def _unique(flow_logs: Sequence[FlowLog]) -> Iterator[FlowLog]:
    yield from {each.flow_log_id: each for each in flow_logs}.values()


def _reason(vpc_state: VpcState, parts: Sequence[CoverageVerdict], worst: Coverage | None) -> str:
    kind = f"{vpc_state.level}s"
    if worst is None:
        return f"has no {kind}, so there is no traffic to record"
    if worst is Coverage.COVERED:
        return f"each of its {kind} has the required flow log ({len(parts)} in all)"
    alike = [each for each in parts if each.coverage is worst]
    named = [f"{each.resource_id}: {each.reason}" for each in alike[:NAMED_AT_MOST]]
    if more := len(alike) - len(named):
        named.append(f"{more} more")
    return f"{len(alike)} of {len(parts)} {kind} ({'; '.join(named)})"


def _delete_wider(
    vpc_state: VpcState, states: Sequence[VpcState], verdict: CoverageVerdict, parts: Sequence[Plan]
) -> Iterator[Delete]:
    """Delete the managed flow logs of wider resources, once every part has its own, which is verified.

    A subnet or an interface that EC2 lists but that could not be read may have no flow log of its own.
    """
    if not (verdict.proven and verdict.own and vpc_state.complete):
        return
    own = {each.verdict.flow_log_id for each in parts}
    relied_on = [each for each in vpc_state.parts.flow_logs if each.flow_log_id in own]
    targets = {each.part for each in states}
    for each in vpc_state.parts.flow_logs:
        is_wider = each.resource_id == vpc_state.vpc.vpc_id or (
            vpc_state.level != SUBNET and each.resource_id not in targets
        )
        replaced = is_wider and is_managed(each, vpc_state.stack)
        if replaced and all(tells_apart(one, each, vpc_state) for one in relied_on):
            yield Delete(
                vpc_id=verdict.vpc_id,
                flow_log_id=each.flow_log_id,
                reason=f"the flow logs of its {vpc_state.level}s deliver in its place",
            )
