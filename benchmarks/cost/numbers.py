"""Numbers with two significant digits: more would pretend a precision that an estimate does not have."""

from __future__ import annotations

from math import floor, log10
from typing import Final

_LEAST: Final = 0.01
_LEAST_COUNT: Final = 0.001
_WORDS: Final = ((1e9, " billion"), (1e6, " million"), (1.0, ""))


def rounded(number: float) -> str:
    """Two significant digits, with commas and without an exponent."""
    if number == 0:
        return "0"
    value = round(number, 1 - floor(log10(abs(number))))
    return f"{value:,.{max(0, 1 - floor(log10(abs(value))))}f}"


def money(dollars: float) -> str:
    """An amount of dollars; nothing below a cent."""
    return rounded(dollars) if dollars >= _LEAST else "< 0.01"


def count(number: float) -> str:
    """A count or an amount, with million and billion as words."""
    for size, word in _WORDS:
        if number >= size:
            return f"{rounded(number / size)}{word}"
    return rounded(number) if number == 0 or number >= _LEAST_COUNT else f"< {_LEAST_COUNT}"


def percent(share: float) -> str:
    """A share in percent."""
    return f"{rounded(100 * share)} %"
