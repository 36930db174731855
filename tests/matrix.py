"""How much of a large matrix `make test` runs: a slice, chosen by a fixed seed. `make reliability` runs all.

A test of many parameters has the marker `matrix(count)`: `make test` runs `count` of them. A test that goes
through many cells itself has the marker without a count, and asks `some` for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final

import pytest
from hypothesis import settings

from tests.examples import PROFILES

MARKER: Final = "matrix"


def some[T](cells: Sequence[T], count: int, seed: str) -> Sequence[T]:
    """All cells in `make reliability`; otherwise a slice of them."""
    return cells if settings().max_examples >= PROFILES["deep"] else slice_of(cells, count, seed)


def slice_of[T](cells: Sequence[T], count: int, seed: str) -> Sequence[T]:
    """At most `count` of the cells, the same ones for a seed, in their order."""
    if len(cells) <= count:
        return cells
    chosen = Random(seed).sample(range(len(cells)), count)  # noqa: S311 - not for cryptography
    return [cells[number] for number in sorted(chosen)]


def split(items: Sequence[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """The tests to run, and those to leave out, both in their order."""
    families: dict[str, list[pytest.Item]] = {}
    for item in items:
        families.setdefault(item.nodeid.partition("[")[0], []).append(item)
    run = {item.nodeid for name, family in families.items() for item in _slice(name, family)}
    return (
        [item for item in items if item.nodeid in run],
        [item for item in items if item.nodeid not in run],
    )


def _slice(name: str, family: Sequence[pytest.Item]) -> Sequence[pytest.Item]:
    marker = family[0].get_closest_marker(MARKER)
    return family if marker is None or not marker.args else some(family, marker.args[0], name)
