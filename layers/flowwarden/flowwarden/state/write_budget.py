"""The write budget of a batch: at most `MOST_WRITES` writes, whatever the batch contains.

Each kind of item has reserved writes (`per_batch`), so that a flood of one kind does not displace the others;
`SHARED` more writes go to the kinds that request them first. What is not written is new again in the next
batch, and what is already stored costs no write, so later batches can write the rest.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from flowwarden.state.item import Item
from flowwarden.state.schema import (
    BASELINES,
    DIGESTS,
    HEARTBEATS,
    ITEMS,
    KNOWN_ROLES,
    LAST_GOOD_POLICY,
    LEARNING_REPORTS,
    LOG_FORMATS,
    PAGE_BUDGET,
    REPORTED,
    SHARED,
    WATERMARKS,
)

MOST_WRITES: Final = SHARED + sum(item.per_batch for item in ITEMS)
_LATER: Final = frozenset(
    {
        BASELINES.name,
        HEARTBEATS.name,
        WATERMARKS.name,
        DIGESTS.name,
        REPORTED.name,
        KNOWN_ROLES.name,
        LEARNING_REPORTS.name,
    }
)
"""Written after the notifications are out."""
_RESERVED: Final = (*_LATER, LOG_FORMATS.name, LAST_GOOD_POLICY.name, PAGE_BUDGET.name)
"""Writes of their own that claims leave alone."""
_FOR_CLAIMS: Final = MOST_WRITES - sum(item.per_batch for item in ITEMS if item.name in _RESERVED)
_BY_PREFIX: Final = [(item.prefix, item) for item in ITEMS if item.prefix]
WRITES_PER_CLAIM: Final = 2
"""To claim, and to confirm, release or count a repeat."""


def kind_of(key: str) -> Item | None:
    """The kind of item with this key; None if the schema has none."""
    for prefix, item in _BY_PREFIX:
        if key.startswith(prefix):
            return item
    return None


class WriteBudget:
    """The writes that a batch may still make. One per batch."""

    def __init__(self, breadth: int = 1) -> None:
        """Begin; a batch with many interfaces may make as many writes as `breadth` usual ones."""
        self._used: Counter[str] = Counter()
        self._breadth = breadth
        self._shared = SHARED * breadth
        self.deferred = 0
        """Writes beyond the limits: a later batch may make them."""

    def take(self, key: str) -> bool:
        """Whether an item with this key may be written; counts the write."""
        item = kind_of(key)
        name, own = (item.name, item.per_batch * self._breadth) if item else ("", 0)
        if self._used[name] >= own:
            if not self._shared or name in _LATER:
                self.deferred += 1
                return False
            self._shared -= 1
        self._used[name] += 1
        return True

    @property
    def claims(self) -> int:
        """The claims for which there is room once the detectors have written."""
        written = sum(self._used.values())
        return (_FOR_CLAIMS * self._breadth - written) // WRITES_PER_CLAIM
