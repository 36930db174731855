"""Names: the AWS field name of a column or key, in the spellings of AWS's own tools and tables.

AWS writes `log-status` in log formats, `log_status` in Parquet, `logStatus` in parseVPC and in CloudWatch
Logs Insights, where `start` is `startTime`. The table for Athena in AWS's older documentation has other
names, such as `sourceaddress`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from flowwarden.records.fields import BY_NAME
from flowwarden.records.log_format import BYTE_ORDER_MARK

MESSAGE: Final = "message"
"""The column that contains whole lines, in output of CloudWatch Logs and Firehose."""
ENDPOINTS: Final = ("srcaddr", "dstaddr")
"""The fields that a flow requires."""

_FORMER: Final = {
    "account": "account-id",
    "sourceaddress": "srcaddr",
    "destinationaddress": "dstaddr",
    "sourceport": "srcport",
    "destinationport": "dstport",
    "numpackets": "packets",
    "numbytes": "bytes",
    "starttime": "start",
    "endtime": "end",
}
_BY_LETTERS: Final = {name.replace("-", ""): name for name in BY_NAME} | _FORMER
_SEPARATORS: Final = re.compile(r"[\s_-]+")
_LONGEST: Final = 100  # a longer name belongs to no field and is not cached
_WORDS: Final = re.compile(r"\s*[A-Za-z][A-Za-z0-9_-]*(?:[\s,]+[A-Za-z][A-Za-z0-9_-]*)+[\s,]*")
_BRACED: Final = re.compile(r"\$\{([A-Za-z][A-Za-z0-9_-]*)\}")
_FEWEST: Final = 2


def field_name(column: str) -> str:
    """The AWS field name of a column; CloudWatch marks its own columns with `@`."""
    return _field_name(column) if len(column) <= _LONGEST else column[:_LONGEST]


def is_exact(column: str) -> bool:
    """Whether a column is spelled as in a log format, with dashes or underscores."""
    return column.strip().replace("_", "-") in BY_NAME


@lru_cache(maxsize=1024)
def _field_name(column: str) -> str:
    plain = column.strip().lstrip("@").lower()
    return _BY_LETTERS.get(_SEPARATORS.sub("", plain)) or plain.replace("_", "-")


def names_columns(names: Iterable[str]) -> bool:
    """Whether these field names are those of the columns of a table with flow records, or with lines."""
    known = set(names)
    return MESSAGE in known or len(known & BY_NAME.keys()) >= _FEWEST


def header_names(line: str) -> list[str] | None:
    """The field names in a header line, in order; None if the line is not a header, or has a field twice.

    In a header, all words are names and at least two are fields. If some are not fields, `srcaddr` is
    required. A log format as AWS has it, such as `${srcaddr} ${dstaddr}`, is a header, too.
    """
    if line[:1].isdigit():  # as nearly all records begin; the pattern takes twenty times as long
        return None
    plain = line.removeprefix(BYTE_ORDER_MARK)
    if "${" in plain:
        plain = _BRACED.sub(r"\1", plain)
    if not _WORDS.fullmatch(plain):
        return None
    names = [field_name(word) for word in plain.replace(",", " ").split()]
    known = BY_NAME.keys() & set(names)
    is_header = len(known) == len(names) or (len(known) >= _FEWEST and ENDPOINTS[0] in known)
    return names if is_header and len(known) >= _FEWEST and len(set(names)) == len(names) else None
