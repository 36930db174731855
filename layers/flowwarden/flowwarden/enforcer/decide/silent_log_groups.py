"""Log groups of which the monitor sees nothing at all. Pure.

Where others write and one flow log does not, `delivery` says that it is silent. Where nobody writes, it
cannot say so: the monitor may be the one that does not see. That is a blind spot in any case, so people are
told of it. Nothing is deleted or replaced because of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from flowwarden.enforcer.decide.coverage import VpcState, suits
from flowwarden.enforcer.decide.delivery import FAILED
from flowwarden.enforcer.decide.drift import is_own, log_group_of
from flowwarden.enforcer.state.interface_activity import writes_since
from flowwarden.enforcer.state.inventory import FlowLog
from flowwarden.enforcer.state.stack import Stack

EXPECTED_SECONDS: Final = 3600
"""Age from which on a flow log has to have written: a window is ten minutes at most, and its records come
some minutes later; the monitor writes down who wrote every ten minutes. The rest is patience."""
NAMED_AT_MOST: Final = 2
"""Flow logs of a group that are named; the rest is counted."""


class SilentGroup(Struct, frozen=True, kw_only=True):
    """A log group that somebody should write into, and into which nobody was seen to write."""

    group: str
    flow_logs: tuple[FlowLog, ...]
    """That should have written."""


def silent_groups(situations: Iterable[VpcState]) -> Iterator[SilentGroup]:
    """The groups of which nothing was seen, though flow logs that are wanted, or ours, should have written.

    What the state table did not tell is unknown, which is no silence.
    """
    found: dict[str, list[FlowLog]] = {}
    for vpc_state in situations:
        for each in vpc_state.parts.flow_logs:
            group = log_group_of(each, vpc_state.stack)
            if group is not None and _is_unseen(group, vpc_state) and _should_write(each, vpc_state):
                found.setdefault(group, []).append(each)
    for group, flow_logs in sorted(found.items()):
        yield SilentGroup(group=group, flow_logs=tuple(flow_logs))


def _is_unseen(group: str, vpc_state: VpcState) -> bool:
    written = vpc_state.seen.get(group)
    return vpc_state.stack.keeps(group) and bool(written) and not any((written or {}).values())


def _should_write(flow_log: FlowLog, vpc_state: VpcState) -> bool:
    """Whether a flow log counts, is old enough, has something to tell of, and EC2 does not say why not.

    One of ours counts though it is not wanted any more: as long as it is there, it may be all that watches.
    """
    created = flow_log.creation_time
    if created is None or vpc_state.at - created < EXPECTED_SECONDS:
        return False
    if not (suits(flow_log, vpc_state) or is_own(flow_log, vpc_state.stack)):
        return False
    return flow_log.deliver_logs_status != FAILED and any(
        writes_since(each, EXPECTED_SECONDS, vpc_state.at) for each in vpc_state.watched_by(flow_log)
    )


def told(silent: SilentGroup, stack: Stack) -> str:
    """What people are told: what it may be, where to look, and what mends it."""
    named = [f"{each.flow_log_id} of {each.resource_id}" for each in silent.flow_logs[:NAMED_AT_MOST]]
    if more := len(silent.flow_logs) - len(named):
        named.append(f"{more} more")
    return (
        f"the monitor sees no record at all, though {', '.join(named)} should write. Nothing was changed. "
        "Look at the group's newest events. None: nothing delivers; mend the delivery role (what it may do, "
        f"its trust, the group's KMS key), or deploy the stack {stack.stack_name} again. Some: the monitor "
        "does not see them; the group's subscription filter must hand every line (an empty pattern) to "
        "the monitor, whose errors, failure queue and alarms (state-unavailable: it cannot write down who "
        "wrote) tell the rest"
    )
