"""The fields that a log format must have to be good enough, and what detectors lose without others. Pure.

The enforcer judges the formats of unmanaged flow logs with it. It does not import the monitor, so the table
of losses repeats what the detectors declare (`Detector.needs`); a test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from flowwarden.errors import LogFormatError
from flowwarden.records.line_reader import LineReader
from flowwarden.records.log_format import LogFormat

REQUIRED: Final = (
    *("interface-id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol"),
    *("packets", "bytes", "start", "end", "action", "log-status"),
)
"""Without one of these fields, detectors miss incidents, or no record verifies the delivery."""

DETECTORS_BY_FIELD: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "tcp-flags": (
            "egress-volume",
            "internet-to-admin-port",
            "internet-to-private",
            "new-egress-port",
            "unexpected-egress",
        ),
        "subnet-id": ("internet-to-private", "nacl-blocks-replies"),
    }
)
"""The detectors that find less, or nothing, in records without a field."""


@lru_cache(maxsize=256)  # most flow logs of an account have one of a few formats
def lacking(log_format: str | None) -> tuple[str, ...]:
    """Why a format, as EC2 writes it, is not good enough: what it lacks; empty if nothing.

    A format that EC2 does not describe is unknown, and lacks nothing: whether records arrive decides.
    """
    if log_format is None:
        return ()
    try:
        known = LogFormat.parse(log_format)
        if missing := tuple(each for each in REQUIRED if each not in known.names):
            return missing
        LineReader((known,))
    except LogFormatError as error:
        return (f"a readable format ({error})",)
    return ()


def losses(log_format: str | None) -> dict[str, tuple[str, ...]]:
    """The fields that a format lacks, each with the detectors that find less without it."""
    if log_format is None:
        return {}
    names = _names(log_format)
    return {name: users for name, users in DETECTORS_BY_FIELD.items() if name not in names}


def _names(log_format: str) -> tuple[str, ...]:
    try:
        return LogFormat.parse(log_format).names
    except LogFormatError:
        return ()
