"""A test of the whole way of a page: a marked incident is claimed, sent, resolved, and sent as resolved.

It uses the notifier, the claims and the sink that the monitor and the dispatcher use.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.dispatcher.desk import IncidentDesk
from flowwarden.dispatcher.ends import resolved_alert
from flowwarden.notify.alert import Alert, Route
from flowwarden.notify.claims import ClaimKey, Owner, digest
from flowwarden.notify.incident import Incident
from flowwarden.notify.notification import Composed, Notification
from flowwarden.notify.notifier import notify
from flowwarden.notify.ports import Claims, Sink
from flowwarden.notify.run import Run

KIND: Final = "test"
"""The attribute `kind` of both notifications."""
SEVERITY: Final = "high"
"""High, so that subscriptions that filter by severity get it, too."""
BY: Final = "flowwarden test-page"
DOCUMENT_VERSION: Final = "1"
_NEXT: Final = "What to do: nothing. A second notification follows: that the incident is resolved."
AMPLE_SECONDS: Final = 3600.0
"""A command has no timeout."""


class Place(Struct, frozen=True, kw_only=True):
    """What the notifications say of the stack."""

    stack: str
    account: str
    region: str
    log_group: str
    """Of the flow logs: later records in it resolve the incident if the command does not."""


class Outcome(Struct, frozen=True, kw_only=True):
    """The outcome of a test."""

    key: str
    """Of the test incident."""
    sent: bool = False
    """Whether the sink accepted the page."""
    resolved: bool = False
    """Whether it accepted the notification that the incident is resolved."""
    problems: tuple[str, ...] = ()
    """What failed, a sentence each."""


class _Test(Struct, frozen=True):
    """One test."""

    sink: Sink
    claims: Claims
    desk: IncidentDesk
    run: Run

    def send(self, alert: Alert) -> tuple[bool, tuple[str, ...]]:
        """Whether the sink accepted an alert, and what failed."""
        done = notify([alert], self.run, self.claims, {Route.PAGES: (self.sink,)}, _alone)
        table = ("The state table did not answer: it needs dynamodb:UpdateItem.",)
        return alert.key in done.sent, (
            *done.unsent,
            *done.refused,
            *(title for _, title in done.to_repeat),
            *(table if done.state_unavailable else ()),
        )


def send_test(
    sink: Sink, claims: Claims, desk: IncidentDesk, place: Place, now: int, attempt: str
) -> Outcome:
    """Send a test incident to a sink, resolve it, and send that it is resolved.

    Args:
        sink: the sink.
        claims: the shared claims.
        desk: the stored incidents.
        place: the stack.
        now: Unix seconds.
        attempt: an id that no other test has.

    Raises:
        StateUnavailable: the table did not answer.
    """
    key = digest(KIND, attempt)
    stored_at = ClaimKey(sink.name, key)
    desk.find(stored_at, now)  # before anything is sent: whether the caller may read the table
    run = Run(owner=Owner(BY, attempt), at=now, time_left=lambda: AMPLE_SECONDS)
    test = _Test(sink, claims, desk, run)
    sent, problems = test.send(_alert(key, place, now))
    if not sent:
        return Outcome(key=key, problems=problems)
    found = desk.find(stored_at, now)
    if found is None or not desk.resolve_by(found, BY, now):
        missing = (*problems, "The incident is not stored as it was sent.")
        return Outcome(key=key, sent=True, problems=missing)
    over = replace(found, resolved_at=now, resolved_by=BY)
    resolved, more = test.send(resolved_alert(over))
    if resolved:
        desk.close(over)
    return Outcome(key=key, sent=True, resolved=resolved, problems=(*problems, *more))


def _alert(key: str, place: Place, now: int) -> Alert:
    incident = Incident(
        title=f"[TEST] Test page of stack {place.stack}: nothing has happened.",
        severity=SEVERITY,
        detectors=(KIND,),
        subject=place.stack,
        log_group=place.log_group,
        last_seen=now,
        resolve_after=0,
        attributes={
            "kind": KIND,
            "severity": SEVERITY,
            "detector": KIND,
            "account": place.account,
            "region": place.region,
        },
    )
    return Alert(
        key=key,
        route=Route.PAGES,
        title=incident.title,
        render=lambda claim: _page(key, incident, place, claim.event.value),
        incident=incident,
    )


def _page(key: str, incident: Incident, place: Place, event: str) -> Notification:
    return Notification(
        subject=incident.title.removesuffix("."),
        text=Composed.of(
            [incident.title],
            [f"{BY} sent this page through the way of every page.", _NEXT],
            [f"Account {place.account}, Region {place.region}"],
            [f"Incident {key}, severity {SEVERITY}, detector {KIND}"],
        ),
        document={
            "version": DOCUMENT_VERSION,
            "incident": key,
            "event": event,
            "summary": incident.title,
            "subject": incident.subject,
            **incident.attributes,
        },
        attributes=incident.attributes | {"event": event},
    )


def _alone(rest: Sequence[Alert]) -> Alert:
    """The roll-up of the only alert."""
    return rest[0]
