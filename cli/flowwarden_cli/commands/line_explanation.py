"""`flowwarden read --explain LINE`: shows each field of one line, and how the reader classifies the line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from io import BytesIO
from itertools import zip_longest
from typing import Final

from flowwarden.errors import LogFormatError, NotFlowLogs
from flowwarden.network.addresses import AddressClassifier
from flowwarden.network.direction import DirectedFlow, resolve
from flowwarden.network.initiator import Initiator
from flowwarden.network.traffic import Traffic
from flowwarden.printable import printable
from flowwarden.records.columnar.flow_table import FlowTable
from flowwarden.records.fields import Field, Kind
from flowwarden.records.line_reader import LineReader
from flowwarden.records.log_format import BYTE_ORDER_MARK, LogFormat
from flowwarden.records.model import Flow, GapKind
from flowwarden.records.values import convert
from flowwarden.sources.chunks import Layouts, Lines, Unreadable
from flowwarden.sources.inputs import Input
from flowwarden.sources.read import pieces

_WIDEST: Final = 42
_HEADINGS: Final = ("field", "token", "value", "meaning")
_GAPS: Final = {
    GapKind.NODATA: "no traffic in this window; no records are missing",
    GapKind.SKIPDATA: "AWS skipped records of this window; the number of missing flows is unknown",
}


def explanation(text: str, layouts: Layouts) -> str:
    """Explain a line in any form that a source can have: with a timestamp, as JSON, below a header line.

    Raises:
        SourceError: the line has no supported format.
    """
    source = Input("the line", None, stream=BytesIO(_as_bytes(text)))
    try:
        parts = [part for piece in pieces(source, layouts, lambda _: None) for part in _of_piece(piece)]
    except LogFormatError as error:
        raise NotFlowLogs(str(error)) from error
    return "\n\n".join(parts) or "Nothing to explain: the line is blank or a header."


def _as_bytes(text: str) -> bytes:
    """The bytes of an argument.

    Python decodes bytes that are not UTF-8 as surrogates (PEP 383). Other surrogates are escaped.
    """
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace")


def _of_piece(piece: object) -> Iterator[str]:
    if isinstance(piece, Unreadable):
        yield f"Result: malformed, {piece.reason}."
    if isinstance(piece, Lines):
        yield from (_of_line(line, piece.layouts) for line in piece.lines if line.strip())


def _of_line(line: str, layouts: Layouts) -> str:
    tokens = line.removeprefix(BYTE_ORDER_MARK).split()
    layout = min(layouts, key=lambda each: abs(len(each.names) - len(tokens)))
    return "\n".join([*_table(_rows(layout, tokens)), "", *_verdict(line, layouts)])


def _rows(layout: LogFormat, tokens: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for field, token in zip_longest(layout.fields, tokens):
        if field is None:
            yield "(no field)", token, "", "more tokens than the log format has fields"
        elif token is None:
            yield field.name, "(no token)", "", field.meaning
        else:
            yield field.name, token, _value(field, token), field.meaning


def _value(field: Field, token: str) -> str:
    try:
        value = convert(field.kind, token)
    except ValueError as error:
        return f"✗ {str(error).removeprefix('which is ')}"
    if value is None:
        return "absent"
    if field.kind is Kind.SECONDS and isinstance(value, int):
        return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M:%S} UTC"
    return str(value)


def _table(rows: Iterator[tuple[str, ...]]) -> list[str]:
    lines = [_HEADINGS, *((*map(_cut, row[:-1]), row[-1]) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]


def _cut(cell: str) -> str:
    return printable(cell if len(cell) <= _WIDEST else f"{cell[:_WIDEST]}…")


def _verdict(line: str, layouts: Layouts) -> Iterator[str]:
    records = LineReader(layouts).read([line])
    for flow in records.flows:
        yield "Result: a flow."
        yield from _direction(flow)
    for gap in records.gaps:
        yield f"Result: a gap. {gap.kind}: {_GAPS[gap.kind]}."
    for bad in records.malformed:
        yield f"Result: malformed, {bad.reason}."
        if len(line.split()) not in {len(layout.names) for layout in layouts}:
            yield "If the line has a custom format, pass it: --format '${version} ${…}'."


def _direction(flow: Flow) -> Iterator[str]:
    (directed,) = resolve(Traffic(FlowTable.of([flow])), AddressClassifier())
    yield f"side: {directed.side or 'unknown: the line does not contain it'}"
    yield f"initiator: {_initiator(directed)}"
    yield "Based on this line only. Other lines may give more evidence; a policy defines your own addresses."


def _initiator(directed: DirectedFlow) -> str:
    verdict = directed.verdict
    if verdict.initiator is Initiator.UNKNOWN:
        return f"unknown: {verdict.evidence}"
    client = f"{directed.client} ({directed.client_class})"
    server = f"{directed.server} ({directed.server_class})"
    port = "" if directed.service_port is None else f", port {directed.service_port}"
    basis = f"confidence {verdict.confidence:.0%}: {verdict.evidence}"
    return f"the {verdict.initiator}, {client}, to {server}{port}; {basis}"
