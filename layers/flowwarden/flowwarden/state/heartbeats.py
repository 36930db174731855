"""Heartbeats: which interfaces wrote to which log group, by 30-minute slots.

A flow log writes a record for each interface and window, NODATA if there was no traffic. So an interface that
writes nothing has no flow log any more, or one that does not deliver. An interface that has written since a
flow log was created proves that the flow log delivers.

Interfaces are numbers: the ids can be restored. A stored number also contains a hash of the log group, so the
items of a slot show who wrote to one log group, and who wrote to any, with one write. They are spread over
`SHARDS` items, because the cost of a write depends on the size of the whole item.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

import numpy as np

from flowwarden.records.columnar.distinct import different
from flowwarden.records.columnar.flow_table import FlowTable, Table
from flowwarden.records.columnar.tokenizer import ABSENT
from flowwarden.state.schema import HEARTBEATS
from flowwarden.state.sets import Addition, Sets, fingerprint

SLOT: Final = 1800
"""Seconds. Three 10-minute windows, so that a late window is not missed."""
SHARDS: Final = 8
"""With 1,000 interfaces, each item has 2 KB; with a few hundred, each is one write unit."""
FEW: Final = 256
"""Up to this number, interfaces are written to one item, 4 KB, whatever their shard. Spread, they would take
eight writes."""
SINGLY: Final = 32
"""Up to this number of flows, as in most batches, a set finds the distinct ones faster than arrays do."""
(INTERFACES,) = HEARTBEATS.sets
_GROUP_BITS: Final = 28
"""Of two log groups, one in 268 million pairs has the same hash."""
_GROUP_MASK: Final = (1 << _GROUP_BITS) - 1

_ID: Final = re.compile(r"eni-([0-9a-f]{1,17})")
_STREAM: Final = re.compile(r"(eni-[0-9a-f]{1,17})-(?:all|accept|reject)")
"""Log streams are named after the interface and the traffic type."""


def slot_of(seconds: int) -> int:
    """The slot of a time (Unix seconds)."""
    return seconds // SLOT


@lru_cache(maxsize=2**14)
def number_of(interface_id: str) -> int | None:
    """The number of an interface id; None if the text is not an interface id.

    Ids have 8 or 17 hexadecimal digits; a leading 1 preserves leading zeros.
    """
    matched = _ID.fullmatch(interface_id)
    return int(f"1{matched[1]}", 16) if matched else None


def interface_of(number: int) -> str:
    """The interface id of a number."""
    return f"eni-{number:x}".replace("-1", "-", 1)


def sightings(records: Table, stream: str, now: int) -> dict[int, set[int]]:
    """The numbers of the interfaces that wrote the records of a batch, by slot.

    If no record of a stream can be read, the stream's interface counts. The detector unparsed-lines reports
    the unreadable lines.
    """
    found: defaultdict[int, set[int]] = defaultdict(set)
    for interface_id, slot in _writers(records, now):
        number = number_of(interface_id)
        if number is not None:
            found[slot].add(number)
    named = _STREAM.fullmatch(stream)
    if not found and named and (number := number_of(named[1])) is not None:
        found[slot_of(now)].add(number)
    return dict(found)


def _writers(records: Table, now: int) -> set[tuple[str, int]]:
    """Interfaces and the slots in which they wrote; times in the future count as now."""
    gaps = {
        (gap.interface_id, slot_of(now if gap.start is None else min(gap.start, now)))
        for gap in records.gaps
        if gap.interface_id is not None
    }
    return gaps | _talkers(records.flows, now)


def _talkers(flows: FlowTable, now: int) -> set[tuple[str, int]]:
    names, starts = flows["interface_id"], flows["start"]
    if len(flows) <= SINGLY:
        distinct = {*zip(names.tolist(), starts.tolist(), strict=True)}
        slots_of = ((name, slot_of(now if start == ABSENT else min(start, now))) for name, start in distinct)
        return {(text, slot) for name, slot in {*slots_of} if (text := flows.text(name)) is not None}
    slots = np.where(starts == ABSENT, now, np.minimum(starts, now)) // SLOT
    size = len(flows.texts) + 1
    pairs = slots * size + names + 1
    return {
        (text, pair // size)
        for pair in different(pairs).tolist()
        if (text := flows.text(pair % size - 1)) is not None
    }


def moment(records: Table, now: int) -> int:
    """The median start time of a batch (Unix seconds), so that one wrong timestamp has no effect."""
    starts = records.flows["start"]
    known = starts[starts != ABSENT]
    if not len(known):
        known = np.array([gap.start for gap in records.gaps if gap.start is not None], np.int64)
    if not len(known):
        return now
    known.sort()  # np.median takes three times as long for a small batch
    lower, upper = known[(len(known) - 1) // 2], known[len(known) // 2]
    return min((int(lower) + int(upper)) // 2, now)


def additions(log_group: str, seen: Mapping[int, Iterable[int]]) -> list[Addition]:
    """The additions to the state table for interfaces that wrote records.

    Args:
        log_group: the log group that they wrote to.
        seen: their numbers, by slot.
    """
    group, shards = _hashed(log_group), dict[tuple[int, int], set[int]]()
    for slot, each in seen.items():
        numbers = set(each)
        few = min(numbers, default=0) % SHARDS if len(numbers) <= FEW else None
        for number in numbers:
            shard = number % SHARDS if few is None else few
            shards.setdefault((slot, shard), set()).add(number << _GROUP_BITS | group)
    return [
        Addition(
            HEARTBEATS.key_of(slot, shard),
            {INTERFACES: frozenset(numbers)},
            HEARTBEATS.kept_until(slot * SLOT),
        )
        for (slot, shard), numbers in sorted(shards.items())
    ]


def keys(slots: Iterable[int]) -> dict[str, int]:
    """The keys of the heartbeat items of these slots, with their slots."""
    return {HEARTBEATS.key_of(slot, shard): slot for slot in slots for shard in range(SHARDS)}


def seen(
    wanted: Mapping[str, int], items: Mapping[str, Sets], log_group: str | None = None
) -> dict[int, frozenset[int]]:
    """The numbers of the interfaces that wrote, by slot, from the existing items for `keys`.

    Args:
        wanted: the keys with their slots.
        items: the existing items.
        log_group: the log group that they wrote to; None for any.
    """
    group = None if log_group is None else _hashed(log_group)
    found: dict[int, set[int]] = {slot: set() for slot in wanted.values()}
    for key, slot in wanted.items():
        stored = items.get(key, {}).get(INTERFACES, frozenset())
        found[slot].update(each >> _GROUP_BITS for each in stored if group in {None, each & _GROUP_MASK})
    return {slot: frozenset(numbers) for slot, numbers in found.items()}


def _hashed(log_group: str) -> int:
    return fingerprint(log_group) & _GROUP_MASK
