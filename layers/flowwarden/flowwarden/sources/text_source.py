"""Text: splits bytes into lines; header lines define the layout."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from flowwarden.records.log_format import BYTE_ORDER_MARK, LogFormat, is_header
from flowwarden.sources.chunks import Layouts, Lines, Note, Piece, Unreadable, shortened
from flowwarden.sources.columns import ENDPOINTS

LONGEST_LINE: Final = 2**16
"""Maximum characters; a longer line is malformed and never completely in memory."""

_LONGEST_TAIL: Final = 4 * LONGEST_LINE  # a UTF-8 character has up to four bytes
_TIMESTAMP: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?\s+")
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]*")


def text_pieces(blocks: Iterable[bytes], layouts: Layouts) -> Iterator[Piece]:
    """Split text into lines.

    A header line, at any position, defines the layout of the lines after it; before the first header, lines
    have one of `layouts`. If the first line begins with an ISO timestamp, as in CloudWatch exports, the
    timestamp is removed from every line.

    Raises:
        LogFormatError: a header line is not a valid layout.
    """
    first: str | None = None
    stamped = False
    for run in runs(blocks):
        if isinstance(run, Unreadable):
            yield run
            continue
        lines = run.lines
        if first is None and (first := next(filter(str.strip, lines), None)) is not None:
            stamped = _TIMESTAMP.match(first) is not None
        if stamped:
            lines = [_TIMESTAMP.sub("", line, count=1) for line in lines]
        begin = 0
        for at in [at for at, line in enumerate(lines) if ENDPOINTS[0] in line or line is first]:
            if names_fields(lines[at]):
                yield from _lines(layouts, lines[begin:at], run.numbers[begin:at])
                layout = LogFormat.parse(lines[at])
                layouts = (layout,)
                begin = at + 1
                if layout.unknown:
                    yield Note(f"unknown fields are kept as text: {', '.join(layout.unknown)}")
        yield from _lines(layouts, lines[begin:], run.numbers[begin:])


def names_fields(line: str) -> bool:
    """Whether the line is a header line; some fields may be unknown."""
    names = line.removeprefix(BYTE_ORDER_MARK).split()
    return is_header(line) or (ENDPOINTS[0] in names and all(map(_NAME.fullmatch, names)))


def runs(blocks: Iterable[bytes]) -> Iterator[Lines | Unreadable]:
    r"""Split bytes into lines, block by block, without layouts. Invalid UTF-8 becomes `\xff`."""
    number = 1
    tail = b""
    too_long: bytes | None = None  # the beginning of a line that is too long and is being skipped
    for block in blocks:
        rest = block
        if too_long is not None:
            _, newline, rest = block.partition(b"\n")
            if not newline:
                continue
            yield _unreadable(number, _text(too_long))
            number += 1
            too_long = None
        whole, newline, tail = (tail + rest).rpartition(b"\n")
        if newline:
            yield from _run(number, _text(whole))
            number += whole.count(b"\n") + 1
        if len(tail) > _LONGEST_TAIL:
            too_long, tail = tail, b""
    if too_long is not None:
        yield _unreadable(number, _text(too_long))
    elif tail:
        yield from _run(number, _text(tail))


def _text(data: bytes) -> str:
    text = data.decode("utf-8", "backslashreplace")
    return text.replace("\r\n", "\n").removesuffix("\r") if "\r" in text else text


def _run(first: int, text: str) -> Iterator[Lines | Unreadable]:
    """The lines of a text whose first line has this number in its file."""
    lines = text.split("\n")
    begin = 0
    if max(map(len, lines)) > LONGEST_LINE:
        for at in [at for at, line in enumerate(lines) if len(line) > LONGEST_LINE]:
            yield from _lines((), lines[begin:at], range(first + begin, first + at))
            yield _unreadable(first + at, lines[at])
            begin = at + 1
    yield from _lines((), lines[begin:], range(first + begin, first + len(lines)))


def _lines(layouts: Layouts, lines: Sequence[str], numbers: Sequence[int]) -> Iterator[Lines]:
    if lines:
        yield Lines(layouts, lines, numbers)


def _unreadable(number: int, line: str) -> Unreadable:
    return Unreadable(number, shortened(line), f"longer than {LONGEST_LINE} characters")
