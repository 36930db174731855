"""The subscription payload: valid and invalid forms."""

from __future__ import annotations

import base64
import gzip
import json
import tracemalloc
import zlib
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.errors import CorruptPayload, PayloadError, PayloadTooLarge
from flowwarden.records.subscription import ControlMessage, LogBatch, decode, encode

CAP = 1_000_000
DOCUMENT: dict[str, Any] = {
    "messageType": "DATA_MESSAGE",
    "owner": "064076352821",
    "logGroup": "/flow-warden/flow-logs",
    "logStream": "eni-0a-all",
    "subscriptionFilters": ["flows"],
    "logEvents": [
        {"id": str(n), "timestamp": 1700000000000, "message": f"line {n}", "extractedFields": {"a": "1"}}
        for n in range(1000)
    ],
}
RAW = json.dumps(DOCUMENT).encode()


def packed(data: bytes) -> str:
    """Bytes as the text of a payload."""
    return base64.b64encode(data).decode()


def changed(**changes: Any) -> str:
    """The payload of the document with some members changed; None removes one."""
    document = {name: value for name, value in (DOCUMENT | changes).items() if value is not None}
    return packed(gzip.compress(json.dumps(document).encode()))


@pytest.mark.parametrize("compress", [gzip.compress, zlib.compress])
def test_gzip_and_zlib_payloads_are_decoded(compress: Any) -> None:
    """Account-level policies deliver zlib."""
    batch = decode(packed(compress(RAW)), CAP)
    assert isinstance(batch, LogBatch)
    assert (batch.owner, batch.log_group, batch.log_stream) == (
        "064076352821",
        "/flow-warden/flow-logs",
        "eni-0a-all",
    )
    assert batch.lines == tuple(f"line {n}" for n in range(1000))


def test_unknown_members_are_ignored() -> None:
    """Such as `policyLevel`."""
    assert isinstance(decode(changed(policyLevel="ACCOUNT_LEVEL_POLICY", new={"a": [1]}), CAP), LogBatch)


def test_a_control_message_is_not_a_batch() -> None:
    """CloudWatch Logs sends it to check the destination."""
    health_check = "CWL CONTROL MESSAGE: Checking health of destination Firehose."
    data = changed(
        messageType="CONTROL_MESSAGE",
        owner="CloudwatchLogs",
        logGroup="",
        logStream="",
        logEvents=[{"id": "", "timestamp": 0, "message": health_check}],
    )
    assert decode(data, CAP) == ControlMessage()


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ("not base64!", "11 characters of the payload are not valid base64"),
        ("é", "not valid base64"),
        (packed(gzip.compress(RAW, mtime=0))[:-2], "not valid base64"),
        (packed(gzip.compress(RAW, mtime=0)) + "\n", "not valid base64"),
        ("", "0 bytes of the payload begin with nothing: neither gzip nor zlib"),
        (packed(RAW), "begin with 7b22: neither gzip nor zlib"),
        (packed(gzip.compress(RAW, mtime=0)[:-9]), "the compressed stream is truncated"),
        (packed(gzip.compress(RAW, mtime=0)[:10]), "10 bytes inflated to 0 bytes, and the end is missing"),
        (packed(zlib.compress(RAW)[:-1]), "the compressed stream is truncated"),
        (packed(gzip.compress(RAW, mtime=0)[:-8] + b"\0" * 8), "do not inflate"),
        (packed(b"\x1f\x8b" + b"\xff" * 20), "do not inflate"),
        (packed(gzip.compress(RAW, mtime=0) + b"more"), "4 of [0-9]+ bytes follow the end"),
        (packed(gzip.compress(RAW, mtime=0) * 2), "follow the end"),
        (packed(gzip.compress(RAW[:-1], mtime=0)), "not a subscription message"),
        (packed(gzip.compress(RAW + RAW, mtime=0)), "not a subscription message"),
        (packed(gzip.compress(b'{"x":' + b"[" * 100_000, mtime=0)), "not a subscription message"),
        (packed(gzip.compress(b"[]", mtime=0)), "2 inflated bytes are not a subscription message"),
        (changed(messageType="NEWS"), "messageType is 'NEWS'"),
        (changed(messageType=None), "missing required field `messageType`"),
        (changed(logGroup=None), "missing required field `logGroup`"),
        (changed(logEvents=None), "missing required field `logEvents`"),
        (changed(logEvents=[{"id": "1"}]), "missing required field `message`"),
        (changed(logEvents=[{"id": "1", "message": 1}]), r"Expected `str`, got `int` - at `\$.logEvents"),
    ],
)
def test_an_invalid_payload_is_rejected_with_the_reason(data: str, complaint: str) -> None:
    """The whole batch can then go to the failure queue."""
    with pytest.raises(CorruptPayload, match=complaint):
        decode(data, CAP)


@pytest.mark.parametrize("compress", [gzip.compress, zlib.compress])
def test_the_size_limit_is_exact(compress: Any) -> None:
    """A payload of exactly the limit is accepted, one more byte is rejected."""
    data = packed(compress(RAW))
    assert isinstance(decode(data, len(RAW)), LogBatch)
    with pytest.raises(PayloadTooLarge):
        decode(data, len(RAW) - 1)


def test_a_decompression_bomb_is_rejected_without_being_inflated() -> None:
    """The message contains the sizes, the limit and the setting."""
    data = packed(gzip.compress(b"0" * 50_000_000, mtime=0))
    tracemalloc.start()
    try:
        with pytest.raises(PayloadTooLarge, match=r"more than 1048576 bytes \(1 MiB\).* MAX_INFLATED_MIB"):
            decode(data, 2**20)
        assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
    finally:
        tracemalloc.stop()


@given(st.text() | st.binary().map(packed) | st.binary().map(lambda b: packed(gzip.compress(b, mtime=0))))
def test_arbitrary_text_raises_a_payload_error(data: str) -> None:
    """No other exception is raised."""
    with pytest.raises(PayloadError):
        decode(data, CAP)


@given(st.integers(0), st.integers(0, 255))
def test_a_payload_with_one_changed_byte_is_never_misread(where: int, byte: int) -> None:
    """Checksums are verified: the result is the same batch, or an error."""
    damaged = bytearray(gzip.compress(RAW, mtime=0))
    damaged[where % len(damaged)] = byte
    with suppress(PayloadError):
        batch, whole = decode(packed(bytes(damaged)), CAP), decode(packed(gzip.compress(RAW, mtime=0)), CAP)
        assert isinstance(batch, LogBatch)
        assert isinstance(whole, LogBatch)
        assert (batch.log_stream, batch.lines) == (whole.log_stream, whole.lines)


class TestBatchId:
    """The id of a batch, for claims."""

    def test_a_retry_and_a_replay_have_the_same_id(self) -> None:
        """Lambda and the failure queue deliver the same payload."""
        first, again = (decode(packed(gzip.compress(RAW, mtime=0)), CAP) for _ in range(2))
        assert isinstance(first, LogBatch)
        assert first == again
        assert len(bytes.fromhex(first.batch_id)) == 32

    @pytest.mark.parametrize("change", ["owner", "logGroup", "logStream"])
    def test_different_batches_have_different_ids(self, change: str) -> None:
        """They differ in owner, log group or log stream."""
        first, other = decode(changed(), CAP), decode(changed(**{change: "other"}), CAP)
        assert isinstance(first, LogBatch)
        assert isinstance(other, LogBatch)
        assert first.batch_id != other.batch_id

    def test_events_with_the_same_text_are_different_events(self) -> None:
        """Their ids differ, so the payloads differ."""
        events = [{"id": name, "timestamp": 1, "message": "x"} for name in "ab"]
        first, other = (decode(changed(logEvents=[event]), CAP) for event in events)
        assert isinstance(first, LogBatch)
        assert isinstance(other, LogBatch)
        assert (first.lines, first.batch_id == other.batch_id) == (other.lines, False)


def test_a_document_survives_the_round_trip() -> None:
    """Equal documents give equal events."""
    event = encode(DOCUMENT)
    assert event == encode(json.loads(json.dumps(DOCUMENT)))
    batch = decode(event["awslogs"]["data"], CAP)
    assert isinstance(batch, LogBatch)
    assert batch.lines == tuple(f"line {n}" for n in range(1000))


@pytest.mark.parametrize(
    ("escape", "text"),
    [
        ("\\ud800", "\ufffd"),
        ("\\uDFFF", "\ufffd"),
        ("\\ud83d x", "\ufffd x"),
        ("\\udc00\\ud800", "\ufffd\ufffd"),
        ("\\ud83d\\ude00", "\U0001f600"),
        ("\\ud83d\\ud83d\\ude00", "\ufffd\U0001f600"),
        ("\\\\ud800", "\\ud800"),
        ("\\\\\\ud800", "\\\ufffd"),
    ],
)
def test_an_escape_that_is_no_character_affects_its_line_not_the_batch(escape: str, text: str) -> None:
    """Half a surrogate pair is replaced; whole pairs and escaped backslashes keep their meaning."""
    poisoned = RAW.replace(b'line 5"', escape.encode() + b'"').replace(b'line 7"', b'\\ud800"')
    batch = decode(packed(gzip.compress(poisoned, mtime=0)), CAP)
    assert isinstance(batch, LogBatch)
    assert (batch.lines[4], batch.lines[5], batch.lines[7]) == ("line 4", text, "\ufffd")


def test_invalid_utf8_affects_its_line_not_the_batch() -> None:
    """The bytes are replaced; the reader marks the line as malformed."""
    batch = decode(packed(gzip.compress(RAW.replace(b"line 5", b"\xff"), mtime=0)), CAP)
    assert isinstance(batch, LogBatch)
    assert "\ufffd" in batch.lines
