"""The reader: every line becomes exactly one flow, gap or malformed record; no line raises.

Lines are read many at once (`line_decoder`). Where one of them is odd, the lines are halved until few are
left, and these are read one by one by the strict way, which tries every layout and says what is wrong with a
line.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import batched
from typing import Any, Final

from flowwarden.errors import LogFormatError
from flowwarden.records.fields import TRAFFIC_KINDS, Field
from flowwarden.records.line_decoder import Batch, Rows, flow_type
from flowwarden.records.log_format import BYTE_ORDER_MARK, LogFormat, is_header
from flowwarden.records.model import Flow, Gap, GapKind, LogStatus, Malformed, Records
from flowwarden.records.values import Value, convert

CHUNK: Final = 256
"""Lines read at once: enough to make the overhead small, few enough to stay in the processor's cache."""

_FEW: Final = 8
"""Odd lines are read one by one when no more than these are left."""
_GAP_MARK: Final = "DATA"
"""What NODATA and SKIPDATA have in common, and an OK record nearly never has."""
ENDPOINTS: Final = ("srcaddr", "dstaddr")
_SHOWN: Final = 60


class LineReader:
    """Reads lines of one or several layouts.

    Lines of several layouts are told apart by their number of tokens, then by the types of their fields. A
    line that fits none, or more than one, is malformed: it is never guessed. Make one reader and keep it:
    it remembers (boundedly) the addresses it has seen.
    """

    def __init__(self, layouts: Sequence[LogFormat], blind: Sequence[LogFormat] = ()) -> None:
        """Prepare for lines of these layouts.

        Args:
            layouts: those that flows are read from.
            blind: others that lines may have, and that lack the addresses which make a flow. Flows of these
                are malformed; knowing them keeps these lines from being taken for those of another layout.

        Raises:
            LogFormatError: no layout given, or one without the addresses that make a flow.
        """
        readable = dict.fromkeys(layouts)
        for layout in readable:
            demand_endpoints(layout)
        self._layouts = tuple(dict.fromkeys((*readable, *blind)))
        if not self._layouts:
            raise LogFormatError("no log format is given, so no line can be read; give at least one")
        self._candidates: dict[int, list[LogFormat]] = defaultdict(list)
        for layout in self._layouts:
            self._candidates[len(layout.names)].append(layout)
        # Layouts of the same length are told apart line by line.
        self.alone = tuple(layout for layout in readable if len(self._candidates[len(layout.names)]) == 1)
        """The layouts that a line's number of tokens tells."""
        self._rows = [Rows(layout) for layout in self.alone]

    def read(self, lines: Iterable[str]) -> Records:
        """Read the lines, each holding one record; order is kept within flows, gaps and malformed."""
        whole = Records([], [], [])
        for part in self.stream(lines):
            whole.flows.extend(part.flows)
            whole.gaps.extend(part.gaps)
            whole.malformed.extend(part.malformed)
        return whole

    def stream(self, lines: Iterable[str]) -> Iterator[Records]:
        """The same in parts of at most `CHUNK` lines, so that memory does not grow with their number."""
        for chunk in batched(lines, CHUNK, strict=False):
            records = Records([], [], [])
            self._read_chunk(chunk, records)
            yield records

    def _read_chunk(self, lines: Sequence[str], records: Records) -> None:
        if self._read_at_once(lines, records):
            return
        if len(lines) <= _FEW:
            for line in lines:
                self._read_one(line, records)
            return
        middle = len(lines) // 2
        self._read_chunk(lines[:middle], records)
        self._read_chunk(lines[middle:], records)

    def _read_at_once(self, lines: Sequence[str], records: Records) -> bool:
        """Read plain flows and plain gaps; False, and nothing is read, if any line is neither."""
        marked = [line for line in lines if _GAP_MARK in line]
        unmarked = [line for line in lines if _GAP_MARK not in line] if marked else lines
        flows = self._first_fitting(unmarked, Rows.flows) if unmarked else []
        gaps = self._first_fitting(marked, Rows.gaps) if marked and flows is not None else []
        if flows is None or gaps is None:
            return False
        records.flows.extend(flows)
        records.gaps.extend(_gap(row) for row in gaps)
        return True

    def _first_fitting(self, lines: Sequence[str], read: Any) -> list[Any] | None:  # noqa: ANN401 - flows or gaps
        batch = Batch(lines)
        return next((found for rows in self._rows if (found := read(rows, batch)) is not None), None)

    def _read_one(self, line: str, records: Records) -> None:
        """File a line by the strict way."""
        try:
            record = self._read_strictly(line)
        except ValueError as error:
            records.malformed.append(Malformed(line, str(error)))
            return
        if isinstance(record, Flow):
            records.flows.append(record)
        else:
            records.gaps.append(record)

    def _read_strictly(self, line: str) -> Flow | Gap:
        """Read a line by every layout it could have. Raises ValueError with the reason if it is malformed."""
        tokens = line.removeprefix(BYTE_ORDER_MARK).split()
        if not tokens:
            raise ValueError("blank line")
        if is_header(line) or any(tokens == list(layout.names) for layout in self._layouts):
            raise ValueError("header line: it names the fields and holds no record")
        candidates = self._candidates.get(len(tokens), [])
        if not candidates:
            raise ValueError(f"{len(tokens)} tokens where the log format has {self._counts()}")
        fitting: list[Flow | Gap | None] = []
        misfits: list[str] = []
        for layout in candidates:
            try:
                fitting.append(_interpret(layout, tokens))
            except ValueError as error:
                misfits.append(str(error))
        if not fitting:
            raise ValueError("; ".join(misfits))
        if len(fitting) > 1:
            raise ValueError(f"fits {len(fitting)} log formats of {len(tokens)} fields alike")
        (record,) = fitting
        if record is None:
            raise ValueError(
                "of a log format without srcaddr and dstaddr, so nobody knows who talked to whom"
            )
        return record

    def _counts(self) -> str:
        return " or ".join(str(count) for count in sorted(self._candidates))


def demand_endpoints(layout: LogFormat) -> None:
    """Raise LogFormatError unless a flow can be made from the layout."""
    missing = [f"${{{name}}}" for name in ENDPOINTS if name not in layout.names]
    if missing:
        raise LogFormatError(
            f"the log format {layout.to_log_format()!r} lacks {' and '.join(missing)}: "
            "without them nobody knows who talked to whom; add them to it"
        )


def _gap(row: Any) -> Gap:  # noqa: ANN401 - a row made at run time
    known = {name: getattr(row, name, None) for name in Gap.__struct_fields__[1:]}
    return Gap(kind=GapKind(row.log_status), **known)


def _interpret(layout: LogFormat, tokens: Sequence[str]) -> Flow | Gap | None:
    """The record that the tokens of a layout are; None for a flow of a layout that lacks its addresses.

    Raises:
        ValueError: they are no record of this layout.
    """
    # Any: each value has the type that the kind of its field says; a test holds Flow to the table.
    values: dict[str, Any] = {
        field.attribute: _value(field, token) for field, token in zip(layout.fields, tokens, strict=True)
    }
    status = values.get("log_status")
    if status in (LogStatus.NODATA, LogStatus.SKIPDATA):
        for field in layout.fields:
            if field.kind in TRAFFIC_KINDS and values[field.attribute] is not None:
                raise ValueError(f"log-status is {status}, yet {field.name} is {values[field.attribute]}")
        known = {name: values[name] for name in Gap.__struct_fields__ if name in values}
        return Gap(kind=GapKind(status), **known)
    if not values.keys() >= set(ENDPOINTS):
        return None
    absent = [name for name in ENDPOINTS if values[name] is None]
    if absent:
        raise ValueError(f"{' and '.join(absent)} absent, and no log-status tells of a gap")
    return flow_type(layout)(**values)


def _value(field: Field, token: str) -> Value:
    try:
        return convert(field.kind, token)
    except ValueError as error:
        shown = repr(token) if len(token) <= _SHOWN else f"{token[:_SHOWN]!r}…"
        raise ValueError(f"{field.name} is {shown}, {error}") from None
