"""Converts tokens of a flow log to typed values, or rejects them with a reason."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from ipaddress import IPv6Address
from typing import Final
from urllib.parse import unquote

from flowwarden.records.fields import Kind
from flowwarden.records.model import Action, FlowDirection, LogStatus

type Value = str | int | None

ABSENT: Final = "-"
"""AWS's value for a field that does not apply or could not be computed."""

_NULL: Final = "null"
_MINUS_ZERO: Final = "-0"  # zero in JSON, and so in the fast path
_TEXTS: Final = frozenset({Kind.TEXT, Kind.ENCODED_TEXT})
_OCTET: Final = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4: Final = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}")  # six times as fast as IPv4Address, and as strict
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
MASKED: Final = "masked by a data protection policy"
LONGEST_ENCODED: Final = 3072
"""Maximum characters: a tag value has 256, each at most four bytes, each byte at most three characters."""
LONGEST_TEXT: Final = 256
"""Maximum characters; ARNs, the longest texts in flow logs, have fewer."""
LARGEST: Final = 2**63 - 1  # AWS's own typed form has 64 bits
_LONGEST: Final = len(str(LARGEST))
FIRST_MILLISECOND: Final = 10**11  # as seconds it is the year 5138, as milliseconds 1973
FIRST_MICROSECOND: Final = 10**14  # as milliseconds it is the year 5138, as microseconds 1973


MASK: Final = "*"
"""The character with which a data protection policy of a log group overwrites what it masks."""


def convert(kind: Kind, token: str) -> Value:
    """Convert the token of a field of this kind to its value.

    `-` is None for every kind. `null`, which other tools write instead, is None except in text fields. Texts
    and addresses keep AWS's form. Numbers consist of digits only; `-0` is zero.

    Raises:
        ValueError: the token is invalid for this kind; the message completes "<field> is <token>, …".
    """
    if token == ABSENT or (kind not in _TEXTS and token.lower() == _NULL):
        return None
    return _CONVERTERS[kind](token)


def converter(kind: Kind) -> Callable[[str], Value]:
    """Converts the tokens of a kind that are neither `-` nor `null`: what `convert` does with them."""
    return _CONVERTERS[kind]


def _text(token: str) -> str:
    """A text. AWS writes no longer or non-printable texts, so they are rejected and cannot reach a page."""
    if len(token) > LONGEST_TEXT:
        raise ValueError(f"longer than {LONGEST_TEXT} characters")
    if not token.isprintable():
        raise ValueError("which contains non-printable characters")
    return token


def _address(token: str) -> str:
    """An address in AWS's form, without a scope id, which flow logs do not contain."""
    if _IPV4.fullmatch(token):
        return token
    if is_masked(token):
        raise ValueError(MASKED)
    try:
        IPv6Address(token)
    except ValueError:
        raise ValueError("which is not an IPv4 or IPv6 address") from None
    if "%" in token:
        raise ValueError("an address with a scope id")
    return token


def is_masked(token: str) -> bool:
    """Whether a data protection policy has overwritten the whole token."""
    return bool(token) and not token.strip(MASK)


def _integer(token: str, largest: int = LARGEST) -> int:
    """A number of ASCII digits: int() would also accept signs, underscores and digits of other scripts."""
    if len(token) < _LONGEST and token.isascii() and token.isdigit() and (number := int(token)) <= largest:
        return number  # nearly always
    digits = token.removeprefix("-") if token == _MINUS_ZERO else token
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError("which is not a number")
    digits = digits.lstrip("0") or "0"
    if len(digits) > _LONGEST or int(digits) > largest:
        raise ValueError(f"above {largest}")
    return int(digits)


def _up_to(largest: int) -> Callable[[str], int]:
    return lambda token: _integer(token, largest)


def _seconds(token: str) -> int:
    """Unix seconds; milliseconds, which some tools write, are detected by size and truncated to seconds."""
    number = _integer(token)
    if number < FIRST_MILLISECOND:
        return number
    if number < FIRST_MICROSECOND:
        return number // 1000
    raise ValueError("which is neither Unix seconds nor milliseconds")


def _decoded(token: str) -> str:
    """The percent-decoded text; the token itself if that is not valid UTF-8."""
    if len(token) > LONGEST_ENCODED:
        raise ValueError(f"longer than {LONGEST_ENCODED} characters")
    if _SURROGATE.search(token):
        raise ValueError("which contains half a character (a lone surrogate)")
    try:
        return unquote(token, errors="strict")
    except UnicodeDecodeError:
        return token


def _one_of(choices: type[StrEnum]) -> Callable[[str], StrEnum]:
    members = {member.value: member for member in choices}

    def converter(token: str) -> StrEnum:
        if token not in members:
            raise ValueError(f"none of {', '.join(members)}")
        return members[token]

    return converter


_CONVERTERS: Final[dict[Kind, Callable[[str], Value]]] = {
    Kind.TEXT: _text,
    Kind.ENCODED_TEXT: _decoded,
    Kind.ADDRESS: _address,
    Kind.PORT: _up_to(65_535),
    Kind.PROTOCOL: _up_to(255),
    Kind.COUNT: _integer,
    Kind.FLAGS: _up_to(255),
    Kind.SECONDS: _seconds,
    Kind.INTEGER: _integer,
    Kind.ACTION: _one_of(Action),
    Kind.STATUS: _one_of(LogStatus),
    Kind.DIRECTION: _one_of(FlowDirection),
}
