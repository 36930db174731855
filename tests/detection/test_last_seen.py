"""Who wrote into a log group, as sets of numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.detection import last_seen
from flowwarden.detection.evidence import merged

IDS = st.from_regex(r"eni-(?:[0-9a-f]{8}|[0-9a-f]{17})", fullmatch=True)


@given(IDS)
def test_a_number_tells_its_interface_again(interface_id: str) -> None:
    """Leading zeros and both lengths of ids included."""
    number = last_seen.number_of(interface_id)
    assert number is not None
    assert last_seen.interface_of(number) == interface_id


@pytest.mark.parametrize("text", ["-", "", "eni-", "nat-0123456789abcdef0", "eni-xyz", "eni-" + "f" * 18])
def test_what_is_no_id_has_no_number(text: str) -> None:
    """The interface of a regional NAT gateway is `-`."""
    assert last_seen.number_of(text) is None


@given(st.lists(st.tuples(st.integers(0, 3), IDS)))
def test_what_was_added_one_by_one_is_read_together(sightings: list[tuple[int, str]]) -> None:
    """Each slot has those who wrote in it, and nobody else, in whatever order they came."""
    items: dict[str, dict[str, frozenset[int]]] = {}
    expected: dict[int, set[int]] = {slot: set() for slot in range(4)}
    for slot, interface_id in sightings:
        number = last_seen.number_of(interface_id)
        assert number is not None
        expected[slot].add(number)
        for addition in last_seen.additions("flows", {slot: [number]}):
            items[addition.key] = merged(items.get(addition.key, {}), addition.sets)
    wanted = last_seen.keys("flows", range(4))
    assert last_seen.seen(wanted, items) == expected


def test_log_groups_are_kept_apart() -> None:
    """An interface that writes into one group says nothing about the other."""
    (addition,) = last_seen.additions("one", {7: [0x1AB]})
    items = {addition.key: addition.sets}
    assert last_seen.seen(last_seen.keys("other", [7]), items) == {7: frozenset()}


def test_an_addition_is_kept_longer_than_anybody_asks() -> None:
    """Two days from its slot."""
    (addition,) = last_seen.additions("one", {7: [0x1AB]})
    assert addition.kept_until == 7 * last_seen.SLOT + last_seen.KEPT
