"""The partitions that a query reads: all that can contain its records, and hardly any other."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden_cli.athena.archive import Partitions
from flowwarden_cli.athena.period import LATE, SECONDS_OF_HOUR, Period, between, in_partitions, of_day
from flowwarden_cli.athena.sql import NotExpressible
from tests.cli.athena import duck

BEGIN = int(datetime(2026, 1, 28, tzinfo=UTC).timestamp())
HOURS = [datetime.fromtimestamp(BEGIN, UTC) + timedelta(hours=each) for each in range(-48, 24 * 36)]
"""Around a change of month."""
CONNECTION = duck.connect()
PERIODS = st.tuples(st.integers(0, 700), st.integers(1, 100)).map(
    lambda each: Period(BEGIN + each[0] * 3600, BEGIN + sum(each) * 3600)
)


def read(period: Period, partitions: Partitions) -> set[datetime]:
    """The hours whose partitions a query reads."""
    day = "day(hour_begin)" if partitions.hive else "strftime(hour_begin, '%Y/%m/%d')"
    columns = {"day": day, "hour": "hour(hour_begin)"}
    columns |= {"year": "year(hour_begin)", "month": "month(hour_begin)"}
    listed = ", ".join(f'{text} AS "{name}"' for name, text in columns.items())
    times = ", ".join(f"(TIMESTAMP '{each:%Y-%m-%d %H:%M:%S}')" for each in HOURS)
    rows = CONNECTION.execute(
        f"SELECT hour_begin FROM (SELECT hour_begin, {listed} FROM (VALUES {times}) AS t (hour_begin)) "
        f"WHERE {in_partitions(period, partitions)}"
    )
    return {each.replace(tzinfo=UTC) for (each,) in rows.fetchall()}


@given(PERIODS, st.booleans(), st.booleans())
def test_the_partitions_contain_the_period_and_the_hour_after_it(
    period: Period,
    hive: bool,  # noqa: FBT001  hypothesis passes it
    hourly: bool,  # noqa: FBT001  hypothesis passes them
) -> None:
    """Files are in the folder of their delivery, which follows the records. No further day is read."""
    partitions = Partitions(hive=hive, hourly=hourly)
    begin, end = (datetime.fromtimestamp(each, UTC) for each in (period.begin, period.end + LATE))
    needed = {each for each in HOURS if begin <= each < end}
    found = read(period, partitions)
    assert needed <= found
    assert {each.date() for each in found} == {each.date() for each in needed}
    if hourly and begin.date() == (end - timedelta(seconds=1)).date():
        assert found == needed


def test_a_day_is_one_in_utc() -> None:
    """24 hours from midnight."""
    assert of_day(date(2026, 1, 28)) == Period(BEGIN, BEGIN + 24 * SECONDS_OF_HOUR)


@pytest.mark.parametrize("end", [BEGIN, BEGIN - 1])
def test_an_empty_period_is_refused(end: int) -> None:
    """Instead of a query that finds nothing."""
    with pytest.raises(NotExpressible, match="is empty"):
        between(BEGIN, end)
