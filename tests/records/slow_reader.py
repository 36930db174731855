"""A second reader: slow, strict and simple, written independently of the first one.

It shares only the table of fields and the result types with the reader under test.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

from flowwarden.records.fields import Field, Kind
from flowwarden.records.line_decoder import flow_type
from flowwarden.records.log_format import LogFormat
from flowwarden.records.model import Action, Flow, FlowDirection, Gap, GapKind

NOTHING, MINUS_ZERO = "-", "-0"
LIMITS = {
    Kind.PORT: 65535,
    Kind.PROTOCOL: 255,
    Kind.FLAGS: 255,
    Kind.COUNT: 2**63 - 1,
    Kind.INTEGER: 2**63 - 1,
    Kind.SECONDS: 10**14 - 1,
}
REMEMBERED = 10_000
"""Tokens whose meaning is computed once."""
WORDS: dict[Kind, type[Action | FlowDirection]] = {Kind.ACTION: Action, Kind.DIRECTION: FlowDirection}


def read_slowly(line: str, layouts: Sequence[LogFormat]) -> Flow | Gap | None:
    """The flow or gap of the line; None if it is malformed."""
    for is_odd in (False, True):
        readings = [_try(line, layout, is_odd=is_odd) for layout in dict.fromkeys(layouts)]
        fitting = [reading for reading in readings if reading is not None]
        if fitting:
            return fitting[0] if len(fitting) == 1 else None
    return None


def _try(line: str, layout: LogFormat, *, is_odd: bool) -> Flow | Gap | None:
    if line[:1] == "\ufeff":
        line = line[1:]
    tokens, fields = line.split(), _fields(layout)
    if len(tokens) != len(fields):
        return None
    values = {}
    for field, token in zip(fields, tokens, strict=True):
        if not _allowed(field.kind, token):
            return None
        values[field.name] = _value(field.kind, token)
    if values.get("log-status") in ("NODATA", "SKIPDATA"):
        return _gap(values) if _has_traffic(fields, values) is is_odd else None
    if is_odd or values["srcaddr"] is None or values["dstaddr"] is None:
        return None
    return flow_type(layout)(**{field.attribute: values[field.name] for field in fields})


@cache
def _fields(layout: LogFormat) -> tuple[Field, ...]:
    return layout.fields


def _has_traffic(fields: tuple[Field, ...], values: dict[str, Any]) -> bool:
    not_traffic = {Kind.TEXT, Kind.ENCODED_TEXT, Kind.INTEGER, Kind.SECONDS, Kind.STATUS}
    return any(field.kind not in not_traffic and values[field.name] is not None for field in fields)


def _gap(values: dict[str, Any]) -> Gap:
    return Gap(kind=GapKind(values["log-status"]), **_of_a_gap(values))


def _of_a_gap(values: dict[str, Any]) -> dict[str, Any]:
    names = {name.replace("-", "_"): value for name, value in values.items()}
    return {name: value for name, value in names.items() if name in Gap.__struct_fields__}


@lru_cache(REMEMBERED)
def _allowed(kind: Kind, token: str) -> bool:
    if _is_nothing(kind, token):
        return True
    if kind is Kind.ENCODED_TEXT:
        return len(token) <= 3072 and not any("\ud800" <= char <= "\udfff" for char in token)
    if kind is Kind.TEXT:
        return len(token) <= 256 and token.isprintable()
    if kind in LIMITS:
        digits = token == MINUS_ZERO or all(character in "0123456789" for character in token)
        return digits and len(token.lstrip("0")) <= 19 and _number(token) <= LIMITS[kind]
    return _is_address(token) if kind is Kind.ADDRESS else token in _words(kind)


def _words(kind: Kind) -> list[str]:
    return ["OK", "NODATA", "SKIPDATA"] if kind is Kind.STATUS else [word.value for word in WORDS[kind]]


def _decoded(token: str) -> str:
    try:
        return re.sub("(?:%[0-9a-fA-F]{2})+", lambda run: _octets(run[0]).decode(), token)
    except UnicodeDecodeError:
        return token


def _octets(run: str) -> bytes:
    return bytes.fromhex(run.replace("%", ""))


def _is_nothing(kind: Kind, token: str) -> bool:
    null = kind not in (Kind.TEXT, Kind.ENCODED_TEXT) and token.lower() == "null"
    return token == NOTHING or null


def _number(token: str) -> int:
    return int(token.lstrip("0") or "0")  # int() rejects thousands of digits, even leading zeros


def _is_address(token: str) -> bool:
    try:
        ipaddress.ip_address(token)
    except ValueError:
        return False
    return "%" not in token


@lru_cache(REMEMBERED)
def _value(kind: Kind, token: str) -> Any:
    if _is_nothing(kind, token):
        return None
    if kind in LIMITS:
        number = _number(token)
        return number // 1000 if kind is Kind.SECONDS and number >= 10**11 else number
    if kind is Kind.ENCODED_TEXT:
        return _decoded(token)
    return WORDS[kind](token) if kind in WORDS else token
