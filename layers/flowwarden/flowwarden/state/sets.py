"""Evidence: what invocations remember together, as sets of numbers that only grow.

Batches are delivered at least once, in any order, to many invocations at the same time. A union of sets does
not mind: whatever is added twice, late or by whom, the sets in the end are the same. Nothing is a counter.

Numbers are hashes. What is counted (how many places did a host try?) goes into one of `BUCKETS` buckets,
so that a set stays small however much is tried; `distinct` tells how many went in (linear counting: Whang
et al., 1990). What is looked up again (was this seen before?) has 48 bits, so that two of some thousand
hardly ever share one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from math import log
from typing import Final

from msgspec import Struct

BUCKETS: Final = 256
"""Tells 12 from 20 with a standard deviation of 4-5 %, and two sets fit into one write unit of DynamoDB."""

HOUR, DAY = 3600, 86_400
"""Seconds."""

type Sets = Mapping[str, frozenset[int]]
"""Sets of numbers by name."""


class Addition(Struct, frozen=True):
    """Numbers to add to the sets of an item."""

    key: str
    """The item's; a window's has its beginning in it, so that an item is never used again."""
    sets: Sets
    kept_until: int
    """Unix seconds; nobody asks for the item afterwards."""


def bucket(*parts: object) -> int:
    """The bucket of something that is counted."""
    return _hashed(parts, 1)


@lru_cache(maxsize=2**14)
def fingerprint(*parts: object) -> int:
    """48 bits that stand for something that is looked up again."""
    return _hashed(parts, 6)


def distinct(buckets: Collection[int]) -> float:
    """How many different things went into buckets, about. With all of them full, more than can be told."""
    empty = BUCKETS - len(buckets)
    return BUCKETS * log(BUCKETS / max(empty, 1))


def merged(*several: Sets) -> dict[str, frozenset[int]]:
    """All that any of them holds."""
    names = {name for each in several for name in each}
    return {name: _union([each[name] for each in several if name in each]) for name in names}


def _union(several: Sequence[frozenset[int]]) -> frozenset[int]:
    """All that any of them holds; mostly one holds the others, and is not copied."""
    largest = max(several, key=len)
    return largest if all(each is largest or each <= largest for each in several) else largest.union(*several)


def adds_nothing(sets: Sets, known: Sets) -> bool:
    """Whether all of the sets is known already."""
    return all(numbers <= known.get(name, frozenset()) for name, numbers in sets.items())


def _hashed(parts: tuple[object, ...], size: int) -> int:
    return int.from_bytes(blake2b("|".join(map(str, parts)).encode(), digest_size=size).digest())
