"""The actions of `flowwarden athena`: reads the options, and returns the SQL."""

from __future__ import annotations

from argparse import Namespace
from datetime import UTC, date, datetime, timedelta
from typing import Final

from flowwarden.errors import LogFormatError
from flowwarden.monitor.detectors import DETECTORS
from flowwarden.policy.policy import Policy
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT, STACK_LOG_FORMAT, LogFormat
from flowwarden_cli.athena import ddl, queries
from flowwarden_cli.athena.archive import Archive, Partitions, located
from flowwarden_cli.athena.period import Period, between, of_day
from flowwarden_cli.athena.queries import QUERIES, REASONS
from flowwarden_cli.athena.scope import Scope
from flowwarden_cli.athena.sql import NotExpressible
from flowwarden_cli.commands import document_file
from flowwarden_cli.commands.athena import DDL
from flowwarden_cli.commands.command import UsageError
from flowwarden_cli.terminal.console import Console

YEARS: Final = 2
"""By default the table begins with the first day of so many years ago."""
FIRST_YEAR, LAST_YEAR = 2000, 2999
"""Days outside these years are typing errors. The days around them exist, and years have four digits."""
_FORMATS: Final = {"stack": STACK_LOG_FORMAT, "v2": DEFAULT_LOG_FORMAT}


def text(options: Namespace, console: Console) -> str:
    """The output of the action.

    Raises:
        UsageError: the options are not valid, or it cannot be expressed in SQL.
        ConfigurationError: the policy cannot be read, or is not valid.
    """
    if options.list:
        return _list()
    layout = _layout(options.format, console)
    try:
        return _ddl(options, layout, console) if options.action == DDL else _query(options, layout, console)
    except NotExpressible as error:
        raise UsageError(str(error)) from error


def _ddl(options: Namespace, layout: LogFormat, console: Console) -> str:
    today = datetime.fromtimestamp(console.now(), UTC).date()
    archive = Archive(
        top="",
        partitions=Partitions(hive=options.hive, hourly=options.hourly),
        since=_day("--since", options.since) if options.since else date(today.year - YEARS, 1, 1),
        accounts=_unique(options.account),
        regions=_unique(options.region),
        parquet=options.parquet,
    )
    return f"{ddl.statement(layout, located(options.location, archive), options.table)};"


def _query(options: Namespace, layout: LogFormat, console: Console) -> str:
    scope = Scope(
        layout=layout,
        policy=Policy.from_json(document_file.text_of(options.policy, console))
        if options.policy
        else Policy(),
        table=options.table,
        partitions=Partitions(hive=options.hive, hourly=options.hourly),
        period=_period(options, console),
        accounts=_unique(options.account),
        regions=_unique(options.region),
    )
    return queries.text_of(options.detector, scope)


def _list() -> str:
    """The detectors with a query, and those without, in columns."""
    width = max(len(each.name) for each in DETECTORS) + 2
    known = [f"{each.name:<{width}}{each.summary}" for each in DETECTORS if each.name in QUERIES]
    others = [f"{name:<{width}}{reason}" for name, reason in REASONS.items()]
    return "\n".join([*known, "", "Cannot be expressed in SQL:", *others])


def _layout(given: str, console: Console) -> LogFormat:
    try:
        layout = _FORMATS.get(given) or LogFormat.parse(given)
    except LogFormatError as error:
        raise UsageError(f"--format: {error}") from error
    if layout.unknown:
        console.report(f"note: unknown fields become columns of type string: {', '.join(layout.unknown)}")
    return layout


def _period(options: Namespace, console: Console) -> Period:
    if options.begin:
        return between(_moment("--from", options.begin), _moment("--to", options.end))
    if options.day:
        return of_day(_day("--day", options.day))
    return of_day(datetime.fromtimestamp(console.now(), UTC).date() - timedelta(days=1))


def _day(option: str, given: str) -> date:
    try:
        day = date.fromisoformat(given)
    except ValueError as error:
        raise UsageError(f"{option} {given!r}: write a day like 2026-11-30") from error
    _check_year(option, given, day.year)
    return day


def _moment(option: str, given: str) -> int:
    """A time in UTC, in Unix seconds."""
    try:
        moment = datetime.fromisoformat(given)
    except ValueError as error:
        raise UsageError(f"{option} {given!r}: write a time like 2026-11-30 or 2026-11-30T12:00") from error
    _check_year(option, given, moment.year)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _check_year(option: str, given: str, year: int) -> None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise UsageError(f"{option} {given!r}: write a year from {FIRST_YEAR} to {LAST_YEAR}")


def _unique(given: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(given))
