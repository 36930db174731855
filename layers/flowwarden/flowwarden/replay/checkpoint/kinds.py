"""Which classes the state has objects of, and which of their attributes are stored."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cached_property
from inspect import getattr_static
from typing import Any, Final

from msgspec import Struct

PACKAGE: Final = "flowwarden."
"""Classes of other packages are neither written nor made."""


class Unstorable(TypeError):
    """A value of a type that cannot be stored; the message names it."""


class Unusable(ValueError):
    """Bytes that are not such values; the message says why."""


class Rebuilt(Struct, frozen=True):
    """How objects of a class are stored that cannot be made from their attributes."""

    given: Callable[[Any], Any]
    """What an object is made from, as a value that can be stored."""
    made: Callable[[Any], Any]


class Kinds(Struct, frozen=True):
    """Classes whose objects are stored, besides structs, data classes, enumerations and named tuples."""

    plain: frozenset[type]
    """Stored by their attributes."""
    rebuilt: Mapping[type, Rebuilt]


def attributes_of(value: object) -> list[str]:
    """The names of the attributes that make an object what it is: not what it computes from them."""
    if is_dataclass(value):
        return [each.name for each in fields(value)]
    kind = type(value)
    return [name for name in vars(value) if not isinstance(getattr_static(kind, name, None), cached_property)]


def class_named(name: str, kinds: Kinds) -> type:
    """A class by its name, if it is one of those whose objects are stored. Imports nothing."""
    module, _, path = name.partition(":")
    found: Any = sys.modules.get(module) if module.startswith(PACKAGE) else None
    for part in path.split("."):
        found = getattr(found, part, None)
    if not isinstance(found, type) or f"{found.__module__}:{found.__qualname__}" != name:
        raise Unusable(f"unknown type {name}")
    is_data = issubclass(found, Struct | Enum | str) or is_dataclass(found) or hasattr(found, "_fields")
    if not is_data and found not in kinds.plain and found not in kinds.rebuilt:
        raise Unusable(f"type {name} is not stored")
    return found
