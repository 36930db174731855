"""The incidents of the report, each with its timeline and the text of its first notification. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from flowwarden.notify.text import plural, repeat_count
from flowwarden.replay.result import Happening, IncidentHistory
from flowwarden_cli.report.chart import moment
from flowwarden_cli.report.html import Markup, element, lines, table

IN_FULL: Final = 150
"""Incidents of a list with their text."""
LISTED: Final = 1_000
"""Further incidents that a table lists."""
HAPPENINGS: Final = 40
"""Notifications of an incident that are listed."""
TEXT: Final = 6_000
"""Characters of a notification's text."""
_HEADER: Final = ("first (UTC)", "severity", "detectors", "summary", "notifications")


def paged(several: Sequence[IncidentHistory]) -> Iterator[Markup]:
    """The incidents that were paged; nothing if there are none."""
    if several:
        yield element("h3", f"Paged: {len(several):,}")
        yield from _incidents(several)


def others(several: Sequence[IncidentHistory]) -> Iterator[Markup]:
    """The other incidents, folded; nothing if there are none."""
    if several:
        heading = element("summary", f"For operations: {len(several):,}")
        yield element("details", heading, *_incidents(several), class_="others")


def _incidents(several: Sequence[IncidentHistory]) -> Iterator[Markup]:
    yield from map(_incident, several[:IN_FULL])
    rest = several[IN_FULL : IN_FULL + LISTED]
    if rest:
        yield table("Further incidents", _HEADER, map(_row, rest))
    if len(several) > IN_FULL + LISTED:
        more = plural(len(several) - IN_FULL - LISTED, "more incident")
        yield element("p", f"And {more}; --format json has all of them.")


def _row(one: IncidentHistory) -> tuple[str | int, ...]:
    first = one.timeline[0].at
    return moment(first), one.severity, ", ".join(one.detectors), one.summary, len(one.timeline)


def _incident(one: IncidentHistory) -> Markup:
    state = "open at the end" if one.is_open else "resolved"
    severity = element("strong", one.severity or "info", class_=f"severity {_word(one.severity)}")
    heading = element(
        "summary", severity, " ", element("span", one.summary),
        element("small", f"{moment(one.timeline[0].at)} UTC, {', '.join(one.detectors)}, {state}"),
    )  # fmt: skip
    happened = [element("li", _happening(each, one.summary)) for each in one.timeline[:HAPPENINGS]]
    if len(one.timeline) > HAPPENINGS:
        happened.append(element("li", f"and {plural(len(one.timeline) - HAPPENINGS, 'more notification')}"))
    if one.repeats:
        happened.append(element("li", f"{repeat_count(one.repeats)} suppressed"))
    text = element(
        "pre", lines(one.text, TEXT), tabindex="0", role="region", aria_label="Text of the notification"
    )
    return element("details", heading, element("ol", happened), text, class_="incident")


def _happening(one: Happening, summary: str) -> list[Markup | str]:
    said = f": {one.summary}" if one.summary and one.summary != summary else ""
    return [element("time", f"{moment(one.at)}"), f" {one.event}{said}"]


def _word(severity: str) -> str:
    return severity if severity.isalpha() else "info"
