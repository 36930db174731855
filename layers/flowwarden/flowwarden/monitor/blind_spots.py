"""Blind spots: stretches of time in which nobody saw what an interface did.

Nothing is claimed about traffic, so they are no findings, and operations hears of them instead of on-call.
"""

from __future__ import annotations

from msgspec import Struct

from flowwarden.monitor.findings import Severity


class BlindSpot(Struct, frozen=True, kw_only=True):
    """What a detector says about sight that was lost."""

    detector: str
    severity: Severity
    subject: str
    """An interface's id, or a VPC's where many of its interfaces are told together."""
    interfaces: tuple[str, ...]
    """Ids of the interfaces that are not seen."""
    first: int
    """Unix seconds from which on sight is lost, as far as it is known."""
    last: int
    """Unix seconds of the last moment that is known to be lost."""
    summary: str
    """One sentence."""
    because: str
    """The evidence, and the threshold that it passed."""
    advice: tuple[str, ...]
    """What to do, in order."""
