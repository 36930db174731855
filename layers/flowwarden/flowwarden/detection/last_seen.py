"""Last seen: which interfaces wrote into a log group, half an hour by half an hour.

A flow log writes a record for each interface and each window, and says NODATA where there was no traffic. So
an interface that writes nothing at all has no flow log any more, or one that does not deliver; and one that
wrote since a flow log was made proves that it delivers.

Interfaces stand in evidence by the number in their ids, so that they can be told again. They are spread over
`SHARDS` items, because a write pays for the whole item.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from flowwarden.detection.evidence import DAY, Addition, Sets

SLOT: Final = 1800
"""Seconds. Three windows of ten minutes, so that one that comes late is not missed."""
SHARDS: Final = 8
"""A thousand interfaces are 2 KB each, and a few hundred are one write unit."""
INTERFACES: Final = "interfaces"
KEPT: Final = 2 * DAY

_ID: Final = re.compile(r"eni-([0-9a-f]{1,17})")


def slot_of(seconds: int) -> int:
    """The slot that a moment (Unix seconds) is in."""
    return seconds // SLOT


def number_of(interface_id: str) -> int | None:
    """The number that stands for an interface; None for what is no id of one.

    Ids have 8 or 17 hexadecimal digits, some with zeros in front: a leading 1 keeps these.
    """
    matched = _ID.fullmatch(interface_id)
    return int(f"1{matched[1]}", 16) if matched else None


def interface_of(number: int) -> str:
    """The id of the interface that a number stands for."""
    return f"eni-{number:x}".replace("-1", "-", 1)


def additions(log_group: str, seen: Mapping[int, Iterable[int]]) -> list[Addition]:
    """What interfaces that were seen add to the evidence.

    Args:
        log_group: into which they wrote.
        seen: their numbers, by slot.
    """
    shards: dict[tuple[int, int], set[int]] = {}
    for slot, numbers in seen.items():
        for number in numbers:
            shards.setdefault((slot, number % SHARDS), set()).add(number)
    return [
        Addition(_key(log_group, slot, shard), {INTERFACES: frozenset(numbers)}, slot * SLOT + KEPT)
        for (slot, shard), numbers in sorted(shards.items())
    ]


def keys(log_group: str, slots: Iterable[int]) -> dict[str, int]:
    """The items that tell who wrote into a log group in these slots, with their slots."""
    return {_key(log_group, slot, shard): slot for slot in slots for shard in range(SHARDS)}


def seen(wanted: Mapping[str, int], items: Mapping[str, Sets]) -> dict[int, frozenset[int]]:
    """The numbers of the interfaces that wrote, by slot: of those of `keys` that items are there for."""
    found: dict[int, frozenset[int]] = {}
    for key, slot in wanted.items():
        found[slot] = found.get(slot, frozenset()) | items.get(key, {}).get(INTERFACES, frozenset())
    return found


def _key(log_group: str, slot: int, shard: int) -> str:
    return f"seen#{log_group}#{slot}#{shard}"
