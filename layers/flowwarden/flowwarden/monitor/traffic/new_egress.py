"""When a role used a new port of the internet: 10-minute slots within a day, in an item for each. Pure."""

from __future__ import annotations

from typing import Final

from flowwarden.state.schema import NEW_EGRESS
from flowwarden.state.sets import DAY, Addition, Sets

SLOT: Final = 600
SPAN: Final = DAY // SLOT  # slots
MOST_READ: Final = 64
"""Roles with ports of lasting connections that a batch looks up in the table."""
(SLOTS,) = NEW_EGRESS.sets


def recent(sets: Sets, now: int) -> frozenset[int]:
    """The slots of an item that are within a day before `now` (Unix seconds); clocks can differ by a slot."""
    slots = sets.get(SLOTS, frozenset())
    return frozenset(each for each in slots if now // SLOT - SPAN < each <= now // SLOT + 1)


def additions(role: str, port: int, slots: frozenset[int], now: int) -> list[Addition]:
    """The evidence of a batch: the slots, for the day of `now` (Unix seconds) and for the next one.

    So the slots of the last 24 hours are always in one item, and counting does not restart at midnight. Older
    slots add nothing.
    """
    latest = frozenset(each for each in slots if each > now // SLOT - SPAN)
    days = (now // DAY, now // DAY + 1) if latest else ()
    return [
        Addition(NEW_EGRESS.key_of(day, role, port), {SLOTS: latest}, NEW_EGRESS.kept_until(day * DAY))
        for day in days
    ]
