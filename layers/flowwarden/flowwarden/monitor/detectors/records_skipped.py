"""records-skipped: AWS repeatedly skips the records of an interface.

What: SKIPDATA in at least `skipped_windows` aggregation windows of an interface, all of which begin within an
    hour, over any number of batches. Reported to operations, once for each interface and suppression window.
Why: a window with SKIPDATA can hide any number of flows, so no detector can rule anything out during it. AWS
    skips records because of a capacity limit or an internal error (VPC User Guide, "Flow log records"). An
    isolated window requires no action; it is only counted.
False positives: chance. If two of 10,000 windows are skipped, three of 60 within an hour occur about once in
    50 days for 1,000 interfaces; with windows of 10 min, practically never.
Events: records-skipped.json; no finding in gaps.json.
ATT&CK: none; a flood can cause it (T1562 Impair Defenses), but records do not prove that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.detectors.base import Detector
from flowwarden.monitor.findings import InterfaceFinding, Severity, SurplusFinding
from flowwarden.monitor.text import Text
from flowwarden.monitor.view import BatchView
from flowwarden.notify.alert import Route
from flowwarden.notify.text import plural
from flowwarden.policy.detection import Thresholds
from flowwarden.records.model import Gap, GapKind
from flowwarden.state.schema import MOST_SKIPPED, SKIPPED
from flowwarden.state.sets import HOUR, Addition, fingerprint

MINUTE: Final = 60
(SKIPPED_MINUTES,) = SKIPPED.sets


class Facts(Struct, frozen=True):
    """The evidence for the finding."""

    windows: int
    """Windows skipped within two hours; a lower bound."""
    limit: int
    """The threshold: skipped windows within an hour."""


type SkippedRecords = InterfaceFinding[Facts]


def skipped_windows(gaps: Iterable[Gap], now: int) -> dict[str, frozenset[int]]:
    """Start times (Unix seconds) of the skipped windows, by interface or NAT gateway."""
    found: defaultdict[str, set[int]] = defaultdict(set)
    for gap in gaps:
        where = gap.interface_id or gap.resource_id
        # Without a start, or with a future one, a repeated delivery would count as another window.
        if gap.kind is GapKind.SKIPDATA and where is not None and gap.start is not None and gap.start <= now:
            found[where].add(gap.start)
    return {where: frozenset(starts) for where, starts in found.items()}


def additions(interface: str, starts: Iterable[int]) -> dict[int, Addition]:
    """The evidence that these windows add, by the start (Unix seconds) of the item's two hours.

    Items overlap: each window is in two of them, so that any hour lies entirely within one item.
    """
    minutes: defaultdict[int, set[int]] = defaultdict(set)
    for start in starts:
        hour = start // HOUR * HOUR
        for begin in (hour - HOUR, hour):
            minutes[begin].add((start - begin) // MINUTE)
    return {
        begin: Addition(
            SKIPPED.key_of(interface, begin // HOUR),
            {SKIPPED_MINUTES: frozenset(each)},
            SKIPPED.kept_until(begin),
        )
        for begin, each in sorted(minutes.items())
    }


def detect(
    view: BatchView, state: StateView, thresholds: Thresholds
) -> list[SkippedRecords | SurplusFinding]:
    """A finding for each interface whose records were skipped repeatedly."""
    found: list[SkippedRecords] = []
    lost, least = skipped_windows(view.records.gaps, view.now), thresholds.skipped_windows
    # Of interfaces with equally many windows, another batch inspects others.
    most = sorted(lost, key=lambda each: (-len(lost[each]), fingerprint(view.batch.batch_id, each)))
    room = MOST_SKIPPED * state.breadth
    for interface in sorted(most[:room]):
        added = additions(interface, lost[interface])
        items = {begin: _windows(state, each, least) for begin, each in added.items()}
        if (finding := inspect(interface, items, least)) is not None:
            found.append(finding)
    beyond = (frozenset(start // MINUTE for start in lost[each]) for each in most[room:])
    return [*found, *DETECTOR.surplus(sum(is_dense(each, least) for each in beyond))]


def _windows(state: StateView, addition: Addition, least: int) -> frozenset[int]:
    """The windows of an item. Writes nothing once the item has enough of them."""
    known = state.known(addition.key).get(SKIPPED_MINUTES, frozenset())
    return known if is_dense(known, least) else state.add(addition)[SKIPPED_MINUTES]


def inspect(interface: str, items: Mapping[int, frozenset[int]], least: int) -> SkippedRecords | None:
    """Evaluate the items of an interface: minutes of windows, by the start of the item's two hours.

    Args:
        interface: its id.
        items: the known windows.
        least: skipped windows within an hour that cause a finding.
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
    """Whether `least` windows lie within an hour; further windows then do not change the finding."""
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
        summary=(
            f"Records lost: AWS skipped at least {facts.windows} aggregation windows of {finding.subject} "
            f"within 2 h."
        ),
        brief=f"AWS skipped {facts.windows} or more windows of {finding.subject}",
        because=(
            f"SKIPDATA in at least {plural(facts.limit, 'window')} within an hour; "
            f"isolated windows are normal and not reported"
        ),
    )


_FLOOD: Final = (
    "Check the interface for unusually high traffic: a flood is the usual cause of skipped records."
)

DETECTOR: Final = Detector(
    name="records-skipped",
    summary="AWS skipped an interface's records (SKIPDATA) in at least three windows within an hour",
    severity=Severity.MEDIUM,
    about_flows=False,
    route=Route.OPERATIONS,
    resolve_after=HOUR // 2,
    thresholds=("skipped_windows",),
    state=(SKIPPED,),
    finds=("records-lost",),
    runbook=(
        "Use other evidence for that time: host logs, load balancer logs, CloudTrail.",
        _FLOOD,
        "If the problem persists, open a case with AWS Support: only AWS can fix it.",
    ),
    detect=detect,
    text=text,
)
