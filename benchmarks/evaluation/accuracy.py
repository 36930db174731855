"""How often the initiator is right, by confidence."""

from __future__ import annotations

from typing import Final

from msgspec import Struct, field

from benchmarks.evaluation.generator.model import Delivery, Truth
from benchmarks.evaluation.monitor import initiators
from benchmarks.evaluation.reading import Reading

SURE: Final = 0.95
"""From this confidence on a finding may page."""
EVERY: Final = 8
"""Of so many deliveries one is looked at."""


class Score(Struct):
    """Verdicts."""

    right: int = 0
    wrong: int = 0

    @property
    def share(self) -> float | None:
        """Of the right ones; None if there are none at all."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else None


class Accuracy(Struct):
    """Verdicts held against the truth."""

    high: Score = field(default_factory=Score)
    low: Score = field(default_factory=Score)
    """Decided, with less confidence."""
    undecided: int = 0

    def look(self, delivery: Delivery, reading: Reading) -> None:
        """Judge the verdicts about a delivery, if it is one of the sample."""
        if delivery.number % EVERY:
            return
        pairs = list(reading.flows_with_truth(delivery))
        verdicts = initiators([flow for flow, _ in pairs])
        for (_, truth), (letter, confidence) in zip(pairs, verdicts, strict=True):
            if letter == Truth.NONE:
                self.undecided += 1
                continue
            score = self.high if confidence >= SURE else self.low
            score.right += letter == truth
            score.wrong += letter != truth

    @property
    def coverage(self) -> float | None:
        """The share of the flows that have a sure verdict."""
        sure = self.high.right + self.high.wrong
        whole = sure + self.low.right + self.low.wrong + self.undecided
        return sure / whole if whole else None
