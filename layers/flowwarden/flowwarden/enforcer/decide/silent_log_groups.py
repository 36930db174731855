"""Finds log groups from which the monitor sees no records at all. Pure.

If other flow logs write into a group and one does not, `delivery` calls that one silent. If none writes, it
cannot decide, because the fault may be the monitor's. Either way it is a blind spot, so operations is
notified. Nothing is deleted or replaced because of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from flowwarden.enforcer.decide.delivery import may_deliver
from flowwarden.enforcer.decide.drift import is_tagged, log_group_of
from flowwarden.enforcer.decide.vpc_state import VpcState, suits
from flowwarden.enforcer.state.interface_activity import writes_since
from flowwarden.enforcer.state.inventory import FlowLog
from flowwarden.enforcer.state.stack import Stack

EXPECTED_SECONDS: Final = 3600
"""Age at which a flow log must have written: a window is ten minutes at most, its records arrive some minutes
later, and the monitor stores every ten minutes which interfaces wrote. The rest is a margin."""
NAMED_AT_MOST: Final = 2
"""Flow logs of a group that are listed; the rest is counted."""


class SilentGroup(Struct, frozen=True, kw_only=True):
    """A log group that should receive records, but from which the monitor saw none."""

    group: str
    flow_logs: tuple[FlowLog, ...]
    """The flow logs that should have written."""


def silent_groups(vpc_states: Iterable[VpcState]) -> Iterator[SilentGroup]:
    """The groups without visible records, although suitable or managed flow logs should have written.

    If the state table was unavailable, activity is unknown, which does not count as silence.
    """
    found: dict[str, list[FlowLog]] = {}
    for vpc_state in vpc_states:
        for each in vpc_state.parts.flow_logs:
            group = log_group_of(each, vpc_state.stack)
            if group is not None and _is_unseen(group, vpc_state) and _should_write(each, vpc_state):
                found.setdefault(group, []).append(each)
    for group, flow_logs in sorted(found.items()):
        yield SilentGroup(group=group, flow_logs=tuple(flow_logs))


def _is_unseen(group: str, vpc_state: VpcState) -> bool:
    written = vpc_state.seen.get(group)
    return vpc_state.reads(group) and bool(written) and not any((written or {}).values())


def _should_write(flow_log: FlowLog, vpc_state: VpcState) -> bool:
    """Whether a flow log counts, is old enough, has active interfaces, and has not failed according to EC2.

    A managed flow log counts even if it is no longer wanted: it may be the only one that covers the VPC.
    """
    began = vpc_state.readable_since(flow_log)
    if began is None or vpc_state.at - began < EXPECTED_SECONDS:
        return False
    if not (suits(flow_log, vpc_state) or is_tagged(flow_log, vpc_state.stack)):
        return False
    return may_deliver(flow_log) and any(
        writes_since(each, EXPECTED_SECONDS, vpc_state.at) for each in vpc_state.watched_by(flow_log)
    )


def describe(silent: SilentGroup, stack: Stack) -> str:
    """The text for operations: possible causes, where to look, and the fix."""
    named = [f"{each.flow_log_id} of {each.resource_id}" for each in silent.flow_logs[:NAMED_AT_MOST]]
    if more := len(silent.flow_logs) - len(named):
        named.append(f"{more} more")
    return (
        f"the monitor sees no records, although {', '.join(named)} should write. Nothing was changed. "
        "Check the newest events of the log group. If there are none, nothing is delivered: fix the delivery "
        "role (permissions, trust policy, the log group's KMS key) or redeploy the stack "
        f"{stack.stack_name}. If there are recent events, the monitor does not see them: check that the "
        "subscription filter sends every line (empty pattern) to the monitor; then check the monitor's "
        "errors, failure queue and alarms (if state-unavailable is in alarm, the monitor cannot store which "
        "interfaces wrote)"
    )
