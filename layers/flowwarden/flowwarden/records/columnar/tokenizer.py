"""The tokens of many lines at once: where they stand, and the numbers, words and texts that they are.

Nothing here raises for what a line holds: what is not plainly what
it should be is marked as invalid, and the reader's strict way decides what it is.

Tokens are read eight bytes at a time, as one 64-bit number each: ASCII text is turned into digits and
compared by arithmetic on these. Source of the digit arithmetic: Daniel Lemire, "Quickly parsing eight
digits", 2018.
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
"""Places in a text, and lengths: half as large as integers, since there are two for each token."""
type Words = NDArray[np.uint64]
"""Eight bytes of text each, the first one in the lowest byte."""
type Mask = NDArray[np.bool_]
type Where = Integers | slice
"""Which elements of an array."""

ABSENT: Final = -1
"""The number of a token that is a dash."""
MOST_DIGITS: Final = 16
"""Longer numbers are invalid here, whatever their value."""
LARGEST_NUMBER: Final = 10**MOST_DIGITS - 1
LONGEST_DISTINCT: Final = 48
"""Longer texts are invalid where distinct ones are asked for."""

_WORD: Final = 8  # bytes
_PAD: Final = " " * (LONGEST_DISTINCT + _WORD)  # so that words can be loaded before any token and behind it
_BEFORE: Final = len(_PAD) + 1
_SLICE: Final = 2**16  # bytes looked through at once, so that what this takes stays in the cache
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
"""By the number of a word within a token and the token's length: the mask of what is the token's."""
_HIGH: Final = ~_MASKS[0, _WORD::-1]
"""By a number of bytes: the mask of the last so many bytes of a word."""
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
"""How digits become pairs of digits, pairs fours, and fours a number: multiply, shift, mask."""
MIX: Final = np.uint64(hash("flowwarden") * 2 + 1 & 2**64 - 1)
"""Multiplied with words to hash them: odd, so that nothing is lost. Python seeds its own hashes anew for each
process, so nobody can choose addresses beforehand that share one."""


class Text:
    """Lines as one text, cut into tokens."""

    def __init__(self, lines: Sequence[str]) -> None:
        text = "\n".join((_PAD, *lines, _PAD))
        raw = text.encode(errors="surrogatepass")
        self.bytes = np.frombuffer(raw, np.uint8)
        self.words = np.ndarray((len(raw) - _WORD + 1,), "<u8", raw, strides=(1,))
        self.text = text if len(text) == len(raw) else raw.decode("latin-1")
        """A character for each byte."""
        self._breaks = _breaks(self.bytes[_BEFORE : -len(_PAD)])
        self._set_lines(len(lines))

    def _set_lines(self, count: int) -> None:
        kinds = self.bytes.take(self._breaks)
        ends = np.flatnonzero(kinds == _NEWLINE)
        if len(ends) != count:  # a line holds a newline: nobody can tell the lines apart
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
        """The numbers of the lines that have so many tokens, and these tokens: a row for each column of them.

        Only lines of printed ASCII whose tokens have one blank between them. Of a batch in which a line holds
        a newline there are none.
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
    """Tokens of lines: arrays of the shape (columns, lines), as all arrays that its methods give."""

    def __init__(self, text: Text, start: Positions, end: Positions) -> None:
        self._text = text
        self._start = start
        self._end = end
        self.length = end - start

    def __getitem__(self, where: Any) -> Tokens:  # noqa: ANN401 - any index of an array
        """Some of the tokens, as if it were an array."""
        return Tokens(self._text, self._start[where], self._end[where])

    def columns(self, numbers: Sequence[int]) -> Tokens:
        """Those of some columns."""
        return Tokens(self._text, self._start.take(numbers, axis=0), self._end.take(numbers, axis=0))

    def are_dashes(self) -> Mask:
        """Which of them are a dash."""
        dashes: Mask = (self.length == 1) & (self._text.bytes.take(self._start) == _DASH)
        return dashes

    def are(self, word: str) -> Mask:
        """Which of them are this word of at most eight characters."""
        wanted = int.from_bytes(word.encode(), "little")
        are: Mask = (self._head == wanted) & (self.length == len(word))
        return are

    @cached_property
    def _head(self) -> Words:
        """The first eight bytes, zeros behind the token's end."""
        return self._word(0, slice(None))

    @cached_property
    def _next(self) -> Words:
        """The eight bytes after the first eight."""
        return self._word(_WORD, slice(None))

    def numbers(self, largest: Sequence[int]) -> tuple[Integers, Mask]:
        """Their values, `ABSENT` for a dash, and which are valid: a dash, or digits.

        Args:
            largest: for each column the largest value that is valid.
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

    def short(self) -> tuple[Words, Words, Mask]:
        """Their first and second words, and which of them have no more than these."""
        return self._head, self._next, self.length <= 2 * _WORD

    def distinct(self) -> tuple[Integers, list[str], Mask]:
        """For each token the number of its text in a list of the distinct texts; and which are valid.

        For tokens in one row. Texts are told apart by a hash of their bytes and then compared with one that
        has the same hash, so that the answer is exact: a token that merely has the hash of another is
        invalid, as is one of more than `LONGEST_DISTINCT` characters.
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
        """The text that all of them are, for tokens in one row; None if they are not all the same."""
        length = int(self.length[0]) if len(self.length) else 0
        if not 0 < length <= LONGEST_DISTINCT or (self.length != length).any():
            return None
        return self._texts(np.zeros(1, np.int64))[0] if self._are_alike(length) else None

    def _are_alike(self, length: int) -> bool:
        """Whether all are the same text, if all have this length."""
        if length < _WORD:
            return bool((self._head == self._head[0]).all())
        # The last word begins early enough to end with the token, so that nothing has to be masked.
        places = (min(at, length - _WORD) for at in range(0, length, _WORD))
        words = (self._words_at(self._start, at) for at in places)
        return all((each == each[0]).all() for each in words)

    def same_as(self, other: Tokens) -> Mask:
        """Which are the same texts as the other's, as far as `LONGEST_DISTINCT` characters."""
        same: Mask = self.length == other.length
        same &= self._head == other._head
        same &= self._next == other._next
        longer = np.nonzero(same & (self.length > 2 * _WORD))
        if len(longer[0]):
            same[longer] = self[longer].ends_as(other[longer])
        return same

    def ends_as(self, other: Tokens) -> Mask:
        """Which are the same behind their second word, for tokens in one row."""
        same = np.ones(len(self.length), bool)
        for at, where in self._parts()[2:]:
            same[where] &= self._word(at, where) == other._word(at, where)
        return same

    def _parts(self) -> list[tuple[int, Where]]:
        """Where words begin within the tokens, with the tokens that reach beyond; all where few do not."""
        longest = min(int(self.length.max(initial=0)), LONGEST_DISTINCT)
        return [
            (at, slice(None) if at <= _WORD else np.flatnonzero(self.length > at))
            for at in range(0, longest, _WORD)
        ]

    def _word(self, at: int, where: Where) -> Words:
        """The word that begins `at` bytes within these tokens, zeros behind their ends."""
        words = self._words_at(self._start[where], at)
        words &= _MASKS[at // _WORD].take(self._capped[where])
        return words

    def _words_at(self, places: Positions, offset: int) -> Words:
        # Without the conversion beforehand, indexing takes a third longer.
        # Nor is anything but one dimension quick.
        words: Words = self._text.words[np.add(places, offset, dtype=np.int64).ravel()]
        return words.reshape(places.shape)

    @cached_property
    def _capped(self) -> Positions:
        capped: Positions = np.minimum(self.length, LONGEST_DISTINCT)
        return capped

    def _texts(self, where: Integers) -> list[str]:
        """The texts, cut where they are too long to be valid: whoever writes lines decides on that."""
        starts = self._start[where]
        cut = np.minimum(self._end[where], starts + LONGEST_DISTINCT)
        ends = zip(starts.tolist(), cut.tolist(), strict=True)
        return [self._text.text[start:end] for start, end in ends]


def _breaks(raw: NDArray[np.uint8]) -> Positions:
    """Where, behind the padding, bytes are that do not print, blanks among them, or that are beyond ASCII."""
    # Bytes wrap around, so one comparison finds what is below as well as what is above.
    return np.concatenate(
        [
            (np.flatnonzero(raw[begin : begin + _SLICE] - _FIRST_PRINTED >= _PRINTED)).astype(np.int32)
            + np.int32(begin + _BEFORE)
            for begin in range(0, max(len(raw), 1), _SLICE)
        ]
    )


def _digits(words: Words, count: Integers) -> tuple[Words, Mask]:
    """The number that the last `count` bytes of each word are, and whether these are digits."""
    # In place, as everything that is done to all numbers of all lines.
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
