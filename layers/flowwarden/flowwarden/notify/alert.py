"""An alert: what must reach people, and by which route."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct

from flowwarden.notify.claims import Claim
from flowwarden.notify.notification import Notification


class Route(StrEnum):
    """Where a finding or an alert goes."""

    PAGES = "pages"
    """To on-call."""
    OPERATIONS = "operations"
    """To the people who run Flow Warden."""
    LOG = "log"
    """Into the monitor's log and metrics, and to no topic."""


class Alert(Struct, frozen=True, kw_only=True):
    """One alert of a run."""

    key: str
    """Of the incident: alerts with the same key are repeats of each other."""
    route: Route
    title: str
    """One sentence, for the log and for roll-ups."""
    render: Callable[[Claim], Notification]
    """Makes the notification; the claim says what was sent before."""
    can_wait: bool = False
    """Whether it is not sent while the state table does not answer, because each run would repeat it."""
