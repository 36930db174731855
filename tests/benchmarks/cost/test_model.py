"""The formulas of the cost: prices with steps, durations, and what changes the bill."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from benchmarks.cost import prices
from benchmarks.cost.counts import BUSY, MANY, ORDINARY, QUIET, Counts, Sample
from benchmarks.cost.model import (
    HOURS,
    RETENTION_DAYS,
    Month,
    Size,
    Stack,
    batch_seconds,
    interpolated,
    month,
    stored,
    table_units,
)

STACK = Stack(alarms=10, metrics=20, keys=1, monitor_mb=512, enforcer_mb=256, dispatcher_mb=256)
SAMPLE = Sample(
    traffic=ORDINARY,
    batch_minutes=1,
    containers=1,
    interface_hours=100,
    batches=6_000,
    records=120_000,
    record_bytes=20_000_000,
    write_units=600,
    read_units=1_200,
    table_calls=3_000,
    line_bytes=6_000_000,
    metric_bytes=12_000_000,
    metrics=11,
)
COUNTS = Counts(
    interfaces=100,
    seed=1,
    samples=(
        SAMPLE,
        replace(SAMPLE, containers=MANY, write_units=600 + 63 * 100, read_units=1_200 + 63 * 400),
        replace(SAMPLE, traffic=QUIET, records=30_000, record_bytes=5_000_000),
    ),
    incident_writes=40,
    incident_reads=20,
    idle_reads=0.5,
    stored_bytes=300_000,
    roles=30,
    microseconds={20: 2_000, 100: 4_000},
)


def dollars(one: Month, name: str) -> float:
    """The line of the bill with this name."""
    (line,) = [each for each in (*one.flow_warden, *one.flow_logs) if each.name == name]
    return line.dollars


def amount(one: Month, name: str) -> float:
    """The amount of this line."""
    (line,) = [each for each in (*one.flow_warden, *one.flow_logs) if each.name == name]
    return line.amount


@pytest.mark.parametrize(
    ("gigabytes", "expected"),
    [(0, 0), (500, 500), (501, 500.5), (2_500, 1_500), (10_000, 3_375), (20_000, 4_875)],
)
def test_each_step_of_a_price_applies_to_its_own_units(gigabytes: float, expected: float) -> None:
    """GuardDuty: 500 GB at 1.00, 2,000 at 0.50, 7,500 at 0.25, the rest at 0.15."""
    assert prices.GUARDDUTY.dollars(gigabytes) == pytest.approx(expected)


def test_a_price_for_a_million_is_for_a_million() -> None:
    """Not for one."""
    assert prices.WRITE.dollars(2_000_000) == pytest.approx(1.25)
    assert prices.EMAIL.dollars(1_000) == pytest.approx(0.02)


def test_a_time_between_two_measured_ones_is_on_the_line_between_them() -> None:
    """Outside, it is the nearest one: the time of a batch has a part that does not depend on its records."""
    points = {20: 2_000.0, 100: 4_000.0}
    assert [interpolated(points, at) for at in (1, 20, 60, 100, 500)] == [2_000, 2_000, 3_000, 4_000, 4_000]


def test_a_batch_takes_longer_on_a_smaller_share_of_a_core_and_with_more_calls() -> None:
    """The calls take the same time on any share."""
    half, full = (batch_seconds(SAMPLE, COUNTS.microseconds, size) for size in (512, 1769))
    calls = batch_seconds(replace(SAMPLE, table_calls=9_000), COUNTS.microseconds, 1769)
    assert full == pytest.approx(0.002 + 0.006 + 0.005)
    assert half == pytest.approx(0.002 * 1769 / 512 + 0.006 + 0.005)
    assert calls - full == pytest.approx(0.012)


def test_what_is_stored_is_what_arrives_within_the_retention() -> None:
    """A month's logs, kept for half a month, are stored for half a month each, compressed."""
    assert stored(100, HOURS / 24) == pytest.approx(15)
    assert stored(100, HOURS / 48) == pytest.approx(7.5)
    assert RETENTION_DAYS < HOURS / 24


def test_the_counts_are_scaled_by_interfaces_and_hours() -> None:
    """6,000 batches in 100 interface hours are 60 an hour for one interface."""
    one = month(Size(1, 1), ORDINARY, 1, COUNTS, STACK)
    assert amount(one, "DynamoDB, writes") == pytest.approx(HOURS * (5 + 100) + 40 * 0.001 * HOURS / 24)
    assert amount(one, "Lambda, monitor") == pytest.approx(60 * HOURS)
    assert one.gigabytes == pytest.approx(HOURS / 100 * (20_000_000 + 26 * 120_000) / 1e9)


def test_what_is_fixed_costs_the_same_at_every_size() -> None:
    """Metrics, alarms, the key and the dispatcher do not depend on the traffic; the monitor does."""
    small, large = (month(Size(each, 1), ORDINARY, 1, COUNTS, STACK) for each in (10, 1_000))
    for name in ("custom metrics", "alarms", "KMS key", "Lambda, dispatcher", "Lambda, enforcer"):
        assert dollars(small, name) == dollars(large, name) > 0
    assert dollars(large, "Lambda, monitor") == pytest.approx(100 * dollars(small, "Lambda, monitor"))
    assert dollars(small, "alarms") == pytest.approx(1.0)
    assert dollars(small, "custom metrics") == pytest.approx(36 * 0.3)


def test_each_container_adds_what_the_samples_differ_by() -> None:
    """100 write units and 400 read units an hour for each container, as long as there are not more roles."""
    size = Size(1_000, 1)
    one, three = (table_units(size, SAMPLE, COUNTS, containers) for containers in (1, 3))
    assert one == pytest.approx((HOURS * (10 * 500 + 100), HOURS * (10 * 800 + 400)))
    assert three[0] - one[0] == pytest.approx(2 * 100 * HOURS)
    assert three[1] - one[1] == pytest.approx(2 * 400 * HOURS)


def test_more_roles_make_each_container_more_expensive() -> None:
    """A container reads the baseline of each role that it sees. 15,000 interfaces have ten times as many."""
    few, many = (table_units(Size(each, 1), SAMPLE, COUNTS, 1) for each in (1_500, 15_000))
    assert few[0] == pytest.approx(HOURS * (15 * 500 + 100))
    assert many[0] == pytest.approx(HOURS * (150 * 500 + 10 * 100))
    stored_at = [month(Size(each, 1), ORDINARY, 1, COUNTS, STACK) for each in (1_500, 15_000)]
    assert amount(stored_at[1], "DynamoDB, storage") == pytest.approx(
        10 * amount(stored_at[0], "DynamoDB, storage")
    )


def test_a_sample_without_many_writes_costs_nothing_less_than_its_containers() -> None:
    """The part of the traffic is never negative."""
    least = replace(SAMPLE, write_units=1, read_units=1)
    assert table_units(Size(1, 1), least, COUNTS, 1) == pytest.approx((100 * HOURS, 400 * HOURS))


def test_fewer_records_cost_less_for_the_flow_logs_and_as_much_for_the_batches() -> None:
    """The number of batches drives the cost of the monitor, the number of records that of the flow logs."""
    quiet, ordinary = (month(Size(1_000, 10), each, 1, COUNTS, STACK) for each in (QUIET, ORDINARY))
    assert quiet.flow_logs_total < ordinary.flow_logs_total / 3
    assert dollars(quiet, "logs of the functions") == dollars(ordinary, "logs of the functions")


def test_the_query_of_a_page_scans_its_minutes_of_all_flow_logs() -> None:
    """30.4 incidents of 1,000 interfaces, 20 minutes each, and 10 hours beside."""
    one = month(Size(1_000, 1), ORDINARY, 1, COUNTS, STACK)
    hours = HOURS / 24 / 3 + 10
    assert amount(one, "queries of flow logs") == pytest.approx(one.gigabytes / HOURS * hours)


def test_a_sample_that_was_not_counted_is_an_error() -> None:
    """No other sample takes its place."""
    with pytest.raises(LookupError, match="no sample of busy, 1 minutes, 1 containers"):
        month(Size(1, 1), BUSY, 1, COUNTS, STACK)
