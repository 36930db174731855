"""When a role used a new port of the internet, as 10-minute slots of a day. Pure.

Each role, port and day is an item of the state table.
"""

from __future__ import annotations

from typing import Final

from flowwarden.state.schema import NEW_EGRESS
from flowwarden.state.sets import DAY, Addition, Sets

SLOT: Final = 600
SPAN: Final = DAY // SLOT  # slots
MOST_READ: Final = 64
"""Maximum items, one for each role and port, that a batch reads to judge connections that began before it."""
(SLOTS,) = NEW_EGRESS.sets


def recent(sets: Sets, now: int) -> frozenset[int]:
    """The slots of an item that are within a day before `now` (Unix seconds), or one slot after it.

    The clocks of two containers can differ.
    """
    slots = sets.get(SLOTS, frozenset())
    return frozenset(each for each in slots if now // SLOT - SPAN < each <= now // SLOT + 1)


def additions(role: str, port: int, slots: frozenset[int], now: int) -> list[Addition]:
    """The additions of a batch: its slots, to the items of the day of `now` (Unix seconds) and of the next.

    So one item always contains the slots of the last 24 hours, and counting does not restart at midnight.
    Slots older than a day are left out.
    """
    latest = frozenset(each for each in slots if each > now // SLOT - SPAN)
    days = (now // DAY, now // DAY + 1) if latest else ()
    return [
        Addition(NEW_EGRESS.key_of(day, role, port), {SLOTS: latest}, NEW_EGRESS.kept_until(day * DAY))
        for day in days
    ]
