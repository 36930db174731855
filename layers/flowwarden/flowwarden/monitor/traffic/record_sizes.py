"""Sizes of records in a set of numbers: repeated deliveries of a record do not change the sum. Pure.

A counter would grow with every repeated delivery. So each record is a number that consists of a hash of the
record, a hash of its destination, the hour of the day, and the logarithm of its size. Each size is accurate
to 4.5 % (`ACCURACY`).

A set is bounded. If there are more than `MOST_RECORDS` records, those with the highest priority count. The
priority is the size divided by a random number from the hash, and the size of each record counts as the
highest priority that is left out, if that is more ("priority sampling": Duffield, Lund and Thorup, Journal of
the ACM, 2007). A sum over any part of the records is unbiased, and the set alone determines which records
count.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from math import log2
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from flowwarden.records.columnar.tokenizer import Integers, Mask
from flowwarden.state.schema import MOST_RECORDS, STORED_RECORDS
from flowwarden.state.sets import Addition, Sets, merged

type Floats = NDArray[np.float64]

_SIZE_BITS, _HOUR_BITS, _PLACE_BITS, _HASH_BITS = 9, 5, 12, 22
_HOUR_AT: Final = _SIZE_BITS
_PLACE_AT: Final = _HOUR_AT + _HOUR_BITS
_HASH_AT: Final = _PLACE_AT + _PLACE_BITS
_STEPS: Final = 8
"""Steps per doubling."""
ACCURACY: Final = 0.045
"""Maximum relative error of a size: half a step."""


class SizedRecords(Struct, frozen=True):
    """The records that some numbers stand for; each array has an element for each record."""

    hour: Integers
    """The hour of the day, from 0."""
    place: Integers
    """See `place_number`."""
    size: Floats
    """In bytes, approximately."""
    priority: Floats


type Counts = Callable[[SizedRecords], Mask]
"""Which records count."""


def sized(identity: int, place: int, hour: int, size: int) -> int:
    """The number of a record; identical for each delivery of it.

    Args:
        identity: a hash of the record.
        place: the number of its destination, see `place_number`.
        hour: the hour of the day, from 0.
        size: bytes, at least 1.
    """
    steps = min(round(_STEPS * log2(size)), (1 << _SIZE_BITS) - 1)
    hashed = identity & ((1 << _HASH_BITS) - 1)
    return hashed << _HASH_AT | place << _PLACE_AT | hour << _HOUR_AT | steps


def place_number(identity: int) -> int:
    """A number of 12 bits for a place, from its hash."""
    return identity & ((1 << _PLACE_BITS) - 1)


def records_of(numbers: Integers) -> SizedRecords:
    """The records with these numbers."""
    size = 2.0 ** ((numbers & ((1 << _SIZE_BITS) - 1)) / _STEPS)
    return SizedRecords(
        hour=numbers >> _HOUR_AT & ((1 << _HOUR_BITS) - 1),
        place=numbers >> _PLACE_AT & ((1 << _PLACE_BITS) - 1),
        size=size,
        priority=size * 2.0**_HASH_BITS / ((numbers >> _HASH_AT) + 1),
    )


class Volume:
    """The sum of the records in a set, from those that count."""

    def __init__(self, numbers: Collection[int]) -> None:
        ranked = _ranked(numbers)
        self._records = records_of(ranked[:MOST_RECORDS])
        left_out = records_of(ranked[MOST_RECORDS : MOST_RECORDS + 1]).priority
        self._sizes = np.maximum(self._records.size, left_out) if len(left_out) else self._records.size

    def total(self, counts: Counts | None = None) -> float:
        """The total size in bytes of all records, or of some, approximately."""
        return float((self._sizes if counts is None else self._sizes[counts(self._records)]).sum())


def bounded(added: Addition, known: Sets) -> Addition:
    """The addition to an item, without records that do not count in it.

    A record that counts among all also counts among any part of them, so it is stored whenever it is seen.
    Later records displace some stored ones; `STORED_RECORDS` bounds the stored records.

    Args:
        added: the addition to an item with one set of records.
        known: the sets of the item, as far as they are known.
    """
    ((name, numbers),) = added.sets.items()
    before = known.get(name, frozenset())
    room = len(before) < STORED_RECORDS
    new = _counting(merged({name: before}, added.sets)[name]) & numbers if room else frozenset()
    return Addition(added.key, {name: new}, added.kept_until)


def _counting(numbers: frozenset[int]) -> frozenset[int]:
    """The numbers that determine the sum: those that count, and the first that is left out."""
    if len(numbers) <= MOST_RECORDS:
        return numbers
    return frozenset(_ranked(numbers)[: MOST_RECORDS + 1].tolist())


def _ranked(numbers: Collection[int]) -> Integers:
    """The numbers, those with the highest priority first."""
    every = np.fromiter(numbers, np.int64, len(numbers))
    ranked: Integers = every[np.lexsort((every, -records_of(every).priority))]
    return ranked
