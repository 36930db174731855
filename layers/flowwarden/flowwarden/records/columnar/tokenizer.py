"""The tokens of many lines at once: their positions, and their values as numbers, words and texts.

The content of a line never raises an error: tokens that are not plainly valid are marked as invalid, and the
line reader decides about them.

Tokens are read eight bytes at a time, as one 64-bit number each: arithmetic on these numbers parses digits
and compares texts. Source of the digit arithmetic: Daniel Lemire, "Quickly parsing eight digits", 2018.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from flowwarden.records.columnar.distinct import places_of

type Integers = NDArray[np.signedinteger[Any]]
type Positions = NDArray[np.int32]
"""Positions in a text, and lengths: 32 bits, because there are two for each token."""
type Words = NDArray[np.uint64]
"""Eight bytes of text each, the first byte in the lowest byte of the number."""
type Mask = NDArray[np.bool_]
type Where = Integers | slice
"""An index of array elements."""

ABSENT: Final = -1
"""The number of a token that is a dash."""
MOST_DIGITS: Final = 16
"""Longer numbers are invalid here, regardless of their value."""
LARGEST_NUMBER: Final = 10**MOST_DIGITS - 1
LONGEST_DISTINCT: Final = 48
"""Longer texts are invalid for `Tokens.distinct`."""

_WORD: Final = 8  # bytes
_PAD: Final = " " * (LONGEST_DISTINCT + _WORD)  # so that words can be loaded before and after any token
_BEFORE: Final = len(_PAD) + 1
_SLICE: Final = 2**16  # bytes scanned at once, so that temporary arrays fit into the cache
_BLANK, _NEWLINE, _DASH = b" \n-"
_FIRST_PRINTED: Final = np.uint8(33)
_PRINTED: Final = np.uint8(94)  # bytes from "!" to "~"

_MASKS: Final = np.array(
    [
        [(1 << 8 * min(max(length - at, 0), _WORD)) - 1 for length in range(LONGEST_DISTINCT + 1)]
        for at in range(0, LONGEST_DISTINCT, _WORD)
    ],
    np.uint64,
)
"""By word index within a token and token length: the mask of the bytes that belong to the token."""
_HIGH: Final = ~_MASKS[0, _WORD::-1]
"""By number of bytes: the mask of that many last bytes of a word."""
_ZEROS: Final = np.uint64(0x3030303030303030)  # "00000000"
_ABOVE_NINE: Final = np.uint64(0x7676767676767676)  # carries a byte above 9 into its highest bit
_HIGHEST_BITS: Final = np.uint64(0x8080808080808080)
_FOLDS: Final = tuple(
    (np.uint64(factor), np.uint64(shift), np.uint64(mask))
    for factor, shift, mask in (
        (10 * 2**8 + 1, 8, 0x00FF00FF00FF00FF),
        (100 * 2**16 + 1, 16, 0x0000FFFF0000FFFF),
        (10_000 * 2**32 + 1, 32, 0x00000000FFFFFFFF),
    )
)
"""Combine digits to pairs, pairs to groups of four, and these to a number: multiply, shift, mask."""
MIX: Final = np.uint64(hash("flowwarden") * 2 + 1 & 2**64 - 1)
"""Factor for hashing words: odd, so that the multiplication is reversible. Python seeds its hashes per
process, so an attacker cannot choose colliding addresses in advance."""
FIXED_MIX: Final = np.uint64(0x9E37_79B9_7F4A_7C15)
"""The same for hashes that all processes must share. 2**64 over the golden ratio, made odd: Fibonacci hashing
(Knuth, TAOCP 3, 6.4) takes the upper bits."""


class Text:
    """Lines as one text, split into tokens."""

    def __init__(self, lines: Sequence[str]) -> None:
        text = "\n".join((_PAD, *lines, _PAD))
        raw = text.encode(errors="surrogatepass")
        self.bytes = np.frombuffer(raw, np.uint8)
        self.words = np.ndarray((len(raw) - _WORD + 1,), "<u8", raw, strides=(1,))
        self.text = text if len(text) == len(raw) else raw.decode("latin-1")
        """One character per byte."""
        self._breaks = _breaks(self.bytes[_BEFORE : -len(_PAD)])
        self._set_lines(len(lines))

    def _set_lines(self, count: int) -> None:
        kinds = self.bytes.take(self._breaks)
        ends = np.flatnonzero(kinds == _NEWLINE)
        if len(ends) != count:  # a line contains a newline: line boundaries are ambiguous
            ends = ends[:0]
        self._line_ends = ends
        self._tokens = ends + 1
        self._tokens[1:] -= ends[:-1] + 1
        blanks = kinds == _BLANK
        if np.count_nonzero(blanks) + count < len(kinds):
            odd = np.flatnonzero(~blanks & (kinds != _NEWLINE))
            if count == len(ends):
                self._tokens[np.searchsorted(ends, odd)] = 0

    def tokens(self, count: int) -> tuple[Integers, Tokens]:
        """The numbers of the lines with this number of tokens, and their tokens: one row per column.

        Includes only lines of printable ASCII whose tokens are separated by one space each. If any line
        contains a newline, the result is empty.
        """
        lines = np.flatnonzero(self._tokens == count)
        if len(lines) * count == len(self._breaks):
            ends = self._breaks
        else:
            ends = self._breaks[self._line_ends[lines][:, None] - np.arange(count - 1, -1, -1)].ravel()
        starts = np.empty_like(ends)
        starts[1:] = ends[:-1] + 1
        if len(lines):
            starts[::count] = np.where(lines, self._breaks[self._line_ends[lines - 1]] + 1, _BEFORE)
        starts, ends = (np.ascontiguousarray(each.reshape(-1, count).T) for each in (starts, ends))
        whole = (starts < ends).all(axis=0)
        if not whole.all():
            lines, starts, ends = lines[whole], starts[:, whole], ends[:, whole]
        return lines, Tokens(self, starts, ends)


class Tokens:
    """Tokens of lines: arrays with the shape (columns, lines), like all arrays that the methods return."""

    def __init__(self, text: Text, start: Positions, end: Positions) -> None:
        self._text = text
        self._start = start
        self._end = end
        self.length = end - start

    def __getitem__(self, where: Any) -> Tokens:  # noqa: ANN401 - any index of an array
        """Some of the tokens, with array indexing."""
        return Tokens(self._text, self._start[where], self._end[where])

    def columns(self, numbers: Sequence[int]) -> Tokens:
        """The tokens of some columns."""
        return Tokens(self._text, self._start.take(numbers, axis=0), self._end.take(numbers, axis=0))

    def are_dashes(self) -> Mask:
        """Whether each token is a dash."""
        dashes: Mask = (self.length == 1) & (self._text.bytes.take(self._start) == _DASH)
        return dashes

    def are(self, word: str) -> Mask:
        """Whether each token is this word of at most eight characters."""
        wanted = int.from_bytes(word.encode(), "little")
        are: Mask = (self._head == wanted) & (self.length == len(word))
        return are

    @cached_property
    def _head(self) -> Words:
        """The first eight bytes, with zeros after the token's end."""
        return self._word(0, slice(None))

    @cached_property
    def _next(self) -> Words:
        """The eight bytes after the first eight."""
        return self._word(_WORD, slice(None))

    def numbers(self, largest: Sequence[int]) -> tuple[Integers, Mask]:
        """The numeric values, `ABSENT` for a dash, and whether each is valid: a dash, or digits.

        Args:
            largest: for each column, the largest valid value.
        """
        low, valid = _digits(self._words_at(self._end, -_WORD), np.minimum(self.length, _WORD))
        values = low.view(np.int64)
        long = np.flatnonzero(self.length.max(axis=1, initial=0) > _WORD)
        if len(long):
            length = self.length.take(long, axis=0)
            more = np.minimum(np.maximum(length - _WORD, 0), _WORD)
            high, valid_high = _digits(self._words_at(self._end.take(long, axis=0), -2 * _WORD), more)
            values[long] += high.view(np.int64) * 10**_WORD
            valid[long] &= valid_high & (length <= MOST_DIGITS)
        valid &= values <= np.array(largest)[:, None]
        doubtful = np.nonzero(~valid)
        values[doubtful] = ABSENT
        valid[doubtful] = self[doubtful].are_dashes()
        return values, valid

    def short(self, count: int) -> tuple[list[Words], Mask]:
        """The first words, at least two, and whether each token has no more than these."""
        words = [self._head, self._next, *(self._word(at * _WORD, slice(None)) for at in range(2, count))]
        return words, self.length <= count * _WORD

    def distinct(self) -> tuple[Integers, list[str], Mask]:
        """For tokens in one row: the index of each text in a list of the distinct texts; and which are valid.

        Texts are grouped by a hash of their bytes and then compared with one text of the group, so the result
        is exact: a token that collides with a different text is invalid, and so is one of more than
        `LONGEST_DISTINCT` characters.
        """
        parts = self._parts()
        loaded = [self._word(at, where) for at, where in parts]
        places, numbers = places_of(self._mixed(parts, loaded))
        valid = self.length == self.length[places][numbers]
        for (at, where), words in zip(parts, loaded, strict=True):
            valid[where] &= words == self._word(at, places)[numbers[where]]
        valid &= self.length <= LONGEST_DISTINCT
        return numbers, self._texts(places), valid

    def _mixed(self, parts: Sequence[tuple[int, Where]], loaded: Sequence[Words]) -> Words:
        """A hash of each token's words."""
        mixed = loaded[0] * MIX if loaded else np.zeros(len(self.length), np.uint64)
        for (_, where), words in zip(parts[1:], loaded[1:], strict=True):
            mixed[where] = (mixed[where] ^ words) * MIX
        return mixed

    def only_text(self) -> str | None:
        """The common text of all tokens in one row; None if they are not all equal."""
        length = int(self.length[0]) if len(self.length) else 0
        if not 0 < length <= LONGEST_DISTINCT or (self.length != length).any():
            return None
        return self._texts(np.zeros(1, np.int64))[0] if self._are_alike(length) else None

    def _are_alike(self, length: int) -> bool:
        """Whether all are the same text, if all have this length."""
        if length < _WORD:
            return bool((self._head == self._head[0]).all())
        # The last word begins early enough to end with the token, so no masking is needed.
        places = (min(at, length - _WORD) for at in range(0, length, _WORD))
        words = (self._words_at(self._start, at) for at in places)
        return all((each == each[0]).all() for each in words)

    def same_as(self, other: Tokens) -> Mask:
        """Whether each text equals the other's, up to `LONGEST_DISTINCT` characters."""
        same: Mask = self.length == other.length
        same &= self._head == other._head
        same &= self._next == other._next
        longer = np.nonzero(same & (self.length > 2 * _WORD))
        if len(longer[0]):
            same[longer] = self[longer].ends_as(other[longer])
        return same

    def ends_as(self, other: Tokens) -> Mask:
        """Whether each text equals the other's after the second word, for tokens in one row."""
        same = np.ones(len(self.length), bool)
        for at, where in self._parts()[2:]:
            same[where] &= self._word(at, where) == other._word(at, where)
        return same

    def _parts(self) -> list[tuple[int, Where]]:
        """Offsets of words within the tokens, with the longer tokens; all tokens for the first two."""
        longest = min(int(self.length.max(initial=0)), LONGEST_DISTINCT)
        return [
            (at, slice(None) if at <= _WORD else np.flatnonzero(self.length > at))
            for at in range(0, longest, _WORD)
        ]

    def _word(self, at: int, where: Where) -> Words:
        """The word at offset `at` of these tokens, with zeros after their ends."""
        words = self._words_at(self._start[where], at)
        words &= _MASKS[at // _WORD].take(self._capped[where])
        return words

    def _words_at(self, places: Positions, offset: int) -> Words:
        # Without the conversion, indexing takes a third longer. Only one-dimensional indexing is fast.
        words: Words = self._text.words[np.add(places, offset, dtype=np.int64).ravel()]
        return words.reshape(places.shape)

    @cached_property
    def _capped(self) -> Positions:
        capped: Positions = np.minimum(self.length, LONGEST_DISTINCT)
        return capped

    def _texts(self, where: Integers) -> list[str]:
        """The texts, truncated to the longest valid length, because senders of lines control their length."""
        starts = self._start[where]
        cut = np.minimum(self._end[where], starts + LONGEST_DISTINCT)
        return [self._text.text[start:end] for start, end in zip(starts.tolist(), cut.tolist(), strict=True)]


def _breaks(raw: NDArray[np.uint8]) -> Positions:
    """Positions of spaces, non-printable bytes and non-ASCII bytes after the padding."""
    # Bytes wrap around, so one comparison finds bytes below and above the range.
    return np.concatenate(
        [
            (np.flatnonzero(raw[begin : begin + _SLICE] - _FIRST_PRINTED >= _PRINTED)).astype(np.int32)
            + np.int32(begin + _BEFORE)
            for begin in range(0, max(len(raw), 1), _SLICE)
        ]
    )


def _digits(words: Words, count: Integers) -> tuple[Words, Mask]:
    """The number in the last `count` bytes of each word, and whether these are digits."""
    # In place, like all operations on all numbers of all lines.
    digits = words ^ _ZEROS
    digits &= _HIGH.take(count)
    high = digits + _ABOVE_NINE
    high |= digits
    high &= _HIGHEST_BITS
    for factor, shift, mask in _FOLDS:
        digits *= factor
        digits >>= shift
        digits &= mask
    return digits, high == 0
