"""The section of docs/reliability.md about fuzzed input."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from benchmarks.fuzz.guard import SECONDS
from benchmarks.fuzz.kinds import KINDS
from benchmarks.fuzz.run import Outcome
from benchmarks.reliability.sections import FUZZED
from benchmarks.tables import table

_TEXT: Final = f"""\
`benchmarks/fuzz/` makes malformed inputs of every kind from a seed, and processes each as the functions and
the command line do. `make reliability` processes a million inputs, `make test` a few hundred.

`make reliability` fails, and prints the smallest such input with the options that repeat it, unless all
of these are true:

- The command ends with an exit code and a message, never with an exception.
- A function raises only exceptions after which Lambda must retry the event.
- No input takes more than {SECONDS:g} s of processor time.
- No control character of an input reaches a terminal, a log or a page.
- Every line is counted, and every counted record is printed.
- A damaged item of one incident neither stops the dispatcher nor keeps another incident from being notified.
"""


def figures(outcomes: Sequence[Outcome]) -> str:
    """The table of figures."""
    rows = [
        [
            each.kind,
            f"{each.inputs:,}",
            f"{each.seconds:,.0f}",
            f"{each.inputs / max(each.seconds, 0.001):,.0f}",
            f"{each.slowest:.2f}",
            f"{each.failed:,}",
        ]
        for each in outcomes
    ]
    return table(("kind", "inputs", "seconds", "inputs/s", "slowest, CPU s", "failures"), rows)


def section(outcomes: Sequence[Outcome], seed: int, processes: int, day: datetime) -> dict[str, str]:
    """The section, by its heading."""
    kinds = "\n".join(f"| {each.name} | {each.what} |" for each in KINDS.values())
    made = (
        f"The last run: {day:%Y-%m-%d}, seed {seed}, {sum(each.inputs for each in outcomes):,} inputs on "
        f"{processes} processes in {sum(each.seconds for each in outcomes) / 60:.0f} minutes."
    )
    groups = ", ".join(f"{each.size} {each.name}" for each in KINDS.values() if each.size > 1)
    slowest = f"Some are processed together ({groups}); the slowest figure is that of a group."
    parts = [_TEXT, f"| Kind | What it is, and what processes it |\n|---|---|\n{kinds}\n"]
    return {FUZZED: "\n".join([*parts, made, slowest, "", figures(outcomes)])}


def today() -> datetime:
    """The day of the run."""
    return datetime.now(UTC)
