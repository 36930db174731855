"""Real records and real subscription payloads are read as their sources document."""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from typing import Any

import pytest

from flowwarden.records.fields import BY_NAME, Kind
from flowwarden.records.line_reader import LineReader
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT, LogFormat, is_header
from flowwarden.records.model import FLOW_ATTRIBUTES, Flow, Gap, GapKind, Records
from flowwarden.records.subscription import LogBatch, decode
from tests.outside import DATA, LABELED

CAP = 2**20
VERSION_5 = LogFormat(tuple(f.name for f in BY_NAME.values() if f.version is not None and f.version <= 5))

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="the folder of real records, ../shared/data, does not exist"
)


@cache
def rows(name: str) -> list[dict[str, Any]]:
    """The rows of a file of real records."""
    text = (DATA / "flow-records" / name).read_text("utf-8")
    return [json.loads(row) for row in text.splitlines()]


def compare(record: Flow | Gap, layout: LogFormat, line: str) -> None:
    """Compare every attribute of the record with its token in the line."""
    tokens = {BY_NAME[n].attribute: t for n, t in zip(layout.names, line.split(), strict=True)}
    attributes = FLOW_ATTRIBUTES if isinstance(record, Flow) else Gap.__struct_fields__
    for attribute in attributes:
        value = getattr(record, attribute)
        if attribute == "kind":
            assert value.value == tokens["log_status"]
        else:
            assert ("-" if value is None else str(value)) == tokens.get(attribute, "-"), attribute


def only_record(records: Records) -> Flow | Gap:
    """The only flow or gap in the records."""
    assert records.malformed == []
    both: list[Flow | Gap] = [*records.flows, *records.gaps]
    assert len(both) == 1
    return both[0]


def test_every_example_of_the_user_guide_is_read_field_by_field() -> None:
    """Six layouts, dashes, a double space, a layout without version, action and status."""
    clean = [row for row in rows("aws-user-guide-examples.jsonl") if "#" not in row["line"]]
    assert len(clean) == 25
    for row in clean:
        layout = LogFormat.parse(row["fields"])
        compare(only_record(LineReader([layout]).read([row["line"]])), layout, row["line"])


def test_the_layouts_of_the_user_guide_can_share_a_log_group() -> None:
    """With all layouts in one reader, each line is still read with its own."""
    examples = [row for row in rows("aws-user-guide-examples.jsonl") if "#" not in row["line"]]
    reader = LineReader([LogFormat.parse(row["fields"]) for row in examples])
    assert [only_record(reader.read([row["line"]])) for row in examples] == [
        only_record(LineReader([LogFormat.parse(row["fields"])]).read([row["line"]])) for row in examples
    ]


def test_two_examples_are_malformed_until_their_comments_are_removed() -> None:
    """The guide has comments at the end of two lines."""
    commented = [row for row in rows("aws-user-guide-examples.jsonl") if "#" in row["line"]]
    assert len(commented) == 2
    for row in commented:
        layout = LogFormat.parse(row["fields"])
        records = LineReader([layout]).read([row["line"]])
        assert (records.flows, records.gaps, len(records.malformed)) == ([], [], 1)
        line = row["line"].partition("#")[0]
        compare(only_record(LineReader([layout]).read([line])), layout, line)


def test_samples_of_another_parser_have_the_endpoints_that_it_reports() -> None:
    """Versions 2 and 5, IPv6, NODATA."""
    reader = LineReader([DEFAULT_LOG_FORMAT, VERSION_5])
    samples = rows("sekoia.jsonl")
    assert len(samples) == 5
    for row in samples:
        record = only_record(reader.read([row["line"]]))
        compare(record, DEFAULT_LOG_FORMAT if row["line"].startswith("2 ") else VERSION_5, row["line"])
        assert record.start == datetime.fromisoformat(row["event"]["start"]).timestamp()
        assert record.end == datetime.fromisoformat(row["event"]["end"]).timestamp()
        if isinstance(record, Gap):
            assert (record.kind, row["source"]) == (GapKind.NODATA, None)
            continue
        source, destination = row["source"], row["destination"]
        assert (record.srcaddr, record.srcport) == (source["address"], source["port"])
        assert (record.packets, record.bytes) == (source["packets"], source["bytes"])
        assert (record.dstaddr, record.dstport) == (destination["address"], destination["port"])


@pytest.mark.parametrize("name", ["slips_vertical", "slips_test11_portscan"])
def test_labeled_files_are_read_completely_with_their_header_line(name: str) -> None:
    """Like flow logs in S3, they begin with the field names."""
    header, *lines = (LABELED / f"{name}.log").read_text("utf-8").splitlines()
    expected = json.loads((LABELED / f"{name}.expected.json").read_text("utf-8"))
    assert is_header(header)
    layout = LogFormat.parse(header)
    records = LineReader([layout]).read(lines)
    assert (len(records.flows), records.gaps, records.malformed) == (expected["records"], [], [])
    for flow, line in zip(records.flows, lines, strict=True):
        compare(flow, layout, line)


def test_every_typed_field_in_the_examples_is_validated() -> None:
    """Even a field that no attribute of a flow contains, which the comparison above leaves out."""
    reader = LineReader([VERSION_5])
    line = next(row["line"] for row in rows("sekoia.jsonl") if row["line"].startswith("5 "))
    for position, field in enumerate(VERSION_5.fields):
        if field.kind is not Kind.TEXT:
            tokens = line.split()
            tokens[position] = "!"
            assert reader.read([" ".join(tokens)]).malformed, field.name


def payloads(name: str) -> list[str]:
    """The payloads in an event: one for Lambda, one per Kinesis record."""
    event = json.loads((DATA / "events" / "cloudwatch-logs" / name).read_text("utf-8"))
    if "Records" in event:
        return [record["kinesis"]["data"] for record in event["Records"]]
    return [event["awslogs"]["data"]]


@pytest.mark.parametrize(
    "name", ["powertools-data-message.json", "lambda-go.json", "powertools-policy-level-zlib.json"]
)
def test_payloads_for_lambda_are_decoded(name: str) -> None:
    """Gzip, and zlib with policyLevel."""
    (data,) = payloads(name)
    batch = decode(data, CAP)
    assert isinstance(batch, LogBatch)
    assert (batch.owner, batch.log_group, batch.log_stream) == (
        "123456789123", "testLogGroup", "testLogStream",
    )  # fmt: skip
    assert batch.lines == ("[ERROR] First test message", "[ERROR] Second test message")


def test_payloads_for_kinesis_are_decoded() -> None:
    """Each Kinesis record contains the same payload as a Lambda event."""
    batches = [decode(data, CAP) for data in payloads("powertools-kinesis.json")]
    assert [(type(b), b.owner, len(b.lines)) for b in batches if isinstance(b, LogBatch)] == [
        (LogBatch, "231436140809", 3),
        (LogBatch, "231436140809", 3),
    ]


def test_log_lines_that_are_not_flow_records_are_malformed() -> None:
    """All these payloads contain other logs: no line raises an error or is lost."""
    folder = DATA / "events" / "cloudwatch-logs"
    batches = [decode(data, CAP) for file in folder.iterdir() for data in payloads(file.name)]
    lines = [line for batch in batches if isinstance(batch, LogBatch) for line in batch.lines]
    records = LineReader([DEFAULT_LOG_FORMAT]).read(lines)
    assert [bad.line for bad in records.malformed] == lines
    assert len(lines) == 12
