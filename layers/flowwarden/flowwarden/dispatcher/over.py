"""Whether an incident is over: by the times of the records that were processed, not by the clock. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct

from flowwarden.notify.incident import Incident
from flowwarden.state import heartbeats, watermarks
from flowwarden.state.sets import DAY, Sets

LATE_SECONDS: Final = 3 * watermarks.SLOT
"""Without records for so long, a log group counts as silent: of a slot, only its begin is known, and windows
of 10 minutes can arrive late."""
CHECK_SECONDS: Final = 600
"""Seconds between two checks of an incident whose time has come: each costs three writes."""
INTERFACES_SECONDS: Final = 900
"""The least seconds between two checks while interfaces are silent."""
SILENT_SECONDS: Final = 1800
"""The same while the log group is silent."""
SILENT_SHARE: Final = 8
"""Both grow to 1/8 of the silence, which can last for days, and to `LONGEST_CHECK`."""
LONGEST_CHECK: Final = 3600
"""Seconds after which the end of a long silence is noticed at the latest."""
_SLOTS: Final = 4
"""Slots of heartbeats that are read for silent interfaces, the current one among them."""


class Verdict(StrEnum):
    """What is known of an open incident."""

    OPEN = "open"
    OVER = "over"
    NO_DATA = "no data"
    """Its time has come, but no later records of its log group were processed."""


class Judgment(Struct, frozen=True):
    """The verdict about an incident, and when to check again (both times are Unix seconds)."""

    verdict: Verdict
    check_at: int
    no_data_since: int | None = None


def keys_of(incident: Incident, now: int) -> list[str]:
    """The keys of the items that `judge` needs."""
    return [*watermarks.keys(incident.log_group, now), *_heartbeat_keys(incident, now)]


def _heartbeat_keys(incident: Incident, now: int) -> Mapping[str, int]:
    if not incident.interfaces:
        return {}
    slot = heartbeats.slot_of(now)
    first = max(slot - _SLOTS + 1, heartbeats.slot_of(incident.last_seen) + 1)
    return heartbeats.keys(range(first, slot + 1))


def judge(incident: Incident, items: Mapping[str, Sets], now: int) -> Judgment:
    """Whether an incident is over.

    Args:
        incident: the open incident.
        items: the existing items for `keys_of`.
        now: Unix seconds.
    """
    if _all_wrote(incident.interfaces, heartbeats.seen(_heartbeat_keys(incident, now), items)):
        return Judgment(Verdict.OVER, now)
    ends = incident.last_seen + (DAY if incident.interfaces else incident.wait)
    mine = {key: items[key] for key in watermarks.keys(incident.log_group, now) if key in items}
    watermark = watermarks.watermark(mine, now)
    if watermark is not None and watermark >= ends:
        return Judgment(Verdict.OVER, now)
    if watermark is None or watermark < now - LATE_SECONDS:
        silent_since = incident.last_seen if watermark is None else max(watermark, incident.last_seen)
        return Judgment(Verdict.NO_DATA, _later(SILENT_SECONDS, silent_since, now), silent_since)
    if incident.interfaces:
        return Judgment(Verdict.OPEN, _later(INTERFACES_SECONDS, incident.last_seen, now))
    # Records are later than the clock, so an earlier check would be in vain.
    enough = now + ends - watermark - watermarks.SLOT
    return Judgment(Verdict.OPEN, max(now + CHECK_SECONDS, watermarks.due_at(ends), enough))


def _later(least: int, since: int, now: int) -> int:
    """When to check again after a silence that goes on; all in seconds."""
    return now + max(least, min((now - since) // SILENT_SHARE, LONGEST_CHECK))


def _all_wrote(interfaces: Iterable[str], seen: Mapping[int, frozenset[int]]) -> bool:
    """Whether there are interfaces and each has written."""
    numbers = {heartbeats.number_of(each) for each in interfaces}
    wrote = frozenset[int]().union(*seen.values())
    return bool(numbers) and all(each in wrote for each in numbers)
