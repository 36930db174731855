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
            kept = dict(self._heaviest(self._most // 2))
            dropped = max(count for key, count in self._counts.items() if key not in kept)
            self._counts = Counter(kept)
            # A key that was dropped several times lost as much each time.
            self.missed += dropped

    def top(self, number: int) -> dict[K, int]:
        """The heaviest keys, heaviest first."""
        ordered = sorted(self._heaviest(number), key=lambda each: (each[1], repr(each[0])), reverse=True)
        return dict(ordered)

    def _heaviest(self, number: int) -> list[tuple[K, int]]:
        """The same with their counts, in any order. Of keys with the same count, the names decide."""
        every = [*self._counts.items()]
        if len(every) <= number:
            return every
        least = sorted(self._counts.values())[-number]
        heavier = [each for each in every if each[1] > least]
        ties = [each for each in every if each[1] == least]
        return heavier + nlargest(number - len(heavier), ties, key=lambda each: repr(each[0]))
