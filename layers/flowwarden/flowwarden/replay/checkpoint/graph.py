"""The state in a graph of objects: which attributes change, how they are read, and how they are put back.

The objects of a replay contain functions, so they are built anew, and get the state of the earlier ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from flowwarden.replay.checkpoint.kinds import Kinds, Unusable
from flowwarden.replay.checkpoint.values import Value, decoded, encoded

type Part = Any
"""An object with state."""
type State = Mapping[type, Sequence[str]]
"""The attributes of each class that change. A class without any is listed if its attributes are objects that
have some."""


def captured(root: object, state: State, kinds: Kinds) -> bytes:
    """The state of all objects that can be reached from the first one. Raises Unstorable."""
    values = {
        path: [_plain(getattr(each, name)) for name in state[type(each)]]
        for path, each in _parts(root, state, "", set())
    }
    return encoded(values, kinds)


def restore(root: object, data: bytes, state: State, kinds: Kinds) -> None:
    """Put the state into new objects that were built in the same way. Raises Unusable."""
    values, parts = decoded(data, kinds), dict(_parts(root, state, "", set()))
    if not isinstance(values, dict) or [*values] != [*parts]:
        raise Unusable("the state is that of other objects")
    for path, part in parts.items():
        try:
            for name, value in zip(state[type(part)], values[path], strict=True):
                _put(part, name, value)
        except (TypeError, ValueError) as error:
            raise Unusable(f"the state of {path or 'the replay'}: {error}") from error


def _parts(part: Part, state: State, path: str, seen: set[int]) -> Iterator[tuple[str, Part]]:
    """The objects whose class is listed, each once, with the way to it."""
    if type(part) not in state or id(part) in seen:
        return
    seen.add(id(part))
    yield path, part
    for name in names_of(part):
        yield from _parts(getattr(part, name), state, f"{path}.{name}", seen)


def names_of(part: Part) -> Sequence[str]:
    """The names of the attributes of an object."""
    return type(part).__struct_fields__ if isinstance(part, Struct) else [*vars(part)]


def _plain(value: Value) -> Value:
    """A dictionary without a default: the new object's own has the function for it."""
    return dict(value) if isinstance(value, dict) else value


def _put(part: Part, name: str, value: Value) -> None:
    """Set an attribute. Others may refer to the same dictionary or set, so these are filled."""
    known = getattr(part, name)
    if isinstance(known, dict | set):
        known.clear()
        known.update(value)
    elif isinstance(known, list):
        known[:] = value
    else:
        setattr(part, name, value)
