"""A stream of JSON values, in bounded memory: one per line, concatenated, in an array, or multi-line."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from msgspec import Struct

from flowwarden.errors import DamagedSource
from flowwarden.sources.chunks import Unreadable, shortened

LARGEST_VALUE: Final = 2**26
"""Maximum characters of one value in memory; a subscription payload has a few million at most."""

_BETWEEN: Final = re.compile(r"[\s,\[\]]*")
_GO_ON: Final = re.compile(r"\n|\}(?=\s*\{)")  # after an invalid value: the next line, or the next object
_LONGEST_TOKEN: Final = 32  # of JSON, except strings
_DECODER: Final = json.JSONDecoder()


class Document(Struct, frozen=True):
    """One object, and the number of its first line."""

    number: int
    content: dict[str, Any]


def documents(blocks: Iterable[bytes], name: str) -> Iterator[Document | Unreadable | None]:
    """The objects in the blocks, in order; None after each block, because the next one may take long.

    Anything that is not a JSON object is unreadable up to the end of its line.

    Raises:
        DamagedSource: the source ends within a value, or a value is larger than `LARGEST_VALUE`.
    """
    scanner = _Scanner(name)
    decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
    for block in blocks:
        yield from scanner.scan(decoder.decode(block))
        yield None
    yield from scanner.scan(decoder.decode(b"", final=True), last=True)


class _Scanner:
    """Finds the JSON values in a text that arrives in parts."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._text = ""
        self._number = 1
        self._enough = 0  # characters to wait for before the current value is parsed again

    def scan(self, more: str, *, last: bool = False) -> Iterator[Document | Unreadable]:
        """Append to the text, and take all complete values from it."""
        self._text += more
        if len(self._text) < self._enough and not last:
            return
        at = 0
        while True:
            at = self._pass_to(at, _BETWEEN.match(self._text, at))
            if at == len(self._text):
                break
            found, end = self._take(at, last=last)
            if found is None:
                break
            yield found
            self._number += self._text.count("\n", at, end)
            at = end
        self._text = self._text[at:]
        if len(self._text) > LARGEST_VALUE:
            raise DamagedSource(
                f"{self._name}: the JSON value that begins in line {self._number} does not end within "
                f"{LARGEST_VALUE} characters; split the file into one value per record"
            )
        self._enough = 2 * len(self._text)

    def _pass_to(self, at: int, between: re.Match[str] | None) -> int:
        end = between.end() if between else at
        self._number += self._text.count("\n", at, end)
        return end

    def _take(self, at: int, *, last: bool) -> tuple[Document | Unreadable | None, int]:
        """The value that begins there and its end; None if more text is needed."""
        try:
            value, end = _DECODER.raw_decode(self._text, at)
        except json.JSONDecodeError as error:
            if self._ends_within(error, last=last):
                if last:
                    raise DamagedSource(
                        f"{self._name}: ends in the middle of the JSON value that begins in line "
                        f"{self._number}, after {len(self._text) - at} characters of it; download it again"
                    ) from error
                return None, at
            return self._broken(at, f"not valid JSON: {error.msg}", last=last)
        except (ValueError, RecursionError) as error:
            return self._broken(at, f"JSON that cannot be parsed: {error}", last=last)
        if not isinstance(value, dict):
            return self._broken(at, f"not a JSON object: {value!r:.60}", last=last)
        return Document(self._number, value), end

    def _ends_within(self, error: json.JSONDecodeError, *, last: bool) -> bool:
        """Whether the error may be due to the end of the text rather than its content."""
        margin = 0 if last else _LONGEST_TOKEN
        at_end = error.pos >= len(self._text.rstrip()) - margin
        return at_end or error.msg.startswith("Unterminated string")

    def _broken(self, at: int, reason: str, *, last: bool) -> tuple[Unreadable | None, int]:
        go_on = _GO_ON.search(self._text, at + 1)
        if go_on is None and not last:
            return None, at
        end = len(self._text) if go_on is None else go_on.end()
        return Unreadable(self._number, shortened(self._text[at:end].rstrip()), reason), end
