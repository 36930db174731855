"""Counts with nouns, times and durations, for the texts of all functions. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from flowwarden.notify.evidence import MAX_SUPPRESSED


def plural(count: int, noun: str) -> str:
    """`1 packet`, `2 packets`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def repeat_count(count: int) -> str:
    """`2 repeats`; `20 or more repeats` if no further ones are counted."""
    return plural(count, "repeat") if count < MAX_SUPPRESSED else f"{count:,} or more repeats"


def counted(count: int | None, noun: str) -> str:
    """`2 packets`; `packets unknown` if the count is None."""
    return f"{noun}s unknown" if count is None else plural(count, noun)


def moment(seconds: int) -> str:
    """Unix seconds as `2026-11-24 02:58:01 UTC`; an out-of-range number is returned as a number."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, OSError, ValueError):
        return str(seconds)


def duration(minutes: int) -> str:
    """Minutes in words: `30 days` for two or more whole days, `4 h` for whole hours, otherwise `90 min`."""
    if minutes >= 2 * 1440 and minutes % 1440 == 0:
        return f"{minutes // 1440} days"
    return f"{minutes // 60} h" if minutes and minutes % 60 == 0 else f"{minutes} min"
