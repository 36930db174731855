"""What batches contribute to the digests: once each, in few writes, whatever they contain."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest
from msgspec.structs import replace

from flowwarden.monitor.caches.digests import (
    FEW,
    LAST_SECONDS,
    MOST_GROUPS,
    MOST_MARKS,
    MOST_SOURCES,
    WRITE_SECONDS,
    DigestCache,
    Seen,
    SeenSource,
)
from flowwarden.monitor.detectors import internet_rejects, ping_sweep, reject_spike, scan
from flowwarden.monitor.detectors.base import Detector
from flowwarden.monitor.digest_rows import MOST_PORTS, DigestRows
from flowwarden.monitor.digest_rows import MOST_SOURCES as OF_A_BATCH
from flowwarden.monitor.findings import Finding, Severity, SurplusFinding
from flowwarden.notify.delivery import DeliveryReport
from flowwarden.records.model import Flow
from flowwarden.records.subscription import LogBatch
from flowwarden.state import digests
from flowwarden.state.digests import (
    BATCHES,
    GROUPS,
    NOTHING,
    SOURCES,
    TARGETS,
    Digests,
    Kept,
    Source,
    Target,
)
from flowwarden.state.registers import estimate
from flowwarden.state.sets import HOUR
from tests.flows import START, rejected
from tests.monitor.batches import Container, table
from tests.monitor.fakes_state import MemoryDigests

NOW = START + 600
AT = START // HOUR
KEY = digests.key_of(AT)
AFTER = digests.closes_at(AT)
IN = "ingress"


def attempt(source: str, host: str = "10.0.0.5", port: int = 22, at: int = START) -> Flow:
    """A rejected attempt from the internet."""
    return rejected(f"{source}:41000", f"{host}:{port}", tcp_flags=2, flow_direction=IN, start=at, end=at + 9)


class Monitor:
    """A container that only counts for the digests."""

    def __init__(self, store: MemoryDigests, which: Digests = Digests.HOURLY_AND_DAILY) -> None:
        self.rows, self.container, self.store = DigestRows(store, which), Container(), store

    def process(
        self,
        flows: Sequence[Flow] = (),
        found: Sequence[Finding] = (),
        *,
        now: int = NOW,
        batch: str = "batch",
        delivery: DeliveryReport | None = None,
    ) -> None:
        """A batch whose notifications are out."""
        name = LogBatch("111122223333", "/group", "eni-1-all", (), batch)
        view, state = self.container.begin(table(*flows), now, name)
        rejects = internet_rejects.detect(view, state, view.policy.thresholds)
        self.rows.keep(view, [*rejects, *found], delivery or DeliveryReport(), state)


def finding(detector: Detector, subject: str = "10.0.0.9", severity: Severity = Severity.INFO) -> Finding:
    """A finding; only its detector, subject and severity matter."""
    return Finding(detector=detector.name, severity=severity, subject=subject, facts=None)


def groups(store: MemoryDigests, key: str = KEY) -> dict[str, int]:
    """The subjects of an hour's groups, with the number of batches."""
    found = digests.groups_of(store.items.get(key, NOTHING), NOTHING)
    return {group.subject: batches for group, batches in found.items()}


def sources(store: MemoryDigests, key: str = KEY) -> dict[str, Source]:
    """The internet hosts of an hour, with their largest rows."""
    rows = Source.read(store.items.get(key, NOTHING).texts.get(SOURCES, ()))
    return {each.address: each for each in sorted(rows, key=lambda each: each.records)}


def test_a_finding_for_the_digest_is_written_at_once() -> None:
    """With its batch; one that pages, one for the log and a silenced one are not in it."""
    store = MemoryDigests()
    muted = replace(finding(ping_sweep.DETECTOR, "10.0.0.8"), silenced=True, muted="why")
    paging = finding(ping_sweep.DETECTOR, "10.0.0.7", Severity.HIGH)
    logged = finding(internet_rejects.DETECTOR, "10.0.0.6")
    several = SurplusFinding(detector="ping-sweep", severity=Severity.INFO, count=7)
    Monitor(store).process(found=[finding(ping_sweep.DETECTOR), muted, paging, logged, several])
    assert groups(store) == {"10.0.0.9": 1, "": 1}
    on_trial = replace(finding(scan.DETECTOR, "10.0.0.5"), report_only=True)
    Monitor(store).process(found=[on_trial, replace(on_trial, subject="10.0.0.4", silenced=True)])
    assert groups(store) == {"10.0.0.9": 1, "": 1, "10.0.0.5": 1}
    rows = digests.groups_of(store.items[KEY], NOTHING)
    assert {each.detector for each in rows if each.report_only} == {"scan"}
    assert digests.counts_of(store.items[KEY], NOTHING)[Kept.MUTED] == 1


def test_a_spike_of_rejects_is_in_the_digest() -> None:
    """It never pages, and would be in the log alone."""
    store = MemoryDigests()
    Monitor(store).process(found=[finding(reject_spike.DETECTOR)])
    assert groups(store) == {"10.0.0.9": 1}


def test_the_daily_digest_needs_no_groups() -> None:
    """If only it is sent, only what it needs is stored."""
    store = MemoryDigests()
    monitor = Monitor(store, Digests.DAILY)
    monitor.process([attempt("203.0.113.9")], [finding(ping_sweep.DETECTOR)])
    monitor.process(now=AFTER + 1, batch="later")
    assert groups(store) == {}
    assert set(sources(store)) == {"203.0.113.9"}


def test_ordinary_noise_is_written_once_after_the_hour() -> None:
    """One write for each container and hour, however many batches there are."""
    store = MemoryDigests()
    monitor = Monitor(store)
    for number in range(50):
        flows = [attempt(f"203.0.113.{number}", port=port) for port in (22, 23)]
        monitor.process(flows, now=NOW + number * 60, batch=f"{number}")
    assert store.written == []
    for number in range(5):
        monitor.process(now=AFTER + number, batch=f"later {number}")
    assert store.written == [KEY]
    assert len(sources(store)) == FEW
    assert 30 <= estimate(store.items[KEY].numbers[digests.HOSTS]) <= 70
    assert 60 <= estimate(store.items[KEY].numbers[digests.RECORDS]) <= 140
    assert [each.host for each in Target.read(store.items[KEY].texts[TARGETS])] == ["10.0.0.5"]


def test_a_port_scanner_is_written_at_once_with_its_ports() -> None:
    """A container may end before the hour does."""
    store = MemoryDigests()
    Monitor(store).process([attempt("203.0.113.9", port=port) for port in range(1000, 1200)])
    (source,) = sources(store).values()
    assert (source.records, source.tried, len(source.ports)) == (7, 7, MOST_PORTS)


def test_a_batch_counts_once_in_a_container_and_for_two_containers() -> None:
    """The same batch twice, and a batch that another container processed too."""
    store = MemoryDigests()
    one, other = Monitor(store), Monitor(store)
    flows = [attempt("203.0.113.9", port=port) for port in range(1000, 1300)]
    for monitor in (one, one, other):
        monitor.process(flows, [finding(ping_sweep.DETECTOR)])
    for monitor in (one, other):
        monitor.process(now=AFTER + 1, batch="later")
    assert groups(store) == {"10.0.0.9": 1}
    assert sources(store)["203.0.113.9"].records == 8
    assert 180 <= estimate(store.items[KEY].numbers[digests.RECORDS]) <= 420


@pytest.mark.parametrize("seed", range(3))
def test_shuffled_and_doubled_batches_give_the_same_item(seed: int) -> None:
    """In one container; what it stores does not depend on the order."""
    random = Random(seed)  # noqa: S311 - shuffles
    every = [
        (f"{number}", [attempt(f"203.0.113.{number % 7}", port=port) for port in range(number, number + 9)])
        for number in range(1, 30)
    ]

    def whole(order: Sequence[tuple[str, list[Flow]]]) -> set[tuple[str, int]]:
        store = MemoryDigests()
        monitor = Monitor(store)
        for batch, flows in order:
            monitor.process(flows, [finding(ping_sweep.DETECTOR)], batch=batch)
        monitor.process(now=AFTER + 1, batch="later")
        assert estimate(store.items[KEY].numbers[digests.RECORDS])
        return {(each.address, each.records) for each in sources(store).values()} | {*groups(store).items()}

    shuffled = [*every, *every]
    random.shuffle(shuffled)
    assert whole(shuffled) == whole(every)


def test_new_groups_are_written_every_10_minutes_at_most() -> None:
    """And the number of their batches before the hour is closed."""
    store = MemoryDigests()
    monitor = Monitor(store)
    for second in range(0, WRITE_SECONDS, 10):
        found = [finding(ping_sweep.DETECTOR, f"10.0.0.{second % 250}")]
        monitor.process(found=found, now=NOW + second, batch=f"{second}")
    assert store.written == [KEY]
    monitor.process(found=[finding(ping_sweep.DETECTOR)], now=NOW + WRITE_SECONDS, batch="a")
    assert store.written == [KEY] * 2
    monitor.process(
        [attempt("203.0.113.9")], [finding(ping_sweep.DETECTOR)], now=AFTER - LAST_SECONDS, batch="b"
    )
    assert store.written == [KEY] * 3
    assert groups(store)["10.0.0.9"] == 2


def test_groups_that_were_not_written_in_time_move_to_the_next_hour() -> None:
    """The digest of their hour is sent; what was written stays there."""
    store = MemoryDigests()
    monitor = Monitor(store)
    for batch in ("a", "b"):
        monitor.process(found=[finding(ping_sweep.DETECTOR)], batch=batch)
    monitor.process([attempt("203.0.113.9", at=AFTER)], now=AFTER + 60, batch="c")
    monitor.process([attempt("203.0.113.9", at=AFTER)], now=AFTER + HOUR, batch="d")
    assert groups(store) == {"10.0.0.9": 1}
    assert groups(store, digests.key_of(AT + 1)) == {"10.0.0.9": 1}


def test_a_failed_write_is_repeated_by_a_later_batch() -> None:
    """The table does not answer, and later does."""
    store = MemoryDigests(is_away=True)
    monitor = Monitor(store)
    monitor.process(found=[finding(ping_sweep.DETECTOR)])
    store.is_away = False
    monitor.process(batch="later", now=NOW + 1)
    assert groups(store) == {"10.0.0.9": 1}


def test_a_flood_is_bounded() -> None:
    """Of groups, batches, internet hosts and ports; an item stays below some tens of KB."""
    store = MemoryDigests()
    monitor = Monitor(store)
    for number in range(200):
        flows = [
            attempt(f"45.{number}.0.{host}", port=port) for host in range(1, 20) for port in range(20, 60)
        ]
        found = [finding(ping_sweep.DETECTOR, f"10.{number}.0.{host}") for host in range(40)]
        monitor.process(flows, found, batch=f"{number}", now=NOW + number)
    monitor.process(now=AFTER - 1, batch="last")
    monitor.process(now=AFTER + 1, batch="later")
    item = store.items[KEY]
    assert len(item.texts[GROUPS]) <= MOST_GROUPS
    assert len(item.numbers[BATCHES]) <= MOST_GROUPS * MOST_MARKS
    assert len(sources(store)) <= 3 * MOST_SOURCES
    assert sum(len(text) for texts in item.texts.values() for text in texts) < 30_000


def test_a_report_only_detector_has_its_row_in_an_hour_that_is_full() -> None:
    """It replaces the group with fewest batches; another group, and one of too many on trial, is left out."""
    store = MemoryDigests()
    monitor = Monitor(store)
    noise = [finding(ping_sweep.DETECTOR, f"10.1.0.{host}") for host in range(MOST_GROUPS)]
    monitor.process(found=noise[1:], batch="first", now=NOW)
    monitor.process(found=noise, batch="second", now=NOW + 1)
    late = finding(ping_sweep.DETECTOR, "10.2.0.1")
    on_trial = [replace(late, subject=f"10.3.0.{host}", report_only=True) for host in range(MOST_GROUPS + 1)]
    monitor.process(found=[late, on_trial[0]], batch="third", now=NOW + 2)
    monitor.process(now=NOW + 2 * WRITE_SECONDS, found=on_trial[:1], batch="fourth")
    written = groups(store)
    assert "10.3.0.0" in written
    assert "10.2.0.1" not in written
    assert {each.subject for each in noise[1:]} <= set(written)
    monitor.process(now=NOW + 2 * WRITE_SECONDS, found=on_trial, batch="fifth")
    monitor.process(now=AFTER - 1, batch="last")
    assert {each.subject for each in on_trial[:-1]} <= set(groups(store))
    assert on_trial[-1].subject not in groups(store)


def test_a_batch_names_its_most_active_hosts() -> None:
    """Those with most records; of equal ones, by address."""
    store = MemoryDigests()
    flows = [
        attempt(f"203.0.113.{host}", port=port)
        for host in range(1, 30)
        for port in range(200, 200 + host * 5)
    ]
    Monitor(store).process(flows)
    assert set(sources(store)) <= {f"203.0.113.{host}" for host in range(30 - OF_A_BATCH, 30)}
    assert "203.0.113.29" in sources(store)


def test_a_cache_forgets_hours_that_cannot_be_written_any_more() -> None:
    """A container that lives for days keeps the last hours only."""
    cache = DigestCache()
    for hour in range(AT, AT + 100):
        seen = Seen(batch="a", sources=(SeenSource("203.0.113.9", 1, 1, ()),))
        cache.of(hour, hour * HOUR).see(seen)
    assert len(cache.hours) <= 26
