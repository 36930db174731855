"""Rows: decodes many lines at once; msgspec splits, types and validates them in C.

Two replacements turn the lines into one JSON text: every token becomes a string, every line an array. Each
log format has a class with one attribute per token, in order. msgspec's decoder converts strings to numbers
and words according to the kinds of the fields. It accepts exactly the values that `values.convert` accepts.
If any line contains anything else, it rejects all of them, and the strict reader parses them one by one.
Tests compare both with a third, slow reader.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from operator import attrgetter
from typing import Annotated, Any, Final, Literal, cast
from weakref import WeakValueDictionary

import msgspec
from msgspec import Meta, Struct

from flowwarden.records.address_cache import AddressCache
from flowwarden.records.fields import TRAFFIC_KINDS, Field, Kind
from flowwarden.records.log_format import LogFormat
from flowwarden.records.model import Action, Flow, FlowDirection
from flowwarden.records.values import FIRST_MILLISECOND, LARGEST, LONGEST_TEXT

# When msgspec converts strings, it accepts "5.0" and "1e3" as integers, which are not valid in
# flow logs. A union with a float that cannot satisfy both bounds rejects them.
_NO_FLOAT: Final = Annotated[float, Meta(gt=1e308, lt=-1e308)]


def _number(largest: int) -> Any:  # noqa: ANN401 - a type, made at run time
    return Annotated[int, Meta(ge=0, le=largest)] | _NO_FLOAT | None


# Texts of one character are left to the strict reader, so that a dash is never parsed as text.
_TEXT: Final = Annotated[str, Meta(min_length=2, max_length=LONGEST_TEXT)]
_TYPES: Final[dict[Kind, Any]] = {
    Kind.TEXT: _TEXT | None,
    Kind.ENCODED_TEXT: _TEXT | None,
    Kind.ADDRESS: _TEXT | None,
    Kind.PORT: _number(65_535),
    Kind.PROTOCOL: _number(255),
    Kind.COUNT: _number(LARGEST),
    Kind.FLAGS: _number(255),
    # Milliseconds are left to the strict reader, which truncates them to seconds.
    Kind.SECONDS: _number(FIRST_MILLISECOND - 1),
    Kind.INTEGER: _number(LARGEST),
    Kind.ACTION: Action | None,
    Kind.STATUS: Literal["OK"] | None,
    Kind.DIRECTION: FlowDirection | None,
}
_GAP_STATUS: Final = Literal["NODATA", "SKIPDATA"]
_ODD: Final = ('"', "\\", "\x7f")
"""Characters that end a JSON string or do not print; the decoder rejects all other control characters."""
_ENDPOINTS: Final = frozenset({"srcaddr", "dstaddr"})


_flow_types: WeakValueDictionary[LogFormat, type[Struct]] = WeakValueDictionary()


def flow_type(layout: LogFormat) -> Callable[..., Flow]:
    """The class of the flows of a layout: one attribute per field, in the order of the tokens.

    It is cached as long as the class or one of its flows is referenced, so that flows can be compared.
    """
    known = _flow_types.get(layout)
    if known is None:
        known = _flow_types[layout] = _define_flow(layout)
    return cast("Callable[..., Flow]", known)


def _define_flow(layout: LogFormat) -> type[Struct]:
    types = [(f.attribute, _TEXT if f.attribute in _ENDPOINTS else _TYPES[f.kind]) for f in layout.fields]
    return _define("FlowOfLayout", types, (Flow, Struct), {"layout": layout})


def _gap_type(layout: LogFormat) -> type[Struct]:
    """The class for decoding gaps of a log format; the strict reader reads those with values of traffic."""

    def of(field: Field) -> Any:  # noqa: ANN401 - a type, made at run time
        if field.kind is Kind.STATUS:
            return _GAP_STATUS
        return None if field.kind in TRAFFIC_KINDS else _TYPES[field.kind]

    return _define("GapOfLayout", [(f.attribute, of(f)) for f in layout.fields], (Struct,), {})


def _define(
    name: str, types: list[tuple[str, Any]], bases: tuple[type, ...], namespace: dict[str, Any]
) -> type[Struct]:
    return msgspec.defstruct(
        name,
        types,
        bases=bases,
        namespace=namespace,
        module=__name__,
        array_like=True,
        forbid_unknown_fields=True,  # for an array: no extra token
        frozen=True,
        gc=False,
    )


class Batch:
    """Lines as JSON text for the decoders; built once and tried with several log formats."""

    def __init__(self, lines: Sequence[str]) -> None:
        raw = "\n".join(lines)
        self.plain = (
            raw.isascii() and not any(odd in raw for odd in _ODD) and raw.count("\n") == len(lines) - 1
        )
        """Whether the lines contain no JSON syntax, no line breaks and only ASCII."""
        self.has_percent = "%" in raw
        self._text = raw.replace(" ", '","').replace("\n", '"],["') if self.plain else ""

    def decode(self, decoder: msgspec.json.Decoder[list[Any]]) -> list[Any] | None:
        """The rows, or None if the decoder rejects any line."""
        try:
            return decoder.decode(self._json)
        except msgspec.DecodeError:
            return None

    @cached_property
    def _json(self) -> str:
        """The lines as one array of arrays; a dash becomes null, because no kind of field accepts it."""
        whole = f'[["{self._text}"]]'
        return whole.replace('"-"', "null") if '"-"' in whole else whole


class Rows:
    """Reads batches of lines of one layout: all of them or none."""

    def __init__(self, layout: LogFormat) -> None:
        kinds = {field.kind for field in layout.fields}
        self._layout = layout
        self._has_gaps = Kind.STATUS in kinds
        self._is_encoded = Kind.ENCODED_TEXT in kinds
        self._addresses = [attrgetter(f.attribute) for f in layout.fields if f.kind is Kind.ADDRESS]
        self._known = AddressCache()

    @cached_property
    def _flows(self) -> msgspec.json.Decoder[list[Any]]:
        """Made on use: a decoder takes a millisecond, and the first batch needs one of four."""
        flow: Any = flow_type(self._layout)
        return msgspec.json.Decoder(list[flow], strict=False)

    @cached_property
    def _gaps(self) -> msgspec.json.Decoder[list[Any]]:
        gap: Any = _gap_type(self._layout)
        return msgspec.json.Decoder(list[gap], strict=False)

    def flows(self, batch: Batch) -> list[Flow] | None:
        """The flows of the lines; None if any line is not a plain flow of this log format."""
        if not batch.plain or (self._is_encoded and batch.has_percent):
            return None
        rows: list[Flow] | None = batch.decode(self._flows)
        return rows if rows is not None and self._has_valid_addresses(rows) else None

    def gaps(self, batch: Batch) -> list[Any] | None:
        """The gaps of the lines, with the attributes of the log format; None if a line is not a plain gap."""
        if not self._has_gaps or not batch.plain or (self._is_encoded and batch.has_percent):
            return None
        return batch.decode(self._gaps)

    def _has_valid_addresses(self, rows: list[Flow]) -> bool:
        seen: set[str | None] = set()
        for address in self._addresses:
            seen.update(map(address, rows))
        seen.discard(None)
        return not self._known.invalid(cast("set[str]", seen))
