"""The payload with which CloudWatch Logs delivers log events: base64 of gzip or zlib of JSON.

The same payload is in `awslogs.data` of a Lambda event and in `kinesis.data` of a Kinesis record.
Source: CloudWatch Logs User Guide, "Real-time processing of log data with subscriptions".
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from collections.abc import Mapping
from operator import attrgetter
from typing import Any, Final

import msgspec
import pybase64
from isal import isal_zlib
from msgspec import Struct

from flowwarden.errors import CorruptPayload, PayloadTooLarge

_GZIP_MAGIC: Final = b"\x1f\x8b"
_GZIP_WINDOW: Final = 31  # for zlib: expect a gzip header and checksum
_ZLIB_WINDOW: Final = 15
_ZLIB_DEFLATE: Final = 8  # the compression method in the low half of zlib's first byte
_MIB: Final = 2**20


class LogBatch(Struct, frozen=True):
    """The log events of one payload, all from one log stream."""

    owner: str
    """Account id of the log group."""
    log_group: str
    log_stream: str
    lines: tuple[str, ...]
    """The messages, each one line of a flow log, in the order of the payload."""
    batch_id: str
    """A hash that is equal for retries and replays of this batch only (64 hex digits)."""


class ControlMessage(Struct, frozen=True):
    """A message with which CloudWatch Logs checks the destination; it contains no flow log records."""


class _LogEvent(Struct, gc=False):
    """The decoded part of a log event; ids and timestamps are skipped for speed."""

    message: str


class _Document(Struct, rename="camel"):
    """The decoded part of the JSON document."""

    message_type: str
    owner: str
    log_group: str
    log_stream: str
    log_events: list[_LogEvent]


_HIGH: Final = r"\\u[dD][89abAB][0-9a-fA-F]{2}"
_LOW: Final = r"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_ESCAPE: Final = re.compile(rf"{_HIGH}{_LOW}|(?P<half>{_HIGH}|{_LOW})|\\.", re.DOTALL)
"""An escape in a JSON string. `half`: a surrogate without its other half, which is no character."""
_MESSAGE: Final = attrgetter("message")
_DECODER: Final = msgspec.json.Decoder(_Document)


def decode(data: str, max_bytes: int) -> LogBatch | ControlMessage:
    """Decode a payload that inflates to at most `max_bytes` bytes.

    Raises:
        CorruptPayload: base64, compression or JSON is invalid, or the document is not a subscription message.
        PayloadTooLarge: it inflates to more than `max_bytes`; nothing beyond that was held in memory.
    """
    compressed = _from_base64(data)
    document = _from_json(_inflate(compressed, max_bytes))
    match document.message_type:
        case "DATA_MESSAGE":
            return LogBatch(
                document.owner,
                document.log_group,
                document.log_stream,
                tuple(map(_MESSAGE, document.log_events)),
                hashlib.sha256(compressed).hexdigest(),
            )
        case "CONTROL_MESSAGE":
            return ControlMessage()
        case other:
            raise CorruptPayload(f"messageType is {other[:40]!r}, not DATA_MESSAGE or CONTROL_MESSAGE")


def encode(document: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """The Lambda event for a subscription document; equal documents give equal events."""
    compressed = gzip.compress(msgspec.json.encode(document), mtime=0)
    return {"awslogs": {"data": base64.b64encode(compressed).decode("ascii")}}


def _from_base64(data: str) -> bytes:
    try:
        return pybase64.b64decode(data, validate=True)
    except ValueError as error:
        raise CorruptPayload(
            f"the {len(data)} characters of the payload are not valid base64: {error}"
        ) from error


def _inflate(compressed: bytes, max_bytes: int) -> bytes:
    """Inflate gzip or zlib, detected by the first bytes; holds at most one byte more than `max_bytes`."""
    inflater = isal_zlib.decompressobj(wbits=_window(compressed))
    try:
        inflated = inflater.decompress(compressed, max_length=max_bytes + 1)
    except isal_zlib.error as error:  # type: ignore[misc]  # isal's stub calls the class an instance
        raise CorruptPayload(f"the {len(compressed)} compressed bytes do not inflate: {error}") from error
    if len(inflated) > max_bytes:
        raise PayloadTooLarge(
            f"{len(compressed)} compressed bytes inflate to more than {max_bytes} bytes "
            f"({max_bytes / _MIB:g} MiB); if such batches are legitimate, increase MAX_INFLATED_MIB"
        )
    if not inflater.eof:
        raise CorruptPayload(
            f"the compressed stream is truncated: {len(compressed)} bytes inflated to {len(inflated)} bytes, "
            "and the end is missing"
        )
    if inflater.unused_data:
        raise CorruptPayload(
            f"{len(inflater.unused_data)} of {len(compressed)} bytes follow the end of the compressed stream"
        )
    return inflated


def _window(compressed: bytes) -> int:
    if compressed.startswith(_GZIP_MAGIC):
        return _GZIP_WINDOW
    if compressed and compressed[0] & 0x0F == _ZLIB_DEFLATE:
        return _ZLIB_WINDOW
    raise CorruptPayload(
        f"the {len(compressed)} bytes of the payload begin with {compressed[:2].hex() or 'nothing'}: "
        "neither gzip nor zlib"
    )


def _from_json(inflated: bytes) -> _Document:
    try:
        return _decode(inflated)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CorruptPayload(
            f"the {len(inflated)} inflated bytes are not a subscription message: {error}"
        ) from error


def _decode(inflated: bytes) -> _Document:
    """The document; what cannot be text is replaced, so that it affects only its line, not the batch."""
    try:
        return _DECODER.decode(inflated)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _DECODER.decode(as_text(inflated).encode())


def as_text(json: bytes) -> str:
    """JSON as text, with a replacement character for invalid UTF-8 and for escapes of half a character."""
    return _ESCAPE.sub(_valid_escape, json.decode(errors="replace"))


def _valid_escape(escape: re.Match[str]) -> str:
    return "\\ufffd" if escape["half"] else escape[0]
