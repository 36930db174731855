"""The grammar of JSON, token by token: finds the end of a value in a text that arrives in parts.

Each character is scanned only once, wherever parts and values end. Nesting and the number of tokens of a
value are limited, which bounds the memory of its decoded form.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import Final

DEEPEST: Final = 64
"""Maximum nesting of a value; AWS's documents have at most five levels."""
MOST_TOKENS: Final = 2**17
"""Maximum tokens of a value that is decoded as a whole: a decoded token can take more than 100 bytes."""

_ESCAPE: Final = r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})'
_STRING: Final = rf'"[^"\\\x00-\x1f]*+(?:{_ESCAPE}[^"\\\x00-\x1f]*+)*+'
_TOKEN: Final = re.compile(
    rf"[ \t\r\n]*+(?:(?P<mark>[{{}}\[\]:,])|(?P<text>{_STRING}\")|(?P<word>[-+.\w]++))"
)
_LITERAL: Final = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null|NaN|-?Infinity")
_BLANK: Final = re.compile(r"[ \t\r\n]*+")
_OPEN_STRING: Final = re.compile(rf"{_STRING}(?:\\(?:u[0-9a-fA-F]{{0,3}})?)?\Z")
FLAT: Final = re.compile(rf'\{{(?:[^{{}}\[\]"]++|{_STRING}")*+\}}')
"""A whole object without objects or lists in it, such as a record; its content may be invalid JSON."""


class State(Enum):
    """The token that may come next in a value."""

    VALUE = auto()
    FIRST = auto()
    """A value, or the end of the list."""
    KEY = auto()
    FIRST_KEY = auto()
    """A key, or the end of the object."""
    COLON = auto()
    NEXT = auto()
    """A comma, or the end of the list or object."""
    DONE = auto()
    BROKEN = auto()
    MORE = auto()
    """The text ends within a token; more of it is needed."""


_TEXT: Final = "text"
_WORD: Final = "word"
_SCALARS: Final = (_TEXT, _WORD)
_CLOSING: Final = {
    "}": ("{", (State.FIRST_KEY, State.NEXT)),
    "]": ("[", (State.FIRST, State.NEXT)),
}
_OPENED: Final = {"{": State.FIRST_KEY, "[": State.FIRST}
_IN_OBJECTS: Final = {
    (State.KEY, _TEXT): State.COLON,
    (State.FIRST_KEY, _TEXT): State.COLON,
    (State.COLON, ":"): State.VALUE,
}
_VALUES: Final = (State.VALUE, State.FIRST)
_KEYS: Final = (State.KEY, State.FIRST_KEY)


class Value:
    """The scan of one value, from its beginning to its end."""

    def __init__(self) -> None:
        self.state = State.VALUE
        self.reason = ""
        """Why the value is invalid, once the state is BROKEN."""
        self.key = ""
        """The key before the current value in the outermost object, as JSON text."""
        self.members: dict[str, str] = {}
        """Members of the outermost object, key and value as JSON text; the caller of `step` adds them."""
        self.stack: list[str] = []
        self.tokens = 0

    def step(self, text: str, at: int, *, last: bool) -> tuple[State, int, int]:
        """Consume one token, and return the state after it, and where the token begins and ends in `text`.

        In the states BROKEN and MORE nothing is consumed; the token begins where the error or the end is.

        Args:
            text: the text that has arrived.
            at: the position of the token in it; blanks before the token are skipped.
            last: whether no more text follows.
        """
        found = _TOKEN.match(text, at)
        if found is None:
            return self._without_token(text, at)
        kind = found.lastgroup or ""
        begin, end = found.span(kind)
        if kind == _WORD and end == len(text) and not last:
            return State.MORE, begin, begin
        self.tokens += 1
        after = self._after(text[begin] if kind == "mark" else kind, found[kind])
        if after is State.BROKEN:
            return after, begin, begin
        if kind == _TEXT and self.state in _KEYS and len(self.stack) == 1:
            self.key = found[kind]
        self.state = after
        return after, begin, end

    def close_list(self) -> None:
        """Consume the end of the innermost list, whose elements were read as separate values."""
        self.stack.pop()
        self.state = State.NEXT

    def _without_token(self, text: str, at: int) -> tuple[State, int, int]:
        blank = _BLANK.match(text, at)
        begin = blank.end() if blank else at
        if begin == len(text) or _OPEN_STRING.match(text, begin):
            return State.MORE, begin, begin
        self.reason = "not valid JSON"
        return State.BROKEN, begin, begin

    def _after(self, symbol: str, text: str) -> State:
        """The state after a token.

        Args:
            symbol: the punctuation mark, or the kind of a scalar.
            text: the token.
        """
        if self.tokens > MOST_TOKENS or len(self.stack) > DEEPEST:
            limit = f"{MOST_TOKENS} tokens" if self.tokens > MOST_TOKENS else f"{DEEPEST} levels"
            self.reason = f"JSON of more than {limit}"
            return State.BROKEN
        is_valid = symbol != _WORD or _LITERAL.fullmatch(text) is not None
        after = self._grammatical(symbol) if is_valid else State.BROKEN
        if after is State.BROKEN:
            self.reason = f"not valid JSON: unexpected {text:.20}"
        return after

    def _grammatical(self, symbol: str) -> State:
        if symbol in _OPENED and self.state in _VALUES:
            self.stack.append(symbol)
            return _OPENED[symbol]
        if symbol in _CLOSING:
            opening, states = _CLOSING[symbol]
            if self.state not in states or self.stack[-1] != opening:
                return State.BROKEN
            self.stack.pop()
            return self._ended
        if symbol in _SCALARS and self.state in _VALUES:
            return self._ended
        if symbol == "," and self.state is State.NEXT:
            return State.KEY if self.stack[-1] == "{" else State.VALUE
        return _IN_OBJECTS.get((self.state, symbol), State.BROKEN)

    @property
    def _ended(self) -> State:
        """The state after an inner value, or after the whole value."""
        return State.NEXT if self.stack else State.DONE
