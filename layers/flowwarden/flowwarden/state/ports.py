"""The state table's sets, as a Protocol. `aws/dynamodb` implements it; tests use a hand-written fake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from flowwarden.state.sets import Addition, Sets


class EvidenceStore(Protocol):
    """Sets of numbers that invocations share and that only grow."""

    def add(self, addition: Addition) -> Sets:
        """Add to an item, made if it is not there, and return what it holds then. Raises StateUnavailable."""

    def read(self, keys: Sequence[str]) -> Mapping[str, Sets]:
        """What these items hold; one that is not there is left out. Raises StateUnavailable."""
