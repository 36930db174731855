"""Reduces a failing input: removes parts as long as the failure remains."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

SECONDS: Final = 20.0
"""Maximum seconds on the clock for one input."""
_TEXTS: Final = (str, bytes)


def smallest[Given](given: Given, fails: Callable[[Given], bool], seconds: float = SECONDS) -> Given:
    """The smallest input that still fails, as far as the time allows."""
    until = time.monotonic() + seconds
    found = True
    while found and time.monotonic() < until:
        found = False
        with suppress(RecursionError):  # for a deeply nested input
            for each in smaller(given):
                if time.monotonic() > until:
                    break
                if fails(each):
                    given, found = each, True
                    break
    return given


def smaller(value: Any) -> Iterator[Any]:  # noqa: ANN401 - any input
    """Values that lack a part, those that lack the largest parts first."""
    match value:
        case str() | bytes() | list() | tuple():
            yield from _shorter(value)
            if not isinstance(value, _TEXTS):
                for position, each in enumerate(value):
                    for less in smaller(each):
                        yield type(value)([*value[:position], less, *value[position + 1 :]])
        case dict():
            for name in value:
                yield {other: value[other] for other in value if other != name}
            for name, each in value.items():
                yield from ({**value, name: less} for less in smaller(each))
        case Struct():
            for name in value.__struct_fields__:
                yield from (replace(value, **{name: less}) for less in smaller(getattr(value, name)))


def _shorter(value: Any) -> Iterator[Any]:  # noqa: ANN401
    """A sequence without a half, a quarter and so on."""
    size = len(value) // 2 or len(value)
    while size:
        for at in range(0, len(value), size):
            yield value[:at] + value[at + size :]
        size //= 2
