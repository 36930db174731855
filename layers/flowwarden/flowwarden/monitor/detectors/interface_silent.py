"""interface-silent: an interface that always wrote records writes none any more.

What: an interface that wrote in nearly every half hour of the three hours before and in none of the last
    `SILENT_SLOTS`, while others of its log group went on, and that EC2 still describes as in use. Told to
    operations, once for the interface and suppression window; `TOGETHER` and more of one VPC are told
    together: its flow log is gone.
Why: a flow log says NODATA of an interface without traffic, so that one which says nothing has no flow log
    any more, or one that does not deliver. An intruder who wants to stay unseen begins with that.
False positives: an interface whose instance was stopped or that was detached is not told, nor is one that was
    deleted; EC2 may be late in saying so. One that writes into another log group now is not silent.
    Deliveries that are more than an hour and a half late.
Blind: the traffic of the others is the clock. If all of a log group falls silent, nothing is judged here;
    the enforcer's sweep tells of that. Interfaces of other accounts EC2 does not describe, and log formats
    without `interface-id` do not tell who wrote.
Events: none alone; see tests/monitor/detectors/test_missing_records_over_time.py.
ATT&CK: T1562.008 Disable or Modify Cloud Logs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from flowwarden.monitor.caches.heartbeats import GroupHeartbeats
from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.detectors.base import Detector, Need
from flowwarden.monitor.findings import InterfaceFinding, Severity
from flowwarden.monitor.text import Text
from flowwarden.monitor.view import BatchView
from flowwarden.notify.alert import Route
from flowwarden.notify.notification import one_line
from flowwarden.policy.detection import Thresholds
from flowwarden.state import heartbeats
from flowwarden.state.heartbeats import SLOT
from flowwarden.state.schema import HEARTBEATS

SILENT_SLOTS: Final = 3
"""An hour and a half: records are minutes late as a rule (p95), an hour now and then."""
SLOTS_BEFORE: Final = 6
MISSED: Final = 1
"""Of the slots before, in which the interface need not have written. So one that is silent for good is told
for as long as that, and then no more: what is over by then everybody knows."""
LAG: Final = 600
"""Seconds of a slot that have to be over before the slots before it are judged: their last records are under
way that long, and other invocations write down whom they saw ten minutes later."""
TOGETHER: Final = 5
"""Silent interfaces of a VPC from which on they have one cause."""
MOST_ASKED: Final = 200
"""Silent interfaces that EC2 is asked about at once: one call, and far more than are reported one by one."""
MOST_REPORTED: Final = 16
"""Findings of a batch; as many silent interfaces have one cause."""

_DESCRIBE: Final = (
    "aws ec2 describe-flow-logs "
    "--query 'FlowLogs[].[FlowLogId,ResourceId,DeliverLogsStatus,DeliverLogsErrorMessage]'"
)

type SilentInterface = InterfaceFinding[None]


def detect(view: BatchView, state: StateView, _thresholds: Thresholds) -> list[SilentInterface]:
    """The findings about silent interfaces: once for a slot, in a container."""
    moment = heartbeats.moment(view.records, view.now)
    slot = heartbeats.slot_of(moment)
    group = state.heartbeats.of(view.batch.log_group, heartbeats.slot_of(view.now))
    if slot <= group.judged or not is_due(moment):
        return []
    found = _judge(view, state, group, slot)
    if found is None:  # what could not be asked now is asked by the next batch
        return []
    group.judged = slot
    return found[:MOST_REPORTED]


def _judge(
    view: BatchView, state: StateView, group: GroupHeartbeats, slot: int
) -> list[SilentInterface] | None:
    """The findings; None if the state table or EC2 could not be asked."""
    numbers = silent(slot, _seen(state, group, view.batch.log_group, slots_asked(slot)))
    if numbers:
        # A flow log that was replaced writes into another group, and so does what another rule is for.
        elsewhere = _seen(state, group, heartbeats.ANY_GROUP, slots_of_silence(slot))
        numbers -= frozenset().union(*elsewhere.values())
    if state.is_away:
        return None
    asked = [heartbeats.interface_of(each) for each in sorted(numbers)[:MOST_ASKED]]
    described = view.interfaces.described(asked)
    if described is None:
        return None
    return inspect(slot, {name: each.vpc_id for name, each in described.items() if each.at_work})


def _seen(
    state: StateView, group: GroupHeartbeats, log_group: str, slots: Iterable[int]
) -> dict[int, frozenset[int]]:
    """The numbers of the interfaces that wrote, by slot."""
    wanted = heartbeats.keys(log_group, slots)
    seen = heartbeats.seen(wanted, state.read(wanted))
    return {each: numbers | group.unwritten.get(each, set()) for each, numbers in seen.items()}


def slots_asked(slot: int) -> range:
    """The slots that a look asks about, that of the traffic included."""
    return range(slot - SILENT_SLOTS - SLOTS_BEFORE, slot + 1)


def slots_of_silence(slot: int) -> range:
    """The slots in which nobody who is silent may have written, into whatever log group."""
    return range(slot - SILENT_SLOTS, slot + 1)


def is_due(moment: int) -> bool:
    """Whether traffic of a moment (Unix seconds) is far enough into its slot."""
    return moment % SLOT >= LAG


def silent(slot: int, seen: Mapping[int, frozenset[int]]) -> frozenset[int]:
    """The numbers of the interfaces that fell silent.

    Args:
        slot: that of the traffic.
        seen: the numbers of who wrote, for each of the slots asked.
    """
    quiet = [seen[each] for each in range(slot - SILENT_SLOTS, slot)]
    before = [seen[each] for each in range(slot - SILENT_SLOTS - SLOTS_BEFORE, slot - SILENT_SLOTS)]
    if not (all(quiet) and all(before)):
        return frozenset()  # nobody looked, or nobody remembers
    wrote = Counter(number for numbers in before for number in numbers)
    usual = {number for number, times in wrote.items() if times >= SLOTS_BEFORE - MISSED}
    return frozenset(usual.difference(*quiet, seen[slot]))


def inspect(slot: int, interfaces: Mapping[str, str | None]) -> list[SilentInterface]:
    """What to tell of silent interfaces; given are their VPCs, by id, of those that are still in use."""
    by_vpc: dict[str | None, list[str]] = {}
    for interface, vpc in sorted(interfaces.items()):
        by_vpc.setdefault(vpc, []).append(interface)
    spots: list[SilentInterface] = []
    for vpc, ids in by_vpc.items():
        if vpc and len(ids) >= TOGETHER:
            spots.append(_report(slot, vpc, ids))
        else:
            spots += [_report(slot, each, [each]) for each in ids]
    return spots


def _report(slot: int, subject: str, interfaces: Sequence[str]) -> SilentInterface:
    first, last = (slot - SILENT_SLOTS) * SLOT, slot * SLOT
    return DETECTOR.interface_finding(subject, tuple(interfaces), first=first, last=last, facts=None)


def text(finding: SilentInterface) -> Text:
    """The finding in words."""
    count, hours = len(finding.interfaces), SILENT_SLOTS * SLOT / 3600
    who = finding.subject if count == 1 else f"{count} interfaces of {finding.subject}"
    return Text(
        summary=one_line(f"Silent: {who} wrote no flow records for {hours:g} hours, not even NODATA."),
        because=(
            f"written in {SLOTS_BEFORE - MISSED} or more of the {SLOTS_BEFORE} half hours before, in none "
            f"of {SILENT_SLOTS} since, while others of the log group wrote; EC2 says it is in use"
        ),
    )


DETECTOR: Final = Detector(
    name="interface-silent",
    summary=(
        "an interface that always wrote flow records writes none any more, although EC2 says it is "
        "in use; five and more of a VPC are told together"
    ),
    severity=Severity.MEDIUM,
    route=Route.OPERATIONS,
    technique="T1562.008",
    needs=frozenset({Need.HEARTBEATS}),
    state=(HEARTBEATS,),
    finds=("interface-silent",),
    runbook=(
        "If an instance was stopped or a service was removed at that time: nothing is wrong.",
        f"See whether the flow log is there and delivers: {_DESCRIBE}",
        "If it was deleted: ask CloudTrail who called DeleteFlowLogs, and make it again (the enforcer does).",
        "What happened meanwhile nobody saw: look at the logs of the hosts.",
    ),
    detect=detect,
    text=text,
)
