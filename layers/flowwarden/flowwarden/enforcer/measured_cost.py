"""Replaces estimated costs by measured ones: what the log groups received in the last days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from flowwarden.enforcer.decide import cost
from flowwarden.enforcer.decide.drift import log_group_of
from flowwarden.enforcer.decide.duplicates import Duplicate
from flowwarden.enforcer.decide.existing_flow_logs import ReadFlowLog
from flowwarden.enforcer.ports import LogVolumes
from flowwarden.enforcer.reporting.recurring import Notices
from flowwarden.enforcer.state.inventory import FlowLog
from flowwarden.enforcer.state.stack import Stack
from flowwarden.errors import EnforcementError


def measured(
    notices: Notices, listed: Sequence[FlowLog], volumes: LogVolumes | None, stack: Stack, now: int
) -> Notices:
    """The notices with measured costs where the metrics have values; elsewhere they stay as they are.

    A log group that several flow logs write into is divided equally among them.
    """
    if volumes is None or not (notices.duplicates or any(each.losses for each in notices.read_in_place)):
        return notices
    groups = {each.flow_log_id: log_group_of(each, stack) or "" for each in listed}
    wanted = {groups.get(name, "") for each in notices.duplicates for name in each.flow_log_ids}
    wanted |= {each.destination for each in notices.read_in_place if each.losses}
    try:
        daily = volumes.daily_bytes(sorted(wanted - {""}), now)
    except EnforcementError:
        return notices  # an estimate is better than no report
    writing = list(groups.values())
    shares = {
        name: cost.measured_dollars(daily[group]) / writing.count(group)
        for name, group in groups.items()
        if group in daily
    }
    formats = {each.flow_log_id: each.log_format for each in listed}
    return replace(
        notices,
        duplicates=tuple(_duplicate(each, shares) for each in notices.duplicates),
        read_in_place=tuple(_read(each, shares, formats, stack) for each in notices.read_in_place),
    )


def _duplicate(duplicate: Duplicate, shares: Mapping[str, float]) -> Duplicate:
    """The duplicates of a VPC with their measured cost, if that is known of all of them."""
    if not all(each in shares for each in duplicate.flow_log_ids):
        return duplicate
    dollars = sum(shares[each] for each in duplicate.flow_log_ids)
    return replace(duplicate, monthly_dollars=round(dollars, 2), is_measured=True)


def _read(
    flow_log: ReadFlowLog, shares: Mapping[str, float], formats: Mapping[str, str | None], stack: Stack
) -> ReadFlowLog:
    """A flow log that is read, with what the stack's format would cost in addition."""
    dollars, log_format = shares.get(flow_log.flow_log_id), formats.get(flow_log.flow_log_id)
    if dollars is None or log_format is None or not flow_log.losses:
        return flow_log
    factor = cost.record_bytes(stack.log_format) / cost.record_bytes(log_format)
    return replace(flow_log, dollars_more=round(dollars * (factor - 1), 2))
