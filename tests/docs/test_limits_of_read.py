"""The limits of `flowwarden read` that docs/command-line.md states are those of the code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flowwarden.sources import json_grammar, json_stream, stream, text_source
from tests.cli.fakes_console import flowwarden

PAGE = " ".join((Path(__file__).parents[2] / "docs" / "command-line.md").read_text().split())


@pytest.mark.parametrize(
    "statement",
    [
        f"a line of more than {text_source.LONGEST_LINE >> 10} Ki characters",
        f"a line that does not end within {text_source.LONGEST_SKIPPED >> 20} MiB",
        f"a value of more than about {json_stream.LARGEST_VALUE >> 20} Mi characters",
        f"more than {json_grammar.DEEPEST} levels or {json_grammar.MOST_TOKENS:,} tokens (names, values",
        f"may inflate to {stream.SPARE >> 20} MiB and {stream.MOST_TIMES} times the size of the source",
    ],
)
def test_a_limit_is_stated_as_it_is(statement: str) -> None:
    """The page and the constant change together."""
    assert statement in PAGE


def outcome(tmp_path: Path, content: bytes) -> tuple[int, str]:
    """The exit code and what is printed for a file."""
    path = tmp_path / "flows"
    path.write_bytes(content)
    ended = flowwarden(["read", path])
    return ended.code, ended.stdout


@pytest.mark.parametrize("content", [b"", b"\n\n", b"version srcaddr dstaddr\n", b"[]", b'{"events": []}'])
def test_a_source_without_records_is_read_successfully(tmp_path: Path, content: bytes) -> None:
    """It has nothing that could be wrong."""
    assert outcome(tmp_path, content) == (0, "")


def test_a_source_of_malformed_lines_is_not(tmp_path: Path) -> None:
    """Its lines probably have another format."""
    assert outcome(tmp_path, b"not a flow record\n") == (1, "")


@pytest.mark.parametrize("absent", ["null", "NaN", '"none"', '""', '"null"'])
def test_values_that_are_absent(tmp_path: Path, absent: str) -> None:
    """As tools write them."""
    record = f'{{"srcaddr": "10.0.0.1", "dstaddr": "10.0.0.2", "bytes": {absent}}}'
    assert json.loads(outcome(tmp_path, record.encode())[1])["bytes"] is None


def test_nul_bytes_before_a_line_are_dropped(tmp_path: Path) -> None:
    """A log rotation that truncates a file leaves them; within a line they are malformed."""
    header = b"srcaddr dstaddr\n"
    assert outcome(tmp_path, header + b"\0\0" + b"10.0.0.1 10.0.0.2\n")[0] == 0
    assert outcome(tmp_path, header + b"10.0.0.1\0 10.0.0.2\n")[0] == 1
