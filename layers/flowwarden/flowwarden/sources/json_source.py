"""JSON: records as objects, lines in messages, and the envelopes in which AWS's services deliver them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from flowwarden.errors import DamagedSource, SourceError
from flowwarden.sources.chunks import Layouts, Lines, Note, Piece, Row, Unreadable, gathered
from flowwarden.sources.columns import left_out
from flowwarden.sources.json_stream import Document, documents
from flowwarden.sources.names import MESSAGE
from flowwarden.sources.objects import Objects, is_record, shown

type Unpack = Callable[[str, int], Iterator[Piece]]
"""A function that returns the lines in a payload, from its base64 and its depth in other payloads. Raises
SourceError if the payload cannot be decoded."""
type Rows = Iterator[Row | Unreadable | Note | None]

_OWN_MESSAGE: Final = "@message"
_EVENTS: Final = frozenset({"events", "logEvents"})
_CONTROL: Final = "CONTROL_MESSAGE"
_NO_EVENT: Final = f"contains log events without {MESSAGE!r}"
_NO_STREAM: Final = "contains Records that are not from Kinesis, Firehose or a queue"


def json_pieces(
    blocks: Iterable[bytes], layouts: Layouts, name: str, unpack: Unpack, depth: int = 0
) -> Iterator[Piece]:
    """Split JSON into lines.

    Accepts, even mixed: objects with AWS's names as keys, in any of its spellings; `{"message": "<line>"}`;
    `{"events": […]}` as printed by `aws logs filter-log-events`; results of CloudWatch Logs Insights; the
    document of a subscription; the Lambda event that contains it (`awslogs.data`), also in the record of a
    failed invocation (`requestPayload`); events of Kinesis (`Records[].kinesis.data`), of Firehose
    transformations (`records[].data`) and of queues (`Records[].body`) that contain several.

    Raises:
        DamagedSource: the source ends within a value, or, once all else is read, a payload could not be
            decoded.
    """
    return gathered(_Reading(layouts, name, unpack, depth).rows(blocks))


class _Reading:
    """Reads the values of one source."""

    def __init__(self, layouts: Layouts, name: str, unpack: Unpack, depth: int) -> None:
        self._layouts = layouts
        self._name = name
        self._unpack = unpack
        self._depth = depth
        self._objects = Objects()
        self._failures: list[str] = []

    def rows(self, blocks: Iterable[bytes]) -> Rows:
        """All rows of the values, then the notes."""
        for document in documents(blocks, self._name):
            if isinstance(document, Document):
                yield from self._of_document(document)
            else:
                yield document
        yield from left_out(sorted(self._objects.left_out))
        if self._failures:
            count = len(self._failures)
            others = f" ({count} payloads cannot be decoded)" if count > 1 else ""
            raise DamagedSource(f"{self._name}: {self._failures[0]}{others}")

    def _of_document(self, document: Document) -> Rows:
        number, content = document.number, document.content
        if document.streamed:
            yield from self._of_envelope(number, content, document.streamed)
        elif document.within in _EVENTS:
            if document.around.get("messageType") != _CONTROL:
                yield from self._of_event(number, content)
        elif isinstance(content, str):
            yield from self._objects.rows(number, content, self._layouts)
        elif isinstance(content, dict):
            yield from self._of_object(number, content, document.within)
        elif document.within == "results" and (row := _of_cells(content)) is not None:
            yield from self._of_object(number, row, document.within)
        else:
            yield Unreadable(number, shown(content), "not a JSON object")

    def _of_envelope(self, number: int, content: Mapping[str, Any], streamed: frozenset[str]) -> Rows:
        """An object whose lists were streamed: the record in its other members, if there is one."""
        kind = content.get("messageType")
        if is_record(content) or ("logEvents" in streamed and kind not in (None, "DATA_MESSAGE", _CONTROL)):
            yield self._objects.row(number, content)

    def _of_event(self, number: int, event: object) -> Rows:
        if isinstance(event, dict) and isinstance(message := event.get(MESSAGE), str):
            yield from self._objects.rows(number, message, self._layouts)
        else:
            yield Unreadable(number, shown(event), _NO_EVENT)

    def _of_object(self, number: int, content: Mapping[str, Any], within: str) -> Rows:
        match content:
            case {"awslogs": {"data": str(data)}} | {"kinesis": {"data": str(data)}} | {"data": str(data)}:
                yield from self._of_payload(number, data)
            case {"Data": str(data)} if within == "Records":
                yield from self._of_payload(number, data)
            case {"requestPayload": dict(inner)}:
                yield from self._of_object(number, inner, "")
            case {"body": str(text)} | {"Body": str(text)} if within:
                yield from self._of_text(number, text)
            case {"messageType": "CONTROL_MESSAGE"}:
                return
            case {"logRecord": dict(inner)}:
                yield from self._of_object(number, inner, "results")
            case _:
                yield from self._of_record(number, content, within)

    def _of_record(self, number: int, content: Mapping[str, Any], within: str) -> Rows:
        """An object that contains a line as its message, or the fields of a record."""
        message = content.get(_OWN_MESSAGE, None if is_record(content) else content.get(MESSAGE))
        if isinstance(message, str):
            yield from self._objects.rows(number, message, self._layouts)
        elif within in ("Records", "records", "Messages") and not is_record(content):
            yield Unreadable(number, shown(content), _NO_STREAM)
        else:
            yield self._objects.row(number, content)

    def _of_text(self, number: int, text: str) -> Rows:
        """JSON that is a text in JSON, such as the body of a queue's message."""
        yield from self._below(number, json_pieces([text.encode(errors="replace")], *self._inner()))

    def _of_payload(self, number: int, data: str) -> Rows:
        yield from self._below(number, self._unpack(data, self._depth + 1))

    def _inner(self) -> tuple[Layouts, str, Unpack, int]:
        if self._depth >= DEEPEST:
            return self._layouts, self._name, _refuse, self._depth
        return self._layouts, self._name, self._unpack, self._depth + 1

    def _below(self, number: int, pieces: Iterator[Piece]) -> Rows:
        """The rows of a payload, each with the number of the line in which the payload begins."""
        try:
            for piece in pieces:
                if isinstance(piece, Lines):
                    yield from (Row(piece.layouts, number, line) for line in piece.lines)
                elif isinstance(piece, Unreadable):
                    yield Unreadable(number, piece.text, piece.reason)
                else:
                    yield piece
        except SourceError as error:
            reason = str(error).removeprefix(f"{self._name}: ")
            self._failures.append(f"the payload in line {number} cannot be decoded: {reason}")


DEEPEST: Final = 4
"""Maximum depth of payloads within payloads, such as a payload in an event in a queue's message."""


def _refuse(_data: str, depth: int) -> Iterator[Piece]:
    raise DamagedSource(f"payloads are nested more than {depth} times")


def _of_cells(row: object) -> dict[str, Any] | None:
    """A row of `aws logs get-query-results` as an object; None if it is something else."""
    if not isinstance(row, Sequence) or isinstance(row, str):
        return None
    cells: dict[str, Any] = {}
    for cell in row:
        match cell:
            case {"field": str(name), "value": value}:
                cells[name] = value
            case _:
                return None
    return cells
