"""The doctor's report, as text and as a JSON document. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Final

from msgspec import to_builtins

from flowwarden.doctor.checks import CHECKS
from flowwarden.doctor.facts import Facts, Place
from flowwarden.doctor.line import Line, Verdict
from flowwarden.notify.text import moment
from flowwarden.printable import one_line

NAMED: Final = 3
"""Subjects without a problem that a line of the text names."""
_WIDTH: Final = max(map(len, Verdict))
_INDENT: Final = " " * (_WIDTH + 2)


def examine(facts: Facts) -> list[Line]:
    """The lines of all checks, in their order."""
    return [line for check in CHECKS for line in check.lines(facts)]


def is_sound(lines: Iterable[Line]) -> bool:
    """Whether nothing failed and everything could be checked. Warnings are allowed."""
    return not any(each.verdict in {Verdict.FAILED, Verdict.UNKNOWN} for each in lines)


def as_document(lines: Sequence[Line], place: Place) -> dict[str, object]:
    """The report as a JSON document."""
    return {
        "stack": place.stack,
        "account": place.account,
        "region": place.region,
        "checked_at": place.now,
        "sound": is_sound(lines),
        "counts": {verdict.value: _count(lines, verdict) for verdict in Verdict},
        "lines": to_builtins(lines),
    }


def as_text(lines: Sequence[Line], place: Place) -> str:
    """The report as text: what needs attention first, then a line for each check with nothing to report."""
    where = f"account {one_line(place.account)}, region {one_line(place.region)}"
    head = f"Stack {one_line(place.stack)}, {where}, {moment(place.now)}"
    order = (Verdict.FAILED, Verdict.UNKNOWN, Verdict.WARNING)
    wrong = [part for verdict in order for each in lines if each.verdict is verdict for part in _shown(each)]
    sound = list(_sound(lines))
    counts = ", ".join(f"{_count(lines, verdict)} {verdict.value}" for verdict in (*order, Verdict.OK))
    return "\n".join([head, "", *wrong, *([""] if wrong else []), *sound, "", counts])


def _shown(line: Line) -> Iterator[str]:
    yield f"{line.verdict.value:<{_WIDTH}}  {line.check}: {line.subject}: {line.text}"
    if line.fix:
        yield f"{_INDENT}fix: {line.fix}"


def _sound(lines: Iterable[Line]) -> Iterator[str]:
    """One line for the subjects of a check without a problem."""
    good = (each for each in lines if each.verdict is Verdict.OK)
    for check, group in groupby(good, attrgetter("check")):
        same = list(group)
        more = f" and {len(same) - NAMED} more" if len(same) > NAMED else ""
        names = ", ".join(each.subject for each in same[:NAMED])
        yield f"{Verdict.OK.value:<{_WIDTH}}  {check}: {names}{more}: {same[0].text}"


def _count(lines: Iterable[Line], verdict: Verdict) -> int:
    return sum(each.verdict is verdict for each in lines)
