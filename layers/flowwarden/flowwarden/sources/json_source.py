"""JSON: records as objects, lines in messages, and subscription payloads."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from flowwarden.errors import DamagedSource, PayloadError
from flowwarden.records.fields import BY_NAME
from flowwarden.records.log_format import LogFormat
from flowwarden.records.subscription import LogBatch, decode
from flowwarden.sources.chunks import Layouts, Note, Piece, Row, Unreadable, gathered, shortened
from flowwarden.sources.columns import ENDPOINTS, MESSAGE, field_name, left_out, token
from flowwarden.sources.json_stream import Document, documents

LARGEST_PAYLOAD: Final = 2**26
"""Maximum size of an inflated subscription payload, in bytes."""

_MARKS: Final = frozenset({"srcaddr", "log-status"})
_MOST_NAMES: Final = 100


def json_pieces(blocks: Iterable[bytes], layouts: Layouts, name: str) -> Iterator[Piece]:
    """Split JSON into lines.

    Accepts, even mixed: objects with AWS's names as keys (dashes or underscores); `{"message": "<line>"}`;
    `{"events": […]}` as printed by `aws logs filter-log-events`; the document of a subscription; the Lambda
    event that contains it (`awslogs.data`); the Kinesis event that contains several
    (`Records[].kinesis.data`).

    Raises:
        DamagedSource: the source ends within a value, or a payload cannot be decoded.
    """
    return gathered(_rows(blocks, layouts, name))


def _rows(blocks: Iterable[bytes], layouts: Layouts, name: str) -> Iterator[Row | Unreadable | Note | None]:
    records = _Records()
    for document in documents(blocks, name):
        if not isinstance(document, Document):
            yield document
            continue
        content, number = document.content, document.number
        try:
            messages = _messages(content)
        except PayloadError as error:
            raise DamagedSource(f"{name}: the payload in line {number} cannot be decoded: {error}") from error
        if messages is None:
            yield records.row(number, content)
        elif isinstance(messages, str):
            yield Unreadable(number, _shown(content), messages)
        else:
            yield from (Row(layouts, number, message) for message in messages)
    yield from left_out(sorted(records.left_out))


def _messages(content: Mapping[str, Any]) -> Sequence[str] | str | None:
    """The lines in an object, or why they cannot be found; None if the object may be a record.

    Raises:
        PayloadError: it contains a payload that cannot be decoded.
    """
    match content:
        case {"awslogs": {"data": str(data)}}:
            return _of_payload(data)
        case {"Records": [*entries]}:
            return _of_kinesis(entries)
        case {"messageType": "CONTROL_MESSAGE"}:
            return []
        case {"messageType": "DATA_MESSAGE", "logEvents": [*events]} | {"events": [*events]}:
            return _of_events(events)
        case {"message": str(message)} if ENDPOINTS[0] not in content:
            return [message]
        case _:
            return None


def _of_payload(data: str) -> list[str]:
    batch = decode(data, LARGEST_PAYLOAD)
    return list(batch.lines) if isinstance(batch, LogBatch) else []


def _of_kinesis(entries: Sequence[Any]) -> list[str] | str:
    lines: list[str] = []
    for entry in entries:
        match entry:
            case {"kinesis": {"data": str(data)}}:
                lines += _of_payload(data)
            case _:
                return "contains Records that are not from a Kinesis stream"
    return lines


def _of_events(events: Sequence[Any]) -> list[str] | str:
    messages = [event.get(MESSAGE) if isinstance(event, dict) else None for event in events]
    lines = [message for message in messages if isinstance(message, str)]
    return lines if len(lines) == len(messages) else f"contains log events without {MESSAGE!r}"


class _Records:
    """Objects that are records. The layout grows with the names found; missing values are absent."""

    def __init__(self) -> None:
        self.left_out: set[str] = set()
        self._layout = LogFormat(ENDPOINTS)
        self._is_empty = True

    def row(self, number: int, content: Mapping[str, Any]) -> Row | Unreadable:
        """The object as a line with all fields found so far."""
        values = {field_name(key): value for key, value in content.items()}
        if values.keys().isdisjoint(_MARKS):
            return Unreadable(number, _shown(content), "an object without the fields of a flow record")
        self._learn(values)
        try:
            line = " ".join([token(BY_NAME[name], values.get(name)) for name in self._layout.names])
        except ValueError as error:
            return Unreadable(number, _shown(content), str(error))
        return Row((self._layout,), number, line)

    def _learn(self, values: Mapping[str, Any]) -> None:
        seen = () if self._is_empty else self._layout.names
        new = tuple(name for name in values if name in BY_NAME and name not in seen)
        if new:
            names = (*seen, *new)
            lacking = tuple(name for name in ENDPOINTS if name not in names)
            self._layout = LogFormat((*names, *lacking))
            self._is_empty = False
        if len(self.left_out) < _MOST_NAMES:
            self.left_out |= values.keys() - BY_NAME.keys()


def _shown(content: Mapping[str, Any]) -> str:
    return shortened(json.dumps(content, ensure_ascii=False, default=str))
