"""Hostile input for property tests: random bytes, and real records and envelopes with damage."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from functools import partial
from typing import Final

from hypothesis import strategies as st

from flowwarden.records.log_format import DEFAULT_LOG_FORMAT, STACK_LOG_FORMAT
from tests.records.strategies import TRICKY, lines
from tests.sources.held import ACCEPTED, HEADER, NODATA, REJECTED

_TEXT: Final = f"{HEADER}\n{ACCEPTED}\n{NODATA}\n{REJECTED}\n"
_EVENTS: Final = [{"id": "1", "timestamp": 1, "message": line} for line in (ACCEPTED, NODATA)]
_DOCUMENT: Final = {
    "messageType": "DATA_MESSAGE",
    "owner": "1",
    "logGroup": "g",
    "logStream": "s",
    "logEvents": _EVENTS,
}
_PAYLOAD: Final = base64.b64encode(gzip.compress(json.dumps(_DOCUMENT).encode(), mtime=0)).decode()
SEEDS: Final = tuple(
    each.encode() if isinstance(each, str) else each
    for each in (
        _TEXT,
        _TEXT.replace(" ", ","),
        f"@timestamp,@message\n1,{ACCEPTED}\n",
        f"2023-11-14T22:13:20+00:00 eni-0a-all {ACCEPTED}\n",
        f"EVENTS\t1\t{ACCEPTED}\t1\n",
        json.dumps(dict(zip(HEADER.split(), ACCEPTED.split(), strict=True))),
        json.dumps(_DOCUMENT, indent=1),
        json.dumps({"awslogs": {"data": _PAYLOAD}}),
        json.dumps({"Records": [{"kinesis": {"data": _PAYLOAD}}] * 2}),
        json.dumps({"records": [{"recordId": "1", "data": _PAYLOAD}]}),
        json.dumps({"results": [[{"field": "@message", "value": ACCEPTED}]]}),
        gzip.compress(_TEXT.encode(), mtime=0) * 2,
        gzip.compress(gzip.compress(json.dumps(_DOCUMENT).encode(), mtime=0), mtime=0),
        b"PAR1" + bytes(range(64)) + b"PAR1",
    )
)
"""A small source of each kind."""
PIECES: Final = (
    b"\0", b"\n", b"\r", b"\t", b" ", b",", b'"', b"\\", b"\\ud800", b"{", b"}", b"[", b"]", b"[],", b'{"a":',
    b"\x1b[31m", b"\x9b", b"\xff", b"\xef\xbb\xbf", "\u202e\u2028".encode(), b"\x1f\x8b\x08", b"srcaddr ",
    b"-", b"null", b"9" * 30, b"*********", b"2023-11-14T22:13:20 ",
)  # fmt: skip
"""Pieces that are inserted into the sources."""

type Damage = Callable[[bytes], bytes]


def cut(at: int) -> Damage:
    """Drop everything from a position on."""
    return lambda data: data[: at % (len(data) + 1)]


def flip(at: int, byte: int) -> Damage:
    """Replace the byte at a position."""
    return lambda data: data[: at % (len(data) + 1)] + bytes([byte]) + data[at % (len(data) + 1) + 1 :]


def put(at: int, piece: bytes, times: int) -> Damage:
    """Insert a piece at a position, repeated `times` times."""
    return lambda data: data[: at % (len(data) + 1)] + piece * times + data[at % (len(data) + 1) :]


WHOLE: Final[tuple[Damage, ...]] = (
    partial(gzip.compress, mtime=0),
    lambda data: data + data,
    lambda data: data[::-1],
)
"""Changes of the whole content."""
_AT: Final = st.integers(0, 5000)
DAMAGES: Final = (
    st.builds(cut, _AT)
    | st.builds(flip, _AT, st.integers(0, 255))
    | st.builds(put, _AT, st.sampled_from(PIECES) | st.binary(max_size=8), st.integers(1, 40))
    | st.sampled_from(WHOLE)
)


def texts() -> st.SearchStrategy[str]:
    """Lines, some of them nearly valid, and arbitrary text, including lone surrogates."""
    line = lines([DEFAULT_LOG_FORMAT, STACK_LOG_FORMAT]) | st.text() | st.sampled_from(TRICKY)
    return st.lists(line | st.text(st.characters(categories=["Cc", "Cf", "Cs", "Zl"])), max_size=6).map(
        "\n".join
    )


@st.composite
def sources(draw: st.DrawFn) -> bytes:
    """The bytes of a file, most of them damaged."""
    whole = st.sampled_from(SEEDS) | st.binary(max_size=200) | texts().map(_encoded)
    data = draw(whole)
    for damage in draw(st.lists(DAMAGES, max_size=4)):
        data = damage(data)
    return data


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
