"""Records as JSON lines with AWS's field names."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, Final, cast

import msgspec
from msgspec import Struct

from flowwarden.records.model import Flow, Gap, Malformed

_ENCODER: Final = msgspec.json.Encoder()
_LAYOUT: Final = attrgetter("layout")
_STATUS: Final = "log-status"


def flows_as_json(flows: Iterable[Flow]) -> bytes:
    """Each flow with all fields of its layout, in their order: numbers as numbers, absent ones as null."""
    return b"".join(
        _ENCODER.encode_lines(_mappings(layout.names, same)) for layout, same in groupby(flows, _LAYOUT)
    )


def _mappings(names: Sequence[str], flows: Iterable[Flow]) -> list[dict[str, Any]]:
    """The fields of flows of one layout; a flow is a struct in the order of its layout."""
    tuples = map(msgspec.structs.astuple, cast("Iterable[Struct]", flows))
    return [dict(zip(names, values, strict=False)) for values in tuples]  # strict costs a tenth


def gaps_as_json(gaps: Iterable[Gap]) -> bytes:
    """Each gap: its interface, start, end and kind."""
    return _ENCODER.encode_lines([gap_as_mapping(gap) for gap in gaps])


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
    return _ENCODER.encode_lines(
        [
            {"source": name, "line": number, "reason": bad.reason, "text": bad.line}
            for number, bad in malformed
        ]
    )
