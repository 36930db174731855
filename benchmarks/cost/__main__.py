"""`make cost`: counts what ordinary traffic uses, in about 3 minutes, and writes docs/cost.md.

With `--page`, only writes the page again, from the stored counts.
"""

from __future__ import annotations

import argparse
import sys
from typing import Final

from benchmarks.cost.counts import load, save
from benchmarks.cost.page import PAGE, page
from benchmarks.cost.stack import of_template

_WRITTEN: Final = PAGE.relative_to(PAGE.parents[1])


def main() -> int:
    """Count, unless only the page is wanted; print the page or write it."""
    parser = argparse.ArgumentParser(prog="make cost", description="Write docs/cost.md from counted calls.")
    parser.add_argument("--page", action="store_true", help="write the page from the stored counts")
    parser.add_argument("--write", action="store_true", help="count, and write the counts and the page")
    arguments = parser.parse_args()
    if arguments.write:
        # The measurement needs moto, which takes a second to load.
        from benchmarks.cost.measure import measure  # noqa: PLC0415

        save(measure(lambda text: print(f"… {text}", file=sys.stderr, flush=True)))
    whole = page(load(), of_template())
    if arguments.page or arguments.write:
        PAGE.write_text(whole)
        print(f"wrote {_WRITTEN}")
    else:
        print(whole)
    return 0


if __name__ == "__main__":
    sys.exit(main())
