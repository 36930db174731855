"""One run of the dispatcher: sends what stayed pending, resolves incidents that are over, sends digests.

Each step is a conditional write, and a notification is claimed like any other. So two runs at once, or a run
that ends at any point, cause neither a lost notification nor more than one duplicate.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.dispatcher.digests import DigestSender
from flowwarden.dispatcher.over import Verdict, judge, keys_of
from flowwarden.dispatcher.pending import HeldPage, Limited, alert_of, send, send_several, with_budget
from flowwarden.dispatcher.ports import OpenIncident, OpenIncidents
from flowwarden.dispatcher.resolved import render, render_several
from flowwarden.errors import PublishFailed, StateUnavailable
from flowwarden.notify.alert import Alert, Route
from flowwarden.notify.claims import Owner, digest
from flowwarden.notify.delivery import DeliveryReport
from flowwarden.notify.incident import Event
from flowwarden.notify.notification import Notification
from flowwarden.notify.notifier import Routes, notify
from flowwarden.notify.pending import Pending
from flowwarden.notify.ports import Claims, Sink, tracks_incidents
from flowwarden.notify.run import RESERVE, Run
from flowwarden.state.ports import EvidenceStore
from flowwarden.state.sets import DAY

MOST_DUE: Final = 100
"""Incidents that one run checks; the next run, a minute later, continues with the others."""
SINGLY: Final = 5
"""Resolved incidents of a sink that are reported singly. If there are more, one notification lists all."""
TOGETHER: Final = 25
"""Resolved incidents of a sink that one run reports; the next run reports the others. Each is claimed."""
WAIT_SECONDS: Final = 120
"""Seconds until a pending notification is due again that another invocation may be sending."""


class DispatchReport(Struct, frozen=True, kw_only=True):
    """What a run did."""

    due: int = 0
    """Incidents that were due."""
    resent: int = 0
    """Pending notifications that were sent."""
    held: tuple[str, ...] = ()
    """Titles of pending pages that are held, because the budget for pages is spent."""
    resolved: int = 0
    """Incidents that were resolved."""
    without_data: int = 0
    """Incidents that may be over, but no records of their log group arrive."""
    moved: tuple[str, ...] = ()
    """Titles of pending notifications whose sink is not configured any more: another one gets them."""
    unreported: tuple[str, ...] = ()
    """Titles of resolved incidents whose sink is not configured any more: no notification says so."""
    digests: int = 0
    """Digests that were sent."""
    left: int = 0
    """Due incidents for which there was no time, or the table did not answer. The next run continues."""
    refused: tuple[str, ...] = ()
    """Titles of what a sink refused, with the reason. It is not sent there again."""
    unsent: tuple[str, ...] = ()
    """Titles of what could not be sent, with the reason. The next run tries again."""
    state_unavailable: int = 0
    """Failed calls to the state table."""

    @property
    def over_budget(self) -> int:
        """The number of pages that are held."""
        return len(self.held)

    def __add__(self, other: DispatchReport) -> DispatchReport:
        """The sum of both reports."""
        return DispatchReport(
            **{name: getattr(self, name) + getattr(other, name) for name in self.__struct_fields__}
        )

    def raise_if_incomplete(self) -> None:
        """Raise an error if something could not be sent or stored, so that the run counts as failed.

        Raises:
            PublishFailed: a notification was not sent.
            StateUnavailable: the state table did not answer.
        """
        if self.unsent:
            raise PublishFailed(
                f"{len(self.unsent)} notification(s) not sent, the next run tries again: {self.unsent[0]}"
            )
        if self.state_unavailable:
            raise StateUnavailable("the state table did not answer, the next run continues")


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
        total += _unsent(delivery) + self._report(over, run)
        return total + self._send_digests(run) if not total.state_unavailable else total

    def _send_digests(self, run: Run) -> DispatchReport:
        if self._digests is None:
            return DispatchReport()
        delivery = self._digests.send(run)
        return _unsent(delivery) + DispatchReport(digests=len(delivery.sent))

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
        return _Step(replace(_unsent(sent), resent=len(sent.sent), held=titles), held=held)

    def _move(self, one: OpenIncident, pending: Pending, run: Run) -> DispatchReport:
        """Send a pending notification to the sinks of its route, because its own is not configured any more.

        As a claim of the same batch on each: one that has got a notification of the incident gets no second.
        """
        alert = alert_of(one, pending)
        sent = notify([alert], run, self._claims, self._routes, lambda rest: rest[0])
        if not sent.is_final or sent.state_unavailable:
            return _unsent(sent)
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

    def _report(self, over: Sequence[OpenIncident], run: Run) -> DispatchReport:
        """Notify each sink of its resolved incidents, and close those that were notified."""
        by_sink = defaultdict[str, list[OpenIncident]](list)
        for one in over:
            by_sink[one.key.sink].append(one)
        total = DispatchReport()
        for name, all_over in by_sink.items():
            sink, several = self._sinks.get(name), all_over[:TOGETHER]
            more = len(all_over) - len(several)
            if sink is None:
                titles = tuple(each.incident.title for each in several)
                total += replace(self._close(several), unreported=titles)
            else:
                total += self._report_to(sink, several, more, run)
        return total

    def _report_to(self, sink: Sink, several: Sequence[OpenIncident], more: int, run: Run) -> DispatchReport:
        """Notify a sink of resolved incidents; the next run reports `more` others."""
        alerts = {alert.key: (one, alert) for one in several for alert in [resolved_alert(one)]}
        routes = {Route.PAGES: (sink,)}
        delivery = notify(
            [alert for _, alert in alerts.values()],
            run,
            self._claims,
            routes,
            lambda _rest: _all_resolved(several, more),
            singly=len(several) if len(several) <= SINGLY or tracks_incidents(sink) else 0,
        )
        done = {*delivery.sent, *delivery.known}
        closed = self._close([one for key, (one, _) in alerts.items() if key in done])
        return _unsent(delivery) + closed

    def _close(self, several: Sequence[OpenIncident]) -> DispatchReport:
        try:
            for one in several:
                self._incidents.close(one)
        except StateUnavailable:
            return DispatchReport(state_unavailable=1)  # the next run finds that they were reported
        return DispatchReport()


def resolved_alert(one: OpenIncident) -> Alert:
    """The alert that an incident is resolved."""
    return _alert(one, lambda: render(one))


def _alert(one: OpenIncident, text: Callable[[], Notification]) -> Alert:
    return Alert(
        key=digest(one.key.incident, Event.RESOLVED, str(one.resolved_at)),
        route=Route.PAGES,
        title=f"Resolved: {one.incident.title}",
        render=lambda _: text(),
        quiet=DAY,
        can_wait=True,  # without the table, the incident could not be closed, and each run would repeat it
    )


def _all_resolved(several: Sequence[OpenIncident], more: int) -> Alert:
    """The one alert about several resolved incidents."""
    return _alert(several[0], lambda: render_several(several, more))


def _unsent(delivery: DeliveryReport) -> DispatchReport:
    return DispatchReport(
        unsent=delivery.unsent, refused=delivery.refused, state_unavailable=delivery.state_unavailable
    )
