"""How the monitor's notifications write times, the subject line and what is said about repeats. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from flowwarden.notify.claims import Claim
from flowwarden.notify.notification import one_line
from flowwarden.notify.text import plural

DOCUMENT_VERSION: Final = "1"
"""Raised when a member of the JSON document changes its meaning or goes away."""


class Occasion(Struct, frozen=True, kw_only=True):
    """Where findings were seen, and how long their repeats are held back."""

    account_id: str
    region: str
    log_group: str
    log_stream: str
    quiet_minutes: int


def subject_line(severity: str, summary: str, region: str) -> str:
    """`[HIGH] What was found (eu-west-1)`, on one line."""
    return one_line(f"[{severity.upper()}] {summary.removesuffix('.')} ({region})")


def repeats(claim: Claim, occasion: Occasion) -> str:
    """When the incident was sent before, and how long repeats are held back."""
    ahead = f"Repeats stay quiet for {plural(occasion.quiet_minutes, 'minute')}."
    if claim.last_sent is None:
        return ahead
    before = f"Told before at {moment(claim.last_sent)}; {plural(claim.held_back, 'repeat')} held back since."
    return f"{before} {ahead}"


def moment(seconds: int) -> str:
    """Unix seconds as `2026-11-24 02:58:01 UTC`; a number that is out of range stays a number."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, OSError, ValueError):
        return str(seconds)
