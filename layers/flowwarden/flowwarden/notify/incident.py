"""An incident over time: what is stored of it, so that it can be resent, listed and resolved. Pure.

An incident is opened by its first notification, updated by later ones, and resolved when records show that
it is over. If it recurs within a day, it is reopened.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.state import watermarks
from flowwarden.unreadable import CLOCKS

REOPEN_SECONDS: Final = 86_400
"""After its end, for how long a recurrence reopens an incident. Later, it is a new one."""
ACKNOWLEDGED_SECONDS: Final = 30 * 86_400
"""How long an acknowledgment lasts, unless the incident gets worse or is over before."""
MOST_MUTES: Final = 10
"""Mutes that are stored of an incident, those of its last notification first."""
LONGEST_WAIT: Final = 90_000
"""The longest time without the findings of an incident after which it is over, in seconds: a day, and an
hour for records that arrive late. A daily job that is rejected would otherwise resolve and reopen its
incident every day."""
WAIT_GROWTH: Final = 4
"""How many times longer that time is after each reopening: an hourly job that is rejected would otherwise
resolve and reopen its incident every hour."""
MOST_GROWN: Final = 8
"""Reopenings that count for it; `LONGEST_WAIT` applies long before."""
LONGEST_STORED: Final = 15 * 86_400
"""The longest duration that an incident can have stored, in seconds: for so long, the table keeps it."""
WAIT_SHARE: Final = 8
"""An incident that lasted long is over only after 1/8 of that time: it may pause for the night."""
STALE_SHARE: Final = 2
"""A repeat stores when it was seen if what is stored is older by more than half of the wait: each write
costs, and an incident that goes on must not look as if it were over."""


REOPENED: Final = "reopened"
"""The member of a document with the number of times that its incident was reopened; absent if it was not."""


class Event(StrEnum):
    """What a notification reports about an incident."""

    OPENED = "opened"
    UPDATED = "updated"
    """The evidence grew, or the incident still goes on after the suppression window."""
    REOPENED = "reopened"
    """It was resolved less than a day ago."""
    RESOLVED = "resolved"


class Incident(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the table stores of an incident besides its claim."""

    title: str
    """One sentence."""
    severity: str
    detectors: tuple[str, ...]
    subject: str
    """The host, subnet, interface or log group that it is about."""
    log_group: str
    """Where its records were."""
    last_seen: int
    """Unix seconds: when the latest traffic behind it ended."""
    resolve_after: int
    """Seconds of later records without its findings after which it is over."""
    interfaces: tuple[str, ...] = ()
    """If given, it is over when each of these interfaces has written again."""
    attributes: dict[str, str]
    """The attributes of its notifications."""
    mutes: tuple[dict[str, str], ...] = ()
    """What the mutes that its notifications suggest match: members of `policy.mutes.Mute` without `until` and
    `reason`."""
    opened_at: int | None = None
    """Unix seconds of the first notification; None until then."""
    reopened: int = 0
    """How often it was reopened."""
    reopen_after: int = 0
    """Seconds after a notification within which a recurrence of the resolved incident is not sent."""
    counted_over: int = 0
    """Seconds over which its evidence was counted: for so long, a recurrence counts again what was
    reported."""
    held: bool = False
    """Whether its last page was held because the budget was spent: only a roll-up mentions it, if at all."""

    @property
    def wait(self) -> int:
        """Seconds of later records without its findings after which it is over."""
        lasted = 0 if self.opened_at is None else max(0, self.last_seen - self.opened_at)
        grown = self.resolve_after * int(WAIT_GROWTH ** min(self.reopened, MOST_GROWN))
        return min(max(grown, lasted // WAIT_SHARE), max(self.resolve_after, LONGEST_WAIT))

    def plausible(self, now: int) -> Incident:
        """The same incident with times and durations that can be true at `now` (Unix seconds).

        What is stored may be damaged: a number beyond all bounds cannot be written, compared or shown.
        """
        opened = self.opened_at
        return replace(
            self,
            last_seen=_between(0, self.last_seen, now + CLOCKS),
            resolve_after=_between(0, self.resolve_after, LONGEST_STORED),
            opened_at=None if opened is None or not 0 <= opened <= now + CLOCKS else opened,
            reopened=_between(0, self.reopened, LONGEST_STORED),
            reopen_after=_between(0, self.reopen_after, LONGEST_STORED),
            counted_over=_between(0, self.counted_over, LONGEST_STORED),
        )

    @property
    def fresh_for(self) -> int:
        """Seconds for which the stored `last_seen` may stay behind that of repeats."""
        return self.wait // STALE_SHARE

    def after(self, earlier: Incident | None, event: Event, now: int) -> Incident:
        """The same incident when a notification is sent at `now` (Unix seconds), from what was stored."""
        if earlier is None:
            return replace(self, opened_at=now)
        return replace(
            self,
            opened_at=now if earlier.opened_at is None else earlier.opened_at,
            reopened=times_reopened(earlier, event),
            detectors=tuple(dict.fromkeys((*earlier.detectors, *self.detectors))),
            last_seen=max(earlier.last_seen, self.last_seen),
            mutes=_distinct((*self.mutes, *earlier.mutes))[:MOST_MUTES],
        )


def due_at(incident: Incident, now: int) -> int:
    """When the dispatcher looks again whether an open incident is over (Unix seconds)."""
    ends = incident.last_seen + incident.wait
    return max(ends if incident.interfaces else watermarks.due_at(ends), now)


def times_reopened(earlier: Incident | None, event: Event) -> int:
    """How often an incident was reopened, with what a notification about it reports."""
    return 0 if earlier is None else earlier.reopened + (event is Event.REOPENED)


def _between(least: int, value: int, most: int) -> int:
    return max(least, min(value, most))


def _distinct(mutes: tuple[dict[str, str], ...]) -> tuple[dict[str, str], ...]:
    """These without repetitions, in order."""
    return tuple(each for at, each in enumerate(mutes) if each not in mutes[:at])
