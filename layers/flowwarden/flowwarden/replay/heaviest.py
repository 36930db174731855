"""The most frequent of very many keys, in bounded memory. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping
from heapq import nlargest
from typing import Final

MOST_KEYS: Final = 20_000
"""Keys that are held: a flood from random addresses has millions."""


class Heaviest[K: Hashable]:
    """Counts by key. When there are too many keys, the lighter half is dropped.

    A count is at most `missed` too low, and never too high.
    """

    def __init__(self, most: int = MOST_KEYS) -> None:
        self._most = most
        self._counts = Counter[K]()
        self.missed = 0
        """By how much a count can be too low."""

    def add(self, counts: Mapping[K, int]) -> None:
        """Add counts, which are positive."""
        self._counts.update(counts)
        if len(self._counts) > self._most:
            kept = self.top(self._most // 2)
            dropped = max(count for key, count in self._counts.items() if key not in kept)
            self._counts = Counter(kept)
            # A key that was dropped several times lost as much each time.
            self.missed += dropped

    def top(self, number: int) -> dict[K, int]:
        """The heaviest keys, heaviest first."""
        ordered = nlargest(number, self._counts.items(), key=lambda each: (each[1], repr(each[0])))
        return dict(ordered)
