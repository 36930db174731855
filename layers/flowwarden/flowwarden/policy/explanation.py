"""Explains why the decoder refused a policy: the setting, its value, and what is allowed there. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, get_args, get_origin, get_type_hints

from msgspec import Struct

from flowwarden.policy.document import Json, shown_at

_LIKE: Final = 0.6
"""How alike a name must be to be suggested (0 to 1)."""
_NAME_CHARACTERS: Final = 80

_KINDS: Final = {
    "int": "a whole number",
    "str": "a text in quotes",
    "bool": "true or false",
    "array": "a list in [ ]",
    "object": "an object in { }",
    "date": "a day such as 2027-03-31 in quotes",
    "null": "null",
}
"""The decoder's names of types, in words."""
_BOUNDS: Final = {">=": "at least", "<=": "at most"}


def explained(reason: str, document: Json, top: type[Struct]) -> str:
    """The decoder's message (`… - at `$.one.two``) in words: path, value, and what is allowed.

    Args:
        reason: the message.
        document: the policy as written.
        top: the type of the whole policy.
    """
    problem, _, rest = reason.partition(" - at `$")
    path = rest.rstrip("`")
    if unknown := re.search(r"unknown field `(.*)`", problem, re.DOTALL):
        return _unknown(path, unknown[1][:_NAME_CHARACTERS], top)
    place = path.removeprefix(".")
    if missing := re.search(r"missing required field `(.*)`", problem):
        return f"{place}: {missing[1]} is missing; add it"
    value = shown_at(document, path) if path else None
    allowed = _allowed(problem)
    action = f"write {allowed}" if allowed else _visible(problem)
    if not place:
        return f"it is not an object; {action}"
    return f"{place}: {action}" if value is None else f"{place}: {value}; {action}"


def _allowed(problem: str) -> str:
    """What the decoder expected, in words; '' if the message does not say it."""
    if "date" in problem and "Invalid" in problem:
        return _KINDS["date"]
    expected = re.match(r"Expected `([a-z |]+)`(?: (>=|<=) (-?[0-9]+))?", problem)
    if expected is None:
        return ""
    kinds, bound, limit = expected.groups()
    words = " or ".join(_KINDS.get(kind, kind) for kind in kinds.split(" | "))
    return f"{words} of {_BOUNDS[bound]} {limit}" if bound else words


def _unknown(path: str, name: str, top: type[Struct]) -> str:
    names = _settings_at(path, top)
    likely = " or ".join([*_alike(name, names), *[*_places(name, top)][:1]])
    hints = f"; did you mean {likely}?" if likely else ""
    place = _visible(f"{path}.{name}".removeprefix("."))
    return f"{place}: unknown setting; write one of {', '.join(names)}{hints}"


def _alike(name: str, names: Sequence[str]) -> Sequence[str]:
    """The name that is most like another one, if any is."""
    from difflib import get_close_matches  # noqa: PLC0415  takes milliseconds of each cold start

    return get_close_matches(name, names, 1, _LIKE)


def _places(name: str, settings: type[Struct], path: str = "") -> Iterator[str]:
    """The paths at which a setting of this name exists, in the order of the policy; `[]` marks a list."""
    if name in settings.__struct_fields__:
        yield f"{path}{name}"
    for field, kind in get_type_hints(settings).items():
        if inner := _settings_in(kind):
            yield from _places(name, inner, f"{path}{field}{'[]' if get_origin(kind) is tuple else ''}.")


def _settings_at(path: str, top: type[Struct]) -> tuple[str, ...]:
    """The names of the settings at a path; without one, those of the whole policy."""
    place = top
    for name in re.findall(r"[a-z_]+", path):
        place = _settings_in(get_type_hints(place).get(name)) or place
    return place.__struct_fields__


def _settings_in(kind: object) -> type[Struct] | None:
    """The type of settings that a type is or contains, as `tuple[Rule, ...]` contains rules; None without."""
    if isinstance(kind, type) and issubclass(kind, Struct):
        return kind
    return next((found for each in get_args(kind) if (found := _settings_in(each))), None)


def _visible(reason: str) -> str:
    """A text in which the name of an unknown field is the user's: one line of bounded length."""
    return "".join(char if char.isprintable() else "?" for char in reason[: 4 * _NAME_CHARACTERS])
