"""Runs SQL for Athena on DuckDB: the statement declares the table, and queries are transpiled."""

from __future__ import annotations

import re
from functools import cache
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import sqlglot
from duckdb.func import FunctionNullHandling, PythonUDFType
from msgspec import Struct
from sqlglot import exp

DIALECT = "athena"


@cache
def created(statement: str) -> exp.Create:
    """The parsed statement; it is one, and none of it is kept as unparsed text."""
    (parsed,) = sqlglot.parse(statement, read=DIALECT)
    assert isinstance(parsed, exp.Create)
    return parsed


def columns(statement: str) -> dict[str, str]:
    """The columns of the table that a statement creates, with their types in DuckDB."""
    schema = created(statement).this
    return {
        each.name: each.args["kind"].sql("duckdb")
        for each in schema.expressions
        if isinstance(each, exp.ColumnDef)
    }


def partitions(statement: str) -> dict[str, str]:
    """The same for the partition columns."""
    by = created(statement).find(exp.PartitionedByProperty)
    assert by is not None
    return {
        each.name: each.args["kind"].sql("duckdb") for each in by.this.expressions if each.args.get("kind")
    }


def properties(statement: str) -> dict[str, str]:
    """The table properties."""
    found = created(statement).args["properties"].expressions
    return {each.name: each.args["value"].name for each in found if type(each) is exp.Property}


class Rows(Struct, frozen=True):
    """The result of a query."""

    names: list[str]
    rows: list[tuple[Any, ...]]

    @property
    def subjects(self) -> set[str]:
        """The first column."""
        assert self.names[0] == "subject"
        return {str(row[0]) for row in self.rows}

    def of(self, name: str) -> list[Any]:
        """A column."""
        return [row[self.names.index(name)] for row in self.rows]


@cache
def _holds(network: str, address: str | None) -> bool | None:
    if address is None:
        return None
    found, within = ip_address(address), ip_network(network)
    return found.version == within.version and found in within


def _contain(networks: pa.ChunkedArray, addresses: pa.ChunkedArray) -> pa.Array:
    """The function `contains(network, address)` of Athena, for many rows; the network is a literal."""
    every = addresses.combine_chunks().dictionary_encode()
    network = networks[0].as_py()
    return pa.array([_holds(network, each) for each in every.dictionary.to_pylist()]).take(every.indices)


def connect() -> duckdb.DuckDBPyConnection:
    """A database in memory with what DuckDB lacks, and without access to a network."""
    connection = duckdb.connect()
    connection.execute("SET autoinstall_known_extensions = false; SET autoload_known_extensions = false")
    connection.execute("SET threads = 2; SET TimeZone = 'UTC'")
    connection.create_function(
        "in_network",
        _contain,
        ["VARCHAR", "VARCHAR"],
        "BOOLEAN",
        type=PythonUDFType.ARROW,
        null_handling=FunctionNullHandling.SPECIAL,
    )
    return connection


@cache
def transpiled(query: str) -> str:
    """A query in the dialect of DuckDB."""
    (parsed,) = sqlglot.parse(query, read=DIALECT)
    assert parsed is not None
    return parsed.transform(_address).transform(_network).sql("duckdb")


def _address(node: exp.Expression) -> exp.Expression:
    """Addresses stay texts: DuckDB has them in an extension only."""
    is_address = isinstance(node, exp.Cast) and node.to.sql(DIALECT).upper() == "IPADDRESS"
    return node.this if is_address else node


def _network(node: exp.Expression) -> exp.Expression:
    if isinstance(node, exp.ArrayContains):
        return exp.Anonymous(this="in_network", expressions=[node.this, node.expression])
    return node


def run(connection: duckdb.DuckDBPyConnection, query: str) -> Rows:
    """The result of a query."""
    result = connection.execute(transpiled(query))
    return Rows([each[0] for each in result.description or ()], result.fetchall())


def load(connection: duckdb.DuckDBPyConnection, statement: str, bucket: Path) -> None:
    """Create the table `flow_logs` as the statement declares it, from the text files in a folder.

    The folder stands for the bucket of the location. Each file has a header line, fields are separated by
    spaces, and what is not a number is NULL in a column of numbers; missing fields are NULL, further ones are
    ignored. The partition columns have the values that the template of the location finds in the paths.
    """
    declared = columns(statement)
    types = ", ".join(f"'{name}': 'VARCHAR'" for name in declared)
    values = [f'TRY_CAST("{name}" AS {kind}) AS "{name}"' for name, kind in declared.items()]
    template = properties(statement)["storage.location.template"]
    values += [f'{text} AS "{name}"' for name, text in _of_path(statement, template).items()]
    connection.execute(  # the statement is this test's own
        f"CREATE TABLE flow_logs AS SELECT {', '.join(values)} FROM read_csv('{bucket}/**/*.log.gz', "
        f"columns = {{{types}}}, delim = ' ', header = true, filename = true, auto_detect = false, "
        "quote = '', escape = '', null_padding = true, strict_mode = false, parallel = false)"
    )


def _of_path(statement: str, template: str) -> dict[str, str]:
    """The values of the partition columns, as SQL on the path of the file."""
    names = re.findall(r"\$\{(\w+)\}", template)
    below = re.escape(template.removeprefix("s3://").partition("/")[2])
    # A date is a column with slashes in it; all others are a part of one folder.
    pattern = re.sub(
        r"\\\$\\\{(\w+)\\\}",
        lambda each: r"(\d+/\d+/\d+)" if _is_date(statement, each[1]) else "([^/]+)",
        below,
    )
    kinds = partitions(statement)
    return {
        name: f"CAST(regexp_extract(filename, '/{pattern}', {number}) AS {kinds[name]})"
        for number, name in enumerate(names, 1)
    }


def _is_date(statement: str, name: str) -> bool:
    return properties(statement)[f"projection.{name}.type"] == "date"
