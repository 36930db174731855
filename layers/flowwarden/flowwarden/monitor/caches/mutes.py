"""A container's copy of the mutes made by command.

If the table does not answer, the container goes on with those that it has read last.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.findings import Finding
from flowwarden.policy.made_mutes import MadeMutes
from flowwarden.policy.mutes import Mute

READ_SECONDS: Final = 60
"""How long the mutes are used before they are read again: a new mute works that soon."""


class MuteCache:
    """The mutes made by command. One per container."""

    def __init__(self, store: MadeMutes) -> None:
        self._store = store
        self._known: tuple[Mute, ...] = ()
        self._read_at: int | None = None

    def mutes(self, findings: Iterable[Finding], state: StateView, now: int) -> tuple[Mute, ...]:
        """The mutes for these findings; reads none if no finding would be sent. `now` is Unix seconds."""
        if not any(each.severity.pages for each in findings):
            return ()
        if self._read_at is None or not self._read_at <= now < self._read_at + READ_SECONDS:
            self._read_at = now
            found = state.call(lambda: self._store.load(now))
            if found is not None:
                self._known = tuple(each.mute for each in found)
        return self._known
