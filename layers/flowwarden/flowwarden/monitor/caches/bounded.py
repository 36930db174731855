"""A cache with a limit in bytes: the sizes of entries differ too much for a maximum number of entries."""

from __future__ import annotations

from collections.abc import Collection
from sys import getsizeof
from typing import Final

from flowwarden.network.interface import NetworkInterface
from flowwarden.state.sets import Sets

_ENTRY: Final = 200
"""Bytes of an entry, besides its numbers."""
_NUMBER: Final = 64
"""Bytes of a number in a set, measured: up to 32 for the number, the rest for its part of the hash table."""
_DESCRIPTION: Final = 1000
"""Bytes of a description of an interface, besides its lists and tags."""


class BoundedCache[K, V]:
    """A cache that drops its oldest entries once they have too many bytes in all."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._entries: dict[K, tuple[V, int]] = {}
        self.bytes = 0
        """The bytes of all entries, as estimated by the callers of `put`."""

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: K) -> bool:
        return key in self._entries

    def get(self, key: K) -> V | None:
        """An entry; None if there is none."""
        entry = self._entries.get(key)
        return entry[0] if entry else None

    def pop(self, key: K, default: None = None) -> V | None:
        """Remove an entry, if there is one."""
        entry = self._entries.pop(key, None)
        if entry is None:
            return default
        self.bytes -= entry[1]
        return entry[0]

    def put(self, key: K, value: V, size: int) -> None:
        """Add or replace an entry of this many bytes, and drop the oldest ones beyond the limit."""
        self.pop(key)
        self._entries[key] = value, size
        self.bytes += size
        while self.bytes > self._most and len(self._entries) > 1:
            self.pop(next(iter(self._entries)))


def size_of_sets(sets: Sets) -> int:
    """The bytes of the sets of an item, approximately."""
    return size_of_numbers(*sets.values())


def size_of_numbers(*several: Collection[int]) -> int:
    """The bytes of sets of numbers, approximately."""
    return _ENTRY * (1 + len(several)) + _NUMBER * sum(map(len, several))


def size_of_interface(interface: NetworkInterface) -> int:
    """The bytes of a description, approximately: mainly of its texts, which others choose."""
    tags = (text for pair in interface.tags.items() for text in pair)
    named = (*interface.group_names, interface.vpc_name, interface.description)
    texts = (*interface.addresses, *interface.public_addresses, *interface.security_groups, *named, *tags)
    return _DESCRIPTION + getsizeof(interface.tags) + sum(map(getsizeof, texts))
