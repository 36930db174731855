"""The policy's JSON as written: finds keys that occur twice, and the value that an error is about.

The decoder of the typed policy keeps the last of two equal keys and drops the others silently, and names the
path of a wrong value but not the value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct

DEEPEST: Final = 50
"""Levels of a document that is read: no policy has as many, and a deeper one exhausts the stack."""
SHOWN_CHARACTERS: Final = 80
"""The longest excerpt of a value in an error message."""

BYTE_ORDER_MARK: Final = "\ufeff"
_HALF: Final = re.compile("[\ud800-\udfff]")
"""Surrogates: only a pair of them is a character."""

type Json = "Written | Sequence[Json] | str | int | float | bool | None"


class Written(Struct, frozen=True):
    """A JSON object with its pairs in order, repeated keys included."""

    pairs: Sequence[tuple[str, Json]]

    @property
    def last(self) -> Mapping[str, Json]:
        """The value of each key; of repeated keys the last."""
        return dict(self.pairs)


def read(text: str | bytes) -> Json:
    """The document as written; None if it cannot be read, or is nested more than `DEEPEST` levels."""
    try:
        document: Json = json.loads(text, object_pairs_hook=Written)
    except (ValueError, RecursionError):
        return None
    return None if _is_deeper(document, DEEPEST) else document


def problem_of(text: str | bytes) -> str:
    """Why a text cannot be read as JSON, and what to do; '' if the reason is not known."""
    try:
        written = text.decode() if isinstance(text, bytes) else text
    except UnicodeDecodeError:
        return "it is not UTF-8; save it as UTF-8"
    if written.startswith(BYTE_ORDER_MARK):
        return "it begins with a byte order mark (U+FEFF); save it as UTF-8 without this mark"
    try:
        document = json.loads(written, object_pairs_hook=Written)
    except json.JSONDecodeError as error:
        return f"not JSON: {error.msg}, in line {error.lineno}, column {error.colno}"
    except (ValueError, RecursionError):
        return ""
    half = next((found[0] for each in _texts(document) if (found := _HALF.search(each))), None)
    return f"\\u{ord(half):04x} is half of a character; write the whole character" if half else ""


def _texts(document: Json) -> Iterator[str]:
    """All texts in a document, of keys and values, however deep."""
    left = [document]
    while left:
        each = left.pop()
        if isinstance(each, Written):
            left += [one for pair in each.pairs for one in pair]
        elif isinstance(each, list):
            left += each
        elif isinstance(each, str):
            yield each


def _is_deeper(document: Json, levels: int) -> bool:
    """Whether it is nested more than so many levels."""
    if isinstance(document, Written):
        inner = [value for _, value in document.pairs]
    elif isinstance(document, list):
        inner = document
    else:
        return False
    return not levels or any(_is_deeper(each, levels - 1) for each in inner)


def repeated(document: Json, path: str = "") -> Iterator[str]:
    """The paths of the keys that occur more than once in an object, in order."""
    if isinstance(document, Written):
        seen: set[str] = set()
        for key, value in document.pairs:
            step = f".{key}" if key.isidentifier() else f"[{key!r}]"
            inner = f"{path}{step}".removeprefix(".")
            if key in seen:
                yield inner
            seen.add(key)
            yield from repeated(value, inner)
    elif isinstance(document, list):
        for number, value in enumerate(document):
            yield from repeated(value, f"{path}[{number}]")


_STEPS: Final = re.compile(r"\.([A-Za-z_]+)|\[([0-9]+)\]")


def shown_at(document: Json, path: str) -> str | None:
    """The value at a path such as `.rules[0].where`, as JSON of bounded length; None if there is none.

    In a path of the decoder, `[...]` stands for any key of an object; what is in it is not shown.
    """
    if _STEPS.sub("", path):
        return None
    for key, number in _STEPS.findall(path):
        if key and isinstance(document, Written) and key in document.last:
            document = document.last[key]
        elif number and isinstance(document, list) and int(number) < len(document):
            document = document[int(number)]
        else:
            return None
    text = json.dumps(document, default=lambda each: each.last)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 3]}..."
