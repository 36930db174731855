"""Whatever the options of `flowwarden athena` are, it prints SQL or says what is wrong."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import redirect_stderr
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli import fakes_console
from tests.cli.fakes_console import Ended
from tests.examples import examples

DDL = ("athena", "ddl", "--location", "s3://bucket")


def flowwarden(arguments: Sequence[str]) -> Ended:
    """Run the command; wrong usage ends it as the parser of arguments does."""
    errors = StringIO()
    try:
        with redirect_stderr(errors):
            return fakes_console.flowwarden(arguments)
    except SystemExit as ended:
        return Ended(int(str(ended.code)), "", errors.getvalue())


EXTREMES = ("0001-01-01", "1999-12-31", "3000-01-01", "9999-12-31")


@pytest.mark.parametrize("day", EXTREMES)
@pytest.mark.parametrize("detector", ["scan", "interface-silent", "reject-spike"])
def test_a_day_far_from_today_is_a_usage_error(day: str, detector: str) -> None:
    """In a query, which also reads the time around it, and in the table, whose years have four digits."""
    moment, query = f"{day}T00:00+23:00", ["athena", "query", detector]
    for arguments in (
        [*query, "--day", day],
        [*query, "--from", moment, "--to", "2026-01-01"],
        [*query, "--from", "2026-01-01", "--to", moment],
        [*DDL, "--since", day],
        [*DDL, "--hive", "--since", day],
    ):
        ended = flowwarden(arguments)
        assert (ended.code, ended.stdout) == (2, "")
        assert "write a year from 2000 to 2999" in ended.stderr


@pytest.mark.parametrize("day", ["2000-01-01", "2999-12-31"])
def test_the_first_and_the_last_day_are_valid(day: str) -> None:
    """With the hours around them, in each way to write the folders."""
    for options in ([], ["--hive"], ["--hourly"]):
        assert flowwarden(["athena", "query", "interface-silent", "--day", day, *options]).code == 0
        assert flowwarden([*DDL, "--since", day, *options]).code == 0


@examples(3)
@given(st.text("0123456789-T:+Z. '\"`;/$", max_size=25), st.text(max_size=25))
def test_any_option_gives_sql_or_an_error(time: str, name: str) -> None:
    """No name ends a literal or an identifier: only checked ones are in the text."""
    for arguments in (
        ["athena", "query", "scan", f"--day={time}"],
        ["athena", "query", "scan", f"--from={time}", "--to=2026-01-01"],
        ["athena", "query", "scan", f"--table={name}", f"--account={name}", f"--region={name}"],
        [*DDL, f"--since={time}", f"--table={name}", f"--region={name}"],
        ["athena", "ddl", f"--location=s3://bucket/{name}", f"--format=${{srcaddr}} ${{{name}}}"],
    ):
        ended = flowwarden(arguments)
        assert ended.code in {0, 2}
        if ended.code == 0 and arguments[1] == "ddl":
            assert re.fullmatch(r"s3://bucket(/[A-Za-z0-9!_.()=+@:,~-]+)*/", _location(ended.stdout))


def _location(statement: str) -> str:
    (found,) = re.findall("^LOCATION '([^']*)'$", statement, re.MULTILINE)
    return str(found)
