"""Parquet: typed columns, numbers as text, absent values in several forms."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flowwarden.errors import DamagedSource, NotFlowLogs
from flowwarden.sources.inputs import Input
from flowwarden.sources.read import read
from tests.sources.held import ACCEPTED, HEADER, NODATA, REJECTED, file_of, flows_of, read_all, stream_of

NAMES = [name.replace("-", "_") for name in HEADER.split()]
NUMBERS = {"version", "srcport", "dstport", "protocol", "packets", "bytes", "start", "end"}


def table_of(*lines: str) -> pa.Table:
    """The lines as a table with AWS's Parquet types."""
    rows = [dict(zip(NAMES, line.split(), strict=True)) for line in lines]
    columns = {
        name: pa.array(
            [None if row[name] == "-" else int(row[name]) if name in NUMBERS else row[name] for row in rows],
            pa.int64() if name in NUMBERS else pa.string(),
        )
        for name in NAMES
    }
    return pa.table(columns)


def written(path: Path, table: pa.Table, **options: object) -> Input:
    """The table as a file."""
    pq.write_table(table, path, **options)
    return Input(str(path), path.stat().st_size, path)


def test_typed_columns_give_the_same_records_as_lines(tmp_path: Path) -> None:
    """Numbers, texts and nulls; the file name does not matter."""
    held = read_all(written(tmp_path / "x.log", table_of(ACCEPTED, NODATA, REJECTED)))
    assert held.flows == flows_of(ACCEPTED, REJECTED)
    assert held.gaps == read_all(NODATA).gaps
    assert (held.malformed, held.notes) == ([], [])


@pytest.mark.parametrize(
    "values", [["8080.0", "None", "-"], [8080.0, None, float("nan")], ["8080", "", "null"]]
)
def test_numbers_are_read_in_the_forms_of_other_tools(tmp_path: Path, values: list[object]) -> None:
    """Floats, texts, and their forms of absent values."""
    table = pa.table({"srcaddr": ["10.0.0.1"] * 3, "dstaddr": ["10.0.0.2"] * 3, "dstport": values})
    assert [flow.dstport for flow in read_all(written(tmp_path / "x", table)).flows] == [8080, None, None]


def test_leading_zeros_of_a_numeric_account_id_are_restored(tmp_path: Path) -> None:
    """Account ids have twelve digits."""
    table = pa.table({"srcaddr": ["10.0.0.1"], "dstaddr": ["10.0.0.2"], "account_id": [11122223333]})
    assert [flow.account_id for flow in read_all(written(tmp_path / "x", table)).flows] == ["011122223333"]


def test_other_columns_are_ignored_with_a_note(tmp_path: Path) -> None:
    """Including nested ones."""
    table = pa.table({"srcaddr": ["10.0.0.1"], "dstaddr": ["10.0.0.2"], "tags": [{"x": [1]}], "year": [2023]})
    held = read_all(written(tmp_path / "x", table))
    assert len(held.flows) == 1
    assert held.notes == ["ignored columns that are not flow log fields: tags, year"]


def test_malformed_rows_are_reported_with_their_number(tmp_path: Path) -> None:
    """Across row groups and batches."""
    lines = [ACCEPTED] * 9000
    lines[8000] = lines[8000].replace("ACCEPT", "SUCCESS")
    held = read_all(written(tmp_path / "x", table_of(*lines), row_group_size=3000))
    assert len(held.flows) == 8999
    assert held.reasons == [(8001, "action is 'SUCCESS', none of ACCEPT, REJECT")]


def test_a_value_that_is_neither_text_nor_number_is_malformed(tmp_path: Path) -> None:
    """A list of ports is not a port."""
    table = pa.table({"srcaddr": ["10.0.0.1"], "dstaddr": ["10.0.0.2"], "dstport": [[1, 2]]})
    assert read_all(written(tmp_path / "x", table)).reasons == [
        (1, "dstport is a list, neither text nor a number")
    ]


def of_bytes(*values: bytes) -> pa.Array:
    """A column of texts with these bytes, whether they are text or not."""
    return pa.array(values, pa.binary()).view(pa.string())


@pytest.mark.parametrize(
    "odd",
    [
        of_bytes(b"ACCEPT", b"\xf2x"),
        pa.array([1, 2**62], pa.timestamp("us")),
        pa.array([1, 2**62], pa.timestamp("ms", tz="Nowhere/Land")),
        pa.array([1, 2**31 - 1], pa.date32()),
        pa.array([[b"x"], [b"\xf2"]], pa.list_(pa.binary())),
        pa.array([{"a": 1}, {"a": 2}]),
    ],
    ids=["not text", "far time", "odd zone", "far day", "list", "structure"],
)
def test_a_value_that_cannot_be_converted_costs_its_row_alone(tmp_path: Path, odd: pa.Array) -> None:
    """Whatever the type of its column; both rows are accounted for."""
    table = pa.table({"srcaddr": ["10.0.0.1"] * 2, "dstaddr": ["10.0.0.2"] * 2, "action": odd})
    held = read_all(written(tmp_path / "x", table))
    assert len(held.flows) + len(held.malformed) == 2
    assert any(number == 2 for number, _ in held.malformed)
    assert len(held.flows) == (odd.type == pa.string())


def test_a_name_that_is_no_text_is_an_error(tmp_path: Path) -> None:
    """It is the name of a column, so nothing can be read."""
    source = written(tmp_path / "x", table_of(ACCEPTED))
    data = (tmp_path / "x").read_bytes()
    with pytest.raises(DamagedSource, match="damaged"):
        read_all(file_of(tmp_path / "y", data.replace(b"interface_id", b"interface_\xd6d")))
    assert read_all(source).flows == flows_of(ACCEPTED)


def test_progress_ends_with_the_size_of_the_file(tmp_path: Path) -> None:
    """Progress in rows is scaled to bytes."""
    source = written(tmp_path / "x", table_of(*[ACCEPTED] * 9000))
    seen: list[int] = []
    assert sum(len(batch.records.flows) for batch in read(source, (), seen.append)) == 9000
    assert seen == sorted(seen)
    assert seen[-1] == source.size


def test_an_unrelated_table_is_an_error(tmp_path: Path) -> None:
    """None of its columns is a flow log field."""
    with pytest.raises(NotFlowLogs, match="no field"):
        read_all(written(tmp_path / "x", pa.table({"year": [2023]})))


@pytest.mark.parametrize("cut", [8, 100, -1])
def test_a_truncated_file_is_an_error(tmp_path: Path, cut: int) -> None:
    """The message contains the file name and pyarrow's message."""
    whole = Path(written(tmp_path / "x", table_of(ACCEPTED)).name).read_bytes()
    with pytest.raises(DamagedSource, match=r"cut: the Parquet data is damaged: .*; download it again"):
        read_all(file_of(tmp_path / "cut", whole[:cut]))


def test_parquet_from_a_pipe_or_in_gzip_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    """Its metadata is at the end, so it cannot be streamed."""
    content = Path(written(tmp_path / "x", table_of(ACCEPTED)).name).read_bytes()
    for source in (stream_of(content), file_of(tmp_path / "x.gz", gzip.compress(content))):
        with pytest.raises(NotFlowLogs, match="use a Parquet file"):
            read_all(source)
