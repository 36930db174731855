"""The declaration of a check: one value, used by the report, the documentation and tests. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from flowwarden.doctor.fact import Fact, Unread
from flowwarden.doctor.facts import Facts
from flowwarden.doctor.line import Found, Line, Problem, Verdict, line_of
from flowwarden.printable import one_line


class Check[T = Any](Struct, frozen=True, kw_only=True):
    """One check: what it reads, how it judges that, and the problems that it can report."""

    name: str
    verifies: str
    """Its row in docs/doctor.md."""
    sound: str
    """The text of a line about a subject without a problem."""
    subjects: Callable[[Facts], Mapping[str, Fact[T]]]
    """What it judges, by the name that a line shows."""
    judge: Callable[[str, T, Facts], Iterable[Found | Unread]]
    """The problems of one subject that exists and could be read.

    Args: its name, its facts, all facts. An `Unread` is a part that could not be checked."""
    problems: tuple[Problem, ...]
    """All that it can report, the one for a missing subject first."""
    missing: Problem | None = None
    """The problem of a subject that does not exist; without one, the check says nothing about it."""

    def lines(self, facts: Facts) -> Iterator[Line]:
        """At least one line for each subject that exists or must exist."""
        place = {"stack": facts.place.stack, "region": facts.place.region}
        for subject, fact in self.subjects(facts).items():
            found = list(self._found(subject, fact, facts))
            for each in found:
                yield (
                    _unknown(self.name, subject, each)
                    if isinstance(each, Unread)
                    else line_of(self.name, subject, each, place)
                )
            if not found and fact is not None:
                yield Line(check=self.name, verdict=Verdict.OK, subject=one_line(subject), text=self.sound)

    def _found(self, subject: str, fact: Fact[T], facts: Facts) -> Iterable[Found | Unread]:
        if isinstance(fact, Unread):
            return [fact]
        if fact is None:
            return [self.missing.of()] if self.missing else []
        return self.judge(subject, fact, facts)


def _unknown(check: str, subject: str, unread: Unread) -> Line:
    """The line about something that could not be read; the reason says what to do."""
    return Line(
        check=check, verdict=Verdict.UNKNOWN, subject=one_line(subject), text=one_line(unread.reason, 1000)
    )
