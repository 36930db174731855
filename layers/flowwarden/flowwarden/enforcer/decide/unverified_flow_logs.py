"""Flow logs whose delivery could be neither confirmed nor ruled out for a day. Pure.

A flow log is called silent only if something surely had to write, while others did (`delivery`). Where nobody
can tell whether interfaces are active, as in a VPC whose instances are those of other accounts, or where the
monitor did not read all the time, that is never said, and the VPC may be a blind spot for ever. So people are
told, who can look. Nothing is called broken, deleted or replaced because of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from flowwarden.enforcer.decide.coverage import Coverage, CoverageVerdict, VpcState
from flowwarden.enforcer.decide.delivery import SILENCE_SECONDS
from flowwarden.enforcer.decide.drift import log_group_of
from flowwarden.enforcer.state.inventory import FlowLog

TOO_LONG_SECONDS: Final = 24 * 3600
"""Age from which on an answer is overdue: a host that works by day only has had its day."""
NAMED_AT_MOST: Final = 3
"""Flow logs that are named; the rest is counted."""


def long_unproven(judged: Iterable[tuple[VpcState, CoverageVerdict]]) -> Iterator[FlowLog]:
    """The flow logs that should have been seen to deliver long ago, and were not.

    What the state table did not tell is unknown: who wrote then, nobody can say.
    """
    for vpc_state, verdict in judged:
        if verdict.coverage is not Coverage.UNPROVEN or not verdict.own:
            continue
        for each in vpc_state.parts.flow_logs:
            group = log_group_of(each, vpc_state.stack) or ""
            told = each.flow_log_id == verdict.flow_log_id and vpc_state.seen.get(group)
            if told and _is_overdue(each, vpc_state):
                yield each


def _is_overdue(flow_log: FlowLog, vpc_state: VpcState) -> bool:
    """Whether it is old, and watches what may have written long enough; one of unknown age may be new."""
    created = flow_log.creation_time
    return (
        created is not None
        and vpc_state.at - created >= TOO_LONG_SECONDS
        and any(
            each.at_work and vpc_state.at - (each.since or 0) >= SILENCE_SECONDS
            for each in vpc_state.watched_by(flow_log)
        )
    )


def subject_of(found: Sequence[FlowLog]) -> str:
    """Whom it is about."""
    return found[0].flow_log_id if len(found) == 1 else f"{len(found)} flow logs"


def told(found: Sequence[FlowLog]) -> str:
    """What people are told: what it may be, where to look, and what mends it."""
    named = [f"{each.flow_log_id} of {each.resource_id}" for each in found[:NAMED_AT_MOST]]
    if more := len(found) - len(named):
        named.append(f"{more} more")
    return (
        f"nothing proves that records of {', '.join(named)} arrive: a day old or more, with interfaces that "
        "may be active, of which the monitor saw none lately. EC2 reports no failure, and nothing was "
        "changed. If their hosts are stopped, all is well. If they run, look for them in the log group. No "
        "records: delete the flow log, and the next sweep makes it anew. Records: the monitor does not see "
        "them; its errors, failure queue and alarms tell the rest"
    )
