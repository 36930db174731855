"""Reading: in a source of any kind, every line becomes exactly one flow, gap or malformed record."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.errors import NotFlowLogs, SourceError
from flowwarden.records.line_reader import LineReader
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT
from flowwarden.records.model import Action, Records
from flowwarden.sources.read import read
from tests.sources.held import ACCEPTED, HEADER, NODATA, REJECTED, SKIPDATA, file_of, read_all, stream_of

ODD = "2 111122223333 eni-0a 10.0.0.5"


@given(st.lists(st.sampled_from([ACCEPTED, REJECTED, NODATA, SKIPDATA, ODD]), max_size=30))
def test_every_line_becomes_one_record_in_any_kind_of_source(lines: list[str]) -> None:
    """The records and their order are the same; malformed ones have their line numbers."""
    expected = LineReader([DEFAULT_LOG_FORMAT]).read(lines)
    text = "\n".join(lines)
    for content in (
        text,
        f"{HEADER}\n{text}",
        "\n".join(f"2023-11-14T22:13:20.000Z {line}" for line in lines),
        "\n".join(json.dumps({"message": line}) for line in lines),
        "timestamp,message\n" + "\n".join(f"1,{line}" for line in lines),
        gzip.compress(text.encode()),
    ):
        held = read_all(content)
        assert (held.flows, held.gaps) == (expected.flows, expected.gaps)
        assert [bad for _, bad in held.malformed] == expected.malformed


@given(
    st.lists(st.sampled_from([ACCEPTED, REJECTED, NODATA, ODD, "", f"{REJECTED} ", "REJECT"]), max_size=20),
    st.integers(1, 40),
    st.sampled_from(Action),
)
def test_flows_with_another_action_are_counted_only(lines: list[str], times: int, only: Action) -> None:
    """The others are the same and in the same order, also in long sources."""
    text = "\n".join(lines * times)
    whole = [*read(stream_of(text), [DEFAULT_LOG_FORMAT], lambda _: None)]
    chosen = [*read(stream_of(text), [DEFAULT_LOG_FORMAT], lambda _: None, only)]
    for every, some in zip(whole, chosen, strict=True):
        kept = [flow for flow in every.records.flows if flow.action is only]
        assert some.records == Records(kept, every.records.gaps, every.records.malformed)
        assert some.numbers == every.numbers
        assert some.omitted == len(every.records.flows) - len(kept)


@given(st.lists(st.sampled_from([ACCEPTED, NODATA, ODD, "", HEADER]), max_size=50))
def test_malformed_lines_are_reported_with_their_line_number(lines: list[str]) -> None:
    """Also if the same line occurs several times."""
    held = read_all("\n".join([ACCEPTED, *lines]))
    assert [number for number, _ in held.malformed] == [n for n, line in enumerate(lines, 2) if line == ODD]


def read_or_error(data: bytes) -> str:
    """The error message, which begins with the name of the source."""
    try:
        read_all(data)
    except SourceError as error:
        return str(error)
    return "held: nothing"


@given(st.binary(max_size=400))
def test_arbitrary_bytes_raise_only_a_source_error(data: bytes) -> None:
    """Files can contain anything."""
    assert read_or_error(data).startswith("held: ")


@given(
    st.sampled_from(
        ['{"srcaddr": "1.1.1.1", "dstaddr": "2.2.2.2"}', f'"srcaddr","dstaddr"\n{ACCEPTED}', HEADER]
    ),
    st.binary(),
)
def test_arbitrary_bytes_after_a_valid_beginning_raise_only_a_source_error(start: str, data: bytes) -> None:
    """Each kind can fail in different ways."""
    assert read_or_error(f"{start}\n".encode() + data).startswith("held: ")


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf", b" "])
def test_an_empty_source_has_no_records(content: bytes) -> None:
    """This is not an error."""
    held = read_all(content)
    assert (held.flows, held.gaps, held.malformed) == ([], [], [])


def test_excessive_compression_layers_are_an_error() -> None:
    """They can only be malicious."""
    data = ACCEPTED.encode()
    for _ in range(5):
        data = gzip.compress(data)
    with pytest.raises(NotFlowLogs, match="compressed more than 3 times"):
        read_all(data)


def test_a_source_is_closed_at_its_end_and_when_reading_stops(tmp_path: Path) -> None:
    """A file is opened again for each reading."""
    source = stream_of(f"{ACCEPTED}\n" * 100_000)
    batches = read(source, (DEFAULT_LOG_FORMAT,), lambda _: None)
    next(batches)
    batches.close()  # type: ignore[attr-defined]  # it is a generator
    assert source.stream is not None
    assert source.stream.closed
    whole = stream_of(ACCEPTED)
    read_all(whole)
    assert whole.stream is not None
    assert whole.stream.closed
    held = file_of(tmp_path / "x", ACCEPTED)
    assert len(read_all(held).flows) == len(read_all(held).flows) == 1


WITHOUT_PYARROW = """
import sys
sys.modules["pyarrow"] = None
from flowwarden_cli.main import main
sys.exit(main(["read", *sys.argv[1:]]))
"""


def test_without_pyarrow_parquet_is_an_error_with_the_name_of_the_extra(tmp_path: Path) -> None:
    """All other kinds can be read."""
    parquet, log = file_of(tmp_path / "x", b"PAR1" + b"\0" * 20), file_of(tmp_path / "y", ACCEPTED)
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_PYARROW, parquet.name, log.name],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, len(done.stdout.splitlines())) == (1, 1)
    assert f"error: {parquet.name}: is Parquet" in done.stderr
    assert "pip install '.[parquet]'" in done.stderr
