"""One run of the dispatcher: sends what stayed pending, resolves incidents that are over, sends digests.

Each step is a conditional write, and a notification is claimed like any other. So two runs at once, or a run
that ends at any point, cause neither a lost notification nor more than one duplicate.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.dispatcher.digests import DigestSender
from flowwarden.dispatcher.ends import Ends
from flowwarden.dispatcher.over import Verdict, judge, keys_of
from flowwarden.dispatcher.pending import HeldPage, Limited, alert_of, send, send_several, with_budget
from flowwarden.dispatcher.ports import OpenIncident, OpenIncidents
from flowwarden.dispatcher.report import DispatchReport, undelivered
from flowwarden.errors import StateUnavailable
from flowwarden.notify.claims import Owner
from flowwarden.notify.notifier import Routes, notify
from flowwarden.notify.pending import Pending
from flowwarden.notify.ports import Claims
from flowwarden.notify.run import RESERVE, Run
from flowwarden.state.ports import EvidenceStore

MOST_DUE: Final = 100
"""Incidents that one run checks; the next run, a minute later, continues with the others."""
WAIT_SECONDS: Final = 120
"""Seconds until a pending notification is due again that another invocation may be sending."""


class _Step(Struct, frozen=True):
    """The outcome for one incident."""

    report: DispatchReport = DispatchReport()
    over: OpenIncident | None = None
    """The incident, if it is resolved and that must be reported."""
    held: HeldPage | None = None
    """Its pending page, if it is beyond the budget."""


class Dispatcher:
    """Runs every minute; keeps nothing between runs that cannot be read again."""

    def __init__(
        self,
        incidents: OpenIncidents,
        claims: Claims,
        evidence: EvidenceStore,
        routes: Routes,
        page_budget: Limited | None = None,
        digests: DigestSender | None = None,
    ) -> None:
        self._incidents = incidents
        self._claims = claims
        self._evidence = evidence
        self._page_budget = page_budget
        self._digests = digests
        self._routes = routes
        self._sinks = {sink.name: sink for sinks in routes.values() for sink in sinks}
        self._ends = Ends(incidents, claims, self._sinks)

    def run(self, attempt: str, now: int, time_left: Callable[[], float]) -> DispatchReport:
        """Check the incidents that are due, and send the digests that are due.

        Args:
            attempt: an id that no other run has.
            now: Unix seconds.
            time_left: seconds until the function times out.
        """
        # Each run is a batch of its own: after attempts without an answer, a later one need not wait as long.
        run = Run(owner=Owner(attempt, attempt), at=now, time_left=time_left)
        try:
            due = self._incidents.due(now, MOST_DUE)
        except StateUnavailable:
            return DispatchReport(state_unavailable=1)
        total, over, held = DispatchReport(due=len(due)), list[OpenIncident](), list[HeldPage]()
        for at, one in enumerate(due):
            if total.state_unavailable or time_left() < RESERVE:
                total += DispatchReport(left=len(due) - at)
                break
            step = self._check(one, run)
            total += step.report
            over += [step.over] if step.over else []
            held += [step.held] if step.held else []
        delivery = send_several(held, with_budget(run, self._page_budget), self._claims)
        total += undelivered(delivery) + self._ends.report(over, run)
        return total + self._send_digests(run) if not total.state_unavailable else total

    def _send_digests(self, run: Run) -> DispatchReport:
        if self._digests is None:
            return DispatchReport()
        delivery = self._digests.send(run)
        return undelivered(delivery) + DispatchReport(digests=len(delivery.sent))

    def _check(self, one: OpenIncident, run: Run) -> _Step:
        """Send what is pending, or resolve what is over. What is stored may cause a fault of this code."""
        try:
            if one.resolved_at is not None:
                return _Step(over=one)
            if one.pending is not None:
                return self._resend(one, one.pending, run)
            return self._judge(one, run.at)
        except StateUnavailable:
            return _Step(DispatchReport(state_unavailable=1))
        except Exception as error:  # noqa: BLE001 - each run would end here, and later incidents would wait for ever
            return _Step(DispatchReport(unsent=(f"{one.incident.title} {error!r}",)))

    def _resend(self, one: OpenIncident, pending: Pending, run: Run) -> _Step:
        sink = self._sinks.get(one.key.sink)
        if one.is_leased:
            self._incidents.put_off(one, run.at + WAIT_SECONDS, one.no_data_since, run.at)
            return _Step()
        # A retry of the batch must find its own notification, so the dispatcher acts for the batch.
        owner = Owner(one.batch, run.owner.attempt)
        if not self._incidents.take(one, owner, run.at):
            return _Step()
        mine = with_budget(replace(run, owner=owner), self._page_budget)
        if sink is None:
            return _Step(self._move(one, pending, mine))
        sent, held = send(one, pending, sink, mine, self._claims)
        titles = (pending.incident.title,) if held else ()
        return _Step(replace(undelivered(sent), resent=len(sent.sent), held=titles), held=held)

    def _move(self, one: OpenIncident, pending: Pending, run: Run) -> DispatchReport:
        """Send a pending notification to the sinks of its route, because its own is not configured any more.

        As a claim of the same batch on each: one that has got a notification of the incident gets no second.
        """
        alert = alert_of(one, pending)
        sent = notify([alert], run, self._claims, self._routes, lambda rest: rest[0])
        if not sent.is_final or sent.state_unavailable:
            return undelivered(sent)
        # From now on, the claims of these sinks show what remains to be done.
        self._incidents.drop(one, run.owner)
        resent = int(alert.key in sent.sent and not sent.held)
        return DispatchReport(resent=resent, held=sent.held, moved=(alert.title,), refused=sent.refused)

    def _judge(self, one: OpenIncident, now: int) -> _Step:
        judgment = judge(one.incident, self._evidence.read(keys_of(one.incident, now)), now)
        if judgment.verdict is not Verdict.OVER:
            self._incidents.put_off(one, judgment.check_at, judgment.no_data_since, now)
            return _Step(DispatchReport(without_data=int(judgment.verdict is Verdict.NO_DATA)))
        if not self._incidents.resolve(one, now):
            return _Step()
        resolved = replace(one, resolved_at=now)
        if one.is_reported:
            # It recurred within the suppression window: nothing was sent since it was reported as resolved.
            self._incidents.close(resolved)
            return _Step(DispatchReport(resolved=1))
        return _Step(DispatchReport(resolved=1), resolved)
