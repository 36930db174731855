"""Validates JSON values against the part of JSON Schema (2020-12) that our schemas use.

A keyword that is not implemented raises an error, so that no rule of a schema is ignored.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}
NOTES: Final = frozenset({"$schema", "$id", "$defs", "title", "description", "examples", "default"})
"""Keywords that are no rules."""


def problems(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any] | None = None) -> list[str]:
    """What is wrong with a value, with its path."""
    return [*_problems(value, schema, schema if root is None else root, "$")]


def _problems(value: Any, schema: Any, root: Mapping[str, Any], path: str) -> Iterator[str]:
    if isinstance(schema, bool):
        if not schema:
            yield f"{path}: not allowed"
        return
    for keyword, rule in schema.items():
        if keyword in NOTES:
            continue
        yield from RULES[keyword](value, rule, schema, root, path)


def _type(value: Any, rule: Any, *rest: Any) -> Iterator[str]:
    names = [rule] if isinstance(rule, str) else rule
    fits = any(
        isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))
        for name in names
    )
    if not fits:
        yield f"{rest[-1]}: {value!r:.80} is not {rule}"


def _required(value: Any, rule: Any, *rest: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (f"{rest[-1]}: {name} is missing" for name in rule if name not in value)


def _properties(value: Any, rule: Any, _schema: Any, root: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in rule.items():
            if name in value:
                yield from _problems(value[name], inner, root, f"{path}.{name}")


def _additional(value: Any, rule: Any, schema: Any, root: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name in value.keys() - schema.get("properties", {}).keys():
            yield from _problems(value[name], rule, root, f"{path}.{name}")


def _prefix_items(value: Any, rule: Any, _schema: Any, root: Any, path: str) -> Iterator[str]:
    if isinstance(value, list):
        for number, (each, inner) in enumerate(zip(value, rule, strict=False)):
            yield from _problems(each, inner, root, f"{path}[{number}]")


def _items(value: Any, rule: Any, _schema: Any, root: Any, path: str) -> Iterator[str]:
    if isinstance(value, list):
        for at, each in enumerate(value):
            yield from _problems(each, rule, root, f"{path}[{at}]")


def _any_of(value: Any, rule: Any, _schema: Any, root: Any, path: str) -> Iterator[str]:
    tried = [[*_problems(value, each, root, path)] for each in rule]
    if all(tried):
        yield f"{path}: fits none of {len(rule)}: {min(tried, key=len)[0]}"


def _reference(value: Any, rule: Any, _schema: Any, root: Any, path: str) -> Iterator[str]:
    assert rule.startswith("#/$defs/"), rule
    yield from _problems(value, root["$defs"][rule.removeprefix("#/$defs/")], root, path)


def _check(holds: Callable[[Any, Any], bool]) -> Callable[..., Iterator[str]]:
    def check(value: Any, rule: Any, *rest: Any) -> Iterator[str]:
        if not holds(value, rule):
            yield f"{rest[-1]}: {value!r:.80} breaks {rule!r}"

    return check


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


RULES: Final[Mapping[str, Callable[..., Iterator[str]]]] = {
    "type": _type,
    "required": _required,
    "properties": _properties,
    "additionalProperties": _additional,
    "items": _items,
    "prefixItems": _prefix_items,
    "anyOf": _any_of,
    "$ref": _reference,
    "enum": _check(lambda value, rule: value in rule),
    "const": _check(lambda value, rule: value == rule),
    "pattern": _check(lambda value, rule: not isinstance(value, str) or bool(re.search(rule, value))),
    "minLength": _check(lambda value, rule: not isinstance(value, str) or len(value) >= rule),
    "maxLength": _check(lambda value, rule: not isinstance(value, str) or len(value) <= rule),
    "minimum": _check(lambda value, rule: not _is_number(value) or value >= rule),
    "minItems": _check(lambda value, rule: not isinstance(value, list) or len(value) >= rule),
}
