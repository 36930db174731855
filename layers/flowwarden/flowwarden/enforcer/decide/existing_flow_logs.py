"""What to report once about unmanaged flow logs in existing log groups: read where they are, or not. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from flowwarden.enforcer.decide.adoptable import can_cover
from flowwarden.enforcer.decide.delivery import may_deliver
from flowwarden.enforcer.decide.drift import log_group_of
from flowwarden.enforcer.decide.unmanaged import UnmanagedFlowLog
from flowwarden.enforcer.decide.vpc_state import VpcState, is_adopted
from flowwarden.policy.field_needs import losses
from flowwarden.policy.flow_logs import ANY


class ReadFlowLog(UnmanagedFlowLog, frozen=True, kw_only=True):
    """An unmanaged flow log whose log group the monitor reads; `destination` is the name of the group."""

    losses: Mapping[str, tuple[str, ...]] = {}
    """The fields that its format lacks, each with the detectors that find less without it."""
    dollars_more: float | None = None
    """What the stack's format would cost in addition, in US dollars a month; None if it was not measured."""


class NotReadFlowLog(UnmanagedFlowLog, frozen=True, kw_only=True):
    """An unmanaged flow log whose log group cannot be subscribed; `destination` is the name of the group."""

    reason: str
    """Why, and what to do."""


def read_where_they_are(vpc_states: Iterable[VpcState]) -> Iterator[ReadFlowLog]:
    """The flow logs of these VPCs that the monitor reads in existing log groups."""
    for vpc_state in vpc_states:
        for each in vpc_state.parts.flow_logs:
            if is_adopted(each, vpc_state):
                yield ReadFlowLog(
                    flow_log_id=each.flow_log_id,
                    resource_id=each.resource_id,
                    destination=log_group_of(each, vpc_state.stack) or "",
                    losses=losses(each.log_format),
                )


def not_read(
    vpc_states: Iterable[VpcState], impossible: Mapping[str, str], accepted: Collection[str]
) -> Iterator[NotReadFlowLog]:
    """The flow logs of these VPCs that the monitor could read, but for their log groups.

    Args:
        vpc_states: the VPCs.
        impossible: the log groups that cannot be subscribed, with the reason.
        accepted: ids and log groups that the policy accepts as duplicates; `*` for all.
    """
    for vpc_state in vpc_states:
        for each in vpc_state.parts.flow_logs:
            group = log_group_of(each, vpc_state.stack) or ""
            excused = {ANY, group, each.flow_log_id} & set(accepted)
            if group in impossible and not excused and can_cover(each, vpc_state.stack) and may_deliver(each):
                yield NotReadFlowLog(
                    flow_log_id=each.flow_log_id,
                    resource_id=each.resource_id,
                    destination=group,
                    reason=impossible[group],
                )
