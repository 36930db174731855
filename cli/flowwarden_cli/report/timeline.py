"""The charts of time: accepted and rejected traffic with incidents, and days by detectors. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Final

from flowwarden.replay.result import Bucket, DayOfDetector, IncidentHistory, ReplayResult
from flowwarden_cli.report.chart import (
    ACCEPTED,
    INK,
    REJECTED,
    Chart,
    category,
    height_of,
    label,
    milliseconds,
    moment,
    number,
    time_axis,
    time_frame,
    whole_spec,
)

MOST_BARS: Final = 168
"""Bars of a chart of time: an hour each for a week."""
MOST_INCIDENTS: Final = 400
"""Incidents that are drawn."""
MOST_LABELED_DAYS: Final = 14
"""Days up to which the cells of a chart have room for numbers on a phone."""
SHAPES: Final = {
    "critical": "diamond", "high": "triangle-up", "medium": "square", "info": "circle",
}  # fmt: skip
"""The shapes of severities."""


def charts(result: ReplayResult) -> Iterator[Chart]:
    """The charts of the timeline, one below the other with the same axis of time."""
    if result.begin is None or result.end is None:
        return
    merged, seconds = coarse(result.traffic, result.bucket_seconds)
    begin = min([result.begin, *(each.begin for each in merged[:1])])
    end = max([result.end, *(each.begin + seconds for each in merged[-1:])])
    if result.incidents:
        yield _incidents(result.incidents[:MOST_INCIDENTS], begin, end)
    for name, color in (("accepted", ACCEPTED), ("rejected", REJECTED)):
        yield _traffic(merged, seconds, name, color, (begin, end))


def coarse(traffic: Sequence[Bucket], seconds: int) -> tuple[list[Bucket], int]:
    """At most `MOST_BARS` buckets with their length, which divides a day or is a number of days."""
    if not traffic:
        return [], seconds
    span = traffic[-1].begin + seconds - traffic[0].begin
    for width in (
        seconds,
        1800,
        3600,
        7200,
        14_400,
        28_800,
        43_200,
        *(86_400 * days for days in range(1, 3_650)),
    ):
        if width % seconds == 0 and span / width <= MOST_BARS - 1:
            break
    sums: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0])
    for each in traffic:
        both = sums[each.begin // width * width]
        both[0] += each.accepted
        both[1] += each.rejected
    return [Bucket(begin=begin, accepted=a, rejected=r) for begin, (a, r) in sorted(sums.items())], width


def _traffic(traffic: Sequence[Bucket], seconds: int, name: str, color: str, span: tuple[int, int]) -> Chart:
    counts = [(each.begin, getattr(each, name)) for each in traffic]
    total, most = sum(count for _, count in counts), max((count for _, count in counts), default=0)
    per = _length(seconds)
    description = (
        f"{name.capitalize()} records for each {per}: {total:,} in total, at most {most:,} in one bar."
    )
    values = [
        {"at": milliseconds(begin), "to": milliseconds(begin + seconds), "records": count}
        for begin, count in counts
    ]
    spec = whole_spec(
        description, 120, values,
        layer=[time_frame(*span), {
          "mark": {"type": "rect", "fill": color, "stroke": "var(--paper)", "strokeWidth": 0.5},
          "encoding": {
            "x": time_axis(),
            "x2": {"field": "to"},
            "y": number("records", None, axis={"format": "~s", "tickCount": 4}, scale={"zero": True}),
            "y2": {"datum": 0},
            "tooltip": [_when(), number("records", "records", format=",")],
        }}],
    )  # fmt: skip
    rows = [(moment(begin), count) for begin, count in counts]
    return Chart(
        name=f"timeline-{name}", title=f"{name.capitalize()} records per {per}", description=description,
        spec=spec, header=("begin (UTC)", "records"), rows=rows,
    )  # fmt: skip


def _when() -> dict[str, Any]:
    return {"field": "at", "type": "temporal", "title": "begin (UTC)", "format": "%Y-%m-%d %H:%M",
            "scale": {"type": "utc"}, "timeUnit": "utcyearmonthdatehoursminutes"}  # fmt: skip


def _length(seconds: int) -> str:
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds % size == 0:
            return unit if seconds == size else f"{seconds // size} {unit}s"
    return f"{seconds} seconds"


def _incidents(incidents: Sequence[IncidentHistory], begin: int, end: int) -> Chart:
    description = (
        f"{len(incidents):,} incidents, in a row for each detector, from their first to their last "
        "notification. The shape shows the severity."
    )
    values = [_span(each, begin, end) for each in incidents]
    detectors = sorted({each["detector"] for each in values})
    shared = {
        "x": time_axis(),
        "y": category("detector", axis={"grid": True}, scale={"domain": detectors}),
    }
    spec = whole_spec(
        description, height_of(len(detectors)), values,
        layer=[
            time_frame(begin, end),
            {
                "mark": {"type": "bar", "height": 2, "fill": INK},
                "encoding": {**shared, "x2": {"field": "to"}},
            },
            {
                "mark": {
                    "type": "point", "filled": True, "fill": INK, "stroke": "var(--paper)", "size": 110,
                    "opacity": 1,
                },
                "encoding": {
                    **shared,
                    "shape": _shape(values),
                    "tooltip": [category(each, each) for each in ("summary", "severity", "first", "last")],
                },
            },
        ],
    )  # fmt: skip
    rows = [
        (each["first"], each["last"], each["severity"], each["detector"], each["summary"]) for each in values
    ]
    return Chart(
        name="timeline-incidents", title="Incidents by detector", description=description, spec=spec,
        header=("first (UTC)", "last (UTC)", "severity", "detector", "summary"), rows=rows,
    )  # fmt: skip


def _shape(values: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The encoding of the severities that occur."""
    severities = [each for each in SHAPES if any(one["severity"] == each for one in values)]
    return {
        "field": "severity",
        "type": "nominal",
        "scale": {"domain": severities, "range": [SHAPES[each] for each in severities]},
        "legend": {"title": "severity", "orient": "top", "symbolFillColor": INK},
    }


def _span(one: IncidentHistory, begin: int, end: int) -> dict[str, Any]:
    first, last = one.timeline[0].at, one.timeline[-1].at
    return {
        "at": milliseconds(min(max(first, begin), end)), "to": milliseconds(min(max(last, begin), end)),
        "detector": label(one.detectors[0]), "severity": one.severity, "summary": label(one.summary),
        "first": moment(first), "last": f"{moment(last)}{' (open)' if one.is_open else ''}",
    }  # fmt: skip


def days(result: ReplayResult) -> Chart | None:
    """The pages of each day and detector; None without any notification."""
    if not result.days:
        return None
    described = "Pages with their updates, by day and detector. Darker cells have more."
    detectors, names = {each.detector for each in result.days}, sorted({each.day for each in result.days})
    spec = whole_spec(
        described, height_of(len(detectors)), [_cell(each) for each in result.days],
        encoding={
            "x": category("day", axis={"labelAngle": -40, "labelOverlap": "greedy"}, scale={"domain": names}),
            "y": category("detector"),
        },
        layer=[_CELLS, _NUMBERS] if len(names) <= MOST_LABELED_DAYS else [_CELLS],
    )  # fmt: skip
    return Chart(
        name="days-detectors", title="Pages and updates by day and detector", description=described,
        spec=spec, header=("day", "detector", "pages", "updates", "resolved", "to operations", "digest rows"),
        rows=[_row(each) for each in result.days],
    )  # fmt: skip


_CELLS: Final[dict[str, Any]] = {
    "mark": {"type": "rect", "fill": ACCEPTED, "stroke": "var(--line)"},
    "encoding": {
        "fillOpacity": number("pages", None, scale={"range": [0.04, 0.75], "domainMin": 0}, legend=None),
        "tooltip": [
            category("day", "day"), category("detector", "detector"), number("pages", "pages and updates"),
            number("digest", "digest rows"),
        ],
    },
}  # fmt: skip
_NUMBERS: Final[dict[str, Any]] = {
    "mark": {"type": "text", "fill": INK},
    "encoding": {"text": number("pages", None, format=",")},
}


def _cell(each: DayOfDetector) -> dict[str, Any]:
    pages = each.pages + each.updates
    return {"day": each.day, "detector": each.detector, "pages": pages, "digest": each.digest_rows}


def _row(each: DayOfDetector) -> tuple[str | int, ...]:
    return each.day, each.detector, each.pages, each.updates, each.resolved, each.operations, each.digest_rows
