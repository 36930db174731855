"""Objects: flow records as JSON objects, and messages that are such objects, converted to lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote

from flowwarden.records.fields import BY_NAME, Kind
from flowwarden.records.log_format import LogFormat
from flowwarden.sources.chunks import Layouts, Row, Unreadable, shortened
from flowwarden.sources.columns import token
from flowwarden.sources.names import ENDPOINTS, field_name, is_exact

MOST_NAMES: Final = 100
"""Maximum names of ignored keys that the note about them can contain."""

_MARKS: Final = frozenset({"srcaddr", "dstaddr", "log-status"})
_OPENING: Final = "{"
_TO_ENCODE: Final = re.compile(r"[%\s\ufeff]")
"""Characters that a value in a line cannot contain, and the one that encodes them."""


class Objects:
    """Converts objects to lines. The log format grows with the names found; missing values are absent."""

    def __init__(self) -> None:
        self.left_out: set[str] = set()
        self._layout = LogFormat(ENDPOINTS)
        self._is_empty = True

    def row(self, number: int, content: Mapping[str, Any]) -> Row | Unreadable:
        """The object as a line with all fields found so far."""
        values = _by_field(content)
        if values.keys().isdisjoint(_MARKS):
            return Unreadable(number, shown(content), "an object without the fields of a flow record")
        self._learn(values)
        try:
            line = " ".join([_token(name, values.get(name)) for name in self._layout.names])
        except ValueError as error:
            return Unreadable(number, shown(content), str(error))
        return Row((self._layout,), number, line)

    def rows(self, number: int, message: str, layouts: Layouts) -> Iterator[Row | Unreadable]:
        """A message: a line, or the JSON object into which the log transformer parseVPC converts a line."""
        content = _object(message) if message.lstrip()[:1] == _OPENING else None
        if content is not None:
            yield self.row(number, content)
        else:
            yield Row(layouts, number, message)

    def _learn(self, values: Mapping[str, Any]) -> None:
        seen = () if self._is_empty else self._layout.names
        new = tuple(name for name in values if name in BY_NAME and name not in seen)
        if new:
            names = (*seen, *new)
            lacking = tuple(name for name in ENDPOINTS if name not in names)
            self._layout = LogFormat((*names, *lacking))
            self._is_empty = False
        if len(self.left_out) < MOST_NAMES:
            self.left_out.update(sorted(values.keys() - BY_NAME.keys())[:MOST_NAMES])


def is_record(content: Mapping[str, Any]) -> bool:
    """Whether an object has the fields of a record."""
    names = _keys(tuple(content))
    return "srcaddr" in names or "log-status" in names


def _by_field(content: Mapping[str, Any]) -> dict[str, Any]:
    """The values by field name; of several spellings of a name, AWS's own counts."""
    return {name: content[key] for name, key in _keys(tuple(content)).items()}


@lru_cache(maxsize=1)  # the objects of a source usually have the same keys; untrusted keys may be long
def _keys(keys: tuple[str, ...]) -> Mapping[str, str]:
    """The key for each field name; of several spellings, AWS's own counts."""
    found: dict[str, str] = {}
    for key in keys:
        name = field_name(key)
        if name not in found or is_exact(key):
            found[name] = key
    return found


def _token(name: str, value: object) -> str:
    """The value as in a line. Texts in objects are decoded; they are encoded again, to remain one token."""
    field = BY_NAME[name]
    if field.kind is Kind.ENCODED_TEXT and isinstance(value, str) and value not in ("", "-"):
        return _TO_ENCODE.sub(lambda found: quote(found[0], safe=""), value)
    return token(field, value)


def _object(message: str) -> dict[str, Any] | None:
    try:
        content = json.loads(message)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def shown(content: object) -> str:
    """A value as JSON for the list of malformed lines, shortened."""
    return shortened(json.dumps(content, ensure_ascii=False, default=str))
