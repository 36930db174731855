"""A stream of JSON values, in bounded memory: one per line, concatenated, in an array, or multi-line.

Long lists within an object, such as the events of `aws logs filter-log-events`, are streams, too.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

from msgspec import Struct

from flowwarden.errors import DamagedSource
from flowwarden.sources.chunks import Unreadable, shortened
from flowwarden.sources.json_grammar import FLAT, State, Value

LARGEST_VALUE: Final = 2**25
"""Maximum characters of one value in memory; a subscription payload has a few million at most."""
STREAMED: Final = frozenset({"events", "logEvents", "records", "Records", "results", "Messages"})
"""The keys of lists whose elements are values of the stream."""

_BETWEEN: Final = re.compile(r"[\s,\[\]]*+")
_BETWEEN_ELEMENTS: Final = re.compile(r"(?:[\s,]|\[\s*\])*+")
_GO_ON: Final = re.compile(r"\n|\}(?=\s*,?\s*\{)")
"""After an invalid value: the next line, or the next object."""
_LONGEST_SCALAR: Final = 4096
_SHORT: Final = 2**16
_SHOWN: Final = 1000
_AFTER_BROKEN: Final = re.compile(r"[\s,\[\]}]*+")
_STREAMED_LEVEL: Final = 2  # a list that is a member of an outermost object
_MOST_MEMBERS: Final = 1000
_NO_MEMBERS: Final[dict[str, Any]] = {}
_DECODER: Final = json.JSONDecoder()


class Document(Struct, frozen=True):
    """One value of the stream."""

    number: int
    """The line in which it begins, from 1."""
    content: Any
    """An object, a line (text with a blank), or any element of a streamed list."""
    within: str = ""
    """The key of the streamed list that it is an element of; '' outside such lists."""
    streamed: frozenset[str] = frozenset()
    """The keys of the object's lists that were streamed before it; `content` has its scalar members."""
    around: Mapping[str, Any] = _NO_MEMBERS
    """The scalar members, up to the streamed list, of the object that contains the list."""


def documents(blocks: Iterable[bytes], name: str) -> Iterator[Document | Unreadable | None]:
    r"""The values in the blocks, in order; None after each block, because the next one may take long.

    Outside streamed lists, a value that is neither an object nor a text with a blank is unreadable, and so is
    anything that is not JSON. It is skipped up to the end of its line or to the next object.

    Args:
        blocks: the bytes of the source; invalid UTF-8 becomes `\xff`.
        name: the source's name, for messages.

    Raises:
        DamagedSource: the source ends within a value or list, or a value is larger than `LARGEST_VALUE`.
    """
    scanner = _Scanner(name)
    decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
    for block in blocks:
        yield from scanner.scan(decoder.decode(block))
        yield None
    yield from scanner.scan(decoder.decode(b"", final=True), last=True)


class _Object(Struct):
    """An object with a streamed list, and its members that are neither lists nor objects."""

    number: int
    value: Value
    members: dict[str, Any]
    streamed: set[str]
    key: str
    """The key of the list that is being streamed; '' before and after."""


def _decoded(members: Mapping[str, str]) -> dict[str, Any]:
    """Members from their JSON texts, without those that Python cannot decode, such as very long numbers."""
    decoded: dict[str, Any] = {}
    for name, text in members.items():
        with suppress(ValueError):
            decoded[_DECODER.decode(name)] = _DECODER.decode(text)
    return decoded


class _Scanner:
    """Finds the JSON values in a text that arrives in parts."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._text = ""
        self._at = 0  # everything before this position is consumed
        self._number = 1
        self._awaited = list[str]()  # parts of the text that are not scanned yet
        self._enough = 0  # characters to wait for before the next scan
        self._lists = 0  # open lists around the next value, outside objects
        self._value: Value | None = None  # the value that begins at `_at`
        self._reached = 0  # the value is scanned up to this position
        self._outer: _Object | None = None  # the object with streamed lists, or the one that may become it
        self._skipped: Unreadable | None = None  # an invalid value whose end is not found yet
        self._recovered = False  # after an invalid value, brackets need not match

    def scan(self, more: str, *, last: bool = False) -> Iterator[Document | Unreadable]:
        """Append to the text, and yield all complete values in it."""
        self._awaited.append(more)
        self._enough -= len(more)
        if self._enough > 0 and not last:
            return
        # Only once enough text has arrived: joining each block would copy a long value again and again.
        self._text = "".join([self._text[self._at :], *self._awaited])
        self._awaited.clear()
        self._reached -= self._at
        self._at = 0
        while self._value is not None or self._skipped is not None or self._begin():
            found = self._skip(last=last) if self._skipped else self._follow(last=last)
            if found is None:
                break
            if not isinstance(found, bool):
                yield found
        pending = len(self._text) - self._at
        if pending > LARGEST_VALUE:
            raise DamagedSource(
                f"{self._name}: the JSON value that begins in line {self._number} does not end within "
                f"{LARGEST_VALUE} characters; split the file into one value per record"
            )
        self._enough = pending if pending > _SHORT else 0
        if last:
            self._demand_end(pending)

    def _demand_end(self, pending: int) -> None:
        if self._value is not None:
            what = f"the JSON value that begins in line {self._number}, after {pending} characters of it"
        elif self._outer is not None:
            what = f"the JSON value that begins in line {self._outer.number}: its end is missing"
        elif self._lists and not self._recovered:
            what = f"a JSON list, in line {self._number}: its end is missing"
        else:
            return
        raise DamagedSource(f"{self._name}: ends in the middle of {what}; download it again")

    def _take(self, end: int) -> str:
        """Consume the text up to `end`, and return it."""
        taken = self._text[self._at : end]
        self._number += taken.count("\n")
        self._at = end
        return taken

    def _pass(self, between: re.Pattern[str]) -> str:
        found = between.match(self._text, self._at)
        return self._take(found.end() if found else self._at)

    def _begin(self) -> bool:
        """Skip what stands between values, and begin the next one. Returns False at the end of the text."""
        if self._outer is not None:
            return self._begin_element(self._outer)
        passed = self._pass(_BETWEEN)
        self._lists = max(0, self._lists + passed.count("[") - passed.count("]"))
        if self._recovered:
            self._pass(_AFTER_BROKEN)
        if self._at == len(self._text):
            return False
        self._value, self._reached = Value(), self._at
        return True

    def _begin_element(self, outer: _Object) -> bool:
        self._pass(_BETWEEN_ELEMENTS)
        if self._at == len(self._text):
            return False
        if self._text[self._at] == "]":
            self._take(self._at + 1)
            outer.key = ""
            outer.value.close_list()
            self._value, self._reached = outer.value, self._at
        else:
            self._value, self._reached = Value(), self._at
        return True

    def _follow(self, *, last: bool) -> Document | Unreadable | bool | None:
        """Scan the value to its end; None if more text is needed, True if it is invalid or to be streamed."""
        value = self._value
        if value is None:
            return None
        if not value.tokens and (flat := FLAT.match(self._text, self._at)):
            with suppress(ValueError):
                return self._document(_DECODER.decode(flat[0]), flat.end())
        while True:
            state, begin, end = value.step(self._text, self._reached, last=last)
            if state is State.BROKEN:
                return self._broken(begin, value.reason)
            self._reached = end
            if state is State.MORE:
                return None
            if state is State.DONE:
                return self._finished(end)
            if len(value.stack) <= _STREAMED_LEVEL and self._is_streamed(value, begin, end):
                return True

    def _is_streamed(self, value: Value, begin: int, end: int) -> bool:
        """Store a scalar member of an outermost object, or begin to stream a list; returns whether it does.

        The member's value, or the beginning of the list, is the token from `begin` to `end`.
        """
        outer = self._outer
        if value.stack[0] != "{" or (outer is not None and outer.value is not value):
            return False
        char = self._text[begin]
        if value.state is State.NEXT and char not in "}]" and len(value.stack) == 1:
            if end - begin <= _LONGEST_SCALAR and len(value.members) < _MOST_MEMBERS:
                value.members[value.key] = self._text[begin:end]
            return False
        key = value.key[1:-1]
        if char != "[" or len(value.stack) != _STREAMED_LEVEL or key not in STREAMED:
            return False
        if outer is None:
            outer = self._outer = _Object(self._number, value, {}, set(), "")
        outer.members = _decoded(value.members)
        outer.streamed.add(key)
        outer.key = key
        self._take(end)
        self._value = None
        return True

    def _finished(self, end: int) -> Document | Unreadable | bool:
        outer = self._outer
        if outer is not None and outer.value is self._value:
            members = _decoded(outer.value.members)
            self._take(end)
            self._value = self._outer = None
            return Document(outer.number, members, streamed=frozenset(outer.streamed))
        try:
            content = _DECODER.decode(self._text[self._at : end])
        except (ValueError, RecursionError) as error:
            self._value = None
            return Unreadable(self._number, shortened(self._take(end)), _why(error))
        return self._document(content, end)

    def _document(self, content: object, end: int) -> Document | Unreadable | bool:
        if self._outer is not None:
            document = Document(self._number, content, self._outer.key, around=self._outer.members)
        elif isinstance(content, dict) or (isinstance(content, str) and " " in content):
            document = Document(self._number, content)
        else:
            return self._unreadable(self._at, f"not a JSON object: {content!r:.60}")
        self._value = None
        self._take(end)
        return document

    def _broken(self, begin: int, reason: str) -> Unreadable | bool:
        """Skip a value that is invalid at `begin`, up to the end of the line or to the next object."""
        self._outer = None
        self._recovered = True
        before = self._text[self._at : begin]
        if self._text.startswith("{", begin) and not before.rpartition("\n")[2].strip() and "\n" in before:
            self._value = None
            return Unreadable(self._number, shortened(self._take(begin).rstrip()), reason)
        return self._unreadable(begin, reason)

    def _unreadable(self, begin: int, reason: str) -> bool:
        self._value = None
        self._skipped = Unreadable(self._number, "", reason)
        self._skip_to(begin)
        return True

    def _skip(self, *, last: bool) -> Unreadable | None:
        """The invalid value, once its end is found; only its beginning is kept."""
        skipped = self._skipped
        go_on = _GO_ON.search(self._text, self._at)
        if skipped is None or (go_on is None and not last):
            self._skip_to(self._at + len(self._text[self._at :].rstrip("} \t\r,")))
            return None
        self._skip_to(go_on.end() if go_on else len(self._text))
        text = self._skipped.text if self._skipped else ""
        self._skipped = None
        return Unreadable(skipped.number, shortened(text.rstrip()), skipped.reason)

    def _skip_to(self, end: int) -> None:
        taken = self._take(end)
        self._lists = max(0, self._lists + taken.count("[") - taken.count("]"))
        if self._skipped is not None:
            text = (self._skipped.text + taken[:_SHOWN])[:_SHOWN]
            self._skipped = Unreadable(self._skipped.number, text, self._skipped.reason)


def _why(error: Exception) -> str:
    """Why the decoder refused a complete value: only its depth and its numbers have limits of Python."""
    return (
        "a JSON value nested too deeply"
        if isinstance(error, RecursionError)
        else "a number with too many digits"
    )
