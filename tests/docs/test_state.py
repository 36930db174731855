"""docs/state.md matches the schema of the state table."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from flowwarden.state.item import Item
from flowwarden.state.schema import ITEMS, UPLOADS
from local import docs_state


def test_the_page_is_up_to_date() -> None:
    """If this fails, run `make docs`."""
    assert docs_state.page() == docs_state.PAGE.read_text()


@pytest.mark.parametrize(
    "changed",
    [
        replace(UPLOADS, prefix="other#"), replace(UPLOADS, ttl=1), replace(UPLOADS, per_batch=1),
        replace(UPLOADS, why="Changed."), replace(UPLOADS, sets=("x",)), replace(UPLOADS, sort="x"),
    ],
)  # fmt: skip
def test_a_change_to_the_schema_makes_the_page_stale(changed: Item) -> None:
    """The page shows each part of an item."""
    items = tuple(changed if each is UPLOADS else each for each in ITEMS)
    assert docs_state.page(items) != docs_state.page()


@pytest.mark.parametrize(
    ("seconds", "text"), [(86_400, "1 day"), (172_800, "2 days"), (90_000, "25 hours"), (61, "61 seconds")]
)
def test_a_span_has_the_largest_unit_that_fits(seconds: int, text: str) -> None:
    """So retention is easy to read."""
    assert docs_state.span(seconds) == text
