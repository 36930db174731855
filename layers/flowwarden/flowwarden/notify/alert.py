"""An alert: a message for people, and its route."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.notify.claim_request import ClaimRequest
from flowwarden.notify.claims import Claim, ClaimKey, ClaimState, Owner
from flowwarden.notify.draft import Draft
from flowwarden.notify.evidence import Evidence
from flowwarden.notify.incident import Incident
from flowwarden.notify.notification import Notification
from flowwarden.notify.pending import StoredNotification


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
    render: Callable[[Claim], Notification | Draft]
    """Creates the notification, or a draft without its history; the claim contains what was sent before."""
    complete: Callable[[Claim], Notification | Draft] | None = None
    """The same, with what lookups add to it: called once, right before it is sent by itself. None if nothing
    is looked up. It takes a bounded time and does not raise."""
    can_wait: bool = False
    """Whether to hold it back while the state table is unavailable, because each run would repeat it."""
    tries_again: bool = False
    """Whether the sender tries again later what a sink refuses; else it is not sent there again."""
    quiet: int | None = None
    """Seconds for which repeats are suppressed; None for the stack's setting."""
    stands_for: int = 1
    """The number of findings that the alert is about."""
    evidence: Evidence | None = None
    """If given, repeats extend the suppression window, and are sent within it if the evidence grew. If None,
    repeats are sent after the window."""

    incident: Incident | None = None
    """If given, the incident has a life: it is listed while it is open, and resolved when it is over."""

    def after(self, claim: Claim, now: int) -> Alert:
        """The alert with everything that its notification reports, sent at `now` (Unix seconds).

        That includes members that joined before, and the earlier life of the incident.
        """
        reported = self.evidence and self.evidence.together(claim.reported, claim.joined)
        incident = self.incident and self.incident.after(claim.earlier, claim.event, now)
        if incident is not None and isinstance(draft := self.render(claim), Draft):
            incident = draft.revised(incident, claim, reported)
        return replace(self, evidence=reported, incident=incident)

    def notification(self, claim: Claim) -> Notification:
        """The notification to send by itself; the claim contains what was sent before."""
        rendered = (self.complete or self.render)(claim)
        return rendered.completed(claim, self.evidence) if isinstance(rendered, Draft) else rendered

    def request(self, sink: str, owner: Owner, now: int) -> ClaimRequest:
        """The claim on its notification to a sink, or the confirmation of that claim."""
        return ClaimRequest(
            key=ClaimKey(sink, self.key),
            owner=owner,
            now=now,
            quiet=self.quiet,
            evidence=self.evidence,
            incident=self.incident,
        )

    def first_request(self, sink: str, owner: Owner, now: int) -> ClaimRequest:
        """The claim, with the notification that is stored with it if the incident has a life."""
        request = self.request(sink, owner, now)
        if self.incident is None:
            return request
        rendered = self.render(Claim(state=ClaimState.CLAIMED))
        stored = rendered if isinstance(rendered, Draft) else StoredNotification.of(rendered)
        return replace(request, notification=stored)
