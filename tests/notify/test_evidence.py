"""Evidence of several kinds: which are graver together, in whatever order they were reported."""

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
    """Each is reported alone, and remembers nothing but what was reported before."""
    parts = [kinds("scan", gravity=1), kinds("access", gravity=1), kinds("scan", gravity=HIGH)]
    for order in permutations(parts):
        reported = None
        for each in order:
            reported = each.together(
                reported and replace(reported, combines=0)
            )  # the table does not store it
        assert reported is not None
        assert (reported.gravity, set(reported.members)) == (HIGH + 1, {"scan", "access"})
