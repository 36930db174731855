"""The charts of scans: ports by time and hosts by time. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from typing import Any, Final

from flowwarden.replay.observed import Point, ScanPicture
from flowwarden_cli.report.chart import (
    ACCEPTED,
    REJECTED,
    Chart,
    category,
    label,
    milliseconds,
    moment_with_seconds,
    number,
    time_axis,
    time_frame,
    whole_spec,
)

DRAWN: Final = 6
"""Hosts that are drawn."""
TABLED: Final = 300
"""Points of a host that the table lists."""
LABELS: Final = 10
"""Labels of an axis with many hosts or ports."""
HEIGHT: Final = 220
CROSS: Final = "M-0.7,-0.7L0.7,0.7M-0.7,0.7L0.7,-0.7"
"""The shape of what was rejected."""
COLUMNS, ROWS = 150, 80
"""Points within one of so many cells of the picture are drawn as one."""
MOST_DRAWN: Final = 600
SHORTEST: Final = 120
"""Seconds of the axis of time at least."""
_HEADER: Final = ("time (UTC)", "target", "port", "outcome")


def charts(place: int, one: ScanPicture) -> Iterator[Chart]:
    """The charts of one host, which is the one at `place` of all."""
    targets = sorted({each.target for each in one.points}, key=_order)
    ports = sorted({each.port for each in one.points if each.port is not None})
    if ports:
        yield _chart(f"scan-{place}-ports", "Ports", one, [str(each) for each in ports])
    yield _chart(f"scan-{place}-hosts", "Hosts", one, targets)


def _order(address: str) -> tuple[int, int, str]:
    try:
        parsed = ip_address(address)
    except ValueError:
        return 0, 0, address
    return parsed.version, int(parsed), address


def _chart(name: str, what: str, one: ScanPicture, names: Sequence[str]) -> Chart:
    numbers = {each: place for place, each in enumerate(names)}
    begin, end = _span(one)
    every = [
        _value(each, numbers[key])
        for each in one.points
        if (key := str(each.port) if what == "Ports" else each.target) in numbers
    ]
    values = _apart(every, (end - begin) * 1000 / COLUMNS, len(names) / ROWS)
    rejected = sum(each.outcome == "rejected" for each in one.points)
    description = (
        f"{what} that {one.subject} tried, by time: {len(names):,} {what.lower()}, {len(one.points):,} "
        f"attempts, {rejected:,} of them rejected. Circles were accepted, crosses were rejected."
    )
    spec = whole_spec(
        description, HEIGHT, values,
        layer=[time_frame(begin, end), {
          "mark": {"type": "point", "size": 36, "strokeWidth": 1.4, "opacity": 0.85},
          "encoding": {
            "x": time_axis(),
            "y": number(
                "row", None, axis=_axis(names),
                scale={"domain": [-0.5, max(len(names), 2) - 0.5], "nice": False, "zero": False},
            ),
            "shape": _outcome("circle", CROSS),
            "stroke": _outcome(ACCEPTED, REJECTED),
            "tooltip": [
                category(field, field) for field in ("time", "target", "port", "outcome")
            ],
        }}],
    )  # fmt: skip
    rows = [
        (moment_with_seconds(each.at), each.target, _port(each), each.outcome) for each in one.points[:TABLED]
    ]
    return Chart(
        name=name, title=f"{what} by time: {one.subject}", description=description, spec=spec, header=_HEADER,
        rows=rows,
    )  # fmt: skip


def _outcome(accepted: str, rejected: str) -> dict[str, Any]:
    """The encoding of the outcome by these shapes or colors."""
    return category(
        "outcome",
        legend={"title": None, "orient": "top"},
        scale={"domain": ["accepted", "rejected"], "range": [accepted, rejected]},
    )


def _span(one: ScanPicture) -> tuple[int, int]:
    """The time of the points, and some more, so that those of a few seconds are not at an edge."""
    first, last = one.points[0].at, one.points[-1].at
    more = max((last - first) // 20, (SHORTEST - (last - first)) // 2, 1)
    return first - more, last + more


def _apart(values: Sequence[dict[str, Any]], column: float, row: float) -> list[dict[str, Any]]:
    """Those that do not coincide in the picture, whose cells have this width (ms) and height (rows)."""
    cells = {
        (each["at"] // column, each["row"] // max(row, 1), each["outcome"]): each for each in reversed(values)
    }
    return sorted(cells.values(), key=lambda each: (each["at"], each["row"]))[:MOST_DRAWN]


def _value(point: Point, row: int) -> dict[str, Any]:
    return {
        "at": milliseconds(point.at), "row": row, "time": moment_with_seconds(point.at),
        "target": label(point.target), "port": _port(point), "outcome": point.outcome,
    }  # fmt: skip


def _port(point: Point) -> str:
    return "-" if point.port is None else str(point.port)


def _axis(names: Sequence[str]) -> dict[str, Any]:
    """An axis with the names of some rows."""
    step = max(1, -(-len(names) // LABELS))
    shown = {place: label(names[place]) for place in range(0, len(names), step)}
    places = [*shown]
    words = ", ".join(f"'{_quoted(text)}'" for text in shown.values())
    return {
        "values": places, "grid": True,
        "labelExpr": f"[{words}][indexof([{', '.join(map(str, places))}], datum.value)]",
    }  # fmt: skip


def _quoted(text: str) -> str:
    """A text within the quotes of an expression: only what addresses and ports consist of, and no quote."""
    return "".join(each if each.isalnum() or each in ".:-/" else "_" for each in text)
