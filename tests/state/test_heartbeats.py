"""Heartbeats: the interfaces that wrote to a log group, as sets of numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.aws.dynamodb.sets import LONGEST
from flowwarden.records.columnar.reader import ColumnarReader
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT
from flowwarden.state import heartbeats
from flowwarden.state.schema import HEARTBEATS
from flowwarden.state.sets import merged

IDS = st.from_regex(r"eni-(?:[0-9a-f]{8}|[0-9a-f]{17})", fullmatch=True)


@given(IDS)
def test_a_number_maps_back_to_its_interface(interface_id: str) -> None:
    """Including leading zeros and both lengths of ids."""
    number = heartbeats.number_of(interface_id)
    assert number is not None
    assert heartbeats.interface_of(number) == interface_id


@pytest.mark.parametrize("text", ["-", "", "eni-", "nat-0123456789abcdef0", "eni-xyz", "eni-" + "f" * 18])
def test_an_invalid_id_has_no_number(text: str) -> None:
    """The interface of a regional NAT gateway is `-`."""
    assert heartbeats.number_of(text) is None


@given(st.lists(st.tuples(st.integers(0, 3), IDS)))
def test_interfaces_added_one_by_one_are_read_together(sightings: list[tuple[int, str]]) -> None:
    """Each slot contains exactly the interfaces that wrote in it, in any order of additions."""
    items: dict[str, dict[str, frozenset[int]]] = {}
    expected: dict[int, set[int]] = {slot: set() for slot in range(4)}
    for slot, interface_id in sightings:
        number = heartbeats.number_of(interface_id)
        assert number is not None
        expected[slot].add(number)
        for addition in heartbeats.additions("flows", {slot: [number]}):
            items[addition.key] = merged(items.get(addition.key, {}), addition.sets)
    wanted = heartbeats.keys(range(4))
    assert heartbeats.seen(wanted, items, "flows") == expected == heartbeats.seen(wanted, items)


def test_a_few_interfaces_are_one_item_and_many_are_spread() -> None:
    """A small fleet costs one write, a large one only small writes."""
    few = range(1, heartbeats.FEW + 1)
    assert len(heartbeats.additions("flows", {7: few})) == 1
    assert len(heartbeats.additions("flows", {7: range(1, heartbeats.FEW + 2)})) == heartbeats.SHARDS
    items = {each.key: each.sets for each in heartbeats.additions("flows", {7: few})}
    assert heartbeats.seen(heartbeats.keys([7]), items, "flows") == {7: frozenset(few)}


SLOT, NOW = heartbeats.SLOT, 1_764_000_000
HERE = heartbeats.slot_of(NOW)
READER = ColumnarReader([DEFAULT_LOG_FORMAT])
FLOW = "2 1 {} 10.0.0.1 10.0.0.2 40000 443 6 5 500 {} {} ACCEPT OK"
GAP = "2 1 {} - - - - - - - {} {} - NODATA"


def sighted(*lines: str, stream: str = "other") -> dict[int, set[str]]:
    """The interfaces found in these lines, by the number of slots before now."""
    found = heartbeats.sightings(READER.read(lines), stream, NOW)
    return {
        HERE - slot: {heartbeats.interface_of(each) for each in numbers} for slot, numbers in found.items()
    }


def test_flows_and_gaps_show_which_interfaces_wrote_and_when() -> None:
    """The slot is the one in which the window began."""
    assert sighted(
        FLOW.format("eni-0a", NOW - SLOT, NOW), FLOW.format("eni-0a", NOW - SLOT + 9, NOW),
        FLOW.format("eni-0b", NOW, NOW), GAP.format("eni-0c", NOW - SLOT, NOW), FLOW.format("-", NOW, NOW),
    ) == {1: {"eni-0a", "eni-0c"}, 0: {"eni-0b"}}  # fmt: skip


def test_a_start_time_in_the_future_counts_as_now() -> None:
    """A wrong clock does not create a future slot."""
    assert sighted(FLOW.format("eni-0a", NOW + 10**6, NOW)) == {0: {"eni-0a"}}


def test_an_unreadable_stream_shows_that_its_interface_writes() -> None:
    """The detector unparsed-lines reports the unreadable lines."""
    assert sighted("nonsense", stream="eni-0a-all") == {0: {"eni-0a"}}
    assert sighted("nonsense", stream="eni-0a-reject") == {0: {"eni-0a"}}
    assert sighted("nonsense", stream="unrelated") == {}


def test_the_time_of_a_batch_is_the_median_of_its_records() -> None:
    """One wrong timestamp has no effect; without any timestamp it is now."""
    flows = [FLOW.format("eni-0a", at, at) for at in (NOW - 700, NOW - 690, NOW + 10**6)]
    assert heartbeats.moment(READER.read(flows), NOW) == NOW - 690
    assert heartbeats.moment(READER.read([GAP.format("eni-0a", NOW - 600, NOW)]), NOW) == NOW - 600
    assert heartbeats.moment(READER.read(["nonsense"]), NOW) == NOW


@given(st.lists(st.tuples(st.sampled_from(["one", "two", "three"]), IDS)))
def test_one_item_shows_each_log_group_and_all_of_them(sightings: list[tuple[str, str]]) -> None:
    """An interface that writes to one group has no heartbeat in another, but one in any."""
    items: dict[str, dict[str, frozenset[int]]] = {}
    wrote: dict[str, set[int]] = {group: set() for group in ("one", "two", "three", "none")}
    for group, interface_id in sightings:
        number = heartbeats.number_of(interface_id)
        assert number is not None
        wrote[group].add(number)
        for addition in heartbeats.additions(group, {7: [number]}):
            items[addition.key] = merged(items.get(addition.key, {}), addition.sets)
    wanted = heartbeats.keys([7])
    for group, numbers in wrote.items():
        assert heartbeats.seen(wanted, items, group) == {7: numbers}
    assert heartbeats.seen(wanted, items) == {7: set().union(*wrote.values())}


def test_a_stored_number_is_as_long_as_the_schema_states() -> None:
    """A longer one would be ignored when it is read."""
    longest = heartbeats.number_of(f"eni-{'f' * 17}")
    assert longest is not None
    numbers = [
        each
        for group in map(str, range(100))
        for addition in heartbeats.additions(group, {7: [longest]})
        for each in addition.sets["interfaces"]
    ]
    assert max(each.bit_length() for each in numbers) == HEARTBEATS.bits <= LONGEST


def test_an_addition_is_kept_for_its_retention() -> None:
    """Two days from the start of its slot."""
    (addition,) = heartbeats.additions("one", {7: [0x1AB]})
    assert addition.kept_until == 7 * heartbeats.SLOT + HEARTBEATS.ttl
