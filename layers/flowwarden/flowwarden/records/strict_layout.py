"""The strict reading of a line: every token is converted by itself, and a malformed one gives its reason.

It defines what a line is; the fast paths read only lines of which they are sure. It is used for any line that
is not plain, and a batch may consist of such lines, so what depends on the log format alone is prepared once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Final

from flowwarden.records.fields import TRAFFIC_KINDS, Field
from flowwarden.records.line_decoder import flow_type
from flowwarden.records.log_format import LogFormat
from flowwarden.records.model import Flow, Gap, GapKind
from flowwarden.records.values import ABSENT, Value, convert, converter

ENDPOINTS: Final = ("srcaddr", "dstaddr")
_SHOWN: Final = 60
_GAPS: Final = frozenset(GapKind)


class StrictLayout:
    """One log format, prepared for reading lines one by one."""

    def __init__(self, layout: LogFormat) -> None:
        self.layout = layout
        self._fields = layout.fields
        self._converters = [converter(field.kind) for field in self._fields]
        names = layout.names
        self._status = names.index("log-status") if "log-status" in names else None
        self._ends = [names.index(name) for name in ENDPOINTS if name in names]
        self._traffic = [at for at, field in enumerate(self._fields) if field.kind in TRAFFIC_KINDS]
        self._of_gaps = [
            (at, field.attribute)
            for at, field in enumerate(self._fields)
            if field.attribute in Gap.__struct_fields__
        ]

    @cached_property
    def _flow(self) -> Callable[..., Flow]:
        return flow_type(self.layout)

    def read(self, tokens: Sequence[str]) -> tuple[Flow | Gap | None, bool]:
        """The record with these tokens, and whether it is a gap with values of traffic.

        The record is None for a flow if the log format lacks the addresses.

        Raises:
            ValueError: the tokens are not a record of this log format.
        """
        values = self._values(tokens)
        status = None if self._status is None else values[self._status]
        if status in _GAPS:
            known = {name: values[at] for at, name in self._of_gaps}
            return Gap(kind=GapKind(status), **known), any(values[at] is not None for at in self._traffic)
        if len(self._ends) < len(ENDPOINTS):
            return None, False
        absent = [name for name, at in zip(ENDPOINTS, self._ends, strict=True) if values[at] is None]
        if absent:
            raise ValueError(f"{' and '.join(absent)} absent, but log-status does not report a gap")
        return self._flow(*values), False

    def _values(self, tokens: Sequence[str]) -> list[Any]:
        """The values, of which each type depends on the kind of its field. Raises ValueError."""
        try:
            return [
                None if token == ABSENT else convert_one(token)
                for convert_one, token in zip(self._converters, tokens, strict=True)
            ]
        except ValueError:  # a token is malformed, or null: once more, for the value or the reason
            return [_value(field, token) for field, token in zip(self._fields, tokens, strict=True)]


def the_one(layouts: Sequence[StrictLayout], tokens: Sequence[str]) -> Flow | Gap | None:
    """The record of the one log format that the tokens fit; None for a flow if that format lacks addresses.

    A gap with values of traffic fits a log format only if the tokens fit no other one: values in the wrong
    columns show that the line has another log format.

    Raises:
        ValueError: the tokens fit no log format, or several.
    """
    fitting: list[Flow | Gap | None] = []
    odd: list[Gap] = []
    mismatches: list[str] = []
    for layout in layouts:
        try:
            record, is_odd = layout.read(tokens)
        except ValueError as error:
            mismatches.append(str(error))
            continue
        if is_odd and isinstance(record, Gap):
            odd.append(record)
        else:
            fitting.append(record)
    fitting = fitting or [*odd]
    if not fitting:
        raise ValueError("; ".join(mismatches))
    if len(fitting) > 1:
        raise ValueError(f"fits {len(fitting)} log formats of {len(tokens)} fields alike")
    return fitting[0]


def _value(field: Field, token: str) -> Value:
    try:
        return convert(field.kind, token)
    except ValueError as error:
        shown = repr(token) if len(token) <= _SHOWN else f"{token[:_SHOWN]!r}…"
        raise ValueError(f"{field.name} is {shown}, {error}") from None
