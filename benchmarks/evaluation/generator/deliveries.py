"""Deliveries: minutes late; some are much later, duplicated, or have their lines in another order."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from random import Random
from typing import Final

from benchmarks.evaluation.generator.model import ACCOUNT, LOG_GROUP, Delivery

USUAL_DELAY: Final = 240
"""Minimum delay of a delivery after the end of its last window, in seconds."""
MEAN_SPREAD: Final = 60
LATE: Final = 0.01
LATEST: Final = 3600
"""Maximum additional delay of a late delivery, in seconds."""
DOUBLED: Final = 0.01
SHUFFLED: Final = 0.1
MOST_LINES: Final = 5_000
"""Probabilities per delivery."""


class Deliveries:
    """Accepts lines in the order of writing, and returns deliveries in the order of arrival."""

    def __init__(self, random: Random, window: int) -> None:
        self._random = random
        self._window = window
        self._number = 0
        self._order = 0
        self._under_way: list[tuple[int, int, Delivery]] = []

    def send(self, stream: str, lines: list[str], truth: list[str], at: int, span: int) -> None:
        """Send the lines of one interface written at this time (Unix seconds), of the last `span` seconds.

        A delivery that contains many windows is not as late, so that its first records are no older than
        those of a late delivery of one window.
        """
        for first in range(0, len(lines), MOST_LINES):
            part = slice(first, first + MOST_LINES)
            self._send(stream, lines[part], truth[part], at, LATEST + self._window - span)

    def arrived(self, until: int) -> Iterator[Delivery]:
        """The deliveries that arrive before a time (Unix seconds) and were not returned before."""
        under_way = self._under_way
        while under_way and under_way[0][0] < until:
            yield heappop(under_way)[2]

    def _send(self, stream: str, lines: list[str], truth: list[str], at: int, latest: int) -> None:
        random = self._random
        if random.random() < SHUFFLED:
            order = random.sample(range(len(lines)), len(lines))
            lines, truth = [lines[each] for each in order], [truth[each] for each in order]
        self._number += 1
        times = 2 if random.random() < DOUBLED else 1
        for _ in range(times):
            delay = USUAL_DELAY + int(random.expovariate(1 / MEAN_SPREAD))
            if random.random() < LATE:
                delay += random.randrange(max(1, min(latest, LATEST)))
            self._order += 1
            delivery = Delivery(
                *(self._number, at + delay, LOG_GROUP, stream, ACCOUNT, tuple(lines), "".join(truth)),
            )
            heappush(self._under_way, (delivery.arrived, self._order, delivery))
