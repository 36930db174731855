"""Three sections of docs/reliability.md: the load run, faults and invariants, and the life of incidents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from benchmarks.reliability.load import COUNT, LINES
from benchmarks.reliability.matrix import Cell, markdown
from benchmarks.reliability.poison import DOUBLED, LATER, POISONED, Poison
from benchmarks.reliability.sections import LIVES, LOAD, MATRIX
from benchmarks.tables import table

POISONS: Final[Mapping[Poison, str]] = {
    Poison.MALFORMED: "9 % of the lines are not records: below the share that is reported",
    Poison.UNPARSED: "30 % of the lines are not records: this is reported, once",
    Poison.HOSTILE: "9 % of the lines, and the stream's name, contain control characters and forged lines",
    Poison.PAYLOAD: "cut short, not base64, not compressed, not JSON, not text, or too large once inflated",
    Poison.REFUSED: "a call to the table, EC2 or a topic fails without an effect",
    Poison.UNANSWERED: "a call takes effect, but its response is lost",
    Poison.CRASH_BEFORE: "the function ends before a call, and its container with it",
    Poison.CRASH_AFTER: "the function ends after a call, and its container with it",
}
_MATRIX: Final = """\
Each cell shows which proofs of the invariant (column) under the fault (row) were run: tests (`tests`
counts each set of parameters), runs of the test scenarios in which one call fails once (`runs`), or
deliveries of the load run above (`deliveries`). A dash means that the pair has no proof of its own, in
most cases because the fault does not affect the invariant. If a proof fails or is missing, `make
reliability` fails. "Warm" means that the same container processes the retry, "cold" that a new one does.
The deliveries of the load run, which try both, are in the rows of cold containers.
`benchmarks/reliability/matrix.py` lists the proofs of each cell.
"""
_LIVES: Final = """\
The monitor's notifier, the dispatcher, the budget for pages and a digest work on one table for three
hours, with two receivers of pages: incidents open, repeat, escalate, are held, and end. In each run, one
call of the table or of a receiver has a fault, and nothing else. `runs` counts them: one for each call. A
proof fails unless all of this is true:

- Each receiver got each incident, singly or in the page that lists what is held.
- No notification arrived more often than without the fault, except once more for a crash, or for a call
  without an answer.
- No hour and no day has more different pages than its limit. While the table does not answer, pages are
  sent without being counted; the column then shows the runs in which a receiver fails.
- Each incident was reported as resolved once, once more for a fault; after its last page, and only after
  records without its findings. None stays open.
- The digest arrived once, once more for a fault. It counts a batch that was processed twice once.

"A second dispatcher runs" means a complete run, before the call that has the fault. The last rows are
tests: several faults in one run, in memory and on an emulator of DynamoDB, and what three hours do not show.
`benchmarks/reliability/incidents.py` lists the proofs of each cell.
"""
_SERVICES: Final = """\
The same hours with three receivers of pages at once, of which one gets each end by itself, as PagerDuty
does. Pages that a service refuses are not sent there again; ends are, after the cause is repaired.
`benchmarks/reliability/services.py` lists the proofs of each cell.
"""
_DAYS: Final = "What holds of simulated days, through the monitor and the dispatcher:\n"


class Tables(Struct, frozen=True):
    """The cells of each table, row by row."""

    faults: Sequence[Cell] = ()
    lives: Sequence[Cell] = ()
    """Of the faults of incidents."""
    services: Sequence[Cell] = ()
    """Of three receivers."""
    days: Sequence[Cell] = ()

    @property
    def failures(self) -> list[str]:
        """The failed proofs, in words."""
        every = (self.faults, self.lives, self.services, self.days)
        return [why for table in every for each in table for why in each.failures]


def page(figures: Mapping[str, int], tables: Tables, profile: str, calls: int) -> dict[str, str]:
    """The three sections, by their headings.

    Args:
        figures: the figures of the load run, by name.
        tables: the proven cells.
        profile: the profile of Hypothesis with which the tests of the table ran.
        calls: the maximum number of calls of a scenario of the monitor that failed in each way.
    """
    made = (
        f"Its tests ran with the profile `{profile}` of `tests/examples.py`.\n"
        f"At most {calls} calls of a scenario of the monitor failed in each way, chosen by a seed.\n"
    )
    return {
        LOAD: _load(figures),
        MATRIX: "\n".join([_MATRIX, made, markdown(tables.faults)]),
        LIVES: "\n".join(
            [
                *(_LIVES, markdown(tables.lives), ""),
                *(_SERVICES, markdown(tables.services), ""),
                *(_DAYS, _days(tables)),
            ]
        ),
    }


def summary(figures: Mapping[str, int], tables: Tables) -> str:
    """The figures and the tables alone, for a terminal."""
    found = (tables.faults, tables.lives, tables.services)
    return "\n\n".join([_figures(figures), *map(markdown, found), _days(tables)])


def _days(tables: Tables) -> str:
    return markdown(tables.days, "day")


def _load(figures: Mapping[str, int]) -> str:
    return f"""\
The monitor's handler processes {COUNT} batches of {LINES:,} lines, with a table, EC2 and topics in
memory. The batches contain planted incidents: hosts that are blocked from a database, and scans, each in
three batches. {POISONED:.0%} of the batches contain a fault ("poison"), and another {DOUBLED:.0%} are
delivered twice: at once, or {LATER} seconds later. As in Lambda, a failed batch is delivered again after
60 and 120 seconds. A second run processes the same good lines, without poison and repeated deliveries.

`make reliability` fails, and prints the differences, unless all of these are true:

- Every line of a batch is counted as a flow, as NODATA, as SKIPDATA or as malformed.
- A payload that cannot be read is rejected as a whole, in each attempt.
- Both runs page the same incidents, and all planted ones.
- An incident is sent once. It is sent twice only if, after a failed call, it is unknown whether it was
  sent or claimed.
- A batch makes at most 200 writes.
- No control character reaches a page or the log.

{_poisons()}

{_figures(figures)}
"""


def _poisons() -> str:
    rows = "\n".join(f"| {poison} | {what} |" for poison, what in POISONS.items())
    return f"| Poison | What it is |\n|---|---|\n{rows}"


def _figures(figures: Mapping[str, int]) -> str:
    return table(("load run", "number"), [[name, f"{number:,}"] for name, number in figures.items()])
