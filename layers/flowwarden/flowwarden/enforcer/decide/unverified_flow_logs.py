"""Finds flow logs whose delivery could be neither confirmed nor ruled out for a day. Pure.

A flow log is called silent only if an interface was certain to write, while others did (`delivery`). If the
activity of interfaces is unknown, as in a VPC with instances of other accounts, or if the monitor did not
read the whole time, that never happens, and the VPC may remain a blind spot. So operations is notified to
check. Nothing is called broken, deleted or replaced because of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from flowwarden.enforcer.decide.coverage import Coverage, CoverageVerdict
from flowwarden.enforcer.decide.delivery import SILENCE_SECONDS
from flowwarden.enforcer.decide.drift import log_group_of
from flowwarden.enforcer.decide.vpc_state import VpcState
from flowwarden.enforcer.state.inventory import FlowLog

TOO_LONG_SECONDS: Final = 24 * 3600
"""Age at which verification is overdue: by then, even hosts that only work by day have been active."""
NAMED_AT_MOST: Final = 3
"""Flow logs that are listed; the rest is counted."""


def long_unproven(judged: Iterable[tuple[VpcState, CoverageVerdict]]) -> Iterator[FlowLog]:
    """The flow logs that VPCs rely on, whose delivery should have been verified long ago, but was not.

    A log group is skipped if the state table was unavailable, because its activity is then unknown.
    """
    for vpc_state, verdict in judged:
        if verdict.coverage is not Coverage.UNPROVEN:
            continue
        relied_on = {verdict.flow_log_id, *verdict.unproven}
        for each in vpc_state.parts.flow_logs:
            group = log_group_of(each, vpc_state.stack) or ""
            known = each.flow_log_id in relied_on and vpc_state.seen.get(group)
            if known and _is_overdue(each, vpc_state):
                yield each


def _is_overdue(flow_log: FlowLog, vpc_state: VpcState) -> bool:
    """Whether it is old, and records an interface that may have been active for long enough.

    A flow log of unknown age may be new, so it is not overdue.
    """
    began = vpc_state.readable_since(flow_log)
    return (
        began is not None
        and vpc_state.at - began >= TOO_LONG_SECONDS
        and vpc_state.may_write_since(flow_log, SILENCE_SECONDS)
    )


def subject_of(found: Sequence[FlowLog]) -> str:
    """The subject of the report: the flow log, or their number."""
    return found[0].flow_log_id if len(found) == 1 else f"{len(found)} flow logs"


def describe(found: Sequence[FlowLog]) -> str:
    """The text for operations: possible causes, where to look, and the fix."""
    named = [f"{each.flow_log_id} of {each.resource_id}" for each in found[:NAMED_AT_MOST]]
    if more := len(found) - len(named):
        named.append(f"{more} more")
    return (
        f"after at least one day, delivery is still not verified: {', '.join(named)}. Interfaces may be "
        "active, but the monitor has seen no recent records from them. EC2 reports no failure; nothing was "
        "changed. If the hosts are stopped, no action is required. If they run, look for their records in "
        "the log group. If there are no records, delete the flow log if it is managed; the next sweep "
        "recreates it. If there are records, the monitor does not see them: check the monitor's errors, "
        "failure queue and alarms"
    )
