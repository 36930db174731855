"""Usual volume: how much data hosts of a role send to the internet per hour, as powers of two. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from math import log2
from typing import Final

from flowwarden.state.schema import DAYS_READ, UPLOAD_SIZES
from flowwarden.state.sets import DAY, HOUR, Addition, Sets

TIMES: Final = 5
"""Multiple of the usual volume: common rules for volumes use five times the median."""
DAYS_SENT: Final = 3
"""Distinct days with such a volume before it is usual. A new backup is reported on these days; a weekly one
recurs often enough."""
MEGABYTE: Final = 1_000_000
(SIZES,) = UPLOAD_SIZES.sets

type Place = tuple[str, int]
"""The address of a host, and an hour since 1970."""


def baseline_addition(role: str, place: Place, sent: float) -> Addition:
    """The addition to a role's item: the powers of two that its hosts' hours reached on a day.

    A reported volume is capped at the limit for reports: an incident adds little, and a new large backup
    becomes usual a few days later than a small one.
    """
    day = place[1] * HOUR // DAY
    return Addition(
        UPLOAD_SIZES.key_of(role, day),
        {SIZES: frozenset({int(log2(sent))})},
        UPLOAD_SIZES.kept_until(day * DAY),
    )


def keys(role: str, place: Place) -> list[str]:
    """The items with the role's volumes on the days before."""
    day = place[1] * HOUR // DAY
    return [UPLOAD_SIZES.key_of(role, before) for before in range(day - DAYS_READ, day)]


def usual(items: Iterable[Sets]) -> int:
    """The bytes per hour that a role reached on `DAYS_SENT` days, rounded up; 0 if it never did.

    Args:
        items: one for each day on which the role made large uploads.
    """
    days = sorted((max(sets[SIZES]) for sets in items if sets.get(SIZES)), reverse=True)
    return 2 ** (days[DAYS_SENT - 1] + 1) if len(days) >= DAYS_SENT else 0


def limit(before: int, megabytes: int) -> int:
    """The bytes per hour from which a finding is reported, given the usual volume."""
    return max(megabytes * MEGABYTE, TIMES * before)
