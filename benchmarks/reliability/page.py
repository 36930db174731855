"""Two sections of docs/reliability.md: the load run, and the table of faults and invariants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from benchmarks.reliability.load import COUNT, LINES
from benchmarks.reliability.matrix import Cell, markdown
from benchmarks.reliability.poison import DOUBLED, LATER, POISONED, Poison
from benchmarks.reliability.sections import LOAD, MATRIX
from benchmarks.tables import table

POISONS: Final[Mapping[Poison, str]] = {
    Poison.MALFORMED: "9 % of the lines are no records: below the share that is reported",
    Poison.UNPARSED: "30 % of the lines are no records: this is reported, once",
    Poison.HOSTILE: "9 % of the lines, and the stream's name, contain control characters and forged lines",
    Poison.PAYLOAD: "cut short, not base64, not compressed, not JSON, not text, or too large once inflated",
    Poison.REFUSED: "a call to the table, EC2 or a topic fails, without an effect",
    Poison.UNANSWERED: "a call takes effect, and its answer is lost",
    Poison.CRASH_BEFORE: "the function ends before a call, and its container with it",
    Poison.CRASH_AFTER: "the function ends after a call, and its container with it",
}
_MATRIX: Final = """\
Each cell is the result of running what proves it: tests (`tests` counts each set of parameters), runs of
the test scenarios in which one call fails once (`runs`), or deliveries of the load run above (`deliveries`).
A dash: the pair has no proof of its own, mostly because the fault does not touch what the invariant is about.
A cell whose proof fails or is missing fails `make reliability`. "Warm": the retry comes to the same
container; "cold": to a new one. The deliveries of the load run stand in the row of cold
containers, and try both. `benchmarks/reliability/matrix.py` names the proofs of each cell.
"""


def page(figures: Mapping[str, int], cells: Sequence[Cell], profile: str, calls: int) -> dict[str, str]:
    """The two sections, by their headings.

    Args:
        figures: of the load run, by name.
        cells: of the table, row by row.
        profile: Hypothesis's, with which the tests of the table ran.
        calls: the most calls of a scenario of the monitor that failed in each way.
    """
    made = (
        f"Its tests ran with the profile `{profile}` of `tests/examples.py`.\n"
        f"At most {calls} calls of a scenario of the monitor failed in each way, chosen by a seed.\n"
    )
    return {LOAD: _load(figures), MATRIX: "\n".join([_MATRIX, made, markdown(cells)])}


def summary(figures: Mapping[str, int], cells: Sequence[Cell]) -> str:
    """The figures and the table alone, for a terminal."""
    return f"{_figures(figures)}\n\n{markdown(cells)}"


def _load(figures: Mapping[str, int]) -> str:
    return f"""\
{COUNT} batches of {LINES:,} lines go through the monitor's handler, on a table, EC2 and topics in memory.
Incidents are planted in them: hosts that are refused by a database, and scans, each in three batches.
{POISONED:.0%} of the batches are poisoned, and another {DOUBLED:.0%} are delivered twice: at once, or
{LATER} seconds later. What fails is delivered again, after 60 and 120 seconds, as Lambda does. A second run
has the same good lines, without poison and doubles.

It must hold, otherwise `make reliability` fails and says what differs: every line of a batch is counted as
a flow, as NODATA, as SKIPDATA or as malformed; a payload that cannot be read is refused as a whole, in each
attempt; both runs page the same incidents, and every planted one; an incident is sent once, and twice only
if a failed call leaves it unknown whether it was sent or claimed; a batch makes at most 200 writes; no
control character reaches a page or the log.

{_poisons()}

{_figures(figures)}
"""


def _poisons() -> str:
    rows = "\n".join(f"| {poison} | {what} |" for poison, what in POISONS.items())
    return f"| Poison | What it is |\n|---|---|\n{rows}"


def _figures(figures: Mapping[str, int]) -> str:
    return table(("load run", "number"), [[name, f"{number:,}"] for name, number in figures.items()])
