"""Evidence of several kinds: which are graver together, in whatever order they were told."""

from __future__ import annotations

from itertools import permutations

import pytest
from msgspec.structs import replace

from flowwarden.notify.evidence import Evidence

HIGH = 2


def kinds(*members: str, gravity: int, combines: int = HIGH) -> Evidence:
    """Evidence of these kinds."""
    return Evidence(members=members, gravity=gravity, combines=combines)


@pytest.mark.parametrize(
    ("evidence", "gravity"),
    [
        (kinds("scan", "access", gravity=HIGH), HIGH + 1),
        (kinds("scan", "access", gravity=HIGH + 1), HIGH + 1),
        (kinds("scan", "access", gravity=HIGH - 1), HIGH - 1),
        (kinds("scan", gravity=HIGH), HIGH),
        (kinds("10.0.0.1", "10.0.0.2", gravity=HIGH, combines=0), HIGH),
    ],
    ids=["two kinds", "combined before", "none grave", "one kind", "hosts"],
)
def test_two_kinds_of_which_one_is_grave_are_one_step_graver(evidence: Evidence, gravity: int) -> None:
    """Members of one cause, such as hosts, are not."""
    assert evidence.combined.gravity == gravity


def test_the_order_of_kinds_does_not_change_their_gravity() -> None:
    """Each is told alone, and remembers nothing but what was told before."""
    parts = [kinds("scan", gravity=1), kinds("access", gravity=1), kinds("scan", gravity=HIGH)]
    for order in permutations(parts):
        told = None
        for each in order:
            told = each.together(told and replace(told, combines=0))  # the table does not store it
        assert told is not None
        assert (told.gravity, set(told.members)) == (HIGH + 1, {"scan", "access"})
