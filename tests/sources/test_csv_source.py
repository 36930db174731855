"""CSV, as Athena and CloudWatch Logs Insights write it."""

from __future__ import annotations

import pytest

from flowwarden.errors import NotFlowLogs
from flowwarden.records.log_format import LogFormat
from tests.sources.held import ACCEPTED, HEADER, NODATA, REJECTED, flows_of, read_all

COLUMNS = ",".join(f'"{name.replace("-", "_")}"' for name in HEADER.split())


def row(line: str, absent: str = "") -> str:
    """The line as Athena would write it: quoted, and nothing where there is nothing."""
    return ",".join(absent if cell == "-" else f'"{cell}"' for cell in line.split())


@pytest.mark.parametrize("absent", ["", '""', '"-"', "null", '"None"'])
def test_athena_quotes_uses_underscores_and_leaves_absent_values_empty(absent: str) -> None:
    """The records are those of the lines."""
    held = read_all(f"{COLUMNS}\n{row(ACCEPTED)}\n{row(NODATA, absent)}\n{row(REJECTED)}\n")
    assert held.flows == flows_of(ACCEPTED, REJECTED)
    assert held.gaps == read_all(NODATA).gaps
    assert (held.malformed, held.notes) == ([], [])


def test_without_quotes_and_with_dashes_it_is_the_same() -> None:
    """Other tools write it so; blanks around and CRLF do not matter."""
    text = f"{HEADER}\n{ACCEPTED}\n\n{REJECTED}".replace(" ", " , ").replace("\n", "\r\n")
    assert read_all(text).flows == flows_of(ACCEPTED, REJECTED)


def test_partition_columns_are_left_out_with_a_note() -> None:
    """They are no fields of flow logs."""
    held = read_all('"srcaddr","dstaddr","date","year"\n"10.0.0.1","10.0.0.2","2023-11-14","2023"\n')
    assert [flow.layout for flow in held.flows] == [LogFormat.parse("srcaddr dstaddr")]
    assert held.notes == ["columns that are no fields of flow logs are left out: date, year"]


@pytest.mark.parametrize("number", ["22", "22.0", '"22.00"', " 22 "])
def test_numbers_may_have_decimals_that_say_nothing(number: str) -> None:
    """Tools that know no absent integers write them."""
    assert [
        flow.dstport for flow in read_all(f"srcaddr,dstaddr,dstport\n10.0.0.1,10.0.0.2,{number}").flows
    ] == [22]


def test_a_text_keeps_its_decimals_and_zeros() -> None:
    """Only numbers lose them."""
    (flow,) = read_all("srcaddr,dstaddr,account_id,vpc_id\n10.0.0.1,10.0.0.2,011122223333,1.0\n").flows
    assert (flow.account_id, flow.vpc_id) == ("011122223333", "1.0")


def test_a_row_with_more_or_fewer_columns_is_malformed() -> None:
    """With its number; a lost quote costs one row."""
    held = read_all(
        'srcaddr,dstaddr\n10.0.0.1\n10.0.0.1,10.0.0.2\n1,2,3\n"10.0.0.1,10.0.0.2\n10.0.0.3,10.0.0.4\n'
    )
    assert [flow.srcaddr for flow in held.flows] == ["10.0.0.1", "10.0.0.3"]
    assert held.reasons == [
        (number, f"{count} columns where the header names 2") for number, count in ((2, 1), (4, 3), (5, 1))
    ]


def test_a_header_in_the_middle_is_skipped_and_may_change_the_columns() -> None:
    """As where files were concatenated."""
    held = read_all(
        "srcaddr,dstaddr\n10.0.0.1,10.0.0.2\nsrcaddr,dstaddr\n10.0.0.3,10.0.0.4\ndstaddr,srcaddr\n1.1.1.1,10.0.0.5\n"
    )
    assert [flow.srcaddr for flow in held.flows] == ["10.0.0.1", "10.0.0.3", "10.0.0.5"]
    assert held.malformed == []


@pytest.mark.parametrize("header", ["timestamp,message", '"@timestamp","@message"'])
def test_a_message_column_holds_lines(header: str) -> None:
    """As the console of CloudWatch Logs and Insights export them."""
    held = read_all(f'{header}\n1700000000000,{ACCEPTED}\n1700000000000,"{REJECTED}"\n')
    assert held.flows == flows_of(ACCEPTED, REJECTED)


def test_a_column_twice_is_an_error_that_names_it() -> None:
    """Nobody knows which one counts."""
    with pytest.raises(NotFlowLogs, match=r"held: .*srcaddr more than once"):
        read_all("srcaddr,srcaddr,dstaddr\n1,2,3\n")


def test_a_line_of_another_kind_with_commas_is_malformed_text() -> None:
    """Only a header makes it CSV."""
    assert [number for number, _ in read_all("a,b,c\n1,2,3\n").malformed] == [1, 2]


def test_a_carriage_return_within_a_row_is_malformed() -> None:
    """The csv module would take it for the end of the row."""
    held = read_all("srcaddr,dstaddr\n10.0.0.1\r,10.0.0.2\n10.0.0.3,10.0.0.4\n")
    assert [number for number, _ in held.malformed] == [2]
    assert len(held.flows) == 1
