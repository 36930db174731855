"""Text: splits bytes into lines; header lines define the log format."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import compress
from typing import Final

from flowwarden.errors import LogFormatError
from flowwarden.records.log_format import LogFormat
from flowwarden.sources.chunks import Layouts, Lines, Note, Piece, Row, Unreadable, gathered, shortened
from flowwarden.sources.indented import Indented
from flowwarden.sources.log_prefix import is_stamped, without_prefix
from flowwarden.sources.names import header_names
from flowwarden.sources.objects import Objects

LONGEST_LINE: Final = 2**16
"""Maximum characters of a line. A longer one is malformed, and at most two blocks of it are in memory."""

LONGEST_SKIPPED: Final = 2**28
"""Maximum bytes of a line that is skipped. A source with a longer line, such as /dev/zero, may never end."""

_LONGEST_TAIL: Final = 4 * LONGEST_LINE  # a UTF-8 character has up to four bytes
_PADDING: Final = re.compile("^\0+", re.MULTILINE)
"""Zero bytes before a line, as in a log file that was truncated while a program wrote to it."""
_OBJECT: Final = "{"
_TAB: Final = "\t"
_WITHOUT_MESSAGES: Final = ("SEARCHEDLOGSTREAMS\t", "b/")
"""The beginnings of lines of `--output text` that contain log streams or pagination tokens, not messages."""


def text_pieces(blocks: Iterable[bytes], layouts: Layouts) -> Iterator[Piece]:
    """Split text into lines.

    A header line, at any position, defines the log format of the lines after it; before the first header,
    lines have one of `layouts`. If the first line begins with an ISO timestamp, as in CloudWatch exports and
    in output of `aws logs tail`, the timestamp is removed from every line, and so is the name of the log
    stream after it; an object over several lines, which `aws logs tail --format json` writes, becomes one
    line.
    """
    first: str | None = None
    stamped = False
    objects, indented = Objects(), Indented()
    for run in runs(blocks):
        if isinstance(run, Unreadable):
            yield run
            continue
        lines, numbers = run.lines, run.numbers
        if first is None and (first := next(filter(str.strip, lines), None)) is not None:
            stamped = is_stamped(first)
        if stamped:
            sizes = {len(layout.names) for layout in layouts}
            lines, numbers = indented.joined([without_prefix(line, sizes) for line in lines], numbers)
        begin = 0
        for at, names in _headers(lines):
            yield from _records(layouts, lines[begin:at], numbers[begin:at], objects)
            layout = LogFormat(tuple(names))
            layouts = (layout,)
            begin = at + 1
            if layout.unknown:
                yield Note(f"unknown fields are kept as text: {', '.join(layout.unknown)}")
        yield from _records(layouts, lines[begin:], numbers[begin:], objects)
    yield from _records(layouts, *indented.rest(), objects)


def _headers(lines: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """The positions of header lines, and the names in them."""
    if not lines or (min(lines) >= "0" and max(lines) < ":"):  # all begin with a digit, as records do
        return
    for at, line in enumerate(lines):
        if (names := header_names(line)) is not None:
            yield at, names


def _records(
    layouts: Layouts, lines: Sequence[str], numbers: Sequence[int], objects: Objects
) -> Iterator[Piece]:
    """Lines with records. One that contains an object or several cells is converted to lines of records."""
    whole = "".join(lines)
    if _OBJECT in whole or _TAB in whole:
        pairs = zip(numbers, lines, strict=True)
        yield from gathered(row for number, line in pairs for row in _rows(layouts, number, line, objects))
    else:
        yield from _lines(layouts, lines, numbers)


def _rows(layouts: Layouts, number: int, line: str, objects: Objects) -> Iterator[Row | Unreadable]:
    if line.lstrip()[:1] == _OBJECT:
        yield from objects.rows(number, line, layouts)
    else:
        yield from (Row(layouts, number, each) for each in _messages(line))


def _messages(line: str) -> list[str]:
    """The messages in a line of `aws logs … --output text`, in which tabs separate cells; else the line."""
    if _TAB not in line:
        return [line]
    if line.startswith(_WITHOUT_MESSAGES):
        return []
    return [cell for cell in line.split(_TAB) if " " in cell.strip()] or [line]


def runs(blocks: Iterable[bytes]) -> Iterator[Lines | Unreadable]:
    r"""Split bytes into lines, block by block, without log formats. Invalid UTF-8 becomes `\xff`.

    Raises:
        LogFormatError: a line is longer than `LONGEST_SKIPPED`.
    """
    number = 1
    skipped = 0
    tail = b""
    too_long: bytes | None = None  # the beginning of a line that is too long and is being skipped
    for block in blocks:
        rest = block
        if too_long is not None:
            _, newline, rest = block.partition(b"\n")
            skipped += len(block)
            if not newline and skipped <= LONGEST_SKIPPED:
                continue
            yield _unreadable(number, _text(too_long))
            number += 1
            too_long, skipped = None, 0
            if not newline:
                raise LogFormatError(
                    f"line {number - 1} does not end within {LONGEST_SKIPPED >> 20} MiB; check that the "
                    "source contains flow logs"
                )
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
    text = text.replace("\r\n", "\n").removesuffix("\r") if "\r" in text else text
    return _PADDING.sub("", text) if "\0" in text else text


def _run(first: int, text: str) -> Iterator[Lines | Unreadable]:
    """The lines of a text, whose first line has the number `first` in the file; without empty lines."""
    if not text or text.isspace():  # one by one, 200 million blank lines would take a minute
        return
    lines: Sequence[str] = text.split("\n")
    numbers: Sequence[int] = range(first, first + len(lines))
    if "\n\n" in text or text.startswith("\n") or text.endswith("\n"):
        numbers, lines = [*compress(numbers, lines)], [*filter(None, lines)]
    begin = 0
    if max(map(len, lines), default=0) > LONGEST_LINE:
        for at in [at for at, line in enumerate(lines) if len(line) > LONGEST_LINE]:
            yield from _lines((), lines[begin:at], numbers[begin:at])
            yield _unreadable(numbers[at], lines[at])
            begin = at + 1
    yield from _lines((), lines[begin:], numbers[begin:])


def _lines(layouts: Layouts, lines: Sequence[str], numbers: Sequence[int]) -> Iterator[Lines]:
    if lines:
        yield Lines(layouts, lines, numbers)


def _unreadable(number: int, line: str) -> Unreadable:
    return Unreadable(number, shortened(line), f"longer than {LONGEST_LINE} characters")
