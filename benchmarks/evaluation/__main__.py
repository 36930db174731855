"""`make eval`: evaluates the detectors and the rules of peers on labeled traffic."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import to_builtins

from benchmarks.evaluation import report, scenarios
from benchmarks.evaluation.gates import gates
from benchmarks.evaluation.parallel import run_all
from benchmarks.evaluation.results import Results
from benchmarks.progress import Progress

_PROJECT: Final = Path(__file__).parents[2]
REPORT: Final = _PROJECT / "benchmarks" / "detection.md"
DOCUMENT: Final = _PROJECT / "build" / "eval.json"
CHECKPOINTS: Final = _PROJECT / "build" / "eval"


def main() -> int:
    """Run the evaluation with these arguments."""
    arguments = _arguments()
    results = run(arguments)
    text = report.markdown(results)
    print(text)
    DOCUMENT.parent.mkdir(exist_ok=True)
    document = results.document() | {
        "gates": [{**to_builtins(gate), "met": gate.met} for gate in gates(results)]
    }
    DOCUMENT.write_text(json.dumps(document, indent=2) + "\n")
    is_other = arguments.quick or arguments.tuning or arguments.source or arguments.seed is not None
    if arguments.write or not is_other:
        REPORT.write_text(text)
    missed = [gate.what for gate in gates(results) if not gate.met]
    if missed:
        print(f"missed: {'; '.join(missed)}", file=sys.stderr)
    return int(arguments.check and bool(missed))


def run(arguments: argparse.Namespace) -> Results:
    """Run the scenarios."""
    seed = scenarios.seed_of(arguments.seed, tuning=arguments.quick or arguments.tuning)
    name, size = _size(arguments)
    chosen = scenarios.scenarios(size, seed, arguments.source)
    checkpoints = {each: None if arguments.quick else CHECKPOINTS / f"{each.name}.pickle" for each in chosen}
    for checkpoint in checkpoints.values():
        if checkpoint is not None and not arguments.resume:
            checkpoint.unlink(missing_ok=True)
    with Progress(sys.stderr, sum(each.network.days for each in chosen)) as progress:

        def tell(under_way: Mapping[str, str]) -> None:
            progress.step(", ".join(under_way), "; ".join(under_way.values()))

        return Results(seed, size=name, outcomes=run_all(checkpoints, arguments.jobs, tell))


def _size(arguments: argparse.Namespace) -> tuple[str, scenarios.Size]:
    if arguments.quick:
        return "quick", scenarios.QUICK
    return ("medium", scenarios.MEDIUM) if arguments.medium else ("full", scenarios.FULL)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make eval", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small networks; does not change detection.md")
    parser.add_argument("--medium", action="store_true", help="medium networks, a quarter of the time")
    seed = parser.add_mutually_exclusive_group()
    seed.add_argument(
        "--tuning", action="store_true", help="use the seed for tuning; does not change detection.md"
    )
    seed.add_argument("--seed", type=int, help="use traffic of your own choice; does not change detection.md")
    parser.add_argument("--resume", action="store_true", help="continue after the last finished day")
    parser.add_argument(
        "--jobs",
        type=int,
        default=os.process_cpu_count(),
        help="number of parallel scenarios (default: number of cores)",
    )
    parser.add_argument(
        "--source",
        metavar="MODULE",
        default="",
        help="take the traffic from this module instead of the generator; does not change detection.md",
    )
    parser.add_argument("--check", action="store_true", help="fail if a gate is missed")
    parser.add_argument("--write", action="store_true", help="write detection.md after any run")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
