"""scanner-connected: a scan that is spread thinly over interfaces, batches and containers."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.monitor.detectors import scanner_connected
from flowwarden.monitor.findings import TrafficFinding
from flowwarden.monitor.traffic.refused_sources import MOST_READ, SHARE
from flowwarden.policy.detection import Thresholds
from flowwarden.records.model import Flow
from tests.examples import examples
from tests.flows import rejected
from tests.monitor.batches import Container, table
from tests.monitor.fakes_interfaces import FakeDirectory, interface
from tests.monitor.fakes_state import MemoryEvidence
from tests.monitor.weeks import IN, POLICY, TODAY, VISITOR, knock, learned, visit

LEAST = Thresholds().scanner_destinations
HALF = round(SHARE * LEAST)


def thin(first: int, last: int) -> list[list[Flow]]:
    """A batch for each interface, of which each refuses the visitor once."""
    return [
        [
            rejected(
                f"{VISITOR}:50000", f"10.0.2.{host}:8080", interface_id=f"eni-{host}", tcp_flags=2,
                flow_direction=IN, start=TODAY + 60 * host, end=TODAY + 60 * host + 9,
            )
        ]
        for host in range(first, last)
    ]  # fmt: skip


def several(count: int, evidence: MemoryEvidence | None = None) -> list[Container]:
    """Containers that share a table, in an account with many interfaces."""
    evidence = learned() if evidence is None else evidence
    described = [interface("eni-1"), *(interface(f"eni-{host}") for host in range(2, 60))]
    return [Container(POLICY, evidence, FakeDirectory.of(*described)) for _ in range(count)]


@pytest.mark.parametrize(("containers", "places", "expected"), [(1, 12, True), (1, 9, False), (2, 20, True)])
def test_a_scan_spread_over_many_interfaces_is_known_when_it_connects(
    containers: int, places: int, *, expected: bool
) -> None:
    """A place of each interface in each batch; in two containers each of which sees half of them."""
    every = several(containers)
    for number, batch in enumerate(thin(2, 2 + places)):
        every[number % containers].found(batch, TODAY + 4000)
    reported = every[-1].found(visit(8081), TODAY + 5500)
    assert ("scanner-connected" in [each.detector for each in reported]) is expected


def test_noise_that_is_spread_thinly_causes_no_writes() -> None:
    """Most sources try a few places of all interfaces; a scanner is stored from half of the limit on."""
    evidence = learned()
    (container,) = several(1, evidence)
    before = len(evidence.written)
    for batch in thin(2, 6):
        container.found(batch, TODAY + 4000)
    assert [key for key in evidence.written[before:] if key.startswith("scanner#")] == []
    for batch in thin(6, 50):
        container.found(batch, TODAY + 4000)
    stored = [key for key in evidence.written[before:] if key.startswith("scanner#")]
    assert stored == [f"scanner#{TODAY // 86_400}#{VISITOR}"] * (LEAST - HALF + 1)


def reported(container: Container, flows: list[Flow], *, kept: bool) -> list[str]:
    """The services that a scanner connected to; `kept` states whether the page of the batch was sent."""
    view, state = container.begin(table(*flows), TODAY + 7200)
    found = scanner_connected.detect(view, state, Thresholds())
    if not kept:
        state.forget()
    return [str(each.service) for each in found if isinstance(each, TrafficFinding)]


def before_the_last_place(containers: list[Container]) -> None:
    """Half of a thin scan, a connection, and all but one place of the rest; in turn in each container."""
    batches = [*thin(2, 2 + HALF), visit(8081), *thin(2 + HALF, 1 + LEAST)]
    for number, batch in enumerate(batches):
        assert reported(containers[number * len(containers) // len(batches)], batch, kept=True) == []


@pytest.mark.parametrize("containers", [1, 2])
def test_a_late_finding_is_found_again_if_its_page_is_not_sent(containers: int) -> None:
    """The batch that completes a thin scan, in the same container."""
    every = several(containers)
    before_the_last_place(every)
    for _ in range(3):
        assert reported(every[-1], [knock(9000)], kept=False) == ["tcp/8081"]
    assert reported(every[-1], [knock(9000)], kept=True) == ["tcp/8081"]
    assert reported(every[-1], [knock(9000)], kept=True) == [], "found again, although its page was sent"


@pytest.mark.parametrize("knows_the_scanner", [False, True])
@pytest.mark.parametrize("is_written", [False, True])
def test_a_retry_in_another_container_finds_the_same(*, knows_the_scanner: bool, is_written: bool) -> None:
    """In a new one, or in one that saw other places; also if the first attempt ended before its write."""
    evidence = learned()
    first, second = several(2, evidence)
    if knows_the_scanner:
        assert reported(second, [knock(9100)], kept=True) == []
    before_the_last_place([first])
    if is_written:
        assert reported(first, [knock(9000)], kept=False) == ["tcp/8081"]
    writes = evidence.writes
    assert reported(second, [knock(9000)], kept=True) == ["tcp/8081"]
    assert evidence.writes - writes == (not is_written), "what is stored costs no write"


def test_a_known_scanner_is_not_reported_by_each_new_container() -> None:
    """Only a batch whose places are stored repeats what made the host a scanner."""
    evidence = learned()
    first, *others = several(4, evidence)
    before_the_last_place([first])
    assert reported(first, [knock(9000)], kept=True) == ["tcp/8081"]
    assert [reported(each, [knock(9001)], kept=True) for each in others] == [[]] * 3


@examples(0.15)
@given(st.integers(1, 6), st.randoms(use_true_random=False))
def test_a_thin_scan_is_found_whichever_containers_see_it(containers: int, random: Random) -> None:
    """If each place is refused once from the moment on at which a container has seen half of them."""
    every = several(containers)
    before_the_last_place(every[:1])
    for attempt in range(3):
        assert reported(random.choice(every), [knock(9000)], kept=attempt == 2) == ["tcp/8081"]


def test_sources_are_looked_up_in_one_call() -> None:
    """All that are new to the container, up to `MOST_READ`; places that it knows cost none."""
    evidence = learned()
    (container,) = several(1, evidence)
    noise = [
        rejected(
            f"203.0.113.{host}:50000", f"10.0.1.5:{port}", tcp_flags=2, flow_direction=IN, start=TODAY + 60
        )
        for host in range(1, MOST_READ)
        for port in (8000, 8001)
    ]
    reported(container, noise[:2], kept=True)
    reads = evidence.reads
    reported(container, noise, kept=True)
    assert evidence.reads - reads == 1
    reported(container, noise, kept=True)
    assert evidence.reads - reads == 1


def yesterdays(places: int) -> MemoryEvidence:
    """A table after as many places refused the visitor on the day before, in one batch."""
    evidence = learned()
    (container,) = several(1, evidence)
    knocks = [knock(port, start=TODAY - 3600, end=TODAY - 3590) for port in range(7000, 7000 + places)]
    container.found(knocks, TODAY - 3000)
    return evidence


def of_today(evidence: MemoryEvidence) -> int:
    """The places that refused the visitor, in the item of today."""
    sets = evidence.items.get(f"scanner#{TODAY // 86_400}#{VISITOR}", {})
    return len(sets.get("refused-at", ()))


@pytest.mark.parametrize(("before", "today", "expected"), [
    (LEAST, HALF, LEAST), (LEAST, HALF - 1, 0), (LEAST - 1, HALF, HALF), (0, HALF, HALF),
])  # fmt: skip
def test_a_scanner_of_yesterday_is_one_again_at_half_of_the_limit(
    before: int, today: int, expected: int
) -> None:
    """In any container, and with one write; other hosts are counted anew, also if nearly scanners."""
    evidence = yesterdays(before)
    (container,) = several(1, evidence)
    writes = len(evidence.written)
    for batch in thin(2, 2 + today):
        container.found(batch, TODAY + 4000)
    assert of_today(evidence) == expected
    for batch in thin(2 + today, 20) if expected == LEAST else ():
        container.found(batch, TODAY + 4000)
    stored = [key for key in evidence.written[writes:] if key.startswith("scanner#")]
    assert len(stored) == bool(expected)


@pytest.mark.parametrize(("places", "expected"), [
    ((LEAST, HALF, HALF, 0), True), ((LEAST, HALF, 0, HALF), False), ((LEAST, HALF - 1, HALF, 0), False),
    ((HALF, LEAST, HALF, HALF), True), ((LEAST - 1, HALF, HALF, HALF), False),
])  # fmt: skip
def test_a_scanner_that_comes_every_day_stays_one(places: tuple[int, ...], *, expected: bool) -> None:
    """Until a day with fewer refusals than half of the limit; each day has a new container."""
    evidence = learned()
    for day, count in enumerate(places):
        (container,) = several(1, evidence)
        at = TODAY + day * 86_400 + 3600
        for port in range(7000, 7000 + count):
            container.found([knock(port, start=at, end=at + 9)], at + 600)
    connected = several(1, evidence)[0].found(visit(8081, at + 7200), at + 8000)
    assert ("scanner-connected" in [each.detector for each in connected]) is expected


def test_a_few_refusals_of_a_batch_do_not_make_a_scanner_of_yesterday_one_again() -> None:
    """They are stored at once; with those of other batches, they are half of the limit."""
    evidence = yesterdays(LEAST)
    (container,) = several(1, evidence)
    container.found([knock(port) for port in range(8000, 8003)], TODAY + 4000)
    assert of_today(evidence) == 3
    for batch in thin(2, 3 + HALF - 3):
        container.found(batch, TODAY + 4000)
    assert of_today(evidence) == LEAST


def test_half_of_a_thin_scan_is_stored_by_the_next_batch_if_a_write_fails() -> None:
    """Like everything that could not be written."""
    evidence = learned()
    (container,) = several(1, evidence)
    *before, crossing, later = thin(2, 2 + HALF + 1)
    for batch in before:
        container.found(batch, TODAY + 4000)
    evidence.is_away = True
    container.found(crossing, TODAY + 4000)
    evidence.is_away = False
    assert f"scanner#{TODAY // 86_400}#{VISITOR}" not in evidence.items
    container.found(later, TODAY + 4000)
    assert f"scanner#{TODAY // 86_400}#{VISITOR}" in evidence.items
