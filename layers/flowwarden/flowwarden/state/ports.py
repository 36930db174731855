"""The state table's sets, as a Protocol. `aws/dynamodb` implements it; tests use a hand-written fake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from flowwarden.state.digests import Content
from flowwarden.state.sets import Addition, Sets


class EvidenceStore(Protocol):
    """Sets of numbers that only grow, shared by all invocations."""

    def add(self, addition: Addition) -> Sets:
        """Add to an item, creating it if needed, and return its new content. Raises StateUnavailable."""

    def read(self, keys: Sequence[str]) -> Mapping[str, Sets]:
        """The content of these items; missing items are omitted. Raises StateUnavailable."""


class DigestStore(Protocol):
    """What the digests say, by hour (`state/digests.py`)."""

    def add(self, key: str, content: Content, kept_until: int) -> Content:
        """Add to an item, creating it if needed, and return its new content. Raises StateUnavailable.

        `kept_until` (Unix seconds) is when the table can delete the item.
        """

    def read(self, keys: Sequence[str]) -> Mapping[str, Content]:
        """The content of these items; missing items are omitted. Raises StateUnavailable."""
