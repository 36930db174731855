"""The life of incidents over days, through the monitor's service and the dispatcher."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from random import Random
from typing import Final

import pytest
from msgspec.structs import replace

from flowwarden.records.model import Flow
from flowwarden.records.subscription import LogBatch
from tests.dispatcher.days import BEGIN, DAY, HOUR, LONG, WINDOW, Days, batch_of, disturbed, windows
from tests.flows import rejected
from tests.monitor.detectors.test_blocked_connection_over_time import blocked
from tests.monitor.fakes_interfaces import FakeDirectory, interface
from tests.monitor.scenarios import Account
from tests.monitor.weeks import IN, learned, tried
from tests.notify.fakes import CrashError

SCANNERS: Final = 10_000
HOSTS: Final = [f"10.0.5.{host}" for host in range(4, 15)]
"""The addresses of a /28 that AWS leaves to its user."""


def account() -> Account:
    """An account whose roles are learned, with the hosts of the /28."""
    public = [replace(interface(f"eni-{each}", "edge"), addresses=(each,)) for each in HOSTS]
    known = FakeDirectory.of(interface("eni-1"), interface("eni-nat", "nat"), *public)
    return Account(evidence=learned(), directory=known)


def scanned(begin: int, end: int, hosts: int = 42) -> Iterator[tuple[int, list[Flow]]]:
    """A host tries new hosts in each window."""
    random = Random(7)  # noqa: S311 - not for secrets
    for at in range(begin, end, LONG):
        places = [f"10.0.{random.randrange(5, 250)}.{random.randrange(1, 250)}" for _ in range(hosts)]
        yield at, [tried(each, 8080, at) for each in places]


def hourly(begin: int, end: int) -> Iterator[tuple[int, list[Flow]]]:
    """A job that its database rejects."""
    for at in range(begin, end, HOUR):
        yield at, blocked("10.0.3.1", at)


@cache
def noise() -> list[tuple[LogBatch, int]]:
    """A day of internet scanners: each tries three times, any host and any port, and is rejected."""
    random = Random(3)  # noqa: S311 - not for secrets
    flows: dict[tuple[int, str], list[Flow]] = {}
    for number in range(SCANNERS):
        source = f"203.{random.randrange(256)}.{number // 250}.{1 + number % 250}"
        for _ in range(3):
            at, host = BEGIN + random.randrange(DAY), random.choice(HOSTS)
            port = random.choice([22, 23, 80, 443, 445, 3389, 8080, random.randrange(1, 65_536)])
            flows.setdefault((at // LONG, host), []).append(
                rejected(
                    f"{source}:{random.randrange(1024, 65_536)}", f"{host}:{port}", tcp_flags=2, packets=1,
                    flow_direction=IN, start=at, end=at + 1, interface_id=f"eni-{host}", vpc_id="vpc-1",
                )
            )  # fmt: skip
    return [
        (batch_of(f"{slot} {host}", some, f"eni-{host}-all"), (slot + 1) * LONG + 240)
        for (slot, host), some in sorted(flows.items())
    ]


def test_a_day_of_ten_thousand_internet_scanners_sends_nothing() -> None:
    """They try every host of a /28 at random."""
    assert Days(account()).run(noise()).dispatch(BEGIN + 2 * DAY).sent == []


def test_an_inside_scan_in_such_a_day_opens_within_one_batch() -> None:
    """Only that is sent, and that it is resolved."""
    scan = windows(BEGIN, BEGIN + DAY, scanned(BEGIN + 10 * HOUR, BEGIN + 10 * HOUR + LONG), LONG)
    days = Days(account()).run(sorted([*noise(), *scan], key=lambda each: each[1]))
    assert days.events == ["opened", "resolved"]
    assert days.when("opened") == [BEGIN + 10 * HOUR + LONG + 240]


@pytest.mark.matrix(1)
@pytest.mark.parametrize("seconds", [0, 1, 59])
def test_an_inside_scan_in_such_a_day_is_sent_within_two_minutes_if_its_function_ends_before(
    seconds: int,
) -> None:
    """The function ends at the first publish, and Lambda does not retry it: the dispatcher sends the page."""
    days, (scan, due) = Days(account()), _scan_of_the_day()
    days.run(each for each in noise() if each[1] < due)
    arrived = due - due % 60 + seconds
    days.account.pages.crash_before = True
    with pytest.raises(CrashError):
        days.run([(scan, arrived)])
    days.account.pages.crash_before = False
    assert days.sent == []
    days.dispatch(arrived + 120)
    assert days.events == ["opened"]
    assert days.when("opened")[0] <= arrived + 120


def test_a_refused_page_of_such_a_scan_is_sent_once_by_the_retry_or_by_the_dispatcher() -> None:
    """Lambda retries the batch a minute later. Without that, the dispatcher sends the page."""
    for retried in (True, False):
        days, (scan, due) = Days(account()), _scan_of_the_day()
        days.account.pages.away = True
        days.run([(scan, due)])
        assert days.sent == []
        days.account.pages.away = False
        days.run([(scan, due + 60)] if retried else []).dispatch(due + 600)
        assert days.events == ["opened"]
        assert days.when("opened")[0] <= due + 120


def _scan_of_the_day() -> tuple[LogBatch, int]:
    """A batch with ordinary traffic and a scan."""
    at = BEGIN + 10 * HOUR
    (batch,) = windows(at, at + LONG, scanned(at, at + LONG), LONG)
    return batch


@pytest.fixture(scope="module")
def two_days() -> Days:
    """A scanner that goes on for two days, pauses for 12 hours, and goes on for two hours."""
    again = BEGIN + 2 * DAY + 12 * HOUR
    scans = [*scanned(BEGIN, BEGIN + 2 * DAY), *scanned(again, again + 2 * HOUR)]
    return Days(account()).run(windows(BEGIN, BEGIN + 4 * DAY, scans, LONG))


def test_a_scanner_of_two_days_is_one_incident(two_days: Days) -> None:
    """With at most three notifications before it stops."""
    assert len(two_days.keys) == 1
    before = [each for each in two_days.sent if each.at < BEGIN + 2 * DAY + HOUR]
    assert before[0].event == "opened"
    assert [each.event for each in before[1:]] == ["updated"] * (len(before) - 1)
    assert len(before) <= 3


def test_when_it_stops_it_is_resolved_six_hours_later(two_days: Days) -> None:
    """By the time of the records, which arrive some minutes later."""
    after = two_days.when("resolved")[0] - (BEGIN + 2 * DAY - LONG)
    assert 6 * HOUR <= after <= 6 * HOUR + 4 * LONG


def test_when_it_recurs_within_a_day_it_is_reopened(two_days: Days) -> None:
    """In its first batch, although the repeats of the scan had extended its suppression.

    Then it ends only after a day.
    """
    assert two_days.when("reopened") == [BEGIN + 2 * DAY + 12 * HOUR + LONG + 240]
    assert two_days.events[-2:] == ["reopened", "resolved"]
    assert two_days.sent[-1].at > BEGIN + 3 * DAY + 14 * HOUR


def test_an_hourly_job_that_is_rejected_does_not_flap() -> None:
    """It is sent once in three days, and resolved when the job has ended."""
    job = hourly(BEGIN, BEGIN + 3 * DAY)
    days = Days(account()).run(windows(BEGIN, BEGIN + 3 * DAY, job))
    assert days.events == ["opened"]
    days.run(windows(BEGIN + 3 * DAY, BEGIN + 4 * DAY))
    assert days.events == ["opened", "resolved"]


def test_a_job_of_every_third_hour_is_reopened_once() -> None:
    """It looks over after its first run; readers learn that it is not, and then it stays open."""
    job = [(at, blocked("10.0.3.1", at)) for at in range(BEGIN, BEGIN + 3 * DAY, 3 * HOUR)]
    days = Days(account()).run(windows(BEGIN, BEGIN + 3 * DAY, job))
    assert days.events[:3] == ["opened", "resolved", "reopened"]
    assert days.events.count("reopened") <= 2
    assert len(days.sent) <= 5
    assert len(days.keys) == 1


def test_a_daily_job_that_is_rejected_stops_flapping_after_some_days() -> None:
    """Each reopening lengthens the wait, up to more than a day. Then each run is reported as an update."""
    runs = [(BEGIN + day * DAY, blocked("10.0.3.1", BEGIN + day * DAY)) for day in range(8)]
    days = Days(account()).run(windows(BEGIN, BEGIN + 8 * DAY, runs, LONG))
    assert days.events == ["opened", *["resolved", "reopened"] * 3, *["updated"] * 4]
    assert len(days.keys) == 1


def test_without_records_an_incident_is_not_resolved() -> None:
    """It is marked instead, and resolved when records show that it is over."""
    days = Days(account()).run(windows(BEGIN, BEGIN + 2 * WINDOW, hourly(BEGIN, BEGIN + 1)))
    days.dispatch(BEGIN + DAY)
    (item,) = (each for each in days.account.claims.items.values() if each.incident)
    assert days.events == ["opened"]
    assert item.no_data_since in range(BEGIN, BEGIN + WINDOW)
    days.run(windows(BEGIN + DAY, BEGIN + DAY + 2 * HOUR))
    assert days.events == ["opened", "resolved"]
    assert item.no_data_since is None


def test_a_scan_whose_log_group_is_silent_is_not_resolved_either() -> None:
    """However long that takes."""
    days = Days(account()).run(windows(BEGIN, BEGIN + HOUR, scanned(BEGIN, BEGIN + HOUR), LONG))
    days.dispatch(BEGIN + 10 * DAY)
    assert days.events == ["opened"]


SCAN: Final = windows(BEGIN, BEGIN + 36 * HOUR, scanned(BEGIN, BEGIN + 6 * HOUR), LONG)
JOB: Final = windows(BEGIN, BEGIN + 36 * HOUR, hourly(BEGIN, BEGIN + 12 * HOUR))


@pytest.mark.matrix(2)
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(("batches", "pairs"), [(SCAN, 0), (JOB, 1)], ids=["scan", "job"])
def test_late_and_doubled_batches_change_neither_incidents_nor_notifications(
    batches: Sequence[tuple[LogBatch, int]], pairs: int, seed: int
) -> None:
    """Each batch is delivered twice, up to four hours late and out of order.

    That is later than the wait of the job, so that it can be resolved and reopened once.
    """
    plain = Days(account()).run(batches)
    days = Days(account()).run(disturbed(batches, seed, 4 * HOUR)).dispatch(BEGIN + 3 * DAY)
    assert days.keys == plain.keys
    assert Counter(days.events) <= Counter(plain.events) + Counter({"resolved": pairs, "reopened": pairs})


@pytest.mark.parametrize("batches", [SCAN, JOB], ids=["scan", "job"])
def test_batches_that_are_later_than_the_wait_reopen_an_incident_at_most_three_times(
    batches: Sequence[tuple[LogBatch, int]],
) -> None:
    """Other records showed that it was over; each reopening lengthens the wait."""
    days = Days(account()).run(disturbed(batches, 1, 12 * HOUR)).dispatch(BEGIN + 3 * DAY)
    assert len(days.keys) == 1
    assert days.events.count("opened") == 1
    assert days.events.count("reopened") <= 3


def test_a_batch_that_arrives_a_day_after_the_end_sends_nothing() -> None:
    """It shows what was reported and resolved."""
    *others, _ = JOB
    late = windows(BEGIN, BEGIN + LONG, hourly(BEGIN, BEGIN + 1))
    renamed = [(replace_id(batch), BEGIN + 3 * DAY) for batch, _ in late]
    days = Days(account()).run(others)
    before = days.events
    assert before[-1] == "resolved"
    assert days.run(renamed).dispatch(BEGIN + 4 * DAY).events == before


def replace_id(batch: LogBatch) -> LogBatch:
    """The same records in another batch."""
    return LogBatch(batch.owner, batch.log_group, batch.log_stream, batch.lines, "late")
