"""What the enforcer remembers between its runs. Pure data; what EC2 can tell is never remembered."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

PATIENCE_SECONDS: Final = 15 * 60
"""How long what may pass by itself is only looked at again, before it counts as a failure."""


class WorkItem(Struct, frozen=True, kw_only=True):
    """One VPC that has to be looked at again."""

    vpc_id: str
    due: int
    """Not before then; Unix seconds."""
    reason: str
    failing_since: int = 0
    """Since when its calls fail in a way that may pass; Unix seconds, 0 if they do not."""
    throttled_at: int = 0
    """When it was last put back because its calls were throttled; 0 if they were not."""
    grace_until: int = 0
    """Until when whoever made the VPC may cover it."""
    held: str = ""
    """The configuration of a replacement that failed to deliver."""
    held_until: int = 0


class Cursor(Struct, frozen=True, kw_only=True):
    """Where a sweep stopped because time ran out."""

    after: str
    """The id of the last VPC that was looked at; they are looked at in the order of their ids."""
