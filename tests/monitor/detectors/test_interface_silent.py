"""An interface that always wrote and does not any more."""

from __future__ import annotations

import pytest

from flowwarden.monitor.detectors.interface_silent import (
    LAG,
    SILENT_SLOTS,
    SLOTS_BEFORE,
    TOGETHER,
    inspect,
    is_due,
    silent,
    slots_asked,
)
from flowwarden.monitor.render.text import describe
from flowwarden.state.heartbeats import SLOT

NOW = 1000
"""The slot of the traffic."""
SLOTS = slots_asked(NOW)
OTHER = 1


def seen(silent_from: int, missing: frozenset[int] = frozenset()) -> dict[int, frozenset[int]]:
    """Interface 2 wrote in all slots before one, those left out that are missing; interface 1 always does."""
    return {
        slot: frozenset({OTHER, 2} if slot < silent_from and slot not in missing else {OTHER})
        for slot in SLOTS
    }


@pytest.mark.parametrize(
    ("silent_from", "missing", "told"),
    [
        (NOW + 1, (), False),
        (NOW, (), False),
        (NOW - 1, (), False),
        (NOW - 2, (), False),
        (NOW - 3, (), True),
        (NOW - 4, (), True),
        (NOW - 5, (), False),  # told by now
        (NOW - 3, (NOW - 5,), True),
        (NOW - 3, (NOW - 5, NOW - 7), False),  # it never wrote always
    ],
)
def test_an_interface_is_silent_after_three_half_hours_without_a_record(
    silent_from: int,
    missing: tuple[int, ...],
    told: bool,  # noqa: FBT001
) -> None:
    """If it wrote in nearly every one before."""
    assert silent(NOW, seen(silent_from, frozenset(missing))) == (frozenset({2}) if told else frozenset())


def test_whoever_wrote_in_the_slot_of_the_traffic_is_not_silent() -> None:
    """It is back."""
    back = seen(NOW - 3)
    back[NOW] |= {2}
    assert silent(NOW, back) == frozenset()


def test_where_nobody_wrote_nobody_was_looking() -> None:
    """The monitor was down, or the table was; that is not the interfaces' silence."""
    for slot in SLOTS[:-1]:
        assert silent(NOW, seen(NOW - 3) | {slot: frozenset()}) == frozenset()


def test_a_new_interface_is_not_silent_before_it_wrote_for_hours() -> None:
    """Nobody knows its ways."""
    new = seen(NOW - 3, frozenset(range(NOW - 9, NOW - 5)))
    assert silent(NOW, new) == frozenset()


def test_a_look_asks_for_the_slots_that_it_judges() -> None:
    """The oldest first, that of the traffic last."""
    assert len(SLOTS) == SILENT_SLOTS + SLOTS_BEFORE + 1
    assert SLOTS[-1] == NOW


def test_a_slot_is_judged_when_its_first_ten_minutes_are_over() -> None:
    """What comes from before has arrived by then."""
    assert not is_due(NOW * SLOT + LAG - 1)
    assert is_due(NOW * SLOT + LAG)


def test_a_few_silent_interfaces_are_told_one_by_one() -> None:
    """Each with its id."""
    spots = inspect(NOW, {"eni-b": "vpc-1", "eni-a": None})
    assert {spot.subject for spot in spots} == {"eni-a", "eni-b"}
    assert "for 90 min" in describe(spots[0]).summary
    assert (spots[0].first, spots[0].last) == ((NOW - SILENT_SLOTS) * SLOT, NOW * SLOT)


def test_many_of_a_vpc_are_told_together_and_those_of_others_by_themselves() -> None:
    """The flow log of the VPC is gone."""
    many = {f"eni-{number}": "vpc-1" for number in range(TOGETHER)}
    spots = inspect(NOW, many | {"eni-x": "vpc-2"})
    assert {spot.subject: len(spot.interfaces) for spot in spots} == {"vpc-1": TOGETHER, "eni-x": 1}


def test_nobody_is_silent_of_whom_ec2_does_not_tell() -> None:
    """A deleted interface writes nothing, and nobody wants it to."""
    assert inspect(NOW, {}) == []


def test_silent_interfaces_whose_vpc_is_unknown_are_told_one_by_one() -> None:
    """They have no flow log of a VPC in common."""
    found = inspect(NOW, {f"eni-{number}": "" for number in range(TOGETHER + 1)})
    assert {each.subject for each in found} == {f"eni-{number}" for number in range(TOGETHER + 1)}
