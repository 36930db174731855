"""`make loud`: runs the loud batches on the function's share of a core, and prints their cost.

Returns 1 if a batch needs more than half of the function's timeout or memory, or too many writes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from benchmarks.layouts import log_format, template
from benchmarks.loud.batches import BATCHES, fitted
from benchmarks.loud.invocation import Measurement, Task
from benchmarks.loud.throttle import PERIOD, period, release, share_of
from benchmarks.progress import Progress
from benchmarks.reliability.sections import LOUD, write
from benchmarks.tables import table
from flowwarden.records.log_format import LogFormat

_PROJECT: Final = Path(__file__).parents[2]
_PATHS: Final = "layers/flowwarden", "functions/monitor", "."
_MEGA: Final = 2**20
MOST_WRITES: Final = 200


class Function(Struct, frozen=True):
    """The monitor's limits, from the template."""

    megabytes: int
    seconds: int
    max_inflated: int

    @classmethod
    def of_template(cls) -> Function:
        """The monitor as it is deployed."""
        whole = template()
        monitor = whole["Resources"]["MonitorFunction"]["Properties"]
        inflated = whole["Parameters"]["MaxInflatedMiB"]["Default"] * _MEGA
        return cls(monitor["MemorySize"], monitor["Timeout"], inflated)


class Row(Struct, frozen=True):
    """A batch and its measurement; None if the function would have been stopped."""

    name: str
    lines: int
    measured: Measurement | None

    def is_within(self, function: Function) -> bool:
        """Whether it needs at most half of the function's time and memory, and few writes."""
        each = self.measured
        if each is None or each.failed:
            return False
        quick = each.seconds <= function.seconds / 2 and each.memory <= function.megabytes * _MEGA / 2
        return quick and each.writes <= MOST_WRITES


def main() -> int:
    """Measure the chosen batches, and print a table; return 1 if one exceeds a limit."""
    arguments = _arguments()
    if arguments.write and arguments.batch:
        raise SystemExit("--write needs a run of all batches")
    function = Function.of_template()
    share = 1.0 if arguments.unthrottled else share_of(function.megabytes)
    names = arguments.batch or [*BATCHES]
    rows = []
    with Progress(sys.stderr, len(names)) as progress:
        for name in names:
            progress.step(name, BATCHES[name].what)
            rows.append(measure(name, function, share))
            print(_line(rows[-1]), file=sys.stderr)
    print(report(rows, function))
    within = all(row.is_within(function) for row in rows)
    if arguments.write and within:
        write(section(rows, function, datetime.now(UTC)))
    return 0 if within else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make loud", description="Measure the loudest batches.")
    parser.add_argument("batch", nargs="*", help="the batches; all if none is given")
    parser.add_argument("--write", action="store_true", help="write the figures into docs/reliability.md")
    parser.add_argument("--unthrottled", action="store_true", help="on a whole core, which is quicker")
    return parser.parse_args()


def measure(name: str, function: Function, share: float) -> Row:
    """Run one batch on a share of a core."""
    event, lines = fitted(BATCHES[name].lines(LogFormat.parse(log_format())), function.max_inflated)
    # The measured seconds are those of the function's share, also if the process gets a whole core.
    task = Task(name, event, function.seconds, share_of(function.megabytes))
    paths = os.pathsep.join(str(_PROJECT / path) for path in _PATHS)
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.loud.invocation"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": paths, "POWERTOOLS_SERVICE_NAME": "monitor"}
        | {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"},
    ) as process:
        stdin, stdout = process.stdin, process.stdout
        if stdin is None or stdout is None:
            raise RuntimeError("the process has no pipes")
        stdin.write(msgspec.json.encode(task))
        stdin.close()
        if stdout.readline() != b"ready\n":
            raise RuntimeError(f"{name}: the container did not start")
        for _ in range(int(10 * task.seconds / PERIOD)):
            if process.poll() is not None:
                break
            period(process.pid, share)
        else:
            process.kill()
            return Row(name, lines, None)
        release(process.pid) if process.poll() is None else None
        return Row(name, lines, msgspec.json.decode(stdout.read(), type=Measurement))


_TEXT: Final = """\
The loudest batches that CloudWatch Logs can deliver must end within half of the function's timeout and
memory, on its share of a core, with at most 200 writes. `make loud` measures them, in about 10 minutes, and
writes this section; its exit status is 1 if a batch exceeds a limit. `benchmarks/README.md` describes the
method.
"""


def section(rows: Sequence[Row], function: Function, day: datetime) -> dict[str, str]:
    """The section of docs/reliability.md, by its heading."""
    what = "\n".join(f"| {row.name} | {BATCHES[row.name].what} |" for row in rows)
    parts = [_TEXT, f"Measured on {day:%Y-%m-%d}:\n", report(rows, function), ""]
    return {LOUD: "\n".join([*parts, f"| Batch | What it is |\n|---|---|\n{what}"])}


def report(rows: Iterable[Row], function: Function) -> str:
    """The table of all batches."""
    limits = f"limits {function.seconds / 2:g} s, {function.megabytes // 2} MB"
    head = f"batch ({share_of(function.megabytes):.2f} of a core; {limits})"
    columns = "lines", "s", "CPU s", "MB", "writes", "reads", "EC2", "findings", "pages", "within"
    return table((head, *columns), [_cells(row, function) for row in rows])


def _cells(row: Row, function: Function) -> list[str]:
    each = row.measured
    if each is None:
        return [row.name, f"{row.lines:,}", "stopped", *[""] * 7, "no"]
    counts = each.writes, each.reads, each.ec2, each.findings, each.pages
    within = each.failed or ("yes" if row.is_within(function) else "no")
    figures = [f"{each.seconds:.1f}", f"{each.processor:.2f}", f"{each.memory / _MEGA:.0f}"]
    return [row.name, f"{row.lines:,}", *figures, *(f"{count:,}" for count in counts), within]


def _line(row: Row) -> str:
    return f"{row.name}: {row.measured}"


if __name__ == "__main__":
    sys.exit(main())
