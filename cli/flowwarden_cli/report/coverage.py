"""The charts of coverage: which interfaces wrote records, and where nothing is known. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from flowwarden.replay.observed import Coverage, CoveredTime, InterfaceCoverage
from flowwarden_cli.report.chart import (
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

FILLS: Final = {
    "flows": "var(--accepted)", "no traffic (NODATA)": "var(--quiet)",
    "skipped by AWS (SKIPDATA)": "url(#dots)", "no record": "url(#hatch)",
}  # fmt: skip
"""The fill of each state: two of them are patterns of the page."""
_MEMBERS: Final = dict(zip(FILLS, ("records", "no_data", "skipped", "missing"), strict=True))


def charts(coverage: Coverage) -> Iterator[Chart]:
    """The interfaces over time, and the gaps of those with the longest ones."""
    if coverage.times:
        yield _interfaces(coverage)
    if coverage.worst:
        yield _gaps(coverage)


def _interfaces(coverage: Coverage) -> Chart:
    most = max(each.records + each.no_data for each in coverage.times)
    description = (
        f"The number of interfaces that wrote flows, only NODATA, SKIPDATA, or no record, over time. At most "
        f"{most:,} wrote at a time; {coverage.with_gaps:,} have a gap."
    )
    values = [value for each in coverage.times for value in _stacked(each, coverage.seconds)]
    begin, end = coverage.times[0].begin, coverage.times[-1].begin + coverage.seconds
    states = [each for each in FILLS if any(one["state"] == each for one in values)]
    spec = whole_spec(
        description, 160, values,
        layer=[time_frame(begin, end), {
          "mark": {"type": "rect", "stroke": "var(--paper)", "strokeWidth": 0.3},
          "encoding": {
            "x": time_axis(),
            "x2": {"field": "to"},
            "y": number("from", None, axis={"format": "~s", "tickCount": 4}, scale={"zero": True}),
            "y2": {"field": "until"},
            "fill": _fill(states),
            "tooltip": [category("state", "state"), number("interfaces", "interfaces", format=",")],
        }}],
    )  # fmt: skip
    rows = [
        (moment(each.begin), each.records, each.no_data, each.skipped, each.missing)
        for each in coverage.times
    ]
    return Chart(
        name="coverage-interfaces", title="Interfaces by what they wrote", description=description, spec=spec,
        header=("begin (UTC)", *FILLS), rows=rows,
    )  # fmt: skip


def _stacked(one: CoveredTime, seconds: int) -> Iterator[dict[str, Any]]:
    """The states of a time, one on top of the other."""
    height = 0
    for state, member in _MEMBERS.items():
        count = getattr(one, member)
        if count:
            yield {
                "at": milliseconds(one.begin), "to": milliseconds(one.begin + seconds), "state": state,
                "interfaces": count, "from": height, "until": height + count,
            }  # fmt: skip
        height += count


def _fill(states: list[str]) -> dict[str, Any]:
    return {
        "field": "state", "type": "nominal",
        "scale": {"domain": states, "range": [FILLS[each] for each in states]},
        "legend": {"title": None, "orient": "top", "columns": {"expr": "width < 420 ? 1 : 4"},
                   "symbolStrokeColor": "var(--ink)", "symbolType": "square", "labelLimit": 260},
    }  # fmt: skip


def _gaps(coverage: Coverage) -> Chart:
    description = (
        f"The gaps of the {len(coverage.worst):,} interfaces with the longest ones. The line is the time "
        "from the first to the last record; bars are times without any or with skipped records."
    )
    spans = [_bar(each, "", each.first, each.last) for each in coverage.worst]
    bars = [
        _bar(each, state, gap.begin, gap.end)
        for each in coverage.worst
        for state, gaps in (("skipped by AWS (SKIPDATA)", each.skipped), ("no record", each.missing))
        for gap in gaps
    ]
    begin, end = coverage.times[0].begin, coverage.times[-1].begin + coverage.seconds
    names = [label(each.interface) for each in coverage.worst]
    states = [each for each in FILLS if any(one["state"] == each for one in bars)]
    x, y = time_axis(), category("interface", scale={"domain": names})
    spec = whole_spec(
        description, height_of(len(names)), [],
        layer=[
            time_frame(begin, end),
            {
                "data": {"values": spans},
                "mark": {"type": "bar", "height": 3, "fill": "var(--accepted)"},
                "encoding": {"x": x, "x2": {"field": "to"}, "y": y},
            },
            {
                "data": {"values": bars},
                "mark": {"type": "bar", "height": 13, "stroke": "var(--ink)", "strokeWidth": 0.8},
                "encoding": {
                    "x": x, "x2": {"field": "to"}, "y": y, "fill": _fill(states),
                    "tooltip": [category(each, each) for each in ("interface", "state", "begin", "end")],
                },
            },
        ],
    )  # fmt: skip
    rows = [(each["interface"], each["state"], each["begin"], each["end"]) for each in bars]
    return Chart(
        name="coverage-gaps", title="Gaps by interface", description=description, spec=spec,
        header=("interface", "state", "begin (UTC)", "end (UTC)"), rows=rows,
    )  # fmt: skip


def _bar(one: InterfaceCoverage, state: str, begin: int, end: int) -> dict[str, Any]:
    return {
        "interface": label(one.interface), "state": state, "at": milliseconds(begin), "to": milliseconds(end),
        "begin": moment(begin), "end": moment(end),
    }  # fmt: skip
