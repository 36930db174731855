"""Who wrote into a log group, as sets of numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.records.columnar.reader import ColumnarReader
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT
from flowwarden.state import heartbeats
from flowwarden.state.schema import HEARTBEATS
from flowwarden.state.sets import merged

IDS = st.from_regex(r"eni-(?:[0-9a-f]{8}|[0-9a-f]{17})", fullmatch=True)


@given(IDS)
def test_a_number_tells_its_interface_again(interface_id: str) -> None:
    """Leading zeros and both lengths of ids included."""
    number = heartbeats.number_of(interface_id)
    assert number is not None
    assert heartbeats.interface_of(number) == interface_id


@pytest.mark.parametrize("text", ["-", "", "eni-", "nat-0123456789abcdef0", "eni-xyz", "eni-" + "f" * 18])
def test_what_is_no_id_has_no_number(text: str) -> None:
    """The interface of a regional NAT gateway is `-`."""
    assert heartbeats.number_of(text) is None


@given(st.lists(st.tuples(st.integers(0, 3), IDS)))
def test_what_was_added_one_by_one_is_read_together(sightings: list[tuple[int, str]]) -> None:
    """Each slot has those who wrote in it, and nobody else, in whatever order they came."""
    items: dict[str, dict[str, frozenset[int]]] = {}
    expected: dict[int, set[int]] = {slot: set() for slot in range(4)}
    for slot, interface_id in sightings:
        number = heartbeats.number_of(interface_id)
        assert number is not None
        expected[slot].add(number)
        for addition in heartbeats.additions("flows", {slot: [number]}):
            items[addition.key] = merged(items.get(addition.key, {}), addition.sets)
    wanted = heartbeats.keys("flows", range(4))
    assert heartbeats.seen(wanted, items) == expected


def test_a_few_interfaces_are_one_item_and_many_are_spread() -> None:
    """A small fleet costs one write, a large one no large ones."""
    few = range(1, heartbeats.FEW + 1)
    assert len(heartbeats.additions("flows", {7: few})) == 1
    assert len(heartbeats.additions("flows", {7: range(1, heartbeats.FEW + 2)})) == heartbeats.SHARDS
    items = {each.key: each.sets for each in heartbeats.additions("flows", {7: few})}
    assert heartbeats.seen(heartbeats.keys("flows", [7]), items) == {7: frozenset(few)}


SLOT, NOW = heartbeats.SLOT, 1_764_000_000
HERE = heartbeats.slot_of(NOW)
READER = ColumnarReader([DEFAULT_LOG_FORMAT])
FLOW = "2 1 {} 10.0.0.1 10.0.0.2 40000 443 6 5 500 {} {} ACCEPT OK"
GAP = "2 1 {} - - - - - - - {} {} - NODATA"


def sighted(*lines: str, stream: str = "something") -> dict[int, set[str]]:
    """Who is seen in these lines, by slots before that of now."""
    found = heartbeats.sightings(READER.read(lines), stream, NOW)
    return {HERE - slot: {heartbeats.interface_of(each) for each in who} for slot, who in found.items()}


def test_flows_and_gaps_show_who_wrote_and_when() -> None:
    """In the slot that the window began in."""
    assert sighted(
        FLOW.format("eni-0a", NOW - SLOT, NOW), FLOW.format("eni-0a", NOW - SLOT + 9, NOW),
        FLOW.format("eni-0b", NOW, NOW), GAP.format("eni-0c", NOW - SLOT, NOW), FLOW.format("-", NOW, NOW),
    ) == {1: {"eni-0a", "eni-0c"}, 0: {"eni-0b"}}  # fmt: skip


def test_what_comes_from_the_future_was_seen_now() -> None:
    """A wrong clock opens no slot that nobody else is in."""
    assert sighted(FLOW.format("eni-0a", NOW + 10**6, NOW)) == {0: {"eni-0a"}}


def test_a_stream_that_cannot_be_read_shows_that_its_interface_writes() -> None:
    """That nobody can read it is told by another."""
    assert sighted("nonsense", stream="eni-0a-all") == {0: {"eni-0a"}}
    assert sighted("nonsense", stream="eni-0a-reject") == {0: {"eni-0a"}}
    assert sighted("nonsense", stream="of somebody") == {}


def test_the_moment_of_a_batch_is_that_of_most_of_its_records() -> None:
    """One record with a wrong time decides nothing; without any time it is now."""
    flows = [FLOW.format("eni-0a", at, at) for at in (NOW - 700, NOW - 690, NOW + 10**6)]
    assert heartbeats.moment(READER.read(flows), NOW) == NOW - 690
    assert heartbeats.moment(READER.read([GAP.format("eni-0a", NOW - 600, NOW)]), NOW) == NOW - 600
    assert heartbeats.moment(READER.read(["nonsense"]), NOW) == NOW


def test_log_groups_are_kept_apart() -> None:
    """An interface that writes into one group says nothing about the other."""
    (addition,) = heartbeats.additions("one", {7: [0x1AB]})
    items = {addition.key: addition.sets}
    assert heartbeats.seen(heartbeats.keys("other", [7]), items) == {7: frozenset()}


def test_an_addition_is_kept_longer_than_anybody_asks() -> None:
    """Two days from its slot."""
    (addition,) = heartbeats.additions("one", {7: [0x1AB]})
    assert addition.kept_until == 7 * heartbeats.SLOT + HEARTBEATS.ttl
