"""The summary of a replay as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from flowwarden.notify.alert import Route
from flowwarden.notify.incident import Event
from flowwarden.notify.text import moment, plural, repeat_count
from flowwarden.printable import as_json
from flowwarden.replay.comparison import Comparison
from flowwarden.replay.result import DayOfDetector, IncidentHistory, Noisy, Records, ReplayResult, ReportOnly

LISTED: Final = 50
"""Incidents that the text lists; the JSON document has all of them."""
HAPPENINGS: Final = 12
"""Notifications of an incident that the text lists."""
ENDS: Final = 3
"""Addresses of each end that the text lists."""
_COLUMNS: Final = ("pages", "updates", "resolved", "operations", "digest_rows")
_OPERATIONS: Final = "to operations"


def summary(result: ReplayResult) -> str:
    """The summary of a result."""
    paged = [each for each in result.incidents if each.route == Route.PAGES]
    others = [each for each in result.incidents if each.route != Route.PAGES]
    paragraphs = [
        _opening(result),
        _pages(result, paged),
        _days(result.days),
        _incidents("Incidents that were paged", paged),
        _incidents("Incidents for operations", others),
        _report_only(result.report_only),
        _noisiest(result.noisiest),
        _not_judged(result),
    ]
    return "\n\n".join("\n".join(lines) for paragraph in paragraphs if (lines := [*paragraph]))


def comparison(compared: Comparison) -> str:
    """The summary of a comparison."""
    names = [f"A is {compared.policy_a}, B is {compared.policy_b}."]
    paragraphs = [
        _opening(compared.a),
        [
            *names,
            f"Pages with A: {compared.a.pages:,}; with B: {compared.b.pages:,}.",
            f"Incidents that are paged with both: {compared.both:,}.",
            f"Added by B: {len(compared.added):,}. Lost with B: {len(compared.lost):,}.",
        ],
        _table(
            ["detector", "pages A", "pages B", "digest rows A", "digest rows B"],
            [
                [each.detector, each.pages_a, each.pages_b, each.digest_rows_a, each.digest_rows_b]
                for each in compared.detectors
            ],
        ),
        _incidents("Added by B", compared.added_incidents()),
        _incidents("Lost with B", compared.lost_incidents()),
        _not_judged(compared.b),
    ]
    return "\n\n".join("\n".join(lines) for paragraph in paragraphs if (lines := [*paragraph]))


def _opening(result: ReplayResult) -> Iterator[str]:
    records = result.records
    yield (
        f"Replayed {plural(records.flows, 'flow')} of {plural(result.interfaces, 'interface')} "
        f"in {plural(result.sources, 'source')}{_failed(result.sources_failed)}."
    )
    if result.begin is not None and result.end is not None:
        yield f"Records   {moment(result.begin)} to {moment(result.end)}"
    yield f"Traffic   {_traffic(records)}"
    if records.late:
        yield f"Late      {plural(records.late, 'line')} processed later, because they are far out of order"


def _failed(failed: int) -> str:
    return f", {failed:,} not read to the end" if failed else ""


def _traffic(records: Records) -> str:
    counts = [f"{records.accepted:,} accepted, {records.rejected:,} rejected"]
    counts += [f"{records.other:,} without an action"] if records.other else []
    return ", ".join([*counts, plural(records.gaps, "gap"), plural(records.malformed, "malformed line")])


def _pages(result: ReplayResult, paged: Sequence[IncidentHistory]) -> Iterator[str]:
    if not result.pages:
        yield "Pages: none."
        return
    updates = sum(each.updates for each in result.days)
    yield f"Pages: {result.pages:,}, about {plural(len(paged), 'incident')}; {plural(updates, 'update')}."


def _days(days: Sequence[DayOfDetector]) -> list[str]:
    header = ["day", "detector", "pages", "updates", "resolved", _OPERATIONS, "digest rows"]
    rows = [[each.day, each.detector, *(getattr(each, name) for name in _COLUMNS)] for each in days]
    return _table(header, rows)


def _table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    """Columns of texts are aligned to the left, those of numbers to the right; nothing without rows."""
    if not rows:
        return []
    cells = [[*header], *([f"{each:,}" if isinstance(each, int) else each for each in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    are_numbers = [isinstance(each, int) for each in rows[0]]
    return ["  ".join(_cells(row, widths, are_numbers)).rstrip() for row in cells]


def _cells(row: Sequence[str], widths: Sequence[int], are_numbers: Sequence[bool]) -> Iterator[str]:
    for cell, width, is_number in zip(row, widths, are_numbers, strict=True):
        yield cell.rjust(width) if is_number else cell.ljust(width)


def _incidents(title: str, incidents: Sequence[IncidentHistory]) -> Iterator[str]:
    if not incidents:
        return
    yield f"{title}: {len(incidents):,}"
    for each in incidents[:LISTED]:
        yield from _incident(each)
    if len(incidents) > LISTED:
        yield f"  and {len(incidents) - LISTED:,} more; --format json lists all"


def _incident(one: IncidentHistory) -> Iterator[str]:
    yield f"  [{one.severity.upper()}] {one.summary}"
    for title, member in (("From", "clients"), ("To", "servers")):
        if named := _ends(one.document.get(member)):
            yield f"    {title:<9} {named}"
    yield f"    Detector  {', '.join(one.detectors)}; incident {one.incident}"
    for each in one.timeline[:HAPPENINGS]:
        more = f": {each.summary}" if each.event != Event.RESOLVED and each.summary != one.summary else ""
        yield f"    {moment(each.at)}  {each.event}{more}"
    if len(one.timeline) > HAPPENINGS:
        yield f"    and {plural(len(one.timeline) - HAPPENINGS, 'more notification')}"
    if one.repeats:
        yield f"    {repeat_count(one.repeats)} suppressed{', open at the end' if one.is_open else ''}"
    elif one.is_open:
        yield "    Open at the end"


def _ends(ends: Any) -> str:  # noqa: ANN401 - a member of the document
    """The addresses of an end, such as `10.0.0.5, 10.0.0.6 and 3 more`."""
    if not isinstance(ends, dict):
        return ""
    names = [each["name"] for each in ends.get("top", ())]
    count = max(int(ends.get("count") or 0), len(names))
    shown = ", ".join(names[:ENDS])
    return f"{shown} and {count - ENDS:,} more" if count > ENDS else shown


def _report_only(rows: Sequence[ReportOnly]) -> Iterator[str]:
    if not rows:
        return
    yield f"Found by report-only detectors, without a notification: {len(rows):,}"
    for each in rows[:LISTED]:
        yield f"  {each.detector}: {each.summary}"
        yield f"    {moment(each.first)}  {_batches(each.findings)}"
    if len(rows) > LISTED:
        yield f"  and {len(rows) - LISTED:,} more; --format json lists all"


def _noisiest(noisiest: Sequence[Noisy]) -> Iterator[str]:
    if not noisiest:
        return
    yield "Noisiest subjects, and what in the policy would have prevented their notifications"
    for each in noisiest:
        yield f"  {each.detector}, {each.subject}: {plural(each.pages, 'page')}, {_batches(each.findings)}"
        for mute in each.mutes:
            yield f'    in "mutes": {as_json(mute)}'
        if each.thresholds:
            yield f'    or in "thresholds": {as_json(each.thresholds)}'


def _batches(count: int) -> str:
    return "found in 1 batch" if count == 1 else f"found in {count:,} batches"


def _not_judged(result: ReplayResult) -> Iterable[str]:
    if not result.not_judged:
        return ["Everything was judged."]
    return ["Not judged", *(f"  {each.what}: {each.count:,}; {each.why}" for each in result.not_judged)]
