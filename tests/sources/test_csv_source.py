"""CSV, as written by Athena and CloudWatch Logs Insights."""

from __future__ import annotations

import pytest

from flowwarden.errors import NotFlowLogs
from flowwarden.records.log_format import LogFormat
from tests.sources.held import ACCEPTED, HEADER, NODATA, REJECTED, flows_of, read_all

COLUMNS = ",".join(f'"{name.replace("-", "_")}"' for name in HEADER.split())


def row(line: str, absent: str = "") -> str:
    """The line as Athena would write it: quoted, with absent values empty."""
    return ",".join(absent if cell == "-" else f'"{cell}"' for cell in line.split())


@pytest.mark.parametrize("absent", ["", '""', '"-"', "null", '"None"'])
def test_athena_quotes_uses_underscores_and_leaves_absent_values_empty(absent: str) -> None:
    """The records equal those of the plain lines."""
    held = read_all(f"{COLUMNS}\n{row(ACCEPTED)}\n{row(NODATA, absent)}\n{row(REJECTED)}\n")
    assert held.flows == flows_of(ACCEPTED, REJECTED)
    assert held.gaps == read_all(NODATA).gaps
    assert (held.malformed, held.notes) == ([], [])


def test_unquoted_csv_with_dashes_gives_the_same_records() -> None:
    """Other tools write this form; surrounding spaces and CRLF do not matter."""
    text = f"{HEADER}\n{ACCEPTED}\n\n{REJECTED}".replace(" ", " , ").replace("\n", "\r\n")
    assert read_all(text).flows == flows_of(ACCEPTED, REJECTED)


def test_partition_columns_are_ignored_with_a_note() -> None:
    """They are not flow log fields."""
    held = read_all('"srcaddr","dstaddr","date","year"\n"10.0.0.1","10.0.0.2","2023-11-14","2023"\n')
    assert [flow.layout for flow in held.flows] == [LogFormat.parse("srcaddr dstaddr")]
    assert held.notes == ["ignored columns that are not flow log fields: date, year"]


@pytest.mark.parametrize("number", ["22", "22.0", '"22.00"', " 22 "])
def test_whole_numbers_can_have_zero_decimals(number: str) -> None:
    """Tools without nullable integers write them."""
    assert [
        flow.dstport for flow in read_all(f"srcaddr,dstaddr,dstport\n10.0.0.1,10.0.0.2,{number}").flows
    ] == [22]


def test_a_text_keeps_its_decimals_and_zeros() -> None:
    """Only numbers lose them."""
    (flow,) = read_all("srcaddr,dstaddr,account_id,vpc_id\n10.0.0.1,10.0.0.2,011122223333,1.0\n").flows
    assert (flow.account_id, flow.vpc_id) == ("011122223333", "1.0")


def test_a_row_with_more_or_fewer_columns_is_malformed() -> None:
    """It is reported with its line number; an unmatched quote affects one row only."""
    held = read_all(
        'srcaddr,dstaddr\n10.0.0.1\n10.0.0.1,10.0.0.2\n1,2,3\n"10.0.0.1,10.0.0.2\n10.0.0.3,10.0.0.4\n'
    )
    assert [flow.srcaddr for flow in held.flows] == ["10.0.0.1", "10.0.0.3"]
    assert held.reasons == [
        (number, f"{count} where the header has 2")
        for number, count in ((2, "1 column"), (4, "3 columns"), (5, "1 column"))
    ]


def test_a_header_in_the_middle_is_skipped_and_can_change_the_columns() -> None:
    """As in concatenated files."""
    held = read_all(
        "srcaddr,dstaddr\n10.0.0.1,10.0.0.2\nsrcaddr,dstaddr\n10.0.0.3,10.0.0.4\ndstaddr,srcaddr\n1.1.1.1,10.0.0.5\n"
    )
    assert [flow.srcaddr for flow in held.flows] == ["10.0.0.1", "10.0.0.3", "10.0.0.5"]
    assert held.malformed == []


@pytest.mark.parametrize("header", ["timestamp,message", '"@timestamp","@message"'])
def test_a_message_column_contains_lines(header: str) -> None:
    """As exported by the CloudWatch Logs console and Insights."""
    held = read_all(f'{header}\n1700000000000,{ACCEPTED}\n1700000000000,"{REJECTED}"\n')
    assert held.flows == flows_of(ACCEPTED, REJECTED)


def test_a_duplicate_column_is_an_error_with_its_name() -> None:
    """It is ambiguous which one to use."""
    with pytest.raises(NotFlowLogs, match=r"held: .*srcaddr more than once"):
        read_all("srcaddr,srcaddr,dstaddr\n1,2,3\n")


def test_other_lines_with_commas_are_malformed_text() -> None:
    """Only a header makes a source CSV."""
    assert [number for number, _ in read_all("a,b,c\n1,2,3\n").malformed] == [1, 2]


def test_a_carriage_return_within_a_row_is_malformed() -> None:
    """The csv module would treat it as the end of the row."""
    held = read_all("srcaddr,dstaddr\n10.0.0.1\r,10.0.0.2\n10.0.0.3,10.0.0.4\n")
    assert [number for number, _ in held.malformed] == [2]
    assert len(held.flows) == 1
