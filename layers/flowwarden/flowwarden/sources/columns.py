"""Tables: converts named columns of typed values (CSV, JSON objects, Parquet) to lines of a log format.

Other tools write names with underscores, absent values as empty, and numbers as text or with decimals. The
lines use AWS's own form, so that one reader handles all of them.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from typing import Final

from flowwarden.records.fields import BY_NAME, Field, Kind
from flowwarden.records.log_format import LogFormat
from flowwarden.records.values import ABSENT
from flowwarden.sources.chunks import Note
from flowwarden.sources.names import ENDPOINTS, field_name, is_exact, names_columns

_TEXTS: Final = frozenset({Kind.TEXT, Kind.ENCODED_TEXT, Kind.ADDRESS})
_NOTHING: Final = frozenset({"", "none", "null", "nan"})
_DECIMALS: Final = re.compile(r"(\d+)\.0+")
_ACCOUNT: Final = "account-id"
_ACCOUNT_DIGITS: Final = 12


def csv_cells(line: str) -> list[str]:
    """The cells of one CSV line. Raises csv.Error if it is invalid, such as with a carriage return."""
    return next(csv.reader([line]), [])


def csv_columns(line: str) -> list[str] | None:
    """The columns, as spelled, if the line is the header of a CSV file with flow records; otherwise None."""
    if "," not in line:
        return None
    try:
        cells = csv_cells(line)
    except csv.Error:
        return None
    return cells if names_columns(map(field_name, cells)) else None


class Columns:
    """Converts rows of these columns to lines. Columns that are not flow log fields are ignored.

    Raises:
        LogFormatError: none of the columns is a flow log field, or a field occurs twice.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        names = _unique([column.strip() for column in columns])
        known = [(position, BY_NAME[name]) for position, name in enumerate(names) if name in BY_NAME]
        absent = tuple(name for name in ENDPOINTS if name not in names)
        self.layout = LogFormat(tuple(field.name for _, field in known) + (absent if known else ()))
        self.left_out = tuple(name for name in names if name not in BY_NAME)
        self.positions = tuple(position for position, _ in known)
        self._known = known
        self._absent = [ABSENT] * len(absent)

    def line(self, row: Sequence[object]) -> str:
        """The row as a line of the log format.

        Raises:
            ValueError: a value is neither text nor a number; the message says which.
        """
        return " ".join([token(field, row[position]) for position, field in self._known] + self._absent)

    def notes(self) -> list[Note]:
        """Notes about the columns for the user."""
        return left_out(self.left_out)


def _unique(columns: Sequence[str]) -> list[str]:
    """The field names of columns. If several columns spell one field, only AWS's spelling is converted."""
    names = [field_name(column) for column in columns]
    exact = {name for name, column in zip(names, columns, strict=True) if is_exact(column)}
    seen: set[str] = set()
    for at, column in enumerate(columns):
        if not is_exact(column) and (names[at] in exact or names[at] in seen):
            names[at] = column
        seen.add(names[at])
    return names


def left_out(names: Sequence[str]) -> list[Note]:
    """The note about columns that are not flow log fields."""
    if not names:
        return []
    return [Note(f"ignored columns that are not flow log fields: {', '.join(names)}")]


def token(field: Field, value: object) -> str:
    """A value in the form that AWS writes; the reader checks whether it is valid for the field.

    Raises:
        ValueError: the value is neither text, a number nor absent.
    """
    if value is None:
        return ABSENT
    if type(value) is int and not field.name.endswith(_ACCOUNT):
        return str(value)  # fast path: most values of JSON
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"{field.name} is a {type(value).__name__}, neither text nor a number")  # noqa: TRY004 - ValueError means "malformed"
    text = str(value).strip()
    if text.lower() in _NOTHING and (field.kind is not Kind.ENCODED_TEXT or not text):
        return ABSENT
    may_be_decimal = "." in text and (field.kind not in _TEXTS or isinstance(value, float))
    if may_be_decimal and (whole := _DECIMALS.fullmatch(text)):
        text = whole[1]
    if isinstance(value, int | float) and field.name.endswith(_ACCOUNT):
        return text.zfill(_ACCOUNT_DIGITS)  # a number has lost its leading zeros
    return text
