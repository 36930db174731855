"""Shortens text from outside in the enforcer's notification, and marks that it was shortened."""

from __future__ import annotations

from typing import Final

from flowwarden.printable import one_line

REASON_CHARACTERS: Final = 700
"""EC2 adds an encoded message of a thousand characters or more to an authorization error."""


def short(reason: str) -> str:
    """The text as one line; if it is too long, its beginning, marked as truncated."""
    found = one_line(reason, REASON_CHARACTERS)
    if found == one_line(reason, len(reason) + 3):
        return found
    return f"{found} (truncated; full text in the enforcer's log)"
