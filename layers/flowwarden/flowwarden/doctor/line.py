"""The lines of the doctor's report, and the problems that it knows. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct

from flowwarden.printable import one_line

LONGEST_VALUE: Final = 400
"""Characters of a text of AWS within a line."""


class Verdict(StrEnum):
    """The first word of a line."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """It could not be checked."""


class Line(Struct, frozen=True, kw_only=True):
    """One statement about one subject. All texts are safe to print on one line."""

    check: str
    verdict: Verdict
    subject: str
    text: str
    fix: str = ""
    """What to do; '' if nothing is to be done."""
    problem: str = ""
    """The name of the problem; '' unless the verdict is warning or failed."""


class Problem(Struct, frozen=True, kw_only=True):
    """One broken state that a check recognizes. docs/doctor.md lists all of them."""

    name: str
    """Unique; stable for scripts."""
    verdict: Verdict
    text: str
    """What is wrong. `{subject}`, `{stack}`, `{region}` and the values of the problem are replaced."""
    fix: str
    """What to do, with the same placeholders. Values are quoted for a shell where that is necessary."""

    def of(self, **values: object) -> Found:
        """The problem with these values for its placeholders."""
        return Found(self, values)


class Found(Struct, frozen=True):
    """A problem that a check found, with the values for its texts."""

    problem: Problem
    values: Mapping[str, object]


def line_of(check: str, subject: str, found: Found, place: Mapping[str, str]) -> Line:
    """The line about a problem.

    Args:
        check: the name of the check.
        subject: what the line is about.
        found: the problem.
        place: the values that every text may use: `stack` and `region`.
    """
    given = {name: _shown(value) for name, value in {**place, "subject": subject, **found.values}.items()}
    quoted = {name: _quoted(value) for name, value in given.items()}
    return Line(
        check=check,
        verdict=found.problem.verdict,
        subject=one_line(subject),
        text=found.problem.text.format_map(given),
        fix=found.problem.fix.format_map(quoted),
        problem=found.problem.name,
    )


def _shown(value: object) -> str:
    return one_line(str(value), LONGEST_VALUE)


def _quoted(value: str) -> str:
    """The value as one word of a shell; as it is if that makes no difference."""
    return value if re.fullmatch(r"[\w@%+=:,./-]+", value, re.ASCII) else shlex.quote(value)
