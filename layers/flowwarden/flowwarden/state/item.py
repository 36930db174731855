"""Kinds of items of the state table: key, sets, retention and budget. `schema` contains all of them."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

SETS: Final = "sets"
"""Sort key of the items that contain sets of numbers."""


class Item(Struct, frozen=True, kw_only=True):
    """One kind of item."""

    name: str
    """Name in the documentation."""
    prefix: str
    """Prefix of the key. The parts of the key follow, separated by `#`."""
    key: tuple[str, ...]
    """Names of the parts of the key."""
    sets: tuple[str, ...] = ()
    """Names of its sets of numbers."""
    texts: tuple[str, ...] = ()
    """Names of its sets of texts."""
    bits: int = 48
    """The length of its numbers. A longer one was not stored by this code, and is ignored."""
    longer: tuple[tuple[str, int], ...] = ()
    """The sets whose numbers are longer, with that length."""
    sort: str = SETS
    """The sort key, unless `partition` is given."""
    partition: str = ""
    """A shared partition key; `key` is then the sort key."""
    ttl: int
    """Retention in seconds; 0 for an item that stays until it is removed."""
    ttl_from: str = "the beginning of its time"
    """Start of the retention."""
    per_batch: int = 0
    """Writes of a batch that only this kind of item may use; `SHARED` more are for all kinds. 0 if batches do
    not write it."""
    why: str
    """Purpose of the item and meaning of the budget. Shown in docs/state.md."""

    def bits_of(self, name: str) -> int:
        """The length of the numbers in one of its sets."""
        return next((bits for each, bits in self.longer if each == name), self.bits)

    def key_of(self, *parts: object) -> str:
        """The key of one item, from the values of its parts."""
        if len(parts) != len(self.key):
            raise ValueError(f"a key of {self.name} requires the parts {self.key}, not {parts}")
        return self.prefix + "#".join(map(str, parts))

    def address(self, *parts: object) -> tuple[str, str]:
        """Partition key and sort key of one item."""
        key = self.key_of(*parts)
        return (self.partition, key) if self.partition else (key, self.sort)

    def kept_until(self, begin: int) -> int:
        """When (Unix seconds) the table can delete an item whose `ttl` began at `begin`."""
        return begin + self.ttl
