"""A target: a figure and its limit, as one row of a table."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from benchmarks.tables import table


class Target(Struct, frozen=True):
    """A figure, and its maximum (or, with `at_least`, its minimum)."""

    what: str
    figure: float
    limit: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether the figure is within the limit."""
        return self.figure >= self.limit if self.at_least else self.figure <= self.limit


def target_table(name: str, targets: Iterable[Target]) -> str:
    """Targets as a Markdown table; `name` is the heading of the first column."""
    rows = (
        (
            target.what,
            f"{target.figure:.4g}",
            f"{'at least' if target.at_least else 'at most'} {target.limit:g}",
            "yes" if target.met else "no",
        )
        for target in targets
    )
    return table((name, "measured", "limit", "met"), rows)
