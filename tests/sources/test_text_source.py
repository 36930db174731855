"""Text: headers, timestamps, line ends, long lines; lines are found at any block boundary."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.errors import LogFormatError
from flowwarden.records.log_format import LogFormat
from flowwarden.records.model import Action
from flowwarden.sources.chunks import Lines, Unreadable
from flowwarden.sources.names import header_names
from flowwarden.sources.text_source import LONGEST_LINE, LONGEST_SKIPPED, runs
from tests.sources.held import (
    ACCEPTED,
    HEADER,
    NODATA,
    REJECTED,
    SKIPDATA,
    blocks_of,
    flows_of,
    read_all,
    trickle,
)


@pytest.mark.parametrize(
    "blocks", [[b"\nabc"], [b"\n", b"abc\n"], [b"\r\n\nabc"], [b"abc\n\n"], [b"a", b"bc\n", b"\n"]]
)
def test_empty_lines_are_left_out(blocks: list[bytes]) -> None:
    """Also at the beginning of a block, and at its end."""
    assert [[*each.lines] for each in runs(blocks) if isinstance(each, Lines)] == [["abc"]]


def test_lines_without_a_header_have_the_configured_layout() -> None:
    """The default one, or the given one."""
    assert len(read_all(f"{ACCEPTED}\n{REJECTED}\n").flows) == 2
    held = read_all("10.0.0.1 10.0.0.2 443\n", LogFormat.parse("${srcaddr} ${dstaddr} ${dstport}"))
    assert [(flow.srcaddr, flow.dstport) for flow in held.flows] == [("10.0.0.1", 443)]
    assert held.malformed == []


def test_lines_of_several_layouts_without_a_header_are_distinguished() -> None:
    """By their number of tokens."""
    short = LogFormat.parse("srcaddr dstaddr")
    held = read_all(f"{ACCEPTED}\n10.0.0.1 10.0.0.2\n", LogFormat.parse(HEADER), short)
    assert [flow.layout for flow in held.flows] == [LogFormat.parse(HEADER), short]


def test_a_first_line_with_field_names_defines_the_layout() -> None:
    """As in S3; the configured layout is ignored."""
    held = read_all("dstaddr srcaddr action\n10.0.0.9 10.0.0.5 REJECT\n")
    assert [(f.srcaddr, f.dstaddr, f.action) for f in held.flows] == [("10.0.0.5", "10.0.0.9", Action.REJECT)]


@pytest.mark.parametrize("header", ["src_addr", "srcaddr_dstaddr"])
def test_a_line_of_words_is_not_a_header(header: str) -> None:
    """It is malformed."""
    assert [number for number, _ in read_all(f"{header} x\n{ACCEPTED}\n").malformed] == [1]


def test_a_header_in_the_middle_is_skipped() -> None:
    """Also if there is one before every record; it counts for line numbers."""
    held = read_all(f"{HEADER}\n{ACCEPTED}\n{HEADER}\n{REJECTED}\n{HEADER}\nodd")
    assert held.flows == flows_of(ACCEPTED, REJECTED)
    assert held.reasons == [(6, "1 token where the log format has 14")]


def test_a_header_in_the_middle_changes_the_layout() -> None:
    """As in concatenated files."""
    held = read_all(f"{HEADER}\n{ACCEPTED}\nsrcaddr dstaddr\n10.0.0.1 10.0.0.2\n")
    assert [flow.srcaddr for flow in held.flows] == ["10.0.0.5", "10.0.0.1"]
    assert held.malformed == []


def test_unknown_fields_in_a_header_are_kept_as_text_with_a_note() -> None:
    """A header can contain names that the table of fields does not."""
    held = read_all("srcaddr dstaddr mood\n10.0.0.1 10.0.0.2 good\n")
    assert [flow.layout.unknown for flow in held.flows] == [("mood",)]
    assert held.notes == ["unknown fields are kept as text: mood"]


@pytest.mark.parametrize(
    "header", ["version account-id action", "tgw-id tgw-src-eni packets", "srcaddr action bytes"]
)
def test_records_below_a_header_without_addresses_are_counted(header: str) -> None:
    """They are malformed, such as those of transit gateways in some formats; the next header takes effect."""
    held = read_all(f"{header}\n2 2 -\n2 2 -\n{HEADER}\n{ACCEPTED}\n")
    assert [number for number, _ in held.malformed] == [2, 3]
    assert held.flows == flows_of(ACCEPTED)


def test_gaps_below_a_header_without_addresses_are_gaps() -> None:
    """Nothing is lacking in them."""
    held = read_all("interface-id start log-status\neni-0a 1700000000 NODATA\neni-0a 1700000000 OK\n")
    assert [gap.interface_id for gap in held.gaps] == ["eni-0a"]
    assert held.reasons == [(3, "the log format lacks srcaddr and dstaddr, so the endpoints are unknown")]


def test_a_line_that_names_a_field_twice_is_malformed_and_changes_no_layout() -> None:
    """AWS writes no such header."""
    held = read_all(f"{HEADER}\n{ACCEPTED}\nsrcaddr dstaddr srcaddr\n{REJECTED}\n")
    assert [number for number, _ in held.malformed] == [3]
    assert held.flows == flows_of(ACCEPTED, REJECTED)


def test_the_timestamp_of_a_cloudwatch_export_is_removed() -> None:
    """An ISO timestamp, at the beginning of each line."""
    held = read_all(
        f"2023-11-14T22:13:20.000Z {ACCEPTED}\n2023-11-14T22:13:20Z {NODATA}\n2023-11-14T22:13:20Z odd\n"
    )
    assert held.flows == flows_of(ACCEPTED)
    assert len(held.gaps) == 1
    assert [(number, bad.line) for number, bad in held.malformed] == [(3, "odd")]


def test_a_timestamp_in_a_later_line_is_kept() -> None:
    """Timestamps are removed only if the first line begins with one."""
    assert [number for number, _ in read_all(f"{ACCEPTED}\n2023-11-14T22:13:20Z {ACCEPTED}\n").malformed] == [
        2
    ]


@pytest.mark.parametrize(
    "text",
    [
        f"{ACCEPTED}\r\n{REJECTED}\r\n",
        f"{ACCEPTED}\n{REJECTED}",
        f"\ufeff{ACCEPTED}\n{REJECTED}\n",
        f"\ufeff{HEADER}\r\n{ACCEPTED}\r\n{REJECTED}",
        f"\n\n{ACCEPTED}\n\n  \n{REJECTED}\n\n\n",
        f"  {ACCEPTED}  \n{REJECTED}\t\n",
        f"{ACCEPTED.replace(' ', '  ')}\n{REJECTED}\n",
    ],
    ids=[
        "CRLF",
        "no last newline",
        "BOM",
        "BOM, header, CRLF",
        "blank lines",
        "spaces around",
        "double spaces",
    ],
)
def test_line_ends_and_whitespace_do_not_matter(text: str) -> None:
    """They depend on the writing tool, not on AWS."""
    held = read_all(text)
    assert held.flows == flows_of(ACCEPTED, REJECTED)
    assert (held.gaps, held.malformed) == ([], [])


def test_invalid_utf8_is_shown_as_escaped_bytes() -> None:
    """The line is malformed, the next one is not."""
    held = read_all(b"caf\xe9\n" + ACCEPTED.encode())
    assert [bad.line for _, bad in held.malformed] == ["caf\\xe9"]
    assert len(held.flows) == 1


def test_a_line_without_an_end_ends_the_source() -> None:
    """Such as /dev/zero: the lines before are returned, and a bounded number of bytes is read."""
    read: list[int] = []

    def endless() -> Iterator[bytes]:
        yield b"a\n"
        for block in repeat(b"\0" * 2**20):
            read.append(len(block))
            yield block

    found: list[object] = []
    with pytest.raises(LogFormatError, match="line 2 does not end"):
        found.extend(runs(endless()))
    assert sum(read) <= LONGEST_SKIPPED + 2**21
    pieces = runs(endless())
    assert next(pieces) == Lines((), ["a"], range(1, 2))


@pytest.mark.parametrize("length", [LONGEST_LINE + 1, 10 * LONGEST_LINE])
def test_a_line_that_is_too_long_is_malformed_and_its_neighbors_are_not(length: int) -> None:
    """Also if it is longer than a block; the message contains its beginning."""
    held = read_all(f"{ACCEPTED}\n{'x' * length}\n{REJECTED}\n")
    assert held.flows == flows_of(ACCEPTED, REJECTED)
    assert held.reasons == [(2, f"longer than {LONGEST_LINE} characters")]
    assert len(held.malformed[0][1].line) < 1000


def test_a_line_of_the_maximum_length_is_read() -> None:
    """Padding counts for the length."""
    assert len(read_all(ACCEPTED.ljust(LONGEST_LINE) + "\n").flows) == 1


def test_a_last_line_that_is_too_long_is_malformed() -> None:
    """Without a newline at its end."""
    assert read_all(f"{ACCEPTED}\n{'x' * 10 * LONGEST_LINE}").reasons == [
        (2, f"longer than {LONGEST_LINE} characters")
    ]


def test_line_numbers_count_every_line() -> None:
    """Including blank lines, header lines and lines that are too long."""
    lines = ["", HEADER, ACCEPTED, "x" * (LONGEST_LINE + 1), "", "odd", NODATA, SKIPDATA, "odd again"]
    assert [number for number, _ in read_all("\n".join(lines)).reasons] == [4, 6, 9]


@given(
    st.lists(st.sampled_from(["", "a", "b c", "\x0b", "\u2028", "x" * 50]), max_size=20),
    st.lists(st.integers(1, 40), max_size=20),
)
def test_every_line_occurs_once_with_its_number_at_any_block_boundary(
    lines: list[str], sizes: list[int]
) -> None:
    """Blocks can end anywhere, even within a character. Empty lines do not occur."""
    data = "\n".join(lines).encode()
    read = [
        pair
        for run in runs(blocks_of(data, sizes))
        if isinstance(run, Lines)
        for pair in zip(run.numbers, run.lines, strict=True)
    ]
    expected = list(enumerate(data.decode().split("\n"), 1))
    assert "" not in {line for _, line in read}
    assert [pair for pair in read if pair[1].strip()] == [pair for pair in expected if pair[1].strip()]


@pytest.mark.parametrize("blank", ["\n", "\r\n", " \t\n", "\0\n"], ids=["LF", "CRLF", "spaces", "zero bytes"])
def test_blocks_of_blank_lines_create_no_lines(blank: str) -> None:
    """Only their number counts: a file of 200 MB has 200 million of them."""
    data = f"{blank * 50_000}{ACCEPTED}\n{blank * 50_000}odd\n".encode()
    read = [*runs(blocks_of(data, [2**14] * (len(data) // 2**14 + 1)))]
    lines = [
        (n, each)
        for run in read
        if isinstance(run, Lines)
        for n, each in zip(run.numbers, run.lines, strict=True)
    ]
    assert [pair for pair in lines if pair[1].strip()] == [(50_001, ACCEPTED), (100_002, "odd")]
    assert len(lines) < 2**16, "those of the two blocks with other lines"


@given(st.lists(st.integers(1, 3 * LONGEST_LINE), max_size=12))
def test_lines_that_are_too_long_are_reported_at_any_block_boundary(sizes: list[int]) -> None:
    """Each occurs once, with its number, between the other lines."""
    data = f"a\n{'x' * (5 * LONGEST_LINE)}\nb\n{'y' * (5 * LONGEST_LINE)}\nc".encode()
    read: list[tuple[int, str]] = []
    for run in runs(blocks_of(data, sizes)):
        if isinstance(run, Unreadable):
            read.append((run.number, run.text[0]))
        else:
            read += zip(run.numbers, run.lines, strict=True)
    assert read == [(1, "a"), (2, "x"), (3, "b"), (4, "y"), (5, "c")]


@pytest.mark.parametrize("size", [1, 7, 100])
def test_a_slow_pipe_gives_the_same_records(size: int) -> None:
    """A header in two parts is still recognized."""
    assert read_all(trickle(f"\ufeff{HEADER}\n{ACCEPTED}\n{REJECTED}\n", size)).flows == flows_of(
        ACCEPTED, REJECTED
    )


@pytest.mark.parametrize(
    "line", [HEADER, "srcaddr dstaddr new-field", "\ufeffsrcaddr dstaddr", "version action"]
)
def test_header_lines_are_recognized(line: str) -> None:
    """All fields are known, or all words are names and include an address field."""
    assert header_names(line) is not None


@pytest.mark.parametrize(
    "line", ["", ACCEPTED, NODATA, "Permission Check Successful", "srcaddr 10.0.0.1", "pkt-srcaddrs"]
)
def test_other_lines_are_not_headers(line: str) -> None:
    """They can be records."""
    assert header_names(line) is None
