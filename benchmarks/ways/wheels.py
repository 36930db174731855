"""The lower bound of reading a payload with the fastest packages available."""

from __future__ import annotations

import deflate
import msgspec
import pybase64
from msgspec import Struct

from benchmarks.ways.way import Event, Way
from flowwarden.records.log_format import LogFormat


class _LogEvent(Struct, gc=False):
    message: str


class _Document(Struct):
    logEvents: list[_LogEvent]  # noqa: N815 -- CloudWatch Logs' name; renaming would cost time


_DECODER = msgspec.json.Decoder(_Document)


def floor(_layout: LogFormat) -> Way:
    """pybase64, libdeflate, and msgspec decoding only the messages."""
    return Way(run=_floor, aggregates=None)


def messages(event: Event) -> list[str]:
    """The lines of an event, decoded as fast as possible."""
    return [each.message for each in _decoded(event)]


def _decoded(event: Event) -> list[_LogEvent]:
    compressed = pybase64.b64decode(event["awslogs"]["data"], validate=True)
    return _DECODER.decode(deflate.gzip_decompress(compressed)).logEvents


def _floor(event: Event) -> int:
    return len(_decoded(event))
