"""Times, subject lines and statements about repeats in the monitor's notifications. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from flowwarden.monitor.text import duration
from flowwarden.notify.claims import Claim
from flowwarden.notify.text import plural
from flowwarden.printable import one_line

DOCUMENT_VERSION: Final = "1"
"""Raised when a member of the JSON document is removed or changes its meaning."""


NOT_INSPECTED: Final = "Flow Warden cannot inspect this traffic: the absence of alerts proves nothing."
"""The second line of notifications about missing or unparsed records."""


class RenderContext(Struct, frozen=True, kw_only=True):
    """Where findings were logged, and how long their repeats are suppressed."""

    account_id: str
    region: str
    log_group: str
    log_stream: str
    suppression_minutes: int


def subject_line(severity: str, summary: str, region: str) -> str:
    """`[HIGH] What was found (eu-west-1)`, on one line."""
    return one_line(f"[{severity.upper()}] {summary.removesuffix('.')} ({region})")


def repeats(claim: Claim, context: RenderContext) -> str:
    """When the incident was last sent, and how long repeats are suppressed."""
    ahead = f"Repeats suppressed for {duration(context.suppression_minutes)}."
    if claim.last_sent is None:
        return ahead
    repeats = plural(claim.suppressed_batches, "repeat")
    before = f"Last sent at {moment(claim.last_sent)}; {repeats} suppressed since."
    return f"{before} {ahead}"


def moment(seconds: int) -> str:
    """Unix seconds as `2026-11-24 02:58:01 UTC`; an out-of-range number is returned as a number."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, OSError, ValueError):
        return str(seconds)
