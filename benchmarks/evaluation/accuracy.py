"""The accuracy of the initiator, by confidence."""

from __future__ import annotations

from typing import Final

from msgspec import Struct, field

from benchmarks.evaluation.generator.model import Delivery, Truth
from benchmarks.evaluation.initiators import initiators
from benchmarks.evaluation.reading import Reading

SURE: Final = 0.95
"""Minimum confidence of a finding that pages."""
EVERY: Final = 8
"""One in this many deliveries is checked."""


class Score(Struct):
    """The number of right and of wrong verdicts."""

    right: int = 0
    wrong: int = 0

    @property
    def share(self) -> float | None:
        """The share of right verdicts; None if there are no verdicts."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else None


class Accuracy(Struct):
    """Verdicts about the initiator, compared with the truth."""

    high: Score = field(default_factory=Score)
    low: Score = field(default_factory=Score)
    """Verdicts with lower confidence."""
    undecided: int = 0
    """Flows without a verdict."""

    def look(self, delivery: Delivery, reading: Reading) -> None:
        """Check the verdicts about a delivery, if it is in the sample."""
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
        """The share of flows with a sure verdict."""
        sure = self.high.right + self.high.wrong
        whole = sure + self.low.right + self.low.wrong + self.undecided
        return sure / whole if whole else None
