"""brute-force over hours and days: short sessions of the same small size are guesses, work is not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.network.services import DATABASE_PORTS
from flowwarden.records.model import Flow
from tests.examples import examples
from tests.flows import flow
from tests.monitor.fakes_state import MemoryEvidence
from tests.monitor.weeks import CLIENT, DAY, IN, OUT, TODAY, got, learned, paged

SERVER = "10.0.9.1"
USUAL = learned()
BASTION = learned(*(each for net in range(101, 106) for each in got(f"10.0.{net}.200", 22)))

type Size = tuple[int, int]
"""Packets and bytes."""
type Sizes = tuple[Size, Size]
"""Of a request and its answer."""


def session(
    number: int,
    sizes: Sizes,
    server: str = SERVER,
    port: int = 22,
    at: int = TODAY + 3600,
    **given: Any,
) -> list[Flow]:
    """One connection of the client, with both of its records; `given` replaces fields of both."""
    client, sent, received = f"{CLIENT}:{40_000 + number}", *sizes
    times = {"start": at, "end": at + 3}
    request = {"packets": sent[0], "bytes": sent[1], "tcp_flags": 3, "flow_direction": OUT}
    answer = {"packets": received[0], "bytes": received[1], "tcp_flags": 19, "flow_direction": IN}
    return [
        flow(client, f"{server}:{port}", **(times | request | given)),
        flow(f"{server}:{port}", client, **(times | answer | given)),
    ]


def sessions(size_of: Callable[[int], Sizes], total: int = 60, **given: Any) -> list[Flow]:
    """This number of connections."""
    return [each for number in range(total) for each in session(number, size_of(number), **given)]


def found(*batches: Iterable[Flow], evidence: MemoryEvidence = USUAL, at: int = TODAY + 7200) -> list[str]:
    """The detectors with a finding, in a copy of the evidence."""
    table = MemoryEvidence(dict(evidence.items))
    return [each.detector for batch in batches for each in paged([*batch], table, at)]


def guess(number: int) -> Sizes:
    """A failed log-in: sizes differ by the length of the password and a late acknowledgment."""
    extra = number % 3
    return (14 + extra, 2600 + 48 * extra), (15 + extra, 2900 + 52 * extra)


@pytest.mark.parametrize("port", [22, 23, 135, 445, 3389, 5985, 5986])
def test_many_sessions_of_the_same_small_size_are_guesses(port: int) -> None:
    """On each administration port, in one batch or in many."""
    guesses = sessions(guess, port=port)
    assert found(guesses) == ["brute-force"]
    assert "brute-force" in found(*(guesses[at : at + 10] for at in range(0, len(guesses), 10)))


VARIED = [512 * 2 ** (number * 37 % 70 / 10) for number in range(200)]


def varied(number: int) -> Sizes:
    """Work of any size, small ones among it."""
    size = int(VARIED[number])
    return (4 + size // 900, size), (4 + size // 900, size)


@pytest.mark.parametrize("port", [22, 135, 445, 5985, 5986])
@pytest.mark.parametrize(
    "work",
    [
        pytest.param(lambda _: ((40, 9000), (60, 52_000)), id="polling: the same large answer each time"),
        pytest.param(lambda _: ((900, 1_200_000), (400, 22_000)), id="a copy to the server"),
        pytest.param(lambda _: ((33, 3900), (45, 4800)), id="many packets"),
        pytest.param(lambda number: ((20, 3000), (12 + number, 1500 + 1500 * number)), id="growing"),
        pytest.param(varied, id="varying"),
    ],
)
def test_a_connection_for_each_call_is_no_guess(port: int, work: Callable[[int], Sizes]) -> None:
    """WMI and WinRM polling, copies, and Git over SSH in a loop."""
    assert found(sessions(work, total=120, port=port)) == []


def test_long_and_continued_sessions_are_work() -> None:
    """Also if each of their records is small."""
    assert found(sessions(guess, end=TODAY + 3900)) == []
    kept = [
        each
        for number in range(60)
        for each in session(number, guess(0), at=TODAY + 3660, tcp_flags=0)
    ]  # fmt: skip
    begun = sessions(guess)
    assert found(begun + kept) == []
    assert found(kept, begun) == [], "in any order"
    assert found(begun) == ["brute-force"]


def test_windows_rpc_that_leads_to_a_service_is_no_guess() -> None:
    """A refused caller is not directed to the port of the service."""
    polls = sessions(lambda _: ((9, 1400), (8, 1300)), port=135)
    calls = [each for number in range(60) for each in got(SERVER, 49_700, client_port=45_000 + number)]
    assert found(polls + calls) == []
    assert found(calls, polls) == []
    assert found(polls) == ["brute-force"]


def test_few_large_sessions_do_not_hide_guesses() -> None:
    """A guess succeeds at last."""
    work = [each for number in range(900, 910) for each in session(number, ((300, 90_000), (300, 40_000)))]
    assert found(sessions(guess) + work) == ["brute-force"]


def test_a_format_without_sizes_counts_all_sessions() -> None:
    """Nothing distinguishes them."""
    bare = [
        flow(
            f"{each.srcaddr}:{each.srcport}", f"{each.dstaddr}:{each.dstport}", packets=None, bytes=None,
            tcp_flags=each.tcp_flags, flow_direction=each.flow_direction, start=each.start, end=each.end,
        )
        for each in sessions(lambda _: ((900, 1_200_000), (400, 22_000)))
    ]  # fmt: skip
    assert found(bare) == ["brute-force"]


@given(st.data())
@examples(1)
def test_order_repetition_and_partition_of_batches_do_not_matter(data: st.DataObject) -> None:
    """Records of a session may be in different batches; sizes do not add up over repetitions."""
    flows = sessions(guess) if data.draw(st.booleans()) else sessions(varied)
    expected = found(flows)
    mixed = data.draw(st.permutations(flows + data.draw(st.lists(st.sampled_from(flows), max_size=30))))
    cut = data.draw(st.integers(0, len(mixed)))
    table = MemoryEvidence(dict(USUAL.items))
    parts = [paged(each, table) for each in (mixed[:cut], mixed[cut:])]
    named = {each.detector for part in parts for each in part if each.detector == "brute-force"}
    assert named == set(expected)


def over_a_day(size_of: Callable[[int], Sizes], every: int) -> list[list[str]]:
    """The detectors with a finding in each batch of a day; a batch has one session, `every` seconds."""
    table = MemoryEvidence(dict(USUAL.items))
    return [
        [each.detector for each in paged(session(number, size_of(number), at=at), table, at + 60)]
        for number, at in enumerate(range(TODAY, TODAY + DAY, every))
    ]


def test_slow_guessing_is_found_within_a_day() -> None:
    """One guess every quarter of an hour; a job that runs every hour is not found."""
    hits = over_a_day(guess, 900)
    assert not any(hits[:40]), "found before it is slow guessing"
    assert hits[-1] == ["brute-force"]
    assert not any(over_a_day(guess, 3600))
    assert not any(over_a_day(lambda _: ((40, 9000), (60, 52_000)), 900))


def in_batches(of_each: int, **given: Any) -> list[list[Flow]]:
    """A hundred guesses, `of_each` of them in a batch."""
    numbers = [range(begin, begin + of_each) for begin in range(0, 100, of_each)]
    return [[each for number in some for each in session(number, guess(number), **given)] for some in numbers]


def that_bursts(port: int, server: str) -> MemoryEvidence:
    """A role whose hosts open ten small sessions at once each day, and administer several networks."""
    usual = [each for net in range(101, 106) for each in got(f"10.0.{net}.200", 22)]
    usual += got(server, port, client_port=39_000)
    evidence = learned(*usual)
    for ago in range(21, 0, -1):
        at = TODAY - ago * DAY + 3600
        flows = [each for number in range(10) for each in session(number, guess(0), server, port, at=at)]
        assert paged(flows, evidence, at) == []
    return evidence


def test_a_bastion_that_guesses_is_found() -> None:
    """Usual administration hides no bursts of guesses; without bursts, it takes four times as many."""
    server = "10.0.101.7"
    assert found(*in_batches(10, server=server), evidence=BASTION)[:1] == ["brute-force"]
    assert found(*in_batches(4, server=server), evidence=BASTION) == [], "found at checks each minute"
    for each in server, "10.0.9.1":
        small = [row for number in range(240) for row in session(number, guess(number), server=each)]
        assert found(small, evidence=BASTION) == ["brute-force"]
    usual = that_bursts(22, server)
    assert found(*in_batches(10, server=server), evidence=usual) == []
    assert found(small, evidence=usual) == ["brute-force"]


def test_a_person_and_a_check_of_the_port_are_no_burst() -> None:
    """Some mistyped passwords, or many banners that are read."""
    mistyped = [each for number in range(4) for each in session(number, guess(number), "10.0.101.7")]
    assert found(*[mistyped] * 3, evidence=BASTION) == []
    banners = sessions(lambda _: ((5, 300), (4, 260)), total=150, server="10.0.101.7")
    assert found(banners, evidence=BASTION) == []


@pytest.mark.parametrize("port", [445, 3389, 5985])
def test_a_member_that_guesses_at_its_servers_is_found(port: int) -> None:
    """It uses the service on the same server each day."""
    usual = learned(*got("10.0.9.1", port))
    assert found(*in_batches(20, port=port), evidence=usual)[:1] == ["brute-force"]
    assert found(sessions(lambda _: ((40, 9000), (60, 52_000)), port=port), evidence=usual) == []


def test_guesses_at_a_database_that_the_role_uses_are_found() -> None:
    """In bursts, which its pool never shows; an application with a connection for each request is usual."""
    pool = learned(*got(SERVER, 3306))
    assert found(*in_batches(10, port=3306), evidence=pool)[:1] == ["brute-force"]
    assert found(*in_batches(4, port=3306), evidence=pool) == []
    per_request = that_bursts(3306, SERVER)
    assert found(*in_batches(20, port=3306), evidence=per_request) == []


def test_ordinary_use_of_a_database_writes_nothing() -> None:
    """Only bursts are stored."""
    table = learned(*got(SERVER, 3306)).copy()
    before = len(table.written)
    paged([each for number in range(4) for each in session(number, guess(0), port=3306)], table)
    large = sessions(lambda _: ((40, 9000), (60, 52_000)), port=3306)
    paged(large, table)
    assert [key for key in table.written[before:] if key.startswith("contacts")] == []


def test_a_bastion_with_much_work_is_not_found() -> None:
    """Neither large sessions, nor a check on each of many hosts."""
    work = sessions(lambda _: ((40, 9000), (60, 52_000)), total=250)
    assert found(work, evidence=BASTION) == []
    each_host = [
        each
        for number in range(240)
        for each in session(number, guess(number), server=f"10.0.101.{number % 60 + 1}")
    ]
    assert found(each_host, evidence=BASTION) == [], "found, although each of many hosts is checked"


@pytest.mark.parametrize("port", sorted(DATABASE_PORTS - {5432}))
def test_guesses_at_a_database_are_found(port: int) -> None:
    """By a role that uses no such database; the connections of an application are usual."""

    def refused(number: int) -> Sizes:
        return (7, 520 + number % 4), (6, 430)

    assert found(sessions(refused, port=port)) == ["brute-force"]
    assert found(sessions(lambda _: ((30, 9000), (60, 52_000)), port=port)) == []
    application = learned(*got("10.0.3.7", port))
    assert found(sessions(refused, total=400, port=port), evidence=application) == []
    assert found(sessions(refused, total=20, port=port)) == []
    assert found(sessions(refused, port=5432)) == [], "found, although the role uses PostgreSQL"


def test_sessions_of_other_days_do_not_add_up() -> None:
    """Thirty on each of two days."""
    table = MemoryEvidence(dict(USUAL.items))
    number = count()
    for day in range(2):
        flows = [
            each
            for _ in range(30)
            for each in session(next(number), guess(0), at=TODAY + day * DAY + 3600)
        ]  # fmt: skip
        assert paged(flows, table, TODAY + day * DAY + 7200) == []
