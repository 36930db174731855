"""records-skipped: AWS skips the records of one interface again and again.

What: SKIPDATA in `lost_windows` windows of an interface or more, all of which begin within an hour, over any
    number of batches. Told to operations, once for the interface and suppression window.
Why: a window with SKIPDATA hides any number of flows, so no detector's silence means anything meanwhile.
    AWS skips records for want of capacity or because of an error of its own (VPC User Guide, "Flow log
    records"). A single window now and then calls for no action; it stays a count.
False positives: chance. Where two windows in ten thousand are skipped, three of sixty within an hour happen
    about once in 50 days to 1,000 interfaces; with windows of ten minutes practically never.
Events: records-skipped.json, and gaps.json, which is none.
ATT&CK: none; a flood can cause it (T1562 Impair Defenses), but records do not prove that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.detectors.base import Detector
from flowwarden.monitor.findings import InterfaceFinding, Severity
from flowwarden.monitor.text import Text
from flowwarden.monitor.view import BatchView
from flowwarden.notify.alert import Route
from flowwarden.notify.notification import one_line
from flowwarden.notify.text import plural
from flowwarden.policy.detection import Thresholds
from flowwarden.records.model import Gap, GapKind
from flowwarden.state.schema import MOST_LOST, SKIPPED
from flowwarden.state.sets import HOUR, Addition

MINUTE: Final = 60
(LOST,) = SKIPPED.sets


class Facts(Struct, frozen=True):
    """What the finding stands on."""

    windows: int
    """That were skipped within two hours, or more."""
    limit: int
    """Of the windows, within an hour."""


type SkippedRecords = InterfaceFinding[Facts]


def lost_windows(gaps: Iterable[Gap], now: int) -> dict[str, frozenset[int]]:
    """When the windows began (Unix seconds) whose records were skipped, by interface or NAT gateway."""
    found: defaultdict[str, set[int]] = defaultdict(set)
    for gap in gaps:
        where = gap.interface_id or gap.resource_id
        # Without a start, or with one to come, a delivery that is repeated would be another window.
        if gap.kind is GapKind.SKIPDATA and where is not None and gap.start is not None and gap.start <= now:
            found[where].add(gap.start)
    return {where: frozenset(starts) for where, starts in found.items()}


def additions(interface: str, starts: Iterable[int]) -> dict[int, Addition]:
    """What these windows add to the evidence, by when (Unix seconds) the item's two hours begin.

    Items overlap: each window is in two of them, so that any hour lies in one whole.
    """
    minutes: defaultdict[int, set[int]] = defaultdict(set)
    for start in starts:
        hour = start // HOUR * HOUR
        for begin in (hour - HOUR, hour):
            minutes[begin].add((start - begin) // MINUTE)
    return {
        begin: Addition(
            SKIPPED.key_of(interface, begin // HOUR), {LOST: frozenset(each)}, SKIPPED.kept_until(begin)
        )
        for begin, each in sorted(minutes.items())
    }


def detect(view: BatchView, state: StateView, thresholds: Thresholds) -> list[SkippedRecords]:
    """A finding for each interface whose records were skipped again and again."""
    found: list[SkippedRecords] = []
    lost, least = lost_windows(view.records.gaps, view.now), thresholds.lost_windows
    for interface in sorted(lost)[:MOST_LOST]:
        added = additions(interface, lost[interface])
        items = {begin: _windows(state, each, least) for begin, each in added.items()}
        if (finding := inspect(interface, items, least)) is not None:
            found.append(finding)
    return found


def _windows(state: StateView, addition: Addition, least: int) -> frozenset[int]:
    """The windows of an item; nothing is written any more when there are enough."""
    known = state.known(addition.key).get(LOST, frozenset())
    return known if is_dense(known, least) else state.add(addition)[LOST]


def inspect(interface: str, items: Mapping[int, frozenset[int]], least: int) -> SkippedRecords | None:
    """Judge the items of an interface: the minutes of windows, by when the item's two hours begin.

    Args:
        interface: its id.
        items: what is known.
        least: windows within an hour that are worth a finding.
    """
    dense = [
        [begin + minute * MINUTE for minute in sorted(minutes)]
        for begin, minutes in items.items()
        if is_dense(minutes, least)
    ]
    if not dense:
        return None
    return _report(interface, max(dense, key=lambda starts: (len(starts), starts)), least)


def is_dense(minutes: frozenset[int], least: int) -> bool:
    """Whether so many windows lie within an hour: then no other one adds to what is told."""
    ordered = sorted(minutes)
    ends = zip(ordered, ordered[least - 1 :], strict=False)
    return any(last - first < HOUR // MINUTE for first, last in ends)


def _report(interface: str, starts: Sequence[int], limit: int) -> SkippedRecords:
    facts = Facts(windows=len(starts), limit=limit)
    return DETECTOR.interface_finding(interface, (interface,), first=starts[0], last=starts[-1], facts=facts)


def text(finding: SkippedRecords) -> Text:
    """The finding in words."""
    facts = finding.facts
    return Text(
        summary=one_line(
            f"Records lost: AWS skipped {facts.windows} windows of {finding.subject} or more "
            f"within two hours."
        ),
        because=(
            f"SKIPDATA in {plural(facts.limit, 'window')} of an hour or more; "
            f"single ones happen without any reason"
        ),
    )


_FLOOD: Final = (
    "See whether the interface had unusually much traffic: a flood is the usual reason for skipped records."
)

DETECTOR: Final = Detector(
    name="records-skipped",
    summary="AWS skipped an interface's records (SKIPDATA) in three windows of an hour or more",
    severity=Severity.MEDIUM,
    route=Route.OPERATIONS,
    thresholds=("lost_windows",),
    state=(SKIPPED,),
    finds=("records-lost",),
    runbook=(
        "Look for other witnesses of that time: logs of the hosts, of load balancers, CloudTrail.",
        _FLOOD,
        "If it lasts: open a case with AWS Support; only AWS can mend it.",
    ),
    detect=detect,
    text=text,
)
