"""Last seen: which interfaces wrote into a log group, half an hour by half an hour.

A flow log writes a record for each interface and each window, and says NODATA where there was no traffic. So
an interface that writes nothing at all has no flow log any more, or one that does not deliver; and one that
wrote since a flow log was made proves that it delivers.

Interfaces stand in evidence by the number in their ids, so that they can be told again. They are spread over
`SHARDS` items, because a write pays for the whole item.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

import numpy as np

from flowwarden.records.columnar.flow_table import FlowTable, Table
from flowwarden.records.columnar.tokenizer import ABSENT
from flowwarden.state.schema import HEARTBEATS
from flowwarden.state.sets import Addition, Sets

SLOT: Final = 1800
"""Seconds. Three windows of ten minutes, so that one that comes late is not missed."""
SHARDS: Final = 8
"""A thousand interfaces are 2 KB each, and a few hundred are one write unit."""
FEW: Final = 160
"""Interfaces that are written into one item, wherever they belong: 2 KB. Spread, they were eight writes."""
(INTERFACES,) = HEARTBEATS.sets
ANY_GROUP: Final = "*"
"""In place of a log group, whose name it cannot be: who wrote into whatever group."""

_ID: Final = re.compile(r"eni-([0-9a-f]{1,17})")
_STREAM: Final = re.compile(r"(eni-[0-9a-f]{1,17})-(?:all|accept|reject)")
"""Log streams are named by the interface and the traffic type."""


def slot_of(seconds: int) -> int:
    """The slot that a moment (Unix seconds) is in."""
    return seconds // SLOT


@lru_cache(maxsize=2**14)
def number_of(interface_id: str) -> int | None:
    """The number that stands for an interface; None for what is no id of one.

    Ids have 8 or 17 hexadecimal digits, some with zeros in front: a leading 1 keeps these.
    """
    matched = _ID.fullmatch(interface_id)
    return int(f"1{matched[1]}", 16) if matched else None


def interface_of(number: int) -> str:
    """The id of the interface that a number stands for."""
    return f"eni-{number:x}".replace("-1", "-", 1)


def sightings(records: Table, stream: str, now: int) -> dict[int, set[int]]:
    """The numbers of the interfaces that a batch shows at work, by slot.

    A stream of which nothing can be read shows that its interface writes; that it is unreadable is told by
    another.
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
    """Interfaces and the slots that they wrote in, none from the future."""
    gaps = {
        (gap.interface_id, slot_of(now if gap.start is None else min(gap.start, now)))
        for gap in records.gaps
        if gap.interface_id is not None
    }
    return gaps | _talkers(records.flows, now)


def _talkers(flows: FlowTable, now: int) -> set[tuple[str, int]]:
    names, starts = flows["interface_id"], flows["start"]
    slots = np.where(starts == ABSENT, now, np.minimum(starts, now)) // SLOT
    size = len(flows.texts) + 1
    pairs = slots * size + names + 1
    alike = len(pairs) > 0 and bool((pairs == pairs[0]).all())  # as in most batches, and quicker than sorting
    found = (pairs[:1] if alike else np.unique(pairs)).tolist()
    return {(text, pair // size) for pair in found if (text := flows.text(pair % size - 1)) is not None}


def moment(records: Table, now: int) -> int:
    """When a batch's traffic was (Unix seconds): a single record with a wrong time decides nothing."""
    starts = records.flows["start"]
    told = starts[starts != ABSENT]
    if not len(told):
        told = np.array([gap.start for gap in records.gaps if gap.start is not None], np.int64)
    if not len(told):
        return now
    told.sort()  # np.median takes three times as long for a small batch
    lower, upper = told[(len(told) - 1) // 2], told[len(told) // 2]
    return min((int(lower) + int(upper)) // 2, now)


def additions(log_group: str, seen: Mapping[int, Iterable[int]]) -> list[Addition]:
    """What interfaces that were seen add to the evidence.

    Args:
        log_group: into which they wrote.
        seen: their numbers, by slot.
    """
    shards: dict[tuple[int, int], set[int]] = {}
    for slot, each in seen.items():
        numbers = set(each)
        few = min(numbers, default=0) % SHARDS if len(numbers) <= FEW else None
        for number in numbers:
            shards.setdefault((slot, number % SHARDS if few is None else few), set()).add(number)
    return [
        Addition(
            HEARTBEATS.key_of(log_group, slot, shard),
            {INTERFACES: frozenset(numbers)},
            HEARTBEATS.kept_until(slot * SLOT),
        )
        for (slot, shard), numbers in sorted(shards.items())
    ]


def keys(log_group: str, slots: Iterable[int]) -> dict[str, int]:
    """The items that tell who wrote into a log group in these slots, with their slots."""
    return {HEARTBEATS.key_of(log_group, slot, shard): slot for slot in slots for shard in range(SHARDS)}


def seen(wanted: Mapping[str, int], items: Mapping[str, Sets]) -> dict[int, frozenset[int]]:
    """The numbers of the interfaces that wrote, by slot: of those of `keys` that items are there for."""
    found: dict[int, frozenset[int]] = {}
    for key, slot in wanted.items():
        found[slot] = found.get(slot, frozenset()) | items.get(key, {}).get(INTERFACES, frozenset())
    return found
