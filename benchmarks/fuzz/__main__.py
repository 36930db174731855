"""`python -m benchmarks.fuzz`: processes a million malformed inputs of every kind, on all cores.

Returns 1, and prints the smallest input and how to repeat it, if an input makes the command line raise an
exception, makes a function raise one that it must not raise, takes more than a second of processor time, or
reaches a terminal, a log or a page without escaping.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any, Final

from benchmarks.fuzz import report
from benchmarks.fuzz.kind import Kind, verdict
from benchmarks.fuzz.kinds import KINDS
from benchmarks.fuzz.run import ENDED, MOST_PROCESSES, PART, Failure, Outcome, given, run
from benchmarks.fuzz.shrink import smallest
from benchmarks.progress import Progress
from benchmarks.reliability.sections import PAGE, write

SEED: Final = 14
COUNT: Final = 1_000_000
_SHOWN: Final = 2000


def main() -> int:
    """Run the chosen kinds; print failures and a table."""
    arguments = _arguments()
    if arguments.write and (arguments.kind or arguments.first):
        raise SystemExit("--write needs a run of all kinds from their first input")
    if not 1 <= arguments.processes <= MOST_PROCESSES:
        raise SystemExit(f"--processes must be from 1 to {MOST_PROCESSES}")
    chosen = [KINDS[arguments.kind]] if arguments.kind else [*KINDS.values()]
    outcomes = fuzz(chosen, arguments.seed, arguments.count, arguments.first, arguments.processes)
    for each in outcomes:
        for failure in each.failures:
            print(shown(failure, arguments.seed), file=sys.stderr)
    print(report.figures(outcomes))
    if arguments.write and not any(each.failures for each in outcomes):
        write(report.section(outcomes, arguments.seed, arguments.processes, report.today()))
    return 1 if any(each.failures for each in outcomes) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description="Fuzz everything.")
    parser.add_argument("--kind", choices=KINDS, help="only this kind of input")
    parser.add_argument("--seed", type=int, default=SEED, help="another seed gives other inputs")
    parser.add_argument("--count", type=int, default=COUNT, help="number of inputs of all chosen kinds")
    parser.add_argument("--first", type=int, default=0, help="number of the first input of each kind")
    parser.add_argument("--processes", type=int, default=min(MOST_PROCESSES, os.cpu_count() or 1))
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    return parser.parse_args()


def fuzz(chosen: Sequence[Kind], seed: int, count: int, first: int, processes: int) -> list[Outcome]:
    """Run `count` inputs of these kinds in proportion to their shares, from input `first` of each kind on."""
    whole, outcomes = sum(each.share for each in chosen), list[Outcome]()
    for kind in chosen:
        groups = max(1, round(count * kind.share / whole / kind.size))
        numbers = range(first // kind.size, first // kind.size + groups)
        with Progress(sys.stderr, -(-groups // PART)) as progress:

            def done(
                ready: int, failed: int, kind: Kind = kind, whole: int = groups, to: Progress = progress
            ) -> None:
                detail = f"{ready * kind.size:,} inputs, {failed:,} failures"
                to.step(f"{kind.name} {ready * 10 // whole * 10:3} %", detail)

            outcomes.append(run(kind, seed, numbers, processes, done))
    return outcomes


def shown(failure: Failure, seed: int) -> str:
    """The text about a failure: how to repeat it, and the smallest input with the same problem."""
    kind, what = failure.kind, failure.problem.what
    lines = [
        f"FAILED: {kind.name}: {what}: {failure.problem.detail[:_SHOWN]!r}",
        f"  repeat: python -m benchmarks.fuzz {failure.command(seed)}",
    ]
    if what != ENDED:

        def fails(tried: Any) -> bool:  # noqa: ANN401 - an input of this kind
            return what in _whats(kind, tried)

        lines.append(f"  input: {smallest(given(kind, seed, failure.number), fails)!r}"[:_SHOWN])
    return "\n".join(lines)


def _whats(kind: Kind, tried: Any) -> Iterable[str]:  # noqa: ANN401
    return {each.what for each in verdict(kind, tried)}


if __name__ == "__main__":
    sys.exit(main())
