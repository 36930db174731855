"""Compares two graphs of objects, attribute by attribute."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from inspect import isroutine
from typing import Any, Final

import numpy as np
from msgspec import Struct

from flowwarden.replay.checkpoint.graph import names_of
from flowwarden.replay.checkpoint.kinds import attributes_of

FOLLOWS: Final = {
    "AddressCache._known": "which addresses are valid",
    "LearnedInterfaces._current": "the lines of the batch before",
    "LearnedInterfaces._is_read": "whether they were read",
    "StringPool._answers": "functions of texts",
    "StringPool.ids": "numbers of texts",
    "StringPool.short": "numbers of texts",
}
"""Attributes that are not stored, because they follow from what is, or are set before they are read."""


class Comparison:
    """One comparison of two graphs, with the objects that were compared already."""

    def __init__(self) -> None:
        self._seen: dict[int, int] = {}

    def differences(self, one: Any, other: Any, path: str) -> Iterator[str]:
        """The ways to values that differ, or to an object that is shared in one graph only."""
        if isroutine(one) or isinstance(one, type):
            return
        if type(one) is not type(other):
            yield f"{path}: {type(one)} and {type(other)}"
        elif isinstance(one, dict):
            yield from self._several([[*one], *one.values()], [[*other], *other.values()], path)
        elif isinstance(one, list | tuple):
            yield from self._several(one, other, path)
        elif _has_attributes(one):
            yield from self._objects(one, other, path)
        elif not _are_equal(one, other):
            yield path

    def _several(self, some: Any, others: Any, path: str) -> Iterator[str]:
        if len(some) != len(others):
            yield f"{path}: {len(some)} and {len(others)}"
            return
        for at, (one, other) in enumerate(zip(some, others, strict=True)):
            yield from self.differences(one, other, f"{path}[{at}]")

    def _objects(self, one: Any, other: Any, path: str) -> Iterator[str]:
        if id(one) in self._seen:
            if not isinstance(one, Struct) and self._seen[id(one)] != id(other):
                yield f"{path}: another object"
            return
        self._seen[id(one)] = id(other)
        names: Iterable[str] = names_of(one) if isinstance(one, Struct) else attributes_of(one)
        for name in names:
            if f"{type(one).__name__}.{name}" not in FOLLOWS:
                yield from self.differences(getattr(one, name), getattr(other, name), f"{path}.{name}")


def _has_attributes(value: object) -> bool:
    return type(value).__module__.startswith("flowwarden.") and not isinstance(value, str | int)


def _are_equal(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        return bool(np.array_equal(one, other))
    # Decoders and their like are equal only to themselves.
    return bool(one == other) or not any("__eq__" in vars(each) for each in type(one).__mro__[:-1])
