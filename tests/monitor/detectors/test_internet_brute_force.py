"""internet-brute-force: many short sessions from one internet host with an administration port."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.monitor.detectors.internet_brute_force import DETECTOR
from flowwarden.monitor.findings import Severity, TrafficFinding
from flowwarden.monitor.render.text import describe
from flowwarden.policy.policy import Policy
from flowwarden.records.model import Flow
from flowwarden.state.schema import OUTSIDE_SESSIONS
from tests.examples import examples
from tests.flows import flow
from tests.monitor.batches import Container
from tests.monitor.fakes_interfaces import FakeDirectory, interface
from tests.monitor.fakes_state import MemoryEvidence
from tests.monitor.weeks import CLIENT, DAY, IN, OUT, TODAY, got

SOURCE = "198.51.100.66"
HOUR = 3600


def session(
    number: int,
    port: int = 22,
    at: int = TODAY + HOUR,
    size: int = 2000,
    source: str = SOURCE,
    seconds: int = 3,
) -> list[Flow]:
    """A session of an internet host, with its answer of this size."""
    near, far = f"{CLIENT}:{port}", f"{source}:{33_000 + number}"
    times = {"start": at, "end": at + seconds, "packets": 11}
    return [
        flow(far, near, tcp_flags=3, flow_direction=IN, bytes=1600, **times),
        flow(near, far, tcp_flags=19, flow_direction=OUT, bytes=size, **times),
    ]


def guesses(
    count: int, first: int = 0, port: int = 22, at: int = TODAY + HOUR, **given: object
) -> list[Flow]:
    """Sessions of the same small size."""
    numbers = range(first, first + count)
    return [each for number in numbers for each in session(number, port, at + number, **given)]  # type: ignore[arg-type]


def learned(*usual: Sequence[Flow], days: int = 21) -> MemoryEvidence:
    """Evidence of a role with these batches on each day, and connections of its own."""
    return _learned(tuple(map(tuple, usual)), days).copy()


@cache
def _learned(usual: Sequence[Sequence[Flow]], days: int) -> MemoryEvidence:
    evidence = MemoryEvidence()
    for ago in range(days, 0, -1):
        at = TODAY - ago * DAY + HOUR
        look(got("10.0.3.1", 5432, at), evidence, at)
        for flows in usual:
            look([shifted(each, -ago * DAY) for each in flows], evidence, at + HOUR)
    return evidence


def shifted(one: Flow, seconds: int, host: str = CLIENT) -> Flow:
    """The flow at another time, with another host instead of `CLIENT`."""
    near, far = (host if each == CLIENT else each for each in (one.srcaddr, one.dstaddr))
    return flow(
        f"{near}:{one.srcport}", f"{far}:{one.dstport}", tcp_flags=one.tcp_flags,
        flow_direction=one.flow_direction, packets=one.packets, bytes=one.bytes,
        start=(one.start or 0) + seconds, end=(one.end or 0) + seconds,
    )  # fmt: skip


def look(
    flows: Sequence[Flow], evidence: MemoryEvidence, now: int = TODAY + 2 * HOUR, policy: Policy | None = None
) -> list[TrafficFinding]:
    """The findings of this detector in a batch, in a new container that learns it."""
    container = Container(policy or Policy(), evidence, FakeDirectory.of(interface("eni-1")))
    return container.found(flows, now, [DETECTOR])


@pytest.mark.parametrize("port", [22, 3389, 5985, 5900, 3306])
def test_many_short_sessions_of_one_source_are_reported(port: int) -> None:
    """At once or over hours; fewer are not, nor are as many of many sources."""
    (finding,) = look(guesses(80, port=port), learned())
    assert (finding.subject, finding.severity) == (CLIENT, Severity.MEDIUM)
    assert f"{SOURCE} opened about 80 connections" in describe(finding).summary
    assert look(guesses(30, port=port), learned()) == []
    apart = [each for number in range(80) for each in session(number, port, source=f"198.51.{number}.7")]
    assert look(apart, learned()) == []
    evidence = learned()
    hourly = [
        look(guesses(8, 8 * hour, port, TODAY + hour * HOUR), evidence, TODAY + (hour + 1) * HOUR)
        for hour in range(12)
    ]
    assert any(hourly)
    assert hourly[0] == []


def test_work_is_no_guess() -> None:
    """Sessions that are large, long or of varying sizes, and those of a partner."""
    assert look(guesses(80, size=9000), learned()) == []
    assert look(guesses(80, seconds=300), learned()) == []
    varying = [each for number in range(80) for each in session(number, size=1000 + 50 * number)]
    assert look(varying, learned()) == []
    partner = Policy(partner_cidrs=("198.51.100.0/24",))
    assert look(guesses(80), learned(), policy=partner) == []


@pytest.mark.parametrize("port", [22, 3389])
def test_a_check_whether_the_port_is_open_is_no_guess(port: int) -> None:
    """Monitoring from outside reads the banner each minute."""
    assert look(guesses(200, port=port, size=350), learned()) == []


def test_other_services_are_not_guessed_at() -> None:
    """A client of a web server opens a connection for each request."""
    assert look(guesses(200, port=443), learned()) == []


def test_a_larger_session_beside_the_guesses_is_high() -> None:
    """It may be a log-in, in the same batch or another; also where guesses are usual."""
    evidence = learned()
    look(guesses(80), evidence)
    (finding,) = look(session(99, size=20_000, at=TODAY + 2 * HOUR), evidence, TODAY + 3 * HOUR)
    assert (finding.severity, finding.facts.admitted) == (Severity.HIGH, True)
    assert "and a larger one" in describe(finding).summary
    usual = learned(guesses(80))
    assert [each.severity for each in look([*guesses(80), *session(99, size=20_000)], usual)] == [
        Severity.HIGH
    ]


def test_guesses_at_an_open_port_are_usual_after_two_days() -> None:
    """Each port that is open to the internet is guessed at all the time; the rest are rows of the digest."""
    evidence = learned()
    days = [
        look([shifted(each, day * DAY) for each in guesses(80)], evidence, TODAY + day * DAY + 2 * HOUR)
        for day in range(4)
    ]
    assert [[each.severity for each in day] for day in days] == [
        [Severity.MEDIUM], [Severity.MEDIUM], [Severity.INFO], [Severity.INFO],
    ]  # fmt: skip
    assert [each.severity for each in look(guesses(80), learned(days=3))] == [Severity.INFO]


def test_guesses_at_some_hosts_of_a_role_say_little_about_the_others() -> None:
    """Each host is reported on two days, and a new one until hosts of the role were reported on four days."""
    evidence, days = learned(), []
    for day in range(7):
        host, at = f"10.0.1.{70 + day}", TODAY + day * DAY
        flows = [shifted(each, day * DAY, host) for each in guesses(80)]
        days.append([each.severity for each in look(flows, evidence, at + 2 * HOUR)])
    assert days == [[Severity.MEDIUM]] * 4 + [[Severity.INFO]] * 3


@examples(0.25)
@given(cuts=st.sets(st.integers(1, 69)), random=st.randoms(use_true_random=False))
def test_order_repetition_and_partition_of_batches_change_nothing(cuts: set[int], random: Random) -> None:
    """Seventy guesses are found, fifty are not."""
    base = learned().items
    for count, expected in ((70, {CLIENT}), (50, set())):
        evidence = MemoryEvidence(dict(base))
        ends = [0, *sorted(cut for cut in cuts if cut < count)[:5], count]
        parts = [guesses(b - a, a) for a, b in pairwise(ends)] * 2
        random.shuffle(parts)
        assert {each.subject for part in parts for each in look(part, evidence)} == expected


def test_a_flood_of_sources_writes_a_bounded_number() -> None:
    """One item for a host and day; one source with many sessions is found among them."""
    evidence = learned()
    before = len(evidence.written)
    flood = [
        each
        for number in range(900)
        for each in session(number, source=f"203.0.{number // 200}.{number % 200}")
    ]
    (finding,) = look([*flood, *guesses(200)], evidence)
    assert finding.tally.clients[0][0] == SOURCE
    written = [key for key in evidence.written[before:] if key.startswith(OUTSIDE_SESSIONS.prefix)]
    assert len(written) == 1


def test_many_sources_that_guess_at_once_do_not_hide_each_other() -> None:
    """Each has a share of the item's numbers: equal shares would be too small for any of them."""
    evidence, sources = learned(), [f"198.51.{number}.7" for number in range(30)]
    found = []
    for step in range(10):
        at = TODAY + HOUR + step * 60
        batch = [each for source in sources for each in guesses(8, 8 * step, at=at, source=source)]
        found += look(batch, evidence, at + HOUR)
    assert found
    assert {each.subject for each in found} == {CLIENT}
