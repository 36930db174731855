"""JSON: records, lines in messages, subscription documents and payloads, Kinesis events."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from flowwarden.errors import DamagedSource
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT, LogFormat
from flowwarden.records.model import GapKind
from flowwarden.records.subscription import encode
from tests.sources.held import ACCEPTED, NODATA, REJECTED, Held, flows_of, read_all

TYPED = {
    "version": 2, "account_id": "011122223333", "interface_id": "eni-0a", "srcaddr": "10.0.0.5",
    "dstaddr": "10.0.0.9", "srcport": 51234, "dstport": 22, "protocol": 6, "packets": 9, "bytes": 840,
    "start": 1700000000, "end": 1700000060, "action": "ACCEPT", "log_status": "OK",
}  # fmt: skip
DOCUMENT = {
    "messageType": "DATA_MESSAGE",
    "owner": "111122223333",
    "logGroup": "flow-logs",
    "logStream": "eni-0a-all",
    "subscriptionFilters": ["all"],
    "logEvents": [
        {"id": "1", "timestamp": 1700000000000, "message": ACCEPTED, "extractedFields": {"dstport": "22"}},
        {"id": "2", "timestamp": 1700000000000, "message": NODATA},
        {"id": "3", "timestamp": 1700000000000, "message": "odd"},
    ],
}
CONTROL = DOCUMENT | {
    "messageType": "CONTROL_MESSAGE",
    "logEvents": [{"id": "", "message": "checking health"}],
}


def read_json(*values: object) -> Held:
    """The records read from the values, one value per line."""
    return read_all("\n".join(json.dumps(value) for value in values))


def line_of(record: dict[str, Any]) -> str:
    """The record as a line of the default layout."""
    return " ".join(str(record[name.replace("-", "_")]) for name in DEFAULT_LOG_FORMAT.names)


@pytest.mark.parametrize("dash", ["-", "_"])
@pytest.mark.parametrize("kind", [str, lambda value: value], ids=["all strings", "typed"])
def test_an_object_is_a_record(dash: str, kind: Any) -> None:
    """Names with dashes or underscores, values as strings or numbers; leading zeros are kept."""
    held = read_json({name.replace("_", dash): kind(value) for name, value in TYPED.items()})
    assert held.flows == flows_of(line_of(TYPED))
    assert held.flows[0].account_id == "011122223333"
    assert (held.malformed, held.notes) == ([], [])


@pytest.mark.parametrize("absent", [None, "", "-", "None", "null"])
def test_an_absent_value_is_none_in_any_notation(absent: str | None) -> None:
    """Tools write it in different ways."""
    held = read_json(TYPED | {"packets": absent, "interface_id": absent})
    assert [(flow.packets, flow.interface_id) for flow in held.flows] == [(None, None)]


def test_a_missing_key_is_absent_in_that_record_only() -> None:
    """The layout grows with the keys found."""
    short = {"dstaddr": "10.0.0.9", "srcaddr": "10.0.0.5"}
    held = read_json(short, short | {"dstport": 22}, short | {"srcport": 7})
    assert [(flow.srcport, flow.dstport) for flow in held.flows] == [(None, None), (None, 22), (7, None)]
    assert held.flows[-1].layout == LogFormat.parse("dstaddr srcaddr dstport srcport")


@pytest.mark.parametrize("status", ["NODATA", "SKIPDATA"])
def test_a_gap_can_omit_the_addresses(status: str) -> None:
    """Some tools omit absent values."""
    held = read_json({"account_id": "111122223333", "interface_id": "eni-0a", "log_status": status})
    assert [(gap.kind, gap.interface_id) for gap in held.gaps] == [(GapKind(status), "eni-0a")]


def test_a_record_can_follow_a_gap_without_addresses() -> None:
    """The layout of the gap does not affect it."""
    held = read_json({"log_status": "NODATA", "interface_id": "eni-0a"}, TYPED)
    assert [len(held.gaps), len(held.flows), held.malformed] == [1, 1, []]


def test_leading_zeros_of_a_numeric_account_id_are_restored() -> None:
    """Account ids have twelve digits."""
    assert read_json(TYPED | {"account_id": 11122223333}).flows[0].account_id == "011122223333"


def test_other_keys_are_ignored_with_one_note() -> None:
    """They are not flow log fields; their values can be anything."""
    held = read_json(*[TYPED | {"host": "a b", "tags": {"x": [1]}}] * 3)
    assert held.flows == flows_of(line_of(TYPED)) * 3
    assert held.notes == ["ignored columns that are not flow log fields: host, tags"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"srcaddr": {"ip": "10.0.0.5"}}, "srcaddr is a dict, neither text nor a number"),
        ({"srcport": [1]}, "srcport is a list, neither text nor a number"),
        ({"srcport": True}, "srcport is a bool, neither text nor a number"),
        ({"srcport": 1.5}, "srcport is '1.5', which is not a number"),
        ({"srcport": -1}, "srcport is '-1', which is not a number"),
        ({"action": "SUCCESS"}, "action is 'SUCCESS', none of ACCEPT, REJECT"),
        ({"interface_id": "eni 0a"}, "15 tokens where the log format has 14"),
    ],
)
def test_an_invalid_value_makes_a_record_malformed(change: dict[str, Any], reason: str) -> None:
    """It is reported with its line number; the next record is read."""
    held = read_json(TYPED, TYPED | change, TYPED)
    assert len(held.flows) == 2
    assert held.reasons == [(2, reason)]


def test_an_object_without_fields_of_a_flow_record_is_malformed() -> None:
    """Regardless of its other content."""
    held = read_json({"hello": "world"})
    assert held.reasons == [(1, "an object without the fields of a flow record")]
    assert held.malformed[0][1].line == '{"hello": "world"}'


def test_messages_of_firehose_are_lines() -> None:
    """Also concatenated, as Firehose writes them."""
    text = "".join(json.dumps({"message": line}) for line in (ACCEPTED, REJECTED, "odd"))
    held = read_all(text)
    assert held.flows == flows_of(ACCEPTED, REJECTED)
    assert [bad.line for _, bad in held.malformed] == ["odd"]


def test_messages_have_the_configured_layout() -> None:
    """Like lines without a header."""
    layout = LogFormat.parse("srcaddr dstaddr")
    assert read_all('{"message": "10.0.0.1 10.0.0.2"}', layout).flows[0].layout == layout


def test_a_record_with_a_message_beside_its_fields_is_a_record() -> None:
    """The fields take precedence."""
    assert read_json(TYPED | {"message": "as it was"}).flows == flows_of(line_of(TYPED))


@pytest.mark.parametrize(
    "value",
    [
        DOCUMENT,
        encode(DOCUMENT),
        {"Records": [{"kinesis": {"data": encode(DOCUMENT)["awslogs"]["data"]}}]},
        {"events": [{"message": event["message"]} for event in DOCUMENT["logEvents"]]},  # type: ignore[index]  # a dict
    ],
    ids=["document", "Lambda event", "Kinesis event", "filter-log-events"],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_lines_are_extracted_from_any_envelope(value: object, indent: int | None) -> None:
    """A line has the number of the line where its event begins, or the payload that contains it."""
    text = "\n" + json.dumps(value, indent=indent)
    held = read_all(text)
    assert held.flows == flows_of(ACCEPTED)
    assert len(held.gaps) == 1
    number = (
        text.partition('"odd"')[0].rpartition("{")[0].count("\n") + 1 if '"odd"' in text and indent else 2
    )
    if indent and "kinesis" in text:
        number = 4
    assert held.reasons == [(number, "1 token where the log format has 14")]


@pytest.mark.parametrize("value", [CONTROL, encode(CONTROL)])
def test_control_messages_contain_no_lines(value: object) -> None:
    """CloudWatch Logs sends them to check the subscription."""
    held = read_json(value, {"message": ACCEPTED})
    assert (len(held.flows), held.gaps, held.malformed) == (1, [], [])


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"Records": [{"s3": {}}]}, "contains Records that are not from Kinesis, Firehose or a queue"),
        ({"events": [{"id": 1}]}, "contains log events without 'message'"),
        ({"events": ["x"]}, "contains log events without 'message'"),
        ({"messageType": "NEWS", "logEvents": []}, "an object without the fields of a flow record"),
    ],
)
def test_other_documents_are_malformed(value: object, reason: str) -> None:
    """They are reported, not dropped."""
    assert read_json(value).reasons == [(1, reason)]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("§", "are not valid base64"),
        (base64.b64encode(b"plain").decode(), "neither gzip nor zlib"),
        (encode(DOCUMENT)["awslogs"]["data"][:80], "is truncated"),
    ],
)
def test_a_payload_that_cannot_be_decoded_is_an_error_with_its_line_number(data: str, words: str) -> None:
    """The message contains sizes. Not just malformed: the payload has an unknown number of lines."""
    with pytest.raises(DamagedSource, match=f"held: the payload in line 2 cannot be decoded: .*{words}"):
        read_json({"message": ACCEPTED}, {"awslogs": {"data": data}})
