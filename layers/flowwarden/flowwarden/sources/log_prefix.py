"""Removes what tools write before a line of CloudWatch Logs: a timestamp, and the name of its log stream.

Exports to S3 and `aws logs tail --format short` write the timestamp alone, `aws logs tail` in its other
formats also the name.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

_TIMESTAMP: Final = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d|[ ]UTC)?\s+", re.ASCII
)
_FLOW_LOG_STREAM: Final = re.compile(r"[a-z0-9-]+-[0-9a-f]+-(?:all|accept|reject)", re.ASCII)
"""The name that VPC Flow Logs give to a log stream: the interface and the traffic type."""
_COLOR: Final = re.compile(r"\x1b\[[0-9;]*m")
_OBJECT: Final = "{"


def is_stamped(line: str) -> bool:
    """Whether the line begins with a timestamp."""
    return _TIMESTAMP.match(line) is not None


def without_prefix(line: str, sizes: Collection[int]) -> str:
    """The line without a timestamp and the name of a log stream; unchanged if it has no timestamp.

    Args:
        line: the line.
        sizes: the possible numbers of fields of a record. One token more is the name of the log stream.
    """
    stamp = _TIMESTAMP.match(line)
    if stamp is None:
        return line
    rest = line[stamp.end() :]
    if "\x1b" in rest:
        rest = _COLOR.sub("", rest)
    first, _, record = rest.partition(" ")
    if _FLOW_LOG_STREAM.fullmatch(first) or record.startswith(_OBJECT):
        return record
    tokens = len(rest.split())
    return record if tokens not in sizes and tokens - 1 in sizes else rest
