"""Text from outside as one safe line: for pages, logs, a terminal and JSON alike. Pure.

Tags, names, ARNs, messages and fields of records are written by others. Shown raw, such a text can forge a
line, hide a part of itself, displace the rest of its line, or drive a terminal; a lone surrogate even raises
an error when it is encoded. So everything that is not visible is escaped. Letters of all scripts are kept,
those of right-to-left scripts too, which a reader shows in their own order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

LONGEST: Final = 256
"""Characters of a name or another value within a line."""
LONGEST_LINE: Final = 2000
"""Characters of a whole line."""
ELLIPSIS: Final = "..."
"""Marks truncation; ASCII, because some receivers accept nothing else."""

_INVISIBLE: Final = (
    "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef"
)
"""What Unicode counts as printable and no font shows: fillers, joiners and variation selectors."""
_MARKS: Final = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20f0"
    "\ufe20-\ufe2f"
)
"""Marks that are drawn above or below the letter before them."""
_STACKED: Final = 4
"""Marks on one letter that a script needs at most; more of them cover the lines above and below."""
_SUSPECT: Final = re.compile(f"[{_INVISIBLE}]|(?<=[{_MARKS}]{{{_STACKED}}})[{_MARKS}]+")


def one_line(text: str, limit: int = LONGEST) -> str:
    r"""Text from outside as a safe part of one line: visible characters, at most `limit` of them.

    Consecutive whitespace, line breaks among it, becomes one space. Every other character that is not visible
    (controls, bidirectional marks, zero-width characters, lone surrogates) is escaped: `\x1b`, `\u202e`.
    `...` marks truncation. All scripts are kept, and a second pass changes nothing. `limit` must be at least
    3.
    """
    return printable(" ".join(text.split()), limit)


def printable(text: str, limit: int = LONGEST_LINE) -> str:
    """The same for a whole line, whose spaces are kept because they indent and align it."""
    # Nothing beyond is shown, so a text of megabytes costs no more than a long one.
    kept = text[: limit + 1]
    if not (kept.isascii() and kept.isprintable()):
        kept = "".join(map(_visible, kept))
        kept = _SUSPECT.sub(_escaped_match, kept)
    return kept if len(kept) <= limit else f"{kept[: limit - len(ELLIPSIS)]}{ELLIPSIS}"


def safe(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """A JSON value whose texts, names of members among them, are one line of at most `LONGEST_LINE` each."""
    match value:
        case str():
            return one_line(value, LONGEST_LINE)
        case Mapping():
            return {one_line(str(name)): safe(each) for name, each in value.items()}
        case list() | tuple():
            return [safe(each) for each in value]
        case _:
            return value


def as_json(value: object, indent: int | None = None) -> str:
    """A value as JSON in which everything that is not visible is escaped, so that no text is altered.

    What JSON has no type for is given as text. Lone surrogates become escapes, which JSON allows.
    """
    separators = (",", ":") if indent is None else None
    encoded = json.dumps(value, default=str, ensure_ascii=False, separators=separators, indent=indent)
    if encoded.isascii() and encoded.isprintable():
        return encoded
    # Outside its strings, JSON consists of visible characters, and of line breaks where it is indented.
    return "".join(char if char.isprintable() or char == "\n" else _unit(char) for char in encoded)


def _unit(char: str) -> str:
    """JSON's escape of a character; of two units for one beyond U+FFFF."""
    escaped = json.dumps(char)[1:-1]
    return escaped if escaped.startswith("\\") else f"\\u{ord(char):04x}"  # json leaves U+007F


def _visible(char: str) -> str:
    if char.isprintable():
        return char
    return " " if char.isspace() else _escaped(char)


def _escaped_match(found: re.Match[str]) -> str:
    return "".join(map(_escaped, found[0]))


def _escaped(char: str) -> str:
    r"""`\x1b` or `\u202e`, whatever the character."""
    code = ord(char)
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004
