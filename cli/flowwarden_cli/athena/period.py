"""The time that a query reads: whole days or hours, and the partitions that contain it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Final

from msgspec import Struct

from flowwarden_cli.athena.archive import DAY, HOUR, MONTH, YEAR, Partitions
from flowwarden_cli.athena.sql import NotExpressible, any_of, literal, name

SECONDS_OF_DAY: Final = 86_400
SECONDS_OF_HOUR: Final = 3600
LATE: Final = SECONDS_OF_HOUR
"""Seconds after the end in which files can still contain its records: the folder is that of the delivery."""
_ONE_DAY: Final = timedelta(days=1)


class Period(Struct, frozen=True):
    """From `begin` to before `end`, in Unix seconds."""

    begin: int
    end: int

    def earlier(self, seconds: int) -> Period:
        """The period that begins so many seconds earlier."""
        return Period(self.begin - seconds, self.end)

    @property
    def label(self) -> str:
        """The period in words, in UTC."""
        begin, end = (datetime.fromtimestamp(each, UTC) for each in (self.begin, self.end))
        return f"{begin:%Y-%m-%dT%H:%MZ} to {end:%Y-%m-%dT%H:%MZ}"


def of_day(day: date) -> Period:
    """A whole day in UTC."""
    begin = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    return Period(begin, begin + SECONDS_OF_DAY)


def between(begin: int, end: int) -> Period:
    """A period from its bounds, Unix seconds. Raises NotExpressible if it is empty."""
    if begin >= end:
        raise NotExpressible("the period is empty: --from must be before --to")
    return Period(begin, end)


def in_partitions(period: Period, partitions: Partitions) -> str:
    """The condition that limits a query to the partitions of the period."""
    last = period.end - 1 + LATE
    days = [*_days(period.begin, last)]
    found = _by_number(days) if partitions.hive else _by_text(days)
    if not partitions.hourly or len(days) > 1:
        return found
    hours = [each % SECONDS_OF_DAY // SECONDS_OF_HOUR for each in (period.begin, last)]
    return f"{found} AND {_number_between(HOUR, *hours)}"


def _days(begin: int, last: int) -> Iterator[date]:
    day, end = (datetime.fromtimestamp(each, UTC).date() for each in (begin, last))
    while day <= end:
        yield day
        day += _ONE_DAY


def _by_text(days: list[date]) -> str:
    first, last = (literal(f"{each:%Y/%m/%d}") for each in (days[0], days[-1]))
    return f"{name(DAY)} = {first}" if first == last else f"{name(DAY)} BETWEEN {first} AND {last}"


def _by_number(days: list[date]) -> str:
    """Each month on its own, because a day of the month alone is not a date."""
    months = []
    for (year, month), some in groupby(days, lambda each: (each.year, each.month)):
        of_month = [each.day for each in some]
        parts = [f"{name(YEAR)} = {year}", f"{name(MONTH)} = {month}"]
        months.append(" AND ".join([*parts, _number_between(DAY, of_month[0], of_month[-1])]))
    return months[0] if len(months) == 1 else any_of(f"({each})" for each in months)


def _number_between(column: str, least: int, most: int) -> str:
    found = f"{name(column)} BETWEEN {least} AND {most}"
    return f"{name(column)} = {least}" if least == most else found
