"""Envelopes of AWS's services and payloads in them: read as streams, in bounded memory and time."""

from __future__ import annotations

import base64
import gzip
import json
import tracemalloc
import zlib
from typing import Any

import pytest

from flowwarden.errors import DamagedSource
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT
from flowwarden.sources import stream
from flowwarden.sources.json_grammar import DEEPEST, MOST_TOKENS, State, Value
from flowwarden.sources.json_source import DEEPEST as MOST_PAYLOADS
from flowwarden.sources.read import read
from tests.sources.held import ACCEPTED, HEADER, NODATA, REJECTED, Held, flows_of, gz, read_all, stream_of

EVENTS = [{"id": str(at), "timestamp": 1, "message": line} for at, line in enumerate((ACCEPTED, NODATA))]
DOCUMENT = {
    "messageType": "DATA_MESSAGE", "owner": "111122223333", "logGroup": "g", "logStream": "s",
    "logEvents": EVENTS,
}  # fmt: skip
LINES = f"{ACCEPTED}\n{NODATA}\n"
MIB = 2**20


def b64(data: str | bytes) -> str:
    """The base64 of data, as in a payload."""
    return base64.b64encode(data.encode() if isinstance(data, str) else data).decode()


PACKED = b64(gzip.compress(json.dumps(DOCUMENT).encode()))
KINESIS = {"Records": [{"kinesis": {"data": PACKED}}]}
MESSAGES = "".join(json.dumps({"message": line}) for line in (ACCEPTED, NODATA))


@pytest.mark.parametrize(
    "value",
    [
        {"awslogs": {"data": PACKED}},
        {"awslogs": {"data": b64(zlib.compress(json.dumps(DOCUMENT).encode()))}},
        {"version": "1.0", "requestPayload": {"awslogs": {"data": PACKED}}, "responsePayload": {}},
        KINESIS,
        {"Records": [{"SequenceNumber": "1", "Data": PACKED}], "MillisBehindLatest": 0},
        {"invocationId": "i", "region": "r", "records": [{"recordId": "1", "data": PACKED}]},
        {"records": [{"recordId": "1", "result": "Ok", "data": b64(LINES)}]},
        {"requestId": "r", "timestamp": 1, "records": [{"data": b64(MESSAGES)}]},
        {"records": [{"data": b64(gzip.compress(gz(LINES)))}]},
        {"Records": [{"messageId": "m", "body": json.dumps({"awslogs": {"data": PACKED}})}]},
        {"Messages": [{"MessageId": "m", "Body": json.dumps(KINESIS)}]},
        {"events": EVENTS, "searchedLogStreams": []},
        {"nextForwardToken": "f/1", "events": EVENTS},
        {"results": [[{"field": "@message", "value": e["message"]}] for e in EVENTS], "status": "Complete"},
        {"results": [{"@message": e["message"], "@ptr": "x", "srcAddr": "10.0.0.5"} for e in EVENTS]},
        [{"@timestamp": "2023-11-14", "@message": e["message"]} for e in EVENTS],
        [e["message"] for e in EVENTS],
    ],
    ids=[
        "Lambda", "zlib", "failed invocation", "Kinesis", "get-records", "Firehose", "Firehose lines",
        "Firehose to HTTP", "compressed twice", "queue", "receive-message", "filter-log-events",
        "get-log-events", "get-query-results", "Insights", "Insights list", "messages alone",
    ],
)  # fmt: skip
@pytest.mark.parametrize("indent", [None, 4])
def test_records_are_read_from_the_envelopes_of_services_and_tools(value: object, indent: int | None) -> None:
    """One flow, one gap, nothing malformed."""
    held = read_all(json.dumps(value, indent=indent))
    assert held.flows == flows_of(ACCEPTED)
    assert (len(held.gaps), held.malformed) == (1, [])


def test_a_csv_of_insights_is_read_from_its_message() -> None:
    """Its other columns are derived from the message, and contain less."""
    held = read_all(
        f"@timestamp,@message,srcAddr,dstAddr\nnow,{ACCEPTED},10.0.0.5,10.0.0.9\nnow,{NODATA},-,-\n"
    )
    assert held.flows == flows_of(ACCEPTED)
    assert (len(held.gaps), held.malformed) == (1, [])


def test_tags_survive_a_second_reading() -> None:
    """They are decoded in objects, and encoded in lines."""
    tags = ["web server", "100%", "a%20b", "null", "none", "%FF", "é\u3000x", " a ", "\ufeffx"]
    text = "".join(
        json.dumps({"srcaddr": "10.0.0.1", "dstaddr": "10.0.0.2", "instance-tag": tag}) for tag in tags
    )
    assert [getattr(flow, "instance_tag", None) for flow in read_all(text).flows] == tags


def partly(data: str | bytes) -> tuple[Held, str]:
    """What is read before the error, and the error."""
    held = Held([], [], [], [])
    try:
        for batch in read(stream_of(data), (DEFAULT_LOG_FORMAT,), lambda _: None):
            held.flows += batch.records.flows
            held.gaps += batch.records.gaps
            held.malformed += zip(batch.numbers, batch.records.malformed, strict=True)
    except DamagedSource as error:
        return held, str(error)
    return held, ""


def test_a_payload_that_cannot_be_decoded_costs_no_other_record() -> None:
    """It is an error, once everything else is read."""
    records = [
        {"kinesis": {"data": data}} for data in (PACKED, "no base64", PACKED, b64(gzip.compress(b"x")[:-3]))
    ]
    held, error = partly(json.dumps({"Records": records}) + json.dumps({"message": REJECTED}))
    assert held.flows == flows_of(ACCEPTED, ACCEPTED, REJECTED)
    assert "the payload in line 1 cannot be decoded" in error
    assert error.endswith("(2 payloads cannot be decoded)")


@pytest.mark.parametrize(
    "text",
    [
        f'[{{"message": "{ACCEPTED}"}}, {{"message": "{REJECTED}"}}',
        f'[{{"message": "{ACCEPTED}"}}, {{"message": "{REJECTED}"}},\n',
        f'{{"events": [{{"message": "{ACCEPTED}"}}, {{"message": "{REJECTED}"}}',
        f'{{"events": [{{"message": "{ACCEPTED}"}}, {{"message": "{REJECTED}"}}], "next": "',
        f'{{"message": "{ACCEPTED}"}}\n{{"message": "{REJECTED}"}}\n{{"mess',
    ],
)
def test_a_truncated_document_is_an_error_after_its_records(text: str) -> None:
    """A list without its end is incomplete, even if all its items are complete."""
    held, error = partly(text)
    assert held.flows == flows_of(ACCEPTED, REJECTED)
    assert "ends in the middle of" in error


@pytest.mark.parametrize(
    ("data", "flows", "words"),
    [
        (gz(ACCEPTED) + b"junk", [ACCEPTED], "is followed by something else (6a 75 6e 6b)"),
        (gz(f"{ACCEPTED}\n", REJECTED) + b"\0\0junk", [ACCEPTED, REJECTED], "is followed by something else"),
        (gz(f"{ACCEPTED}\n{REJECTED}\n")[:-8], [ACCEPTED, REJECTED], "is truncated"),
        (gz(f"{ACCEPTED}\n{REJECTED}\n")[:-8] + b"12345678", [ACCEPTED, REJECTED], "is damaged"),
        (gz(f"{ACCEPTED}\n") + gz(REJECTED)[:4], [ACCEPTED], "is truncated"),
        (gzip.compress(gz(f"{ACCEPTED}\n") + b"junk"), [ACCEPTED], "is followed by something else"),
    ],
    ids=["junk", "padding, then junk", "no checksum", "wrong checksum", "second member cut", "junk below"],
)
def test_records_before_a_damage_are_read(data: bytes, flows: list[str], words: str) -> None:
    """The damage is then an error."""
    held, error = partly(data)
    assert held.flows == flows_of(*flows)
    assert words in error


class TestBounds:
    """Memory and work are bounded, whatever the input."""

    @pytest.mark.matrix(4)
    @pytest.mark.parametrize(
        "text",
        [
            "[" + "[]," * 300_000 + "[]]",
            '{"Records": [' + "[]," * 100_000 + "[]]}",
            '{"a": [' + "[]," * 300_000 + "[]]}",
            '{"a": ' * 100_000,
            '{"a":\n' * 20_000,
            '{"a": [\n' * 15_000,
            '{"a' * 300_000,
            "{" * 300_000,
            '{"\\' * 300_000,
        ],
    )
    def test_lists_and_nesting_need_little_memory(self, text: str) -> None:
        """A decoded empty list is twenty times as large as its text."""
        tracemalloc.start()
        try:
            partly(text)
            assert tracemalloc.get_traced_memory()[1] < 16 * MIB
        finally:
            tracemalloc.stop()

    @pytest.mark.parametrize(("copies", "is_refused"), [(1, False), (3, True)])
    def test_the_inflated_size_of_all_payloads_is_limited(self, copies: int, *, is_refused: bool) -> None:
        """Each has 64 MiB and is read as a stream; the limit is for all payloads of a source together."""
        bomb = b64(gzip.compress(b"0" * 2**26, 1))
        tracemalloc.start()
        try:
            _, error = partly(json.dumps({"Records": [{"kinesis": {"data": bomb}}] * copies}))
            assert tracemalloc.get_traced_memory()[1] < 16 * MIB
        finally:
            tracemalloc.stop()
        assert ("inflates to more than" in error) is is_refused

    def test_the_allowance_grows_with_the_source(self) -> None:
        """A constant, and a multiple of the bytes read."""
        allowance = stream.Allowance(lambda: 10)
        allowance.spend(stream.SPARE + 10 * stream.MOST_TIMES)
        with pytest.raises(ValueError, match="inflates to more than"):
            allowance.spend(1)

    def test_nested_compression_beyond_the_allowance_is_an_error(self) -> None:
        """Three layers make a gigabyte of a kilobyte."""
        data = gzip.compress(gzip.compress(bytes(2 * stream.SPARE), 1))
        _, error = partly(data)
        assert "nested compression inflates to more than 128 MiB and 50 times the source; " in error
        assert error.endswith("unpack the source first")
        assert "damaged" not in error

    def test_payloads_within_payloads_are_limited(self) -> None:
        """The deepest one is not read, which is an error."""
        value: Any = {"message": ACCEPTED}
        for _ in range(MOST_PAYLOADS + 2):
            value = {"records": [{"data": b64(json.dumps(value))}]}
        held, error = partly(json.dumps(value))
        assert held.flows == []
        assert "nested more than" in error

    @pytest.mark.parametrize("text", ['{"a": ' * 9999, '{"a":\n' * 9999, "[[1]," * 9999, '{"a": [' * 9999])
    def test_each_token_is_looked_at_once(self, text: str) -> None:
        """However many parts the text arrives in, the number of steps depends only on the text."""
        value, at, steps = Value(), 0, 0
        for end in range(0, len(text), 100):
            while (state := value.step(text[:end], at, last=False))[0] not in (State.MORE, State.BROKEN):
                at, steps = state[2], steps + 1
        assert steps <= len(text)
        assert len(value.stack) <= DEEPEST + 1
        assert value.tokens <= MOST_TOKENS


def test_the_example_lines_have_the_default_layout() -> None:
    """Otherwise the tests above would read only malformed lines."""
    assert read_all(f"{HEADER}\n{LINES}").malformed == []
