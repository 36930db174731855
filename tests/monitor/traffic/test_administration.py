"""Administration in a window: what counts, whatever else the window contains."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.monitor.traffic import sessions
from flowwarden.monitor.traffic.administration import administered, bounded, counted, guesses
from flowwarden.monitor.traffic.excess import ADMINISTERED, FAILED, SESSIONS
from flowwarden.monitor.traffic.sessions import LARGE, SERVER_BITS
from flowwarden.records.model import Flow
from flowwarden.state.schema import CONTACTS_DAY, MOST_SERVERS, MOST_SESSIONS, STORED_SESSIONS
from flowwarden.state.sets import Addition, Sets, merged
from tests.examples import examples
from tests.monitor.batches import Container
from tests.monitor.fakes_interfaces import FakeDirectory, interface
from tests.monitor.weeks import CLIENT, TODAY, got, learned

NUMBERS = st.frozensets(st.integers(0, 2**31 - 1), max_size=60)
USUAL = 1 << 30


def session(server: int, port: int, size: int, hashed: int, *, usual: bool = False) -> int:
    """The number of a record."""
    return usual << 30 | server << 18 | port << 14 | size << 8 | hashed


def many(random: Random, *, usual: bool, servers: int, count: int) -> frozenset[int]:
    """Numbers of records of sessions with some servers."""
    return frozenset(
        session(
            random.randrange(servers),
            random.randrange(3),
            random.choice((30, 31, 40, LARGE)),
            random.randrange(256),
            usual=usual,
        )
        for _ in range(count)
    )


def marks(random: Random, count: int) -> frozenset[int]:
    """What is known of servers: contacted for administration, and answered on directory services."""
    kinds = (1, 2, 4, 5, 6)
    return frozenset(random.choice(kinds) << SERVER_BITS | random.randrange(4096) for _ in range(count))


def stored(parts: Iterable[Sets], known: Sets | None = None) -> Sets:
    """A window after additions in this order."""
    window: Sets = known or {}
    for part in parts:
        window = merged(window, bounded(Addition("k", part, 9), window).sets)
    return window


def partitions(sets: Sets, random: Random, most: int) -> list[Sets]:
    """The numbers of the sets in any order, in at most `most` parts, some of them twice."""
    pairs = [(name, number) for name, numbers in sorted(sets.items()) for number in sorted(numbers)]
    random.shuffle(pairs)
    cuts = sorted(random.randrange(len(pairs) + 1) for _ in range(most - 1))
    parts = [pairs[begin:end] for begin, end in pairwise([0, *cuts, len(pairs)])]
    parts += random.sample(parts, len(parts) // 3)
    return [
        {
            name: frozenset(number for each, number in part if each == name)
            for name in {each for each, _ in part}
        }
        for part in parts
    ]


def outcome(window: Sets) -> tuple[frozenset[int], frozenset[tuple[object, ...]]]:
    """What the detectors read of a window."""
    found = counted(window)
    return administered(found), frozenset(
        (each.server, each.port, each.usual, each.count) for each in guesses(found)
    )


@given(NUMBERS, NUMBERS)
def test_a_small_window_gets_everything(numbers: frozenset[int], known: frozenset[int]) -> None:
    """And what it has is not written again."""
    before = {SESSIONS: known, ADMINISTERED: known}
    added = bounded(Addition("k", {SESSIONS: numbers, FAILED: frozenset({1})}, 9), before)
    assert merged(before, added.sets)[SESSIONS] == known | numbers
    assert (added.key, added.kept_until, added.sets[FAILED]) == ("k", 9, frozenset({1}))
    assert known.isdisjoint(added.sets.get(SESSIONS, ()))
    assert counted(before) == before


@given(
    st.frozensets(
        st.builds(
            session, st.integers(0, 3), st.integers(0, 2), st.sampled_from([9, LARGE]), st.integers(0, 9)
        ),
        max_size=60,
    ),
    st.integers(1, 20),
    st.integers(1, 6),
    st.randoms(use_true_random=False),
)
@examples(2)
def test_what_counts_in_a_window_counts_in_any_part(
    numbers: frozenset[int], most: int, whole: int, random: Random
) -> None:
    """And what does not count changes nothing: so parts can be added in any order."""
    chosen = sessions.shared(numbers, most, whole)
    assert chosen <= numbers
    assert len(chosen) == min(most, len(numbers))
    part = frozenset(each for each in numbers if random.random() < 0.6)
    assert chosen & part <= sessions.shared(part, most, whole)
    others = [each for each in sorted(numbers - chosen) if random.random() < 0.5]
    assert sessions.shared(chosen.union(others), most, whole) == chosen


@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(0, 3000), st.integers(0, 3000))
@examples(0.3)
def test_order_repetition_and_partition_of_batches_change_nothing(
    seed: int, parts: int, count: int, usual: int
) -> None:
    """However many servers the host administers, and whichever containers process the batches."""
    random = Random(seed)  # noqa: S311
    sets = {
        SESSIONS: many(random, usual=False, servers=60, count=count)
        | many(random, usual=True, servers=3000, count=usual),
        ADMINISTERED: marks(random, count + usual),
    }
    window = stored(partitions(sets, random, parts))
    assert outcome(window) == outcome(sets)
    elsewhere = [stored([part]) for part in partitions(sets, random, parts)]
    assert outcome(merged(*elsewhere)) == outcome(sets)


@given(seed=st.integers(0, 10**6), count=st.integers(0, 400), is_first=st.booleans())
@examples(0.2)
def test_usual_traffic_of_any_amount_removes_no_evidence(seed: int, count: int, *, is_first: bool) -> None:
    """Neither usual sessions nor directory servers; whether they come first or last."""
    random = Random(seed)  # noqa: S311
    attack = {
        SESSIONS: many(random, usual=False, servers=5, count=count),
        ADMINISTERED: frozenset(1 << SERVER_BITS | server for server in range(count)),
    }
    usual = {
        SESSIONS: many(random, usual=True, servers=4096, count=5000),
        ADMINISTERED: frozenset(kind << SERVER_BITS | at for kind in (3, 4, 5) for at in range(5, 4096)),
    }
    servers, found = outcome(stored([usual, attack] if is_first else [attack, usual]))
    expected, guessed = outcome(attack)
    assert servers == expected
    assert {each for each in found if not each[2]} == guessed


def test_a_service_with_many_sessions_leaves_room_for_others() -> None:
    """Other services in the same class get what they need, up to an equal share."""
    loud = frozenset(session(1, 0, size, hashed) for size in range(2, 60) for hashed in range(256))
    quiet = frozenset(session(server, 1, 30, hashed) for server in range(2, 6) for hashed in range(60))
    for order in ([loud, quiet], [quiet, loud]):
        window = counted(stored({SESSIONS: each} for each in order))[SESSIONS]
        assert quiet < window
        assert len(window) == MOST_SESSIONS


def test_a_large_record_counts_with_its_session() -> None:
    """Otherwise a session that transfers much would look like a guess."""
    numbers = frozenset(session(s, 0, size, h) for s in range(9) for size in (30, LARGE) for h in range(200))
    chosen = sessions.shared(numbers, MOST_SESSIONS)
    for each in chosen:
        assert each | LARGE << 8 in chosen


@pytest.mark.parametrize("usual", [False, True])
def test_a_window_is_bounded_in_the_worst_order(*, usual: bool) -> None:
    """The sessions of each batch displace those of the one before."""
    parts = [
        {
            SESSIONS: frozenset(
                session(server, 3, 30, h, usual=usual) for server in range(at, at + 20) for h in range(250)
            )
        }
        for at in range(0, 320, 20)
    ]
    window = stored(reversed(parts))
    assert len(window[SESSIONS]) <= STORED_SESSIONS + MOST_SESSIONS
    assert len(counted(window)[SESSIONS]) == MOST_SESSIONS


def test_servers_are_bounded_by_kind() -> None:
    """The lowest of each kind: server numbers are hashes."""
    window = counted({ADMINISTERED: frozenset(range(1 << SERVER_BITS, 4 << SERVER_BITS))})[ADMINISTERED]
    assert window == {kind << SERVER_BITS | at for kind in (1, 2, 3) for at in range(MOST_SERVERS)}


def small(server: str, count: int) -> Sequence[Flow]:
    """Sessions of the same small size with a server."""
    return [each for port in range(count) for each in got(server, 22, TODAY + 3600, 40_000 + port)]


def batches(*, attack_first: bool) -> Iterator[Sequence[Flow]]:
    """Guesses at one server of another network, and usual sessions with many servers."""
    attack = [small("10.0.77.9", 60)]
    usual = [
        [each for host in range(begin, begin + 25) for each in small(f"10.0.9.{host}", 15)]
        for begin in range(1, 125, 25)
    ]
    yield from [*attack, *usual, *attack] if attack_first else [*usual, *attack]


@pytest.mark.parametrize("attack_first", [True, False])
def test_guesses_do_not_hide_behind_usual_sessions(*, attack_first: bool) -> None:
    """Of a host that administers a network: more sessions than a window counts do not fill it."""
    evidence = learned(*got("10.0.9.1", 22))
    container = Container(evidence=evidence, directory=FakeDirectory.of(interface("eni-1")))
    found = [container.found(each, TODAY + 7000) for each in batches(attack_first=attack_first)]
    assert "brute-force" in {each.detector for each in found[-1]}
    window = evidence.items[CONTACTS_DAY.key_of(TODAY // 86_400, f"vpc-1/{CLIENT}")]
    assert sum(number >= USUAL for number in window[SESSIONS]) > MOST_SESSIONS // 2


def test_a_host_that_administers_thousands_keeps_its_windows_small() -> None:
    """Over many batches of a container, and its lateral movement is found."""
    evidence, detectors = learned(), set()
    container = Container(evidence=evidence, directory=FakeDirectory.of(interface("eni-1")))
    for net in range(20, 32):
        flows = [each for host in range(1, 200) for each in got(f"10.0.{net}.{host}", 22)]
        detectors |= {each.detector for each in container.found(flows, TODAY + 7200)}
    assert "lateral-movement" in detectors
    windows = [sets for key, sets in evidence.items.items() if key.startswith(CONTACTS_DAY.prefix)]
    assert max(len(sets.get(ADMINISTERED, ())) for sets in windows) <= 2 * MOST_SERVERS
    assert max(len(sets.get(SESSIONS, ())) for sets in windows) <= 2 * MOST_SESSIONS
