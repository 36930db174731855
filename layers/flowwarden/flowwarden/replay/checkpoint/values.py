"""Values of the state as bytes, and back: exactly the same types, numbers of any size, and order.

A file that others may have written is decoded, so no code comes from it: msgspec decodes MessagePack, and
only data classes of this package that are loaded already are made, without any import.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import is_dataclass
from enum import Enum, IntEnum
from typing import Any, Final

import msgspec
import numpy as np
from msgspec import Struct
from msgspec.structs import force_setattr

from flowwarden.replay.checkpoint.kinds import (
    PACKAGE,
    Kinds,
    Unstorable,
    Unusable,
    attributes_of,
    class_named,
)

type Value = Any
"""A value of the state."""
type Packed = Any
"""What MessagePack has: a number, a text, bytes, or a list that begins with a tag."""

_LARGEST: Final = 2**63 - 1
_NUMBERS: Final = "biuf"
"""Kinds of arrays: numbers. Arrays of objects would be pickled."""
_LEAVES: Final = frozenset({type(None), bool, float, bytes})


class _Tag(IntEnum):
    LARGE = 0
    TEXT = 1
    LIST = 2
    TUPLE = 3
    SET = 4
    FROZENSET = 5
    DICT = 6
    COUNTER = 7
    ENUM = 8
    STRUCT = 9
    OBJECT = 10
    WORD = 11
    ARRAY = 12
    REBUILT = 13
    SHARED = 14


_SEQUENCES: Final[dict[type, _Tag]] = {
    list: _Tag.LIST,
    tuple: _Tag.TUPLE,
    set: _Tag.SET,
    frozenset: _Tag.FROZENSET,
}
_MADE: Final[dict[int, Callable[[Iterable[Any]], Any]]] = {tag: kind for kind, tag in _SEQUENCES.items()}


def encoded(value: object, kinds: Kinds) -> bytes:
    """A value as bytes. Raises Unstorable."""
    writer = _Writer(kinds)
    packed = writer.packed(value)
    return msgspec.msgpack.encode([[*writer.classes], packed])


def decoded(data: bytes, kinds: Kinds) -> Value:
    """The value. Raises Unusable."""
    try:
        classes, packed = msgspec.msgpack.decode(data, type=tuple[list[str], Any])
        return _Reader(kinds, [class_named(name, kinds) for name in classes]).value(packed)
    except Unusable:
        raise
    except Exception as error:  # whatever damaged or made-up content leads to
        raise Unusable(f"{type(error).__name__}: {error}") from error


class _Writer:
    """Converts values to what MessagePack has: lists that begin with a tag."""

    def __init__(self, kinds: Kinds) -> None:
        self.classes: dict[str, int] = {}
        """Their places, by name."""
        self._kinds = kinds
        self._shared: dict[int, tuple[int, object]] = {}
        """Places of objects that were written, by id. Their objects are held, so that no id is used again."""

    def packed(self, value: Value) -> Packed:
        """What stands for a value."""
        kind = type(value)
        if kind is int:
            return value if -_LARGEST <= value <= _LARGEST else [_Tag.LARGE, _large(value)]
        if kind is str:
            return value if value.isascii() else _text(value)
        if kind in _LEAVES:
            return value
        if (tag := _SEQUENCES.get(kind)) is not None:
            return [tag, self._all(value)]
        if isinstance(value, dict):
            return self._mapping(value)
        return self._object(value)

    def _all(self, values: Collection[Value]) -> list[Packed]:
        """What stands for each value; at once if all are small numbers, which most sets of the state are."""
        if set(map(type, values)) == {int} and max(values) <= _LARGEST and min(values) >= -_LARGEST:
            return [*values]
        return [*map(self.packed, values)]

    def _mapping(self, value: dict[Any, Any]) -> list[Any]:
        tag = _Tag.COUNTER if type(value) is Counter else _Tag.DICT
        if tag is _Tag.DICT and type(value) is not dict:
            raise Unstorable(f"a {type(value).__name__} within a value")
        return [tag, self._all(value.keys()), self._all(value.values())]

    def _object(self, value: Value) -> list[Packed]:
        kind = type(value)
        if isinstance(value, Enum):
            return [_Tag.ENUM, self._class(kind), self.packed(value.value)]
        if isinstance(value, str):
            return [_Tag.WORD, self._class(kind), self.packed(str(value))]
        if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in _NUMBERS:
            return [
                _Tag.ARRAY,
                value.dtype.str,
                [*value.shape],
                value.tobytes(),
                isinstance(value, np.generic),
            ]
        if isinstance(value, Struct):
            values = [getattr(value, name) for name in kind.__struct_fields__]
            return [_Tag.STRUCT, self._class(kind), self._all(values)]
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return [_Tag.STRUCT, self._class(kind), self._all(value)]
        return self._identity(value)

    def _identity(self, value: Value) -> list[Packed]:
        """An object that several others may refer to."""
        kind = type(value)
        if id(value) in self._shared:
            return [_Tag.SHARED, self._shared[id(value)][0]]
        self._shared[id(value)] = len(self._shared), value
        if kind in self._kinds.rebuilt:
            return [_Tag.REBUILT, self._class(kind), self.packed(self._kinds.rebuilt[kind].given(value))]
        if kind in self._kinds.plain or is_dataclass(kind):
            names = attributes_of(value)
            return [
                _Tag.OBJECT,
                self._class(kind),
                names,
                [self.packed(getattr(value, name)) for name in names],
            ]
        raise Unstorable(f"a value of type {kind.__module__}.{kind.__qualname__}")

    def _class(self, kind: type) -> int:
        name = f"{kind.__module__}:{kind.__qualname__}"
        if not name.startswith(PACKAGE):
            raise Unstorable(f"a value of type {name}")
        return self.classes.setdefault(name, len(self.classes))


class _Reader:
    """Converts back."""

    def __init__(self, kinds: Kinds, classes: Sequence[type]) -> None:
        self._kinds = kinds
        self._classes = classes
        self._shared: list[Any] = []

    def value(self, packed: Packed) -> Value:
        """The value that something stands for."""
        if type(packed) is not list:
            return packed
        tag, *rest = packed
        if made := _MADE.get(tag):
            return made(self._all(rest[0]))
        if tag in {_Tag.DICT, _Tag.COUNTER}:
            found = dict(zip(self._all(rest[0]), self._all(rest[1]), strict=True))
            return Counter(found) if tag == _Tag.COUNTER else found
        return self._other(tag, rest)

    def _all(self, packed: list[Packed]) -> list[Value]:
        if list not in set(map(type, packed)):
            return packed
        return [*map(self.value, packed)]

    def _other(self, tag: int, rest: list[Packed]) -> Value:
        match tag:
            case _Tag.ENUM | _Tag.WORD:
                return self._called(rest[0], Enum, str)(self.value(rest[1]))
            case _Tag.STRUCT:
                return _made(self._called(rest[0], Struct, tuple), self._all(rest[1]))
            case _Tag.REBUILT | _Tag.OBJECT:
                return self._identity(tag, rest)
            case _Tag.SHARED:
                return self._shared[rest[0]]
        return _leaf(tag, rest)

    def _called(self, number: int, *allowed: type) -> type[Value]:
        """A class that is called with what the file contains, so only one whose call makes a value."""
        kind = self._classes[number]
        if not issubclass(kind, allowed):
            raise Unusable(f"type {kind.__qualname__} is stored in another way")
        return kind

    def _identity(self, tag: int, rest: list[Packed]) -> Value:
        place, kind = len(self._shared), self._classes[rest[0]]
        if tag == _Tag.REBUILT:
            self._shared.append(None)
            self._shared[place] = self._kinds.rebuilt[kind].made(self.value(rest[1]))
            return self._shared[place]
        found: Value = object.__new__(kind)
        self._shared.append(found)
        for name, packed in zip(rest[1], rest[2], strict=True):
            object.__setattr__(found, name, self.value(packed))
        return found


def _made(kind: type[Value], values: list[Value]) -> Value:
    """A struct or named tuple with these values, also those that it would convert itself."""
    if not issubclass(kind, Struct):
        return kind(*values)
    names = kind.__struct_fields__
    found = kind(**dict(zip(names, values, strict=True)))
    if hasattr(kind, "__post_init__"):
        for name, value in zip(names, values, strict=True):
            force_setattr(found, name, value)
    return found


def _leaf(tag: int, rest: list[Packed]) -> Value:
    match tag:
        case _Tag.LARGE:
            return int.from_bytes(rest[0], "little", signed=True)
        case _Tag.TEXT:
            return rest[0].decode(errors="surrogatepass")
        case _Tag.ARRAY:
            return _array(*rest)
    raise Unusable(f"unknown tag {tag}")


def _array(dtype: str, shape: list[int], data: bytes, is_scalar: bool) -> Value:  # noqa: FBT001 - as stored
    kind = np.dtype(dtype)
    if kind.kind not in _NUMBERS:
        raise Unusable(f"an array of {dtype}")
    found = np.frombuffer(data, kind).reshape(shape).copy()
    return found[()] if is_scalar else found


def _large(value: int) -> bytes:
    return value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)


def _text(value: str) -> Packed:
    """A text as it is, or as bytes if it has characters that UTF-8 does not allow."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return [_Tag.TEXT, value.encode(errors="surrogatepass")]
    return value
