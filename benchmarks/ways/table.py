"""Every way, by the name that the results have for it."""

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
    """A line of the table; the module is imported when the way is made, since each brings its packages."""

    title: str
    module: str
    maker: str = "make"

    def make(self, layout: LogFormat) -> Way:
        """The way, ready for this layout. Raises ImportError where its packages are missing."""
        maker = cast("Maker", getattr(import_module(f"benchmarks.ways.{self.module}"), self.maker))
        return maker(layout)


WAYS: Final = {
    STDLIB_FLOOR: Entry("floor: base64, gunzip, json of the stdlib", "floors", "stdlib"),
    WHEELS_FLOOR: Entry("floor: pybase64, libdeflate, typed msgspec", "wheels", "floor"),
    PROJECT: Entry("Flow Warden", "project"),
    FINDINGS: Entry("Flow Warden, all the way to findings", "findings"),
    "plain-python": Entry("stdlib and one trusting loop", "plain"),
    "polars": Entry("polars", "frames"),
    "powertools-pydantic": Entry("Powertools, pydantic model", "powertools"),
    "flowlogs-reader": Entry("flowlogs-reader", "flowlogs"),
}
"""Floors read the document and no more, findings are no aggregates; all others find the same ones."""
