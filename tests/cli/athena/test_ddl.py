"""The statement that creates the table: valid for any log format, layout of folders and kind of file."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlglot import exp

from flowwarden.records.fields import FIELDS
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT, STACK_LOG_FORMAT, LogFormat
from flowwarden_cli.athena import ddl
from flowwarden_cli.athena.archive import MOST_LISTED, Archive, Partitions, located
from flowwarden_cli.athena.sql import NotExpressible
from tests.cli.athena import duck

AWS_TYPES = {
    **dict.fromkeys(("version", "srcport", "dstport", "tcp-flags", "traffic-path"), "INT"),
    **dict.fromkeys(("protocol", "packets", "bytes", "start", "end"), "BIGINT"),
    **dict.fromkeys(("account-id", "interface-id", "srcaddr", "dstaddr", "action", "log-status"), "TEXT"),
    **dict.fromkeys(("vpc-id", "subnet-id", "instance-id", "type", "pkt-srcaddr", "flow-direction"), "TEXT"),
    **dict.fromkeys(("ecs-task-arn", "reject-reason", "resource-id", "instance-tag-2", "tgw-id"), "TEXT"),
    **dict.fromkeys(("encryption-status",), "INT"),
    **dict.fromkeys(("packets-lost-no-route", "packets-lost-ttl-expired"), "BIGINT"),
}
"""The types of AWS's own statements and of its Parquet files, in DuckDB's words."""
PARTITIONS = [Partitions(hive=hive, hourly=hourly) for hive in (False, True) for hourly in (False, True)]
HIVE = "aws-account-id=${aws_account}/aws-service=vpcflowlogs/aws-region=${aws_region}"
FORMATS = st.lists(st.sampled_from([each.name for each in FIELDS]), min_size=1, unique=True).map(
    lambda names: LogFormat(tuple(names))
)


def archive(partitions: Partitions = PARTITIONS[0], *, parquet: bool = False) -> Archive:
    """An archive of one account and Region."""
    plain = Archive(top="", partitions=partitions, since=date(2025, 3, 1), parquet=parquet)
    listed = replace(plain, accounts=("111122223333",), regions=("eu-west-1",))
    return located("s3://bucket/some/prefix/AWSLogs/", listed)


@given(FORMATS, st.sampled_from(PARTITIONS), st.booleans())
def test_the_statement_for_any_log_format_is_parsed_in_the_dialect_of_athena(
    layout: LogFormat,
    partitions: Partitions,
    parquet: bool,  # noqa: FBT001  hypothesis passes it
) -> None:
    """It has a column for each field, in order, and each partition column has a projection and a folder."""
    statement = ddl.statement(layout, archive(partitions, parquet=parquet), "logs.flows")
    assert [*duck.columns(statement)] == [each.replace("-", "_") for each in layout.names]
    keys, properties = [*duck.partitions(statement)], duck.properties(statement)
    assert keys == ["aws_account", "aws_region", *partitions.of_time]
    assert {each for each in keys if f"projection.{each}.type" in properties} == {*keys}
    assert re.findall(r"\$\{(\w+)\}", properties["storage.location.template"]) == keys
    assert {*duck.columns(statement)}.isdisjoint(keys)
    assert ("skip.header.line.count" in properties) is not parquet
    created = duck.created(statement)
    assert (created.this.this.db, created.this.this.name) == ("logs", "flows")
    location = created.find(exp.LocationProperty)
    assert location is not None
    assert location.this.name == "s3://bucket/some/prefix/AWSLogs/"
    assert created.find(exp.Command) is None


@pytest.mark.parametrize(("field", "kind"), AWS_TYPES.items())
def test_a_column_has_the_type_that_aws_publishes(field: str, kind: str) -> None:
    """In text and in Parquet."""
    for parquet in (False, True):
        statement = ddl.statement(LogFormat((field,)), archive(parquet=parquet), "flows")
        assert duck.columns(statement) == {field.replace("-", "_"): kind}


def test_every_name_is_quoted() -> None:
    """So reserved words such as `end` are columns, also a word that becomes one later."""
    for layout in (DEFAULT_LOG_FORMAT, STACK_LOG_FORMAT):
        lines = ddl.statement(layout, archive(), "flows").splitlines()
        of_columns = [each for each in lines if re.search(r" (int|bigint|string),?$", each)]
        assert len(of_columns) == len(layout.names) + 3
        assert all(re.fullmatch(r"  `[a-z0-9_]+` \w+,?", each) for each in of_columns)


@pytest.mark.parametrize(
    ("partitions", "folders"),
    [
        (PARTITIONS[0], "${aws_account}/vpcflowlogs/${aws_region}/${day}/"),
        (PARTITIONS[1], "${aws_account}/vpcflowlogs/${aws_region}/${day}/${hour}/"),
        (
            PARTITIONS[2],
            f"{HIVE}/year=${{year}}/month=${{month}}/day=${{day}}/",
        ),
        (
            PARTITIONS[3],
            f"{HIVE}/year=${{year}}/month=${{month}}/day=${{day}}/hour=${{hour}}/",
        ),
    ],
)
def test_the_template_of_the_location_has_the_folders_of_aws(partitions: Partitions, folders: str) -> None:
    """For plain and Hive-compatible folders, for days and hours."""
    assert archive(partitions).template == f"s3://bucket/some/prefix/AWSLogs/{folders}"


def test_days_are_dates_and_parts_of_hive_folders_are_numbers_with_leading_zeros() -> None:
    """As AWS writes them."""
    plain = duck.properties(ddl.statement(DEFAULT_LOG_FORMAT, archive(PARTITIONS[1]), "flows"))
    assert plain["projection.day.range"] == "2025/03/01,NOW"
    assert plain["projection.day.format"] == "yyyy/MM/dd"
    assert (plain["projection.hour.range"], plain["projection.hour.digits"]) == ("0,23", "2")
    hive = duck.properties(ddl.statement(DEFAULT_LOG_FORMAT, archive(PARTITIONS[3]), "flows"))
    assert (hive["projection.month.range"], hive["projection.month.digits"]) == ("1,12", "2")
    assert (hive["projection.day.range"], hive["projection.day.digits"]) == ("1,31", "2")
    assert hive["projection.year.range"] == f"2025,{2025 + ddl.YEARS}"


def test_few_accounts_are_listed_and_many_are_named_by_queries() -> None:
    """The same for Regions: AWS advises against lists of more than a few dozen values."""
    many = tuple(f"{each:012}" for each in range(MOST_LISTED + 1))
    for accounts, kind in ((many[:-1], "enum"), (many, "injected"), ((), "injected")):
        statement = ddl.statement(DEFAULT_LOG_FORMAT, replace(archive(), accounts=accounts), "flows")
        properties = duck.properties(statement)
        assert properties["projection.aws_account.type"] == kind
        assert properties.get("projection.aws_account.values", "") == ",".join(accounts) * (kind == "enum")


def test_an_unknown_field_is_a_column_of_text() -> None:
    """AWS adds fields over time."""
    layout = LogFormat(("version", "some-new-field"))
    assert duck.columns(ddl.statement(layout, archive(), "flows"))["some_new_field"] == "TEXT"


@pytest.mark.parametrize("name", ["day", "aws-region", "hour"])
def test_a_field_with_the_name_of_a_partition_column_is_refused(name: str) -> None:
    """Athena would refuse the table."""
    with pytest.raises(NotExpressible, match="partition column"):
        ddl.statement(LogFormat(("version", name)), archive(PARTITIONS[1]), "flows")


def test_no_field_of_aws_has_the_name_of_a_partition_column() -> None:
    """In any layout."""
    taken = {"aws_account", "aws_region", *(name for each in PARTITIONS for name in each.of_time)}
    assert taken.isdisjoint(map(ddl.column, FIELDS))


@pytest.mark.parametrize("table", ["", "a.b.c", "1st", "Flows", "a`; DROP TABLE x", "a b", "ä", "x" * 129])
def test_a_table_with_another_kind_of_name_is_refused(table: str) -> None:
    """Before any text is written."""
    with pytest.raises(NotExpressible, match="the table"):
        ddl.statement(DEFAULT_LOG_FORMAT, archive(), table)


@pytest.mark.parametrize(
    "wrong", [{"accounts": ("1234",)}, {"accounts": ("1' OR '1",)}, {"regions": ("eu-west-1'",)}]
)
def test_an_account_or_region_that_is_none_is_refused(wrong: dict[str, tuple[str, ...]]) -> None:
    """So no text from outside is in the statement unchecked."""
    with pytest.raises(NotExpressible, match=r"the (account|Region)"):
        ddl.statement(DEFAULT_LOG_FORMAT, replace(archive(), **wrong), "flows")
