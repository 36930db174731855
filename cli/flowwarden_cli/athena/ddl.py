"""The statement that creates the table of an archive, for any log format."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from flowwarden.records.fields import Field, Kind
from flowwarden.records.log_format import LogFormat
from flowwarden_cli.athena.archive import (
    ACCOUNT,
    DAY,
    HOUR,
    MONTH,
    REGION,
    YEAR,
    Archive,
    Partitions,
    check_accounts,
    check_regions,
    is_listed,
)
from flowwarden_cli.athena.sql import NotExpressible, ddl_name, table_parts

YEARS: Final = 20
"""Years that the table of a Hive-compatible archive covers: its years are numbers, which cannot end with the
present one."""

_INTEGERS: Final = frozenset({Kind.INTEGER, Kind.PORT, Kind.FLAGS})
_LONG_INTEGERS: Final = frozenset({Kind.COUNT, Kind.SECONDS, Kind.PROTOCOL})
"""AWS documents the protocol as a 32-bit integer of its Parquet files, and declares it as `bigint` in its own
statement. The wider type reads both."""
_TYPES: Final = {YEAR: "int", MONTH: "int", HOUR: "int"}
"""Partition columns that are not text. The day is a number, too, if it has a folder of its own."""
_TEXT: Final = ("ROW FORMAT DELIMITED FIELDS TERMINATED BY ' '", "STORED AS TEXTFILE")
_PARQUET: Final = (
    "ROW FORMAT SERDE 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe'",
    "STORED AS",
    "  INPUTFORMAT 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat'",
    "  OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat'",
)
_HEADER: Final = {"skip.header.line.count": "1"}
"""The first line of each text file has the names of the fields."""


def column(field: Field) -> str:
    """The name of a field's column: the files of Parquet have underscores, too."""
    return field.name.replace("-", "_")


def column_type(field: Field) -> str:
    """The type of a field's column. `-` in a text file is NULL if the type is a number."""
    if field.kind in _INTEGERS:
        return "int"
    return "bigint" if field.kind in _LONG_INTEGERS else "string"


def statement(layout: LogFormat, archive: Archive, table: str) -> str:
    """The statement that creates the table.

    Raises:
        NotExpressible: the name, an account or a Region is not valid, or a field has the name of a partition
            column.
    """
    check_accounts(archive.accounts)
    check_regions(archive.regions)
    _check_columns(layout, archive.partitions)
    whole = ".".join(map(ddl_name, table_parts(table)))
    columns = [f"  {ddl_name(column(each))} {column_type(each)}" for each in layout.fields]
    partitions = [f"  {ddl_name(each)} {kind}" for each, kind in _partition_columns(archive.partitions)]
    properties = [f"  '{key}' = '{value}'" for key, value in _properties(archive).items()]
    return "\n".join(
        [
            *(f"CREATE EXTERNAL TABLE IF NOT EXISTS {whole} (", ",\n".join(columns), ")"),
            *("PARTITIONED BY (", ",\n".join(partitions), ")"),
            *(_PARQUET if archive.parquet else _TEXT),
            f"LOCATION '{archive.top}/'",
            *("TBLPROPERTIES (", ",\n".join(properties), ")"),
        ]
    )


def _check_columns(layout: LogFormat, partitions: Partitions) -> None:
    taken = {ACCOUNT, REGION, *partitions.of_time}
    if found := [each.name for each in layout.fields if column(each) in taken]:
        raise NotExpressible(f"the field {found[0]!r} has the name of a partition column; leave it out")
    if layout.unknown and len({*map(column, layout.fields)}) < len(layout.fields):
        raise NotExpressible("two fields differ only by dashes and underscores")


def _partition_columns(partitions: Partitions) -> Iterator[tuple[str, str]]:
    types = _TYPES | ({DAY: "int"} if partitions.hive else {})
    for each in (ACCOUNT, REGION, *partitions.of_time):
        yield each, types.get(each, "string")


def _properties(archive: Archive) -> dict[str, str]:
    found = {} if archive.parquet else dict(_HEADER)
    found["projection.enabled"] = "true"
    found |= _listed(ACCOUNT, archive.accounts) | _listed(REGION, archive.regions)
    found |= _by_number(archive.since) if archive.partitions.hive else _by_date(archive.since)
    if archive.partitions.hourly:
        found |= _integer(HOUR, 0, 23, digits=2)
    found["storage.location.template"] = archive.template
    return found


def _listed(name: str, values: tuple[str, ...]) -> dict[str, str]:
    if not is_listed(values):
        return {f"projection.{name}.type": "injected"}
    return {f"projection.{name}.type": "enum", f"projection.{name}.values": ",".join(values)}


def _by_date(since: date) -> dict[str, str]:
    values = {
        "type": "date",
        "format": "yyyy/MM/dd",
        "range": f"{since:%Y/%m/%d},NOW",
        "interval": "1",
        "interval.unit": "DAYS",
    }
    return {f"projection.{DAY}.{key}": value for key, value in values.items()}


def _by_number(since: date) -> dict[str, str]:
    years = _integer(YEAR, since.year, since.year + YEARS, digits=4)
    return years | _integer(MONTH, 1, 12, digits=2) | _integer(DAY, 1, 31, digits=2)


def _integer(name: str, least: int, most: int, digits: int) -> dict[str, str]:
    values = {"type": "integer", "range": f"{least},{most}", "digits": str(digits)}
    return {f"projection.{name}.{key}": value for key, value in values.items()}
