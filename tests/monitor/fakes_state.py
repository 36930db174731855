"""A fake of the evidence in the state table: sets, in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from flowwarden.errors import StateUnavailable
from flowwarden.state.digests import NOTHING, Content
from flowwarden.state.sets import Addition, Sets, merged


@dataclass
class MemoryEvidence:
    """Items that containers share."""

    items: dict[str, Sets] = field(default_factory=dict)
    is_away: bool = False
    written: list[str] = field(default_factory=list)
    """The key of each write."""
    reads: int = 0

    def copy(self) -> MemoryEvidence:
        """The same items, whose later changes the original does not have."""
        return replace(self, items=dict(self.items), written=list(self.written))

    @property
    def writes(self) -> int:
        """The number of writes."""
        return len(self.written)

    def add(self, addition: Addition) -> Sets:
        """See the port."""
        self._answer()
        self.written.append(addition.key)
        sets = {name: numbers for name, numbers in addition.sets.items() if numbers}
        self.items[addition.key] = merged(self.items.get(addition.key, {}), sets)
        return self.items[addition.key]

    def read(self, keys: Sequence[str]) -> Mapping[str, Sets]:
        """See the port."""
        self._answer()
        self.reads += 1
        return {key: self.items[key] for key in keys if key in self.items}

    def _answer(self) -> None:
        if self.is_away:
            raise StateUnavailable("ThrottlingException, by the test")


@dataclass
class MemoryDigests:
    """What the digests say, in memory."""

    items: dict[str, Content] = field(default_factory=dict)
    is_away: bool = False
    written: list[str] = field(default_factory=list)
    """The key of each write."""
    reads: int = 0

    def add(self, key: str, content: Content, kept_until: int) -> Content:
        """See the port."""
        self._answer()
        assert content
        assert kept_until
        self.written.append(key)
        self.items[key] = self.items.get(key, NOTHING).joined(content)
        return self.items[key]

    def read(self, keys: Sequence[str]) -> Mapping[str, Content]:
        """See the port."""
        self._answer()
        self.reads += 1
        return {key: self.items[key] for key in keys if key in self.items}

    def _answer(self) -> None:
        if self.is_away:
            raise StateUnavailable("ThrottlingException, by the test")
