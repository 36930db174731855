"""`make test` runs a slice of each matrix, `make reliability` all of it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import PROFILES
from tests.matrix import MARKER, slice_of

MAKEFILE = (Path(__file__).parents[1] / "Makefile").read_text()


@given(st.lists(st.integers(), unique=True), st.integers(0, 10), st.text())
def test_a_slice_is_bounded_and_the_same_in_each_run(cells: list[int], count: int, seed: str) -> None:
    """In the order of the cells."""
    chosen = slice_of(cells, count, seed)
    assert len(chosen) == min(count, len(cells))
    assert [each for each in cells if each in chosen] == list(chosen)
    assert slice_of(cells, count, seed) == chosen


def test_slices_of_several_matrices_differ() -> None:
    """Otherwise some cells would be in no slice."""
    assert len({tuple(slice_of(range(1_000), 5, name)) for name in "abcdef"}) > 1


def test_this_run_has_at_most_the_slice_of_each_matrix(request: pytest.FixtureRequest) -> None:
    """Unless the profile is that of `make reliability`."""
    families = Counter[str]()
    most: dict[str, int] = {}
    for item in request.session.items:
        if (marker := item.get_closest_marker(MARKER)) and marker.args:
            name = item.nodeid.partition("[")[0]
            families[name] += 1
            most[name] = marker.args[0]
    if settings().max_examples >= PROFILES["deep"]:
        return
    assert [name for name, count in families.items() if count > most[name]] == []


def test_make_reliability_selects_all_of_each_matrix() -> None:
    """By the marker, with the profile that needs all."""
    (command,) = [line for line in MAKEFILE.splitlines() if "--hypothesis-profile=deep" in line]
    assert f'-m "(hypothesis or {MARKER}) and not container"' in command
