"""Payloads: base64 of compressed or plain data within JSON, in subscriptions, Kinesis and Firehose."""

from __future__ import annotations

from io import BytesIO
from typing import Final

import pybase64

from flowwarden.errors import DamagedSource
from flowwarden.sources.stream import Allowance, Inflated, Stream

_ZLIB_DEFLATE: Final = 8  # the compression method in the low half of zlib's first byte
_ZLIB_CHECK: Final = 31  # divides zlib's first two bytes
_GZIP: Final = b"\x1f\x8b"
_OPENINGS: Final = (b"{", b"[")


def opened(data: str, name: str, allowance: Allowance) -> Stream:
    """The bytes of a payload: zlib is inflated, gzip is left to the caller.

    Args:
        data: the payload in base64.
        name: the source's name, for messages.
        allowance: limits the bytes that nested compression inflates to.

    Raises:
        DamagedSource: it is not base64, or neither compressed nor text with a line.
    """
    try:
        raw = pybase64.b64decode(data, validate=True)
    except ValueError as error:
        raise DamagedSource(f"{name}: its {len(data)} characters are not valid base64: {error}") from error
    stream = Stream(BytesIO(raw), name, len(raw))
    if _is_zlib(raw):
        return Inflated.of_zlib(stream, allowance.spend)
    if raw.startswith(_GZIP) or raw.lstrip().startswith(_OPENINGS) or b" " in raw[:LONGEST_WORD]:
        return stream
    raise DamagedSource(
        f"{name}: its {len(raw)} bytes begin with {raw[:2].hex() or 'nothing'}: neither gzip nor zlib"
    )


LONGEST_WORD: Final = 1000
"""Bytes at the beginning of a line among which there is a blank."""


def _is_zlib(raw: bytes) -> bool:
    first = int.from_bytes(raw[:2])
    return len(raw) > 1 and raw[0] & 0x0F == _ZLIB_DEFLATE and first % _ZLIB_CHECK == 0
