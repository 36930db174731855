"""Baselines: what is usual for a role, and from when on."""

from __future__ import annotations

from flowwarden.monitor.baseline.additions import learned
from flowwarden.monitor.baseline.baseline import (
    EDGES,
    GOES_OUT,
    LEARNING_DAYS,
    LISTENS,
    SHOWN,
    Baseline,
    Edge,
    baseline,
    keys_before,
    kinds_of,
)
from flowwarden.state.schema import BASELINES
from flowwarden.state.sets import fingerprint

EDGE = Edge("out", 6, 5432, "10.0.3.0/24")
OTHER = Edge("out", 6, 22, "10.0.3.0/24")
DAY = 20_000


def seen(*days: int) -> Baseline:
    """The baseline on `DAY` of an edge that was seen on these days."""
    return Baseline(DAY, {day: frozenset({fingerprint(*EDGE)}) for day in days})


def test_an_edge_is_usual_after_two_earlier_days() -> None:
    """A single day may be that of the incident."""
    edge, other = fingerprint(*EDGE), fingerprint(*OTHER)
    assert seen(DAY - 1).new_among([edge]) == [0]
    assert seen(DAY - 1, DAY - 9).new_among([edge]) == []
    assert seen(DAY - 1, DAY - 9).new_among([edge, other]) == [1]
    assert (seen(DAY - 1, DAY - 9).knows(EDGE), seen(DAY - 1, DAY - 9).knows(OTHER)) == (True, False)


def test_an_edge_is_as_old_as_its_first_day() -> None:
    """In whichever order the days were read."""
    assert [seen(*days).age_of(EDGE) for days in ((DAY - 1,), (DAY - 1, DAY - 9), (DAY - 9, DAY - 1))] == [
        1,
        9,
        9,
    ]
    assert (seen().age_of(EDGE), seen(DAY - 9).age_of(OTHER)) == (0, 0)


def test_a_role_is_learned_until_it_is_two_weeks_old_and_was_seen_on_seven_days() -> None:
    """Counted from the first day with any edge."""
    week = range(DAY - 6, DAY)
    assert seen().learning
    assert seen(*week, DAY - LEARNING_DAYS + 1).learning
    assert not seen(*week, DAY - LEARNING_DAYS).learning
    assert seen(DAY - 1, DAY - LEARNING_DAYS).learning, "two days count as learned"


def test_an_edge_has_kinds() -> None:
    """The service on any host; answering is listening; contacting the internet is going out."""
    assert kinds_of(EDGE) == [("out", 6, 5432)]
    assert kinds_of(Edge("in", 6, 443, "internet")) == [("in", 6, 443), LISTENS]
    assert kinds_of(Edge("out", 6, 443, "internet")) == [("out", 6, 443), GOES_OUT]


def test_only_earlier_days_count() -> None:
    """So the order of a day's batches does not matter."""
    keys = keys_before("tag:Role=web", DAY)
    assert BASELINES.key_of("tag:Role=web", DAY) not in keys
    assert keys[BASELINES.key_of("tag:Role=web", DAY - 1)] == DAY - 1
    items = {
        BASELINES.key_of("tag:Role=web", DAY - ago): {EDGES: frozenset({fingerprint(*EDGE)})}
        for ago in (1, 2)
    }
    assert baseline(DAY, keys, items).knows(EDGE)


def test_learned_edges_are_stored_for_their_day() -> None:
    """A union: learning an edge again adds nothing."""
    addition = learned("tag:Role=web", DAY, frozenset({EDGE}))
    assert addition.key == BASELINES.key_of("tag:Role=web", DAY)
    assert addition.sets[EDGES] == {fingerprint(*EDGE), fingerprint("out", 6, 5432)}
    assert addition.sets.keys() == {EDGES, SHOWN}
    assert addition.kept_until > (DAY + 30) * 86_400
