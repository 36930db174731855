"""An alert: a message for people, and its route."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.notify.claims import Claim, ClaimState
from flowwarden.notify.evidence import Evidence
from flowwarden.notify.incident import Incident, Pending, StoredNotification
from flowwarden.notify.notification import Notification


class Route(StrEnum):
    """Where a finding or an alert is sent."""

    PAGES = "pages"
    """To on-call."""
    OPERATIONS = "operations"
    """To the operators of Flow Warden."""
    DIGEST = "digest"
    """To the log and metrics, as a row of the next summary."""
    LOG = "log"
    """To the monitor's log and metrics only, not to a topic."""


class Alert(Struct, frozen=True, kw_only=True):
    """One alert of a run."""

    key: str
    """The incident's key: alerts with the same key are repeats of each other."""
    route: Route
    title: str
    """One sentence, for the log and for roll-ups."""
    render: Callable[[Claim], Notification]
    """Creates the notification; the claim contains what was sent before."""
    complete: Callable[[Claim], Notification] | None = None
    """The same, with what lookups add to it: called once, right before it is sent by itself. None if nothing
    is looked up. It takes a bounded time and does not raise."""
    can_wait: bool = False
    """Whether to hold it back while the state table is unavailable, because each run would repeat it."""
    quiet: int | None = None
    """Seconds for which repeats are suppressed; None for the stack's setting."""
    stands_for: int = 1
    """The number of findings that the alert is about."""
    evidence: Evidence | None = None
    """If given, repeats extend the suppression window, and are sent within it if the evidence grew. If None,
    repeats are sent after the window."""

    incident: Incident | None = None
    """If given, the incident has a life: it is listed while it is open, and resolved when it is over."""

    revise: Callable[[Incident, Claim], Incident] | None = None
    """Completes the incident with what the claim says of earlier notifications."""

    def after(self, claim: Claim, now: int) -> Alert:
        """The alert with everything that its notification tells, sent at `now` (Unix seconds).

        That includes members that joined before, and the earlier life of the incident.
        """
        told = self.evidence and self.evidence.together(claim.told, claim.joined)
        incident = self.incident and self.incident.after(claim.earlier, claim.event, now)
        if incident is not None and self.revise is not None:
            incident = self.revise(incident, claim)
        return replace(self, evidence=told, incident=incident)

    def notification(self, claim: Claim) -> Notification:
        """The notification to send by itself."""
        return (self.complete or self.render)(claim)

    @property
    def pending(self) -> Pending | None:
        """What the dispatcher needs to send it, if the invocation ends before; None if it has no life."""
        if self.incident is None:
            return None
        notification = StoredNotification.of(self.render(Claim(state=ClaimState.CLAIMED)))
        return Pending(
            incident=self.incident, notification=notification, quiet=self.quiet, evidence=self.evidence
        )
