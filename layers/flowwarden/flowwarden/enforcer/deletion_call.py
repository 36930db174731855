"""A call that deleted many flow logs, in the registry."""

from __future__ import annotations

from msgspec import Struct

from flowwarden.enforcer.triggers.cloudtrail import ApiCaller


class DeletionCall(Struct, frozen=True, kw_only=True):
    """One call that deleted many flow logs: one item, because a write for each may take too long."""

    call_id: str
    at: int
    """Unix seconds."""
    caller: ApiCaller
    flow_log_ids: tuple[str, ...]
    reported: tuple[str, ...] = ()
    """Those that were reported."""
