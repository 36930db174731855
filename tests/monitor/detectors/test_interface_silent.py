"""interface-silent: an interface that regularly wrote records has stopped."""

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
    """Interface 2 wrote in all slots before one, except the missing ones; interface 1 always writes."""
    return {
        slot: frozenset({OTHER, 2} if slot < silent_from and slot not in missing else {OTHER})
        for slot in SLOTS
    }


@pytest.mark.parametrize(
    ("silent_from", "missing", "reported"),
    [
        (NOW + 1, (), False),
        (NOW, (), False),
        (NOW - 1, (), False),
        (NOW - 2, (), False),
        (NOW - 3, (), True),
        (NOW - 4, (), True),
        (NOW - 5, (), False),  # already reported
        (NOW - 3, (NOW - 5,), True),
        (NOW - 3, (NOW - 5, NOW - 7), False),  # it never wrote regularly
    ],
)
def test_an_interface_is_silent_after_three_half_hours_without_a_record(
    silent_from: int,
    missing: tuple[int, ...],
    reported: bool,  # noqa: FBT001
) -> None:
    """If it wrote in nearly every one before."""
    assert silent(NOW, seen(silent_from, frozenset(missing))) == (frozenset({2}) if reported else frozenset())


def test_an_interface_that_wrote_in_the_current_slot_is_not_silent() -> None:
    """It is back."""
    back = seen(NOW - 3)
    back[NOW] |= {2}
    assert silent(NOW, back) == frozenset()


def test_a_slot_without_any_writer_is_a_monitor_outage() -> None:
    """The monitor or the table was down; the interfaces are not silent."""
    for slot in SLOTS[:-1]:
        assert silent(NOW, seen(NOW - 3) | {slot: frozenset()}) == frozenset()


def test_a_new_interface_is_not_silent_before_it_wrote_for_hours() -> None:
    """Its regular pattern is unknown."""
    new = seen(NOW - 3, frozenset(range(NOW - 9, NOW - 5)))
    assert silent(NOW, new) == frozenset()


def test_a_check_reads_the_slots_that_it_evaluates() -> None:
    """Oldest first, the slot of the traffic last."""
    assert len(SLOTS) == SILENT_SLOTS + SLOTS_BEFORE + 1
    assert SLOTS[-1] == NOW


def test_a_slot_is_evaluated_after_its_first_ten_minutes() -> None:
    """Earlier records have arrived by then."""
    assert not is_due(NOW * SLOT + LAG - 1)
    assert is_due(NOW * SLOT + LAG)


def test_a_few_silent_interfaces_are_reported_individually() -> None:
    """Each with its id."""
    spots = inspect(NOW, {"eni-b": "vpc-1", "eni-a": None})
    assert {spot.subject for spot in spots} == {"eni-a", "eni-b"}
    assert "for 90 min" in describe(spots[0]).summary
    assert (spots[0].first, spots[0].last) == ((NOW - SILENT_SLOTS) * SLOT, NOW * SLOT)


def test_many_interfaces_of_a_vpc_are_reported_together() -> None:
    """The flow log of the VPC is gone. Interfaces of other VPCs are reported individually."""
    many = {f"eni-{number}": "vpc-1" for number in range(TOGETHER)}
    spots = inspect(NOW, many | {"eni-x": "vpc-2"})
    assert {spot.subject: len(spot.interfaces) for spot in spots} == {"vpc-1": TOGETHER, "eni-x": 1}


def test_interfaces_that_ec2_does_not_describe_are_not_silent() -> None:
    """A deleted interface is expected to write nothing."""
    assert inspect(NOW, {}) == []


def test_silent_interfaces_without_a_vpc_are_reported_individually() -> None:
    """They share no VPC flow log."""
    found = inspect(NOW, {f"eni-{number}": "" for number in range(TOGETHER + 1)})
    assert {each.subject for each in found} == {f"eni-{number}" for number in range(TOGETHER + 1)}
