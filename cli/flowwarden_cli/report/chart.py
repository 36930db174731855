"""A chart: a specification of Vega-Lite, a description, and the same data as a table. Pure.

Colors are CSS variables of the page, so that light, dark and print need no other chart. No meaning depends on
color alone: charts use positions, shapes, hatching and labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from msgspec import Struct

from flowwarden.printable import one_line
from flowwarden_cli.report.html import Content, Markup, element, table

SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v6.json"
LABEL: Final = 60
"""Characters of a label of an axis."""
ROW: Final = 22
"""Pixels of a row."""
ACCEPTED, REJECTED, INK = "var(--accepted)", "var(--rejected)", "var(--ink)"


def height_of(rows: int) -> int:
    """The height of a chart with a row for each value, in pixels. One row alone has room for its axis."""
    return ROW * max(2, rows)


class Chart(Struct, frozen=True, kw_only=True):
    """A chart."""

    name: str
    """Its id in the page."""
    title: str
    description: str
    """What it shows, for those who do not see it."""
    spec: Mapping[str, Any]
    header: Sequence[str]
    rows: Sequence[Sequence[Content]]

    def figure(self) -> Markup:
        """Its part of the page."""
        return element(
            "figure",
            element("figcaption", self.title),
            element("div", class_="chart", id=self.name, role="img", aria_label=self.description),
            element(
                "details",
                element("summary", f"Data of “{self.title}” as a table"),
                table(self.title, self.header, self.rows),
            ),
        )


def whole_spec(description: str, height: int, values: Sequence[Any], **members: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """A specification as wide as its place in the page."""
    return {
        "$schema": SCHEMA,
        "description": description,
        "width": "container",
        "height": height,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "data": {"values": values},
        **members,
    }


def time_axis() -> dict[str, Any]:
    """The encoding of the member `at` as time, in UTC."""
    return {
        "field": "at",
        "type": "temporal",
        "scale": {"type": "utc", "nice": False},
        "axis": {
            "title": "time (UTC)",
            "labelOverlap": "greedy",
            "format": dict.fromkeys(("hours", "minutes"), "%H:%M"),
            "tickCount": {"expr": "max(2, width / 90)"},
        },
    }


def time_frame(begin: int, end: int) -> dict[str, Any]:
    """An invisible layer by which the axis of time reaches from begin to end (Unix seconds).

    Vega-Lite puts limits of a time axis into a form that the interpreter of expressions does not evaluate.
    Without the interpreter, the page would have to allow scripts that are made at run time.
    """
    return {
        "data": {"values": [{"at": milliseconds(each)} for each in (begin, max(end, begin + 60))]},
        "mark": {"type": "rule", "opacity": 0, "tooltip": None, "aria": False},
        "encoding": {"x": time_axis()},
    }


def category(field: str, title: str | None = None, **members: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """The encoding of a member with names, in the order of the data."""
    return {"field": field, "type": "nominal", "sort": None, "title": title, **members}


def number(field: str, title: str | None, **members: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """The encoding of a member with numbers."""
    return {"field": field, "type": "quantitative", "title": title, **members}


def milliseconds(seconds: int) -> int:
    """A time as Vega takes it."""
    return seconds * 1000


def moment_with_seconds(seconds: int) -> str:
    """A time such as `2026-01-31 23:10:50`, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def moment(seconds: int) -> str:
    """A time such as `2026-01-31 23:10`, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


def label(text: str) -> str:
    """A name as the label of an axis."""
    return one_line(text, LABEL) or "-"


def compact(count: int) -> str:
    """A count as `950`, `1.2k` or `3.4M`."""
    for size, unit in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if count >= size:
            return f"{count / size:.3g}{unit}"
    return str(count)
