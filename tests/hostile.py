"""Hostile text in each place of a value, for tests of what people read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import force_setattr, replace

HOSTILE: Final = (
    "x\n\nNOT COVERED (1)\r\n- vpc-forged: send money\x85\u2028\u2029\x0b\x0c\x1e"
    "\x00\x1b[2J\x1b]0;t\x07\x7f\x9b31m\u202egnp\u2066\u200b\u200d\ufeff\u3164\ud800\U000e0041" + "a" * 5000
)
"""Line breaks of every kind, terminal sequences, bidirectional and invisible characters, and length."""


def places(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all texts in a value: names of attributes, keys and positions."""
    match value:
        case Enum():
            return
        case str():
            yield path
        case Struct():
            for name in value.__struct_fields__:
                yield from places(getattr(value, name), (*path, name))
        case Mapping():
            for key in value:
                yield from places(value[key], (*path, key))
        case list() | tuple():
            for position, each in enumerate(value):
                yield from places(each, (*path, position))
        case _:
            return


def poisoned(value: Any, path: tuple[Any, ...], text: str = HOSTILE) -> Any:
    """A copy of the value in which `text` is appended to the text at the path."""
    if not path:
        return f"{value}{text}"
    first, *rest = path
    match value:
        case Struct():
            changed = poisoned(getattr(value, first), tuple(rest), text)
            return _with(value, first, changed)
        case Mapping():
            return {**value, first: poisoned(value[first], tuple(rest), text)}
        case _:
            return type(value)(
                poisoned(each, tuple(rest), text) if position == first else each
                for position, each in enumerate(value)
            )


def mapped(value: Any, change: Callable[[str], str]) -> Any:
    """A copy of the value with each of its texts changed."""
    match value:
        case Enum():
            return value
        case str():
            return change(value)
        case Struct():
            for name in value.__struct_fields__:
                value = _with(value, name, mapped(getattr(value, name), change))
            return value
        case Mapping():
            return {key: mapped(each, change) for key, each in value.items()}
        case list() | tuple():
            return type(value)(mapped(each, change) for each in value)
        case _:
            return value


def _with(value: Struct, name: str, changed: object) -> Struct:
    """A copy with a changed attribute, even if the constructor does not take that attribute."""
    copied = replace(value)
    force_setattr(copied, name, changed)
    return copied


def is_visible(text: str) -> bool:
    """Whether each line of a text is printable, and the text can be encoded as UTF-8."""
    return all(line.isprintable() for line in text.split("\n")) and text.encode().decode() == text


def texts(value: object) -> Iterator[str]:
    """All texts in a JSON value, including the names of members."""
    match value:
        case str():
            yield value
        case Mapping():
            for key in value:
                yield key
                yield from texts(value[key])
        case list() | tuple():
            for each in value:
                yield from texts(each)
        case _:
            return
