"""What DynamoDB bills for a write: a unit for each KB of the larger one of the item before and after it."""

from __future__ import annotations

from functools import cache
from math import ceil, log10
from typing import Final

from flowwarden.aws.dynamodb.item import packed
from flowwarden.memory.claim_item import MemoryItem
from flowwarden.notify.claims import ClaimKey
from flowwarden.notify.evidence import Evidence
from flowwarden.state.digests import Content
from flowwarden.state.item import Item
from flowwarden.state.schema import DIGESTS, INCIDENTS, item_of
from flowwarden.state.sets import Sets

WRITE_UNIT: Final = 1024
INDEX: Final = "index of open incidents"
"""Stands for a kind of item: DynamoDB bills the writes of an index like those of an item."""
_SETS: Final = 40
"""Bytes of an item of sets beside its key and its sets: the names of its keys, and its expiry."""
_CLAIM: Final = 320
"""The same of a claim: its names, state, owner and times, and the key with the ARN of a topic."""
_HASH: Final = 48
"""Bits of a number in an item of no known kind."""
_BATCH: Final = 8
"""Bytes of the id of a suppressed batch."""


def units(size: int) -> int:
    """The billed units of a write to an item of this size in bytes; a missing item counts as one."""
    return max(1, -(-size // WRITE_UNIT))


def bytes_of_sets(key: str, sets: Sets) -> int:
    """The bytes of an item of sets."""
    kind = item_of(key)
    size = sum(len(name) + number_bytes(kind, name) * len(numbers) for name, numbers in sets.items())
    return len(key) + _SETS + size


@cache
def number_bytes(kind: Item | None, name: str) -> int:
    """The bytes of a number in a set: one for two digits, and one more."""
    bits = kind.bits_of(name) if kind else _HASH
    return ceil(ceil(bits * log10(2)) / 2) + 1


def bytes_of_digest(key: str, content: Content) -> int:
    """The bytes of an hour of the digests."""
    texts = sum(3 + len(text) for each in content.texts.values() for text in each)
    numbers = sum(number_bytes(DIGESTS, name) * len(numbers) for name, numbers in content.numbers.items())
    return len(key) + _SETS + texts + numbers


def bytes_of_claim(key: ClaimKey, item: MemoryItem | None) -> int:
    """The bytes of the claim item of an incident."""
    if item is None:
        return 0
    known = item.reported or Evidence()
    names = sum(map(len, (*known.members, *known.places, *item.joined)))
    documents = [item.incident, item.unsent if item.pending else None]
    stored = sum(len(packed(each)["B"]) for each in documents if each is not None)
    return (
        len(INCIDENTS.prefix + key.incident) + _CLAIM + _BATCH * len(item.suppressed_batches) + names + stored
    )


def index_units(before: int | None, after: int | None) -> int:
    """Write units of the index when an item is due at another time: one to remove it, one to add it."""
    return 0 if before == after else (before is not None) + (after is not None)
