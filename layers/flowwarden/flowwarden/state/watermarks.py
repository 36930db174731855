"""Watermarks: up to which time the records of a log group were processed, in slots of 30 minutes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flowwarden.state.schema import WATERMARKS
from flowwarden.state.sets import DAY, Addition, Sets

SLOT: Final = 1800
"""Seconds: three windows of flow logs. Each container writes each slot once; with slots of 10 minutes, this
would be a tenth of all writes of a small stack."""
ARRIVE_SECONDS: Final = 900
"""Seconds after the beginning of a slot by which its first records usually arrive: a window of 10 minutes,
and the time until it is delivered."""
(SLOTS,) = WATERMARKS.sets


def slot_of(seconds: int) -> int:
    """The slot of a time (Unix seconds)."""
    return seconds // SLOT


def due_at(seconds: int) -> int:
    """When a watermark is likely to have reached a time (both Unix seconds); an earlier check is in vain."""
    return -(-seconds // SLOT) * SLOT + ARRIVE_SECONDS


def addition(log_group: str, slot: int) -> Addition:
    """The addition to the state table for records of a slot that were processed."""
    day = slot * SLOT // DAY
    key = WATERMARKS.key_of(log_group, day)
    return Addition(key, {SLOTS: frozenset([slot])}, WATERMARKS.kept_until(day * DAY))


def keys(log_group: str, now: int) -> tuple[str, ...]:
    """The keys of the items of today and yesterday; `now` is Unix seconds."""
    return tuple(WATERMARKS.key_of(log_group, now // DAY - before) for before in (0, 1))


def watermark(items: Mapping[str, Sets], now: int) -> int | None:
    """Up to when the records of a log group were processed; None if no item shows it.

    Args:
        items: the items for `keys`.
        now: Unix seconds; later slots do not count.
    """
    slots = (slot for sets in items.values() for slot in sets.get(SLOTS, ()) if slot * SLOT <= now)
    latest = max(slots, default=None)
    return None if latest is None else latest * SLOT
