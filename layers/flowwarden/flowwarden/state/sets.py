"""Evidence: the shared state of all invocations, as sets of numbers that only grow.

Batches are delivered at least once, in any order, to concurrent invocations. A union of sets is idempotent
and commutative: duplicates, delays and order do not change the result. There are no counters.

Numbers are hashes. Values to count (how many destinations did a host try?) are hashed to one of `BUCKETS`
buckets, so that sets stay small; `distinct` estimates the number of values (linear counting: Whang et al.,
1990). Values to look up (was this seen before?) have 48 bits, so that collisions among some thousand are
rare.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from math import exp, log, sqrt
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

BUCKETS: Final = 256
"""Distinguishes 12 from 20 with a standard deviation of 4-5 %; two sets fit into one DynamoDB write unit."""

SIGMAS: Final = 3
"""Standard deviations by which an estimate may differ from the truth."""
_FULL: Final = 50
"""Values for each bucket from which on an estimate shows nothing."""

HOUR, DAY = 3600, 86_400
"""Seconds."""

type Sets = Mapping[str, frozenset[int]]
"""Sets of numbers by name."""


class Addition(Struct, frozen=True):
    """Numbers to add to the sets of an item."""

    key: str
    """The item's key; it contains the start of the time window, so an item is never reused."""
    sets: Sets
    kept_until: int
    """Unix seconds; the item is not read after that."""


def bucket(*parts: object) -> int:
    """The bucket of a value to count."""
    return _hashed(parts, 1)


@lru_cache(maxsize=2**14)
def fingerprint(*parts: object) -> int:
    """A 48-bit hash of a value to look up."""
    return _hashed(parts, 6)


def distinct(buckets: Collection[int]) -> float:
    """Estimate the number of distinct values from the used buckets. If all are used, it is a lower bound."""
    empty = BUCKETS - len(buckets)
    return BUCKETS * log(BUCKETS / max(empty, 1))


def error(count: int) -> float:
    """By how much `distinct` can be too high for so many values (Whang et al., 1990)."""
    load = min(count / BUCKETS, _FULL)
    return SIGMAS * sqrt(BUCKETS * (exp(load) - load - 1))


def merged(*several: Sets) -> dict[str, frozenset[int]]:
    """The union of all sets, by name."""
    found: dict[str, list[frozenset[int]]] = {}
    for sets in several:
        for name, numbers in sets.items():
            found.setdefault(name, []).append(numbers)
    return {name: each[0] if len(each) == 1 else _union(each) for name, each in found.items()}


def together(additions: Iterable[Addition]) -> list[Addition]:
    """The same additions, those to one item as one, so that each item costs one write."""
    found: dict[str, Addition] = {}
    for each in additions:
        before = found.get(each.key)
        found[each.key] = replace(each, sets=merged(before.sets, each.sets)) if before else each
    return [*found.values()]


def _union(several: Sequence[frozenset[int]]) -> frozenset[int]:
    """The union of all sets; usually one contains the others and is returned without a copy."""
    largest = max(several, key=len)
    return largest if all(each is largest or each <= largest for each in several) else largest.union(*several)


def adds_nothing(sets: Sets, known: Sets) -> bool:
    """Whether `known` already contains all of the sets."""
    return all(numbers <= known.get(name, frozenset()) for name, numbers in sets.items())


def _hashed(parts: tuple[object, ...], size: int) -> int:
    # A list, and a copy of the empty hash: a quarter faster, and a batch hashes hundreds of values.
    hashed = _EMPTY[size].copy()
    hashed.update("|".join([str(part) for part in parts]).encode(errors="surrogatepass"))
    return int.from_bytes(hashed.digest())


_EMPTY: Final = {size: blake2b(digest_size=size) for size in (1, 6)}
"""The hash of nothing, by its number of bytes."""
