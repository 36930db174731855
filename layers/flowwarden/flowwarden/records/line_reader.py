"""The reader: every line becomes exactly one flow, gap or malformed record; no line raises an error.

Many lines are read at once (`line_decoder`). If this fails, the lines are halved until few are left, which
the strict reader parses one by one: it tries every log format and returns the reason if a line is malformed.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import batched, compress
from typing import Any, Final

from msgspec import Struct

from flowwarden.errors import LogFormatError
from flowwarden.records.line_decoder import Batch, Rows
from flowwarden.records.log_format import BYTE_ORDER_MARK, LogFormat, is_header
from flowwarden.records.model import Flow, Gap, GapKind, Malformed, Records
from flowwarden.records.strict_layout import ENDPOINTS, StrictLayout, the_one

CHUNK: Final = 256
"""Lines read at once: enough to keep the overhead small, few enough to fit into the CPU cache."""

LARGEST_CHUNK: Final = 2**20
"""Characters read at once."""

TOO_MANY: Final = "not read: too many lines of the batch have to be read one by one"
"""The reason of a malformed line for which a batch has no time."""
_FEW: Final = 16
"""If a chunk is not plain, so many of its lines are read at once; and one by one if they are not plain."""
_GAP_MARK: Final = "DATA"
"""Occurs in NODATA and SKIPDATA, and very rarely in an OK record."""


class Part(Struct):
    """The records of some lines, and where each flow stood."""

    records: Records
    places: list[int]
    """For each flow, the number of its line among all lines that are read, from 0."""


class LineReader:
    """Reads lines of one or several log formats.

    Log formats are distinguished by the number of tokens, then by the types of the fields. A line that
    matches no log format, or more than one, is malformed: the reader never guesses. Reuse a reader: it caches
    valid addresses, up to a limit.
    """

    def __init__(self, layouts: Sequence[LogFormat], without_addresses: Sequence[LogFormat] = ()) -> None:
        """Prepare for lines of these log formats.

        Args:
            layouts: the log formats from which flows are read.
            without_addresses: further log formats of the lines, which lack the addresses of a flow. Flows of
                these log formats are malformed; listing them prevents their lines from matching another log
                format.

        Raises:
            LogFormatError: no log format is given, or one in `layouts` lacks the addresses of a flow.
        """
        readable = dict.fromkeys(layouts)
        if readable or not without_addresses:
            demand_readable(readable)
        self._layouts = tuple(dict.fromkeys((*readable, *without_addresses)))
        self._candidates: dict[int, list[StrictLayout]] = defaultdict(list)
        for layout in self._layouts:
            self._candidates[len(layout.names)].append(StrictLayout(layout))
        # Log formats with the same number of fields are distinguished line by line.
        self.alone = tuple(layout for layout in readable if len(self._candidates[len(layout.names)]) == 1)
        """The log formats that are identified by the number of tokens alone."""
        self._rows = [Rows(layout) for layout in self.alone]

    def read(self, lines: Iterable[str]) -> Records:
        """Read lines with one record each; the order is kept within flows, gaps and malformed records."""
        whole = Records([], [], [])
        for part in self.stream(lines):
            whole.add(part.records)
        return whole

    def stream(self, lines: Iterable[str], singly: int = sys.maxsize) -> Iterator[Part]:
        """Read lines in parts of at most `CHUNK`, so that memory does not grow with their number.

        Lines that cannot be read together are read one by one, which takes fifty times as long. After about
        `singly` of them, those that would be are malformed.
        """
        first = 0
        for chunk in batched(lines, CHUNK, strict=False):
            part = Part(Records([], [], []), [])
            singly -= self._read_chunk(chunk, first, part, may_read_singly=singly > 0)
            first += len(chunk)
            yield part

    def _read_chunk(self, lines: Sequence[str], first: int, part: Part, *, may_read_singly: bool) -> int:
        """Read lines, of which the first one has this number; returns how many were read one by one."""
        # Of long lines, a chunk would be copied several times for each halving.
        if sum(map(len, lines)) <= LARGEST_CHUNK and self._read_at_once_or_spaced(lines, first, part):
            return 0
        if not may_read_singly:
            part.records.malformed.extend(Malformed(line, TOO_MANY) for line in lines)
            return 0
        if len(lines) <= _FEW:
            for number, line in enumerate(lines, first):
                self._read_one(line, number, part)
            return len(lines)
        parts = ((lines[at : at + _FEW], first + at) for at in range(0, len(lines), _FEW))
        return sum(self._read_chunk(*each, part, may_read_singly=True) for each in parts)

    def _read_at_once_or_spaced(self, lines: Sequence[str], first: int, part: Part) -> bool:
        """Read plain lines; if that fails, also those whose tokens are separated by other whitespace."""
        if self._read_at_once(lines, first, part):
            return True
        spaced = [" ".join(line.removeprefix(BYTE_ORDER_MARK).split()) for line in lines]
        return all(spaced) and spaced != [*lines] and self._read_at_once(spaced, first, part)

    def _read_at_once(self, lines: Sequence[str], first: int, part: Part) -> bool:
        """Read plain flows and plain gaps; returns False and reads nothing if any line is neither."""
        marked = [line for line in lines if _GAP_MARK in line]
        unmarked = [line for line in lines if _GAP_MARK not in line] if marked else lines
        flows = self._first_fitting(unmarked, Rows.flows) if unmarked else []
        gaps = self._first_fitting(marked, Rows.gaps) if marked and flows is not None else []
        if flows is None or gaps is None:
            return False
        part.records.flows.extend(flows)
        part.records.gaps.extend(_gap(row) for row in gaps)
        places = range(first, first + len(lines))
        part.places += places if not marked else compress(places, (_GAP_MARK not in line for line in lines))
        return True

    def _first_fitting(self, lines: Sequence[str], read: Any) -> list[Any] | None:  # noqa: ANN401 - flows or gaps
        batch = Batch(lines)
        return next((found for rows in self._rows if (found := read(rows, batch)) is not None), None)

    def _read_one(self, line: str, number: int, part: Part) -> None:
        """Parse a line with the strict reader and add the record."""
        try:
            record = self._read_strictly(line)
        except ValueError as error:
            part.records.malformed.append(Malformed(line, str(error)))
            return
        if isinstance(record, Flow):
            part.records.flows.append(record)
            part.places.append(number)
        else:
            part.records.gaps.append(record)

    def _read_strictly(self, line: str) -> Flow | Gap:
        """Try every possible log format of a line. Raises ValueError with the reason if it is malformed."""
        tokens = line.removeprefix(BYTE_ORDER_MARK).split()
        if not tokens:
            raise ValueError("blank line")
        if is_header(line) or any(tokens == list(layout.names) for layout in self._layouts):
            raise ValueError("header line: it contains field names, not a record")
        candidates = self._candidates.get(len(tokens), [])
        if not candidates:
            raise ValueError(
                f"{len(tokens)} token{'s' * (len(tokens) != 1)} where the log format has {self._counts()}"
            )
        record = the_one(candidates, tokens)
        if record is None:
            raise ValueError("the log format lacks srcaddr and dstaddr, so the endpoints are unknown")
        return record

    def _counts(self) -> str:
        return " or ".join(str(count) for count in sorted(self._candidates))


def demand_readable(layouts: Collection[LogFormat]) -> None:
    """Raise LogFormatError if no log format is given, or one lacks the addresses of a flow."""
    if not layouts:
        raise LogFormatError("no log format is given, so lines cannot be read; specify at least one")
    for layout in layouts:
        demand_endpoints(layout)


def demand_endpoints(layout: LogFormat) -> None:
    """Raise LogFormatError if the log format lacks the addresses of a flow."""
    missing = [f"${{{name}}}" for name in ENDPOINTS if name not in layout.names]
    if missing:
        raise LogFormatError(
            f"the log format {layout.to_log_format()!r} lacks {' and '.join(missing)}: "
            "without them the endpoints of a flow are unknown; add them"
        )


def _gap(row: Any) -> Gap:  # noqa: ANN401 - a row made at run time
    known = {name: getattr(row, name, None) for name in Gap.__struct_fields__[1:]}
    return Gap(kind=GapKind(row.log_status), **known)
