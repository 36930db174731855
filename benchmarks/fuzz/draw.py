"""Draws malformed values from a random generator: damaged bytes, changed JSON, unusual lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final

from flowwarden.records.fields import Field
from tests.cli.hostile import PIECES, WHOLE, cut, flip, put
from tests.hostile import HOSTILE
from tests.records.strategies import BLANKS, EDGES, TRICKY, VALUES

_AT: Final = 5000
_NESTS: Final = b"[", b'{"a":', b"[],", b"{}", b'[{"a":'
"""Beginnings of JSON values that are nested, or elements that are repeated, thousands of times."""
_MOST: Final = 4


def damaged(random: Random, data: bytes) -> bytes:
    """The data, damaged in up to four places."""
    for _ in range(random.randrange(_MOST + 1)):
        data = _damage(random)(data)
    return data


def _damage(random: Random) -> Callable[[bytes], bytes]:
    at = random.randrange(_AT)
    match random.randrange(8):
        case 0:
            return cut(at)
        case 1 | 2:
            return flip(at, random.randrange(256))
        case 3:
            return random.choice(WHOLE)
        case 4 if not random.randrange(8):
            return put(at % 50, random.choice(_NESTS), random.choice((600, 3_000, 10_000)))
        case 5:
            return put(at, random.randbytes(random.randrange(9)), random.randrange(1, 40))
        case _:
            return put(at, random.choice(PIECES), random.randrange(1, 40))


def _nested(depth: int, name: str = "") -> Any:  # noqa: ANN401 - lists, or objects with one member
    whole: Any = 1
    for _ in range(depth):
        whole = {name: whole} if name else [whole]
    return whole


_ODD: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 1, 1.5, 1e300, 2**31, 2**63, 10**30, "", " ", "x", "-1", "9" * 400, HOSTILE,
    HOSTILE[:40], "\ud800", "\x1b[31m", "\r\n", [], {}, [None], [[]], {"": ""}, {HOSTILE: HOSTILE},
    _nested(40), _nested(3000), _nested(3000, "a"),
)  # fmt: skip
"""Values that replace a JSON value."""


def changed(random: Random, value: Any, times: int = 3) -> Any:  # noqa: ANN401 - any JSON value
    """A copy of a JSON value with up to `times` changes at random places."""
    for _ in range(random.randrange(times + 1)):
        value = _changed(random, value)
    return value


def _changed(random: Random, value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict) and value and random.random() < 0.85:  # noqa: PLR2004 - mostly deeper
        name = random.choice([*value])
        return _member(random, value, name)
    if isinstance(value, list) and value and random.random() < 0.85:  # noqa: PLR2004
        position = random.randrange(len(value))
        return [*value[:position], *_elements(random, value[position]), *value[position + 1 :]]
    if isinstance(value, str) and random.random() < 0.5:  # noqa: PLR2004
        at = random.randrange(len(value) + 1)
        return value[:at] + odd_text(random) + value[at + random.randrange(3) :]
    return random.choice(_ODD)


def _member(random: Random, value: dict[str, Any], name: str) -> dict[str, Any]:
    others = {each: value[each] for each in value if each != name}
    match random.randrange(12):
        case 0:
            return others
        case 1:
            return {**others, odd_text(random): value[name]}
        case _:
            return {**value, name: _changed(random, value[name])}


def _elements(random: Random, value: Any) -> Sequence[Any]:  # noqa: ANN401
    match random.randrange(12):
        case 0:
            return ()
        case 1:
            return [value] * random.randrange(2, 40)
        case _:
            return (_changed(random, value),)


def odd_text(random: Random) -> str:
    """A text that a parser may misread, such as a control character."""
    match random.randrange(5):
        case 0:
            return HOSTILE[: random.randrange(1, 80)]
        case 1:
            return chr(random.randrange(0x110000))
        case 2:
            return "".join(chr(random.randrange(256)) for _ in range(random.randrange(9)))
        case _:
            return random.choice(TRICKY)


def token(random: Random, field: Field) -> str:
    """A typical value of a field."""
    values = VALUES[field.kind]
    if isinstance(values, range):
        return str(random.randrange(values.start, values.stop))
    return random.choice(values)


def spelled(random: Random, tokens: Sequence[str]) -> str:
    """A line of these tokens, sometimes with unusual blanks between or around them."""
    line = " ".join(tokens)
    if random.random() < 0.3:  # noqa: PLR2004
        line = line.replace(" ", random.choice(BLANKS), random.randrange(1, 3))
    if random.random() < 0.3:  # noqa: PLR2004
        line = random.choice(EDGES) + line + random.choice(EDGES)
    return line
