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
Events: none can show it; tests/monitor/test_lookout.py has hours of them.
What to do: see whether the flow log of the interface, subnet or VPC is there and delivers; make it again.
ATT&CK: T1562.008 Disable or Modify Cloud Logs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from flowwarden.monitor.blind_spots import BlindSpot
from flowwarden.monitor.detectors.base import Detector, Need, RunBy
from flowwarden.monitor.findings import Severity
from flowwarden.notify.alert import Route
from flowwarden.state.heartbeats import SLOT

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

_DESCRIBE: Final = (
    "aws ec2 describe-flow-logs "
    "--query 'FlowLogs[].[FlowLogId,ResourceId,DeliverLogsStatus,DeliverLogsErrorMessage]'"
)
ADVICE: Final = (
    "If an instance was stopped or a service was removed at that time: nothing is wrong.",
    f"See whether the flow log is there and delivers: {_DESCRIBE}",
    "If it was deleted: ask CloudTrail who called DeleteFlowLogs, and make it again (the enforcer does).",
    "What happened meanwhile nobody saw: look at the logs of the hosts.",
)


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


def inspect(slot: int, interfaces: Mapping[str, str | None]) -> list[BlindSpot]:
    """What to tell of silent interfaces; given are their VPCs, by id, of those that are still in use."""
    by_vpc: dict[str | None, list[str]] = {}
    for interface, vpc in sorted(interfaces.items()):
        by_vpc.setdefault(vpc, []).append(interface)
    spots: list[BlindSpot] = []
    for vpc, ids in by_vpc.items():
        if vpc is not None and len(ids) >= TOGETHER:
            spots.append(_report(slot, vpc, f"{len(ids)} interfaces of {vpc}", ids))
        else:
            spots += [_report(slot, each, each, [each]) for each in ids]
    return spots


def _report(slot: int, subject: str, who: str, interfaces: list[str]) -> BlindSpot:
    silent_hours = SILENT_SLOTS * SLOT / 3600
    return BlindSpot(
        detector=DETECTOR.name,
        severity=DETECTOR.severity,
        subject=subject,
        interfaces=tuple(interfaces),
        first=(slot - SILENT_SLOTS) * SLOT,
        last=slot * SLOT,
        summary=f"Silent: {who} wrote no flow records for {silent_hours:g} hours, not even NODATA.",
        because=(
            f"written in {SLOTS_BEFORE - MISSED} or more of the {SLOTS_BEFORE} half hours before, in none "
            f"of {SILENT_SLOTS} since, while others of the log group wrote; EC2 says it is in use"
        ),
        advice=ADVICE,
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
    detect=(RunBy("lookout"),),
)
