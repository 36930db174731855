"""`make reliability`: runs the load run and the proofs of the table of faults, and prints their results.

Returns 1, with a line for each difference, if an invariant is violated or a proof is missing.
"""

from __future__ import annotations

import argparse
import sys
from typing import Final

from benchmarks.reliability import node_ids
from benchmarks.reliability.load import figures, load
from benchmarks.reliability.matrix import cell_tests, prove
from benchmarks.reliability.page import page, summary
from benchmarks.reliability.proofs import Evidence
from benchmarks.reliability.sections import PAGE, write
from tests.examples import PROFILES

CALLS: Final = 3
"""Maximum calls of a scenario that fail in each way; the property tests of `make reliability` try all
calls."""


def main() -> int:
    """Run everything and print the results; with `--write`, write the page if nothing differs."""
    arguments = _arguments()
    print("load run …", file=sys.stderr)
    whole = load()
    print("tests of the table …", file=sys.stderr)
    tests = node_ids.run(cell_tests(), arguments.profile)
    print("failing calls …", file=sys.stderr)
    cells = prove(Evidence(whole, tests, CALLS))
    found = figures(whole)
    print(summary(found, cells))
    differences = [*whole.differences(), *(why for each in cells for why in each.failures)]
    for each in differences:
        print(f"FAILED: {each}", file=sys.stderr)
    if arguments.write and not differences:
        write(page(found, cells, arguments.profile, CALLS))
    return 1 if differences else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make reliability", description="Prove the table of faults.")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(PAGE.parents[1])}")
    parser.add_argument("--profile", choices=PROFILES, default="ci", help="of the property tests")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
