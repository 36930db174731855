"""interface-silent: an interface that regularly wrote records has stopped.

What: an interface that wrote in nearly every half hour of the three hours before and in none of the last
    `SILENT_SLOTS` half hours, while other interfaces of its log group kept writing, and that EC2 still
    describes as in use. Reported to operations, once for each interface and suppression window. `TOGETHER` or
    more silent interfaces of one VPC are reported together: its flow log was probably deleted.
Why: a flow log writes NODATA for an interface without traffic. An interface without any records therefore has
    no flow log any more, or one that does not deliver. Intruders who want to stay undetected disable flow
    logs first.
False positives: interfaces that were detached or deleted, or whose instance was stopped, are not reported,
    but EC2 may show this late. An interface that now writes to another log group is not silent. Deliveries of
    one interface that are more than 90 min late cause false reports. Late deliveries of many interfaces cause
    none, nor do containers that end before they have stored what they saw: if the stored records of the other
    interfaces have gaps, nothing is reported.
Blind: time is measured by the traffic of the other interfaces. If all interfaces of a log group fall silent,
    this detector reports nothing; the enforcer's sweep reports the log group. EC2 does not describe
    interfaces of other accounts, and log formats without `interface-id` do not identify the writer.
Events: none alone; see tests/monitor/detectors/test_missing_records_over_time.py.
ATT&CK: T1562.008 Disable or Modify Cloud Logs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import inf
from typing import Final

from flowwarden.monitor.caches.heartbeats import GroupHeartbeats
from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.detectors.base import Detector, Need
from flowwarden.monitor.findings import InterfaceFinding, Severity, SurplusFinding
from flowwarden.monitor.text import Text
from flowwarden.monitor.view import BatchView
from flowwarden.notify.alert import Route
from flowwarden.notify.text import duration
from flowwarden.policy.detection import Thresholds
from flowwarden.state import heartbeats
from flowwarden.state.heartbeats import SLOT
from flowwarden.state.schema import HEARTBEATS
from flowwarden.state.sets import HOUR

SILENT_SLOTS: Final = 3
"""90 min: records are usually minutes late (p95), occasionally an hour."""
SLOTS_BEFORE: Final = 6
MISSED: Final = 1
"""Of the slots before, how many may lack a record. This also limits how long a permanently silent interface
is reported."""
LAG: Final = 900
"""Seconds of a slot that must pass before the slots before it are judged: their last records arrive that
late. Other containers write their sightings once per slot: of the slots of silence, the last can lack those
of its end."""
LOST_AT_MOST: Final = 0.032
"""Writing interfaces that may seem silent by chance, because their records of `SILENT_SLOTS` slots were not
stored, or are not delivered yet. A gap of one of two interfaces, beside a silent third one, is below."""
TOGETHER: Final = 5
"""Silent interfaces of a VPC from which on they are reported together, because they have one cause."""
MOST_ASKED: Final = 200
"""Silent interfaces described per EC2 call: far more than are reported individually."""
MOST_REPORTED: Final = 16
"""Findings per batch; so many silent interfaces have one cause."""

_DESCRIBE: Final = (
    "aws ec2 describe-flow-logs "
    "--query 'FlowLogs[].[FlowLogId,ResourceId,DeliverLogsStatus,DeliverLogsErrorMessage]'"
)

type SilentInterface = InterfaceFinding[None]


def detect(
    view: BatchView, state: StateView, _thresholds: Thresholds
) -> list[SilentInterface | SurplusFinding]:
    """The findings about silent interfaces: once per slot and container, once they are sent."""
    moment = view.moment
    slot = heartbeats.slot_of(moment)
    group = state.heartbeats.of(view.batch.log_group, heartbeats.slot_of(view.now))
    if slot <= group.judged or not is_due(moment):
        return []
    found = _judge(view, state, group, slot)
    if found is None:  # the next batch retries
        return []
    state.judged(group, slot)
    return [*found[:MOST_REPORTED], *DETECTOR.surplus(max(0, len(found) - MOST_REPORTED))]


def _judge(
    view: BatchView, state: StateView, group: GroupHeartbeats, slot: int
) -> list[SilentInterface] | None:
    """The findings; None if the state table or EC2 did not answer."""
    wanted = heartbeats.keys(slots_asked(slot))
    items = state.read(wanted)
    seen = _seen(group, heartbeats.seen(wanted, items, view.batch.log_group))
    numbers = silent(slot, seen)
    if numbers and lost_by_chance(slot, seen) > LOST_AT_MOST:
        numbers = frozenset()
    if numbers:
        # After a replacement or under another policy rule, a flow log writes to another log group.
        elsewhere = heartbeats.seen(heartbeats.keys(slots_of_silence(slot)), items)
        numbers -= frozenset().union(*elsewhere.values())
    if state.is_away:
        return None
    asked = [heartbeats.interface_of(each) for each in sorted(numbers)[:MOST_ASKED]]
    described = view.interfaces.described(asked)
    if described is None:
        return None
    return inspect(slot, {name: each.vpc_id for name, each in described.items() if each.at_work})


def _seen(group: GroupHeartbeats, stored: Mapping[int, frozenset[int]]) -> dict[int, frozenset[int]]:
    """The numbers of the interfaces that wrote, by slot, with those that this container has not stored."""
    return {slot: numbers | group.unwritten.get(slot, set()) for slot, numbers in stored.items()}


def slots_asked(slot: int) -> range:
    """The slots that a check reads, including the slot of the traffic."""
    return range(slot - SILENT_SLOTS - SLOTS_BEFORE, slot + 1)


def slots_of_silence(slot: int) -> range:
    """The slots in which a silent interface must not have written, to any log group."""
    return range(slot - SILENT_SLOTS, slot + 1)


def is_due(moment: int) -> bool:
    """Whether traffic at this time (Unix seconds) is far enough into its slot."""
    return moment % SLOT >= LAG


def silent(slot: int, seen: Mapping[int, frozenset[int]]) -> frozenset[int]:
    """The numbers of the interfaces that fell silent.

    Args:
        slot: the slot of the traffic.
        seen: the numbers of the interfaces that wrote, for each slot read.
    """
    quiet = [seen[each] for each in range(slot - SILENT_SLOTS, slot)]
    before = [seen[each] for each in range(slot - SILENT_SLOTS - SLOTS_BEFORE, slot - SILENT_SLOTS)]
    if not (all(quiet) and all(before)):
        return frozenset()  # nothing was read or stored
    return frozenset(_wrote_in(SLOTS_BEFORE - MISSED, slot, seen).difference(*quiet, seen[slot]))


def _wrote_in(least: int, slot: int, seen: Mapping[int, frozenset[int]]) -> set[int]:
    """The numbers of the interfaces that wrote in at least so many slots before the slots of silence."""
    before = range(slot - SILENT_SLOTS - SLOTS_BEFORE, slot - SILENT_SLOTS)
    wrote = Counter(number for each in before for number in seen[each])
    return {number for number, times in wrote.items() if times >= least}


def lost_by_chance(slot: int, seen: Mapping[int, frozenset[int]]) -> float:
    """How many interfaces are expected to be missing in all slots of silence although they wrote.

    Estimated from how often the interfaces that did write are missing in one of these slots, although they
    wrote in a later one. Either containers ended before they stored what they saw, or deliveries that were
    held arrive now, in any order. Without any such gap, the answer is 0, however many interfaces are silent;
    it is infinite if no interface shows whether there are gaps. The arguments are those of `silent`.
    """
    # Those that a gap made look irregular count too: they show the gap.
    usual, later = _wrote_in(SLOTS_BEFORE // 2, slot, seen), seen[slot]
    share, gaps, looked_at = 1.0, 0, 0
    for each in range(slot - 1, slot - SILENT_SLOTS - 1, -1):
        wrote = usual & later
        missing = len(wrote - seen[each])
        share *= (missing + 0.5) / (len(wrote) + 1)
        gaps, looked_at = gaps + missing, looked_at + len(wrote)
        later |= seen[each]
    if not looked_at:
        return inf
    return len(usual) * share if gaps else 0.0


def inspect(slot: int, interfaces: Mapping[str, str | None]) -> list[SilentInterface]:
    """The findings for silent interfaces that are still in use, given as VPC by interface id."""
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
    count, silence = len(finding.interfaces), duration(SILENT_SLOTS * SLOT // 60)
    where = finding.subject if count == 1 else f"{count} interfaces of {finding.subject}"
    return Text(
        summary=f"No flow records from {where} for {silence}, not even NODATA.",
        because=(
            f"records in at least {SLOTS_BEFORE - MISSED} of {SLOTS_BEFORE} half-hour slots, then none in "
            f"the next {SILENT_SLOTS}, while other interfaces wrote to the log group; according to EC2, "
            f"{'the interface is' if count == 1 else 'the interfaces are'} in use"
        ),
    )


DETECTOR: Final = Detector(
    name="interface-silent",
    summary=(
        "an interface that regularly wrote flow records has stopped, although EC2 shows it as in use; "
        "five or more of a VPC are reported together"
    ),
    severity=Severity.MEDIUM,
    about_flows=False,
    route=Route.OPERATIONS,
    resolve_after=HOUR // 2,
    technique="T1562.008",
    needs=frozenset({Need.HEARTBEATS}),
    state=(HEARTBEATS,),
    finds=("interface-silent",),
    runbook=(
        "If an instance was stopped or a service removed at that time, no action is required.",
        f"Check that the flow log exists and delivers: {_DESCRIBE}",
        "If it was deleted, find the DeleteFlowLogs event in CloudTrail. The enforcer recreates flow logs.",
        "Traffic in that period was not monitored: check the host logs.",
    ),
    detect=detect,
    text=text,
)
