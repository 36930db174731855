"""The sections of docs/reliability.md. Several commands write the page, each its own sections."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.examples import PROFILES

PAGE: Final = Path(__file__).parents[2] / "docs" / "reliability.md"
LOAD: Final = "Load run"
MATRIX: Final = "Faults and invariants"
LIVES: Final = "The life of incidents"
FUZZED: Final = "Fuzzed input"
LOUD: Final = "Loud batches"
ORDER: Final = LOAD, MATRIX, LIVES, FUZZED, LOUD
_MARK: Final = "\n## "
HEAD: Final = f"""\
# Reliability

`make reliability` and `make loud` write this page, each its own sections. `make reliability` runs every
property test with {PROFILES["deep"]:,} examples and every test of a matrix with all its cells, then what this
page shows. At its end, one container processes 10,000 batches of random ones of 10,000 interfaces.
This may take at most 300 MB of memory (last measured: 191 MB). `benchmarks/reliability/`,
`benchmarks/fuzz/` and `benchmarks/loud/` contain the text; change that instead.
"""


def sections(page: str) -> dict[str, str]:
    """The text of each section, by its heading."""
    _, *parts = page.split(_MARK)
    split = [part.partition("\n") for part in parts]
    return {heading: text.strip("\n") for heading, _, text in split}


def composed(texts: Mapping[str, str]) -> str:
    """The page with these sections."""
    known = [f"## {heading}\n\n{texts[heading].strip('\n')}\n" for heading in ORDER if heading in texts]
    return "\n".join([HEAD, *known])


def write(texts: Mapping[str, str], page: Path = PAGE) -> None:
    """Replace these sections of the page; its other sections stay unchanged."""
    before = sections(page.read_text()) if page.exists() else {}
    page.write_text(composed({**before, **texts}))
