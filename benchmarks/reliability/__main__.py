"""`make reliability`: runs the load run and the proofs of the tables of faults, and prints their results.

Returns 1, with a line for each difference, if an invariant is violated or a proof is missing.
"""

from __future__ import annotations

import argparse
import sys
from typing import Final

from benchmarks.reliability import node_ids
from benchmarks.reliability.incidents import DAYS, PROOFS
from benchmarks.reliability.incidents import FAULTS as OF_INCIDENTS
from benchmarks.reliability.incidents import INVARIANTS as INCIDENT_INVARIANTS
from benchmarks.reliability.load import figures, load
from benchmarks.reliability.matrix import FAULTS, cell_tests, prove
from benchmarks.reliability.page import Tables, page, summary
from benchmarks.reliability.proofs import Evidence
from benchmarks.reliability.sections import PAGE, write
from benchmarks.reliability.services import INVARIANTS as SERVICE_INVARIANTS
from benchmarks.reliability.services import SERVICES
from tests.examples import PROFILES

CALLS: Final = 3
"""Maximum calls of a scenario that fail in each way; the property tests of `make reliability` try all
calls."""


def main() -> int:
    """Run everything and print the results; with `--write`, write the page if nothing differs."""
    arguments = _arguments()
    print("load run …", file=sys.stderr)
    whole = load()
    print("tests of the tables …", file=sys.stderr)
    tests = node_ids.run(cell_tests(FAULTS, OF_INCIDENTS, SERVICES, DAYS), arguments.profile)
    print("failing calls …", file=sys.stderr)
    evidence, found = Evidence(whole, tests, CALLS), figures(whole)
    tables = Tables(
        faults=prove(evidence),
        lives=prove(evidence, OF_INCIDENTS, INCIDENT_INVARIANTS),
        services=prove(evidence, SERVICES, SERVICE_INVARIANTS),
        days=prove(evidence, DAYS, (PROOFS,)),
    )
    print(summary(found, tables))
    differences = [*whole.differences(), *tables.failures]
    for each in differences:
        print(f"FAILED: {each}", file=sys.stderr)
    if arguments.write and not differences:
        write(page(found, tables, arguments.profile, CALLS))
    return 1 if differences else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make reliability", description="Prove the tables of faults.")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(PAGE.parents[1])}")
    parser.add_argument("--profile", choices=PROFILES, default="ci", help="of the property tests")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
