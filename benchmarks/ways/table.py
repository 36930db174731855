"""Every way, by its name in the results."""

from __future__ import annotations

from importlib import import_module
from typing import Final, cast

from msgspec import Struct

from benchmarks.ways.way import Maker, Way
from flowwarden.records.log_format import LogFormat

PROJECT: Final = "flow-warden"
FINDINGS: Final = "flow-warden-findings"
STDLIB_FLOOR: Final = "stdlib-floor"
WHEELS_FLOOR: Final = "wheels-floor"


class Entry(Struct, frozen=True):
    """A row of the table; the module is imported only on use, because each needs its own packages."""

    title: str
    module: str
    maker: str = "make"

    def make(self, layout: LogFormat) -> Way:
        """The way for this layout. Raises ImportError if its packages are missing."""
        maker = cast("Maker", getattr(import_module(f"benchmarks.ways.{self.module}"), self.maker))
        return maker(layout)


WAYS: Final = {
    STDLIB_FLOOR: Entry("floor: base64, gunzip, json of the stdlib", "floors", "stdlib"),
    WHEELS_FLOOR: Entry("floor: pybase64, libdeflate, typed msgspec", "wheels", "floor"),
    PROJECT: Entry("Flow Warden", "project"),
    FINDINGS: Entry("Flow Warden, all the way to findings", "findings"),
    "plain-python": Entry("stdlib and one loop without checks", "plain"),
    "polars": Entry("polars", "frames"),
    "powertools-pydantic": Entry("Powertools, pydantic model", "powertools"),
    "flowlogs-reader": Entry("flowlogs-reader", "flowlogs"),
}
"""Every way. The floors have no aggregates, because they only read the document; neither has `FINDINGS`."""
