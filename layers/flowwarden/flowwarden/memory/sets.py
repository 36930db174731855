"""The sets of the state table, and what the digests say, in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flowwarden.state.digests import NOTHING, Content
from flowwarden.state.sets import Addition, Sets, merged


@dataclass
class MemoryEvidence:
    """Implements `state.ports.EvidenceStore`."""

    items: dict[str, tuple[int, Sets]] = field(default_factory=dict)
    """The expiry (Unix seconds) and the sets of each item, by key."""

    def add(self, addition: Addition) -> Sets:
        """See the port."""
        _, known = self.items.get(addition.key, (0, {}))
        sets = merged(known, addition.sets)
        self.items[addition.key] = addition.kept_until, sets
        return sets

    def read(self, keys: Sequence[str]) -> Mapping[str, Sets]:
        """See the port."""
        return {key: self.items[key][1] for key in keys if key in self.items}

    def expire(self, now: int) -> None:
        """Delete the items whose time is over at `now` (Unix seconds), as the table does."""
        for key in [key for key, (kept_until, _) in self.items.items() if kept_until <= now]:
            del self.items[key]


@dataclass
class MemoryDigests:
    """Implements `state.ports.DigestStore`."""

    items: dict[str, tuple[int, Content]] = field(default_factory=dict)
    """The expiry (Unix seconds) and the content of each item, by key."""

    def add(self, key: str, content: Content, kept_until: int) -> Content:
        """See the port."""
        _, known = self.items.get(key, (0, NOTHING))
        whole = known.joined(content)
        self.items[key] = kept_until, whole
        return whole

    def read(self, keys: Sequence[str]) -> Mapping[str, Content]:
        """See the port."""
        return {key: self.items[key][1] for key in keys if key in self.items}

    def expire(self, now: int) -> None:
        """Delete the items whose time is over at `now` (Unix seconds), as the table does."""
        for key in [key for key, (kept_until, _) in self.items.items() if kept_until <= now]:
            del self.items[key]
