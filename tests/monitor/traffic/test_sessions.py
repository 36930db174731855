"""Sessions: which are small, which have the same size, and what is stored of them."""

from __future__ import annotations

from itertools import count
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.monitor.traffic.sessions import (
    LARGE,
    MOST_BYTES,
    MOST_PACKETS,
    MOST_SECONDS,
    UNKNOWN_SIZE,
    SizedRecords,
    numbers,
    sized_records,
    small_sessions,
)
from flowwarden.network.services import TCP
from flowwarden.state.schema import CONTACTS_HOUR
from flowwarden.state.sets import BUCKETS
from tests.examples import examples
from tests.flows import START, directions, flow

ENDS = "10.0.9.1:22", "10.0.1.5:40000"


def sizes_of(*records: dict[str, Any], ends: tuple[str, str] = ENDS) -> SizedRecords:
    """The sizes of records of a connection, all of the answer by default."""
    flows = [flow(*ends, **{"tcp_flags": 19, "end": START + 3} | record) for record in records]
    (found,) = sized_records(directions(*flows), [np.arange(len(flows))])
    return found


def counts(stored: set[int]) -> list[tuple[int, int]]:
    """Port and number of the sessions of the same small size."""
    return [(each.port, round(each.count)) for each in small_sessions(stored)]


@pytest.mark.parametrize(
    ("largest", "beyond"),
    [
        ({"bytes": MOST_BYTES}, {"bytes": MOST_BYTES + 1}),
        ({"packets": MOST_PACKETS}, {"packets": MOST_PACKETS + 1}),
        ({"end": START + MOST_SECONDS}, {"end": START + MOST_SECONDS + 1}),
        ({"tcp_flags": 18}, {"bytes": None, "packets": MOST_PACKETS + 1}),
    ],
)
def test_a_session_is_small_up_to_each_limit(largest: dict[str, Any], beyond: dict[str, Any]) -> None:
    """In bytes, packets and seconds, also if the format lacks one of them."""
    ((_, size),) = sizes_of(largest)
    assert size not in {LARGE, UNKNOWN_SIZE}
    assert sizes_of(beyond) == {(40_000, LARGE)}


def test_requests_count_only_if_they_are_large() -> None:
    """A session is counted by its answers."""
    asked = ENDS[1], ENDS[0]
    assert sizes_of({"tcp_flags": 3}, ends=asked) == frozenset()
    assert sizes_of({"tcp_flags": 3, "bytes": 10**6}, ends=asked) == {(40_000, LARGE)}
    assert sizes_of({"tcp_flags": 4}) == frozenset(), "a reset is no answer"
    assert sizes_of({"bytes": None, "packets": None}) == {(40_000, UNKNOWN_SIZE)}


@given(st.integers(60, MOST_BYTES), st.lists(st.floats(0.92, 1.08), min_size=60, max_size=60))
@examples(2)
def test_sizes_around_a_mean_are_the_same(mean: int, factors: list[float]) -> None:
    """Whatever the mean is."""
    sizes = [min(round(mean * factor), MOST_BYTES) for factor in factors]
    clients = (f"10.0.1.5:{port}" for port in count(40_000))
    answers = [
        flow(ENDS[0], client, tcp_flags=19, end=START + 3, bytes=size)
        for client, size in zip(clients, sizes, strict=False)
    ]
    (records,) = sized_records(directions(*answers), [np.arange(len(answers))])
    assert len(records) == len(factors)
    ((port, number),) = counts(numbers("10.0.9.1", TCP, 22, records, usual=False))
    assert port == 22
    assert number > 50


@given(st.sets(st.integers(0, BUCKETS - 1)))
def test_numbers_of_an_earlier_version_count_nothing(stored: set[int]) -> None:
    """They had no size class, and a window outlives a deployment."""
    assert counts(stored) == []


@given(
    server=st.ip_addresses(v=4).map(str),
    client=st.integers(0, 2**16 - 1),
    size=st.integers(UNKNOWN_SIZE, LARGE),
    usual=st.booleans(),
)
@examples(2)
def test_every_number_can_be_stored_and_read(server: str, client: int, size: int, *, usual: bool) -> None:
    """The table ignores longer numbers."""
    (number,) = numbers(server, TCP, 27017, frozenset({(client, size)}), usual=usual)
    assert number < 1 << CONTACTS_HOUR.bits
    found = [(each.port, each.usual) for each in small_sessions({number})]
    assert found == ([] if size == LARGE else [(27017, usual)])


def test_other_services_have_no_sessions() -> None:
    """They ask for no password, or have many connections."""
    assert numbers("10.0.9.1", TCP, 443, frozenset({(40_000, 40)}), usual=False) == set()


def test_services_of_a_server_are_counted_separately() -> None:
    """Many sessions of the one are not many of the other."""
    stored: set[int] = set()
    for service, total in ((22, 30), (3389, 20)):
        some = frozenset((client, 40) for client in range(total))
        stored |= numbers("10.0.9.1", TCP, service, some, usual=False)
    found = dict(counts(stored))
    assert found.keys() == {22, 3389}
    assert found[3389] < found[22] < 40
