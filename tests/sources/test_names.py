"""Names of fields in the spellings of AWS's tools and tables."""

from __future__ import annotations

import pytest

from flowwarden.records.fields import FIELDS
from flowwarden.sources.names import field_name, header_names
from tests.sources.held import ACCEPTED, HEADER, NODATA, flows_of, read_all

FORMER = (
    "version,account,interfaceid,sourceaddress,destinationaddress,sourceport,destinationport,protocol,"
    "numpackets,numbytes,starttime,endtime,action,logstatus"
)
"""Athena's former example table."""
INSIGHTS = (
    "version,accountId,interfaceId,srcAddr,dstAddr,srcPort,dstPort,protocol,packets,bytes,startTime,endTime,"
    "action,logStatus"
)
"""The fields that CloudWatch Logs Insights discovers."""


def camel(name: str) -> str:
    """`log-status` as `logStatus`."""
    first, *others = name.split("-")
    return first + "".join(part.capitalize() for part in others)


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_every_field_is_found_in_every_spelling(field: object) -> None:
    """Dashes, underscores, camel case, capitals, no separators, and CloudWatch's mark."""
    name: str = field.name  # type: ignore[attr-defined]  # a field of the table
    spellings = [name, name.replace("-", "_"), camel(name), name.upper(), name.replace("-", ""), f"@{name}"]
    assert {field_name(each) for each in spellings} == {name}


@pytest.mark.parametrize("column", ["date", "srcaddrs", "packet", "", "source", "@timestamp", "x" * 10**6])
def test_other_names_are_no_fields(column: str) -> None:
    """They are ignored, with a note."""
    assert field_name(column) not in {field.name for field in FIELDS}


@pytest.mark.parametrize("header", [FORMER, INSIGHTS, INSIGHTS.upper(), HEADER.replace(" ", ",")])
@pytest.mark.parametrize("separator", [",", " ", "\t"], ids=["CSV", "text", "tabs"])
def test_a_table_is_read_in_any_spelling_of_its_header(header: str, separator: str) -> None:
    """As CSV, and as text whose first line names the fields; gaps, too."""
    lines = [header, ACCEPTED.replace(" ", ","), NODATA.replace(" ", ",")]
    held = read_all("\n".join(lines).replace(",", separator))
    assert held.flows == flows_of(ACCEPTED)
    assert (len(held.gaps), held.malformed, held.notes) == (1, [], [])


@pytest.mark.parametrize("separator", [" ", "\t"], ids=["text", "tabs"])
def test_a_log_format_is_a_header(separator: str) -> None:
    """As `describe-flow-logs` shows it; a line with other braces is none."""
    log_format = " ".join(f"${{{name}}}" for name in HEADER.split())
    held = read_all(f"{log_format}\n{ACCEPTED}\n{NODATA}".replace(" ", separator))
    assert held.flows == flows_of(ACCEPTED)
    assert (len(held.gaps), held.malformed, held.notes) == (1, [], [])
    assert header_names("${srcaddr} ${dstaddr} ${} port") is None


def test_of_two_spellings_of_a_field_the_one_of_aws_counts() -> None:
    """Tools add columns that are named like fields."""
    held = read_all("start_time,srcaddr,dstaddr,start\nnoon,10.0.0.1,10.0.0.2,1700000000\n")
    assert [flow.start for flow in held.flows] == [1700000000]
    held = read_all(
        '{"startTime": "noon", "srcaddr": "10.0.0.1", "dstaddr": "10.0.0.2", "start": 1700000000}'
    )
    assert [flow.start for flow in held.flows] == [1700000000]
