"""Records as JSON lines with AWS's field names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, Final, cast

import msgspec
from msgspec import Struct

from flowwarden.records.model import Flow, Gap, Malformed

_ENCODER: Final = msgspec.json.Encoder()
_OTHERS: Final = re.compile(r"[^\n -~]+")
"""Everything except visible ASCII and line breaks: control characters and characters that reorder or hide
text among it."""
_LAYOUT: Final = attrgetter("layout")
_STATUS: Final = "log-status"


def flows_as_json(flows: Iterable[Flow]) -> bytes:
    """Each flow with all fields of its log format, in order: numbers as numbers, absent ones as null."""
    return b"".join(_lines(_mappings(layout.names, same)) for layout, same in groupby(flows, _LAYOUT))


def _mappings(names: Sequence[str], flows: Iterable[Flow]) -> list[dict[str, Any]]:
    """The fields of flows of one log format; a flow is a struct in the order of its log format."""
    tuples = map(msgspec.structs.astuple, cast("Iterable[Struct]", flows))
    return [dict(zip(names, values, strict=False)) for values in tuples]  # strict would be a tenth slower


def gaps_as_json(gaps: Iterable[Gap]) -> bytes:
    """Each gap: its interface, start, end and kind."""
    return _lines(gap_as_mapping(gap) for gap in gaps)


def gap_as_mapping(gap: Gap) -> dict[str, Any]:
    """The fields of a gap by AWS's names; its kind is the log status."""
    values = msgspec.structs.asdict(gap)
    kind = values.pop("kind")
    return {name.replace("_", "-"): value for name, value in values.items()} | {_STATUS: kind}


def malformed_as_json(source: str, malformed: Iterable[tuple[int, Malformed]]) -> bytes:
    """Each malformed line: its source and line number, the reason, and its text.

    The name of a file may contain bytes that are not UTF-8; they are printed as escapes in hexadecimal.
    """
    name = os.fsencode(source).decode("utf-8", "backslashreplace")
    return _lines(
        {"source": name, "line": number, "reason": _whole(bad.reason), "text": _whole(bad.line)}
        for number, bad in malformed
    )


def _whole(text: str) -> str:
    """The text with escapes in place of lone surrogates, which UTF-8 cannot encode."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _lines(records: Iterable[Mapping[str, Any]]) -> bytes:
    """Records as JSON lines. Characters that control a terminal are escaped; their values do not change."""
    lines = _ENCODER.encode_lines(records)
    return (
        lines if lines.isascii() and b"\x7f" not in lines else _OTHERS.sub(_escaped, lines.decode()).encode()
    )


def _escaped(found: re.Match[str]) -> str:
    if found[0].isprintable():
        return found[0]
    pairs = found[0].encode("utf-16-be")
    return "".join(f"\\u{pairs[at : at + 2].hex()}" for at in range(0, len(pairs), 2))
