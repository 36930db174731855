"""One run of the dispatcher: sends what stayed pending, and resolves incidents that are over.

Every step is a conditional write before or after a claimed notification. So two runs at once, or a run that
ends at any point, cause neither a lost notification nor more than one duplicate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from flowwarden.dispatcher.over import Verdict, is_over
from flowwarden.dispatcher.ports import OpenIncident, OpenIncidents
from flowwarden.dispatcher.resolved import render, render_several
from flowwarden.errors import PublishFailed, PublishUnanswered, StateUnavailable
from flowwarden.notify.alert import Alert, Route
from flowwarden.notify.claims import ClaimKey, Owner, digest
from flowwarden.notify.incident import Incident
from flowwarden.notify.notifier import Routes, notify
from flowwarden.notify.ports import Claims, Sink
from flowwarden.notify.run import Run
from flowwarden.state.ports import EvidenceStore

MOST_DUE: Final = 100
"""Incidents that one run looks at; the next run, a minute later, continues with the others."""
SINGLY: Final = 5
"""Resolved incidents of a sink that are reported one by one. If there are more, one notification lists all."""
RESERVE: Final = 22.0
"""Remaining seconds required to begin with another incident, see `notify.run.RESERVE`."""


class DispatchReport(Struct, frozen=True, kw_only=True):
    """What a run did."""

    due: int = 0
    """Incidents that were due."""
    resent: int = 0
    """Pending notifications that were sent."""
    resolved: int = 0
    """Incidents that were resolved."""
    without_data: int = 0
    """Incidents that may be over, but no records of their log group arrive."""
    left: int = 0
    """Due incidents that there was no time for."""
    unsent: tuple[str, ...] = ()
    """Titles of what could not be sent, with the reason: the next run tries again."""
    state_unavailable: int = 0
    """Failed calls to the state table."""


class Dispatcher:
    """Runs every minute; keeps nothing between runs."""

    def __init__(
        self, incidents: OpenIncidents, claims: Claims, evidence: EvidenceStore, routes: Routes
    ) -> None:
        self._incidents = incidents
        self._claims = claims
        self._evidence = evidence
        self._routes = routes
        self._sinks = {sink.name: sink for sinks in routes.values() for sink in sinks}

    def run(self, attempt: str, now: int, time_left: Callable[[], float]) -> DispatchReport:
        """Look at the incidents that are due.

        Args:
            attempt: an id that no other run has.
            now: Unix seconds.
            time_left: seconds until the function times out.
        """
        try:
            due = self._incidents.due(now, MOST_DUE)
        except StateUnavailable:
            return DispatchReport(state_unavailable=1)
        progress = _Progress(attempt, now, time_left)
        for at, one in enumerate(due):
            if time_left() < RESERVE or progress.failures:
                progress.left = len(due) - at
                break
            progress.attempt(lambda one=one: self._look_at(one, progress))
        progress.attempt(lambda: self._report_resolved(progress))
        return progress.report(len(due))
