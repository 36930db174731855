"""The ends of incidents: notifies each sink of those that are resolved, and closes them.

A page that a service refuses is not sent there again. Its end is: until then, the service shows an incident
as open that is over. It is tried again every `RETRY_SECONDS`, for `RETRIED_SECONDS` after the incident was
resolved, so it arrives soon after the cause was repaired. If it recurs meanwhile, it goes on there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from flowwarden.dispatcher.ports import OpenIncident, OpenIncidents
from flowwarden.dispatcher.report import DispatchReport, undelivered
from flowwarden.dispatcher.resolved import render, render_several
from flowwarden.errors import StateUnavailable
from flowwarden.notify.alert import Alert, Route
from flowwarden.notify.claims import digest
from flowwarden.notify.incident import Event
from flowwarden.notify.notification import Notification
from flowwarden.notify.notifier import notify
from flowwarden.notify.ports import Claims, Sink, tracks_incidents
from flowwarden.notify.run import Run
from flowwarden.state.sets import DAY

SINGLY: Final = 5
"""Resolved incidents of a sink that are reported singly. If there are more, one notification lists all."""
TOGETHER: Final = 25
"""Resolved incidents of a sink that one run reports; the next run reports the others. Each is claimed."""
RETRY_SECONDS: Final = 1800
"""Seconds after which an end that a sink refused is tried again."""
RETRIED_SECONDS: Final = DAY
"""Seconds after which it is given up."""


class Ends:
    """Reports the ends of incidents to the sinks of these names."""

    def __init__(self, incidents: OpenIncidents, claims: Claims, sinks: Mapping[str, Sink]) -> None:
        self._incidents = incidents
        self._claims = claims
        self._sinks = sinks

    def report(self, over: Sequence[OpenIncident], run: Run) -> DispatchReport:
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
                total += self._close(several) + DispatchReport(unreported=titles)
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
        report = undelivered(delivery) + self._close([one for key, (one, _) in alerts.items() if key in done])
        refused = [(alerts[key][0], title) for key, title in delivery.to_repeat if key in alerts]
        return report + self._after_refusal(refused, run.at)

    def _after_refusal(self, refused: Sequence[tuple[OpenIncident, str]], now: int) -> DispatchReport:
        """Put off what a sink refused; close what it has refused for too long. With titles."""
        total, last = DispatchReport(), list[OpenIncident]()
        try:
            for one, title in refused:
                if is_given_up(one, now):
                    last.append(one)
                    total += DispatchReport(ends_given_up=(title,))
                    continue
                first, again = ((), (title,)) if _was_put_off(one) else ((title,), ())
                total += DispatchReport(ends_refused=first, ends_refused_again=again)
                self._incidents.put_off(one, now + RETRY_SECONDS, None, now)
        except StateUnavailable:
            return total + DispatchReport(state_unavailable=1)
        return total + self._close(last)

    def _close(self, several: Sequence[OpenIncident]) -> DispatchReport:
        try:
            for one in several:
                self._incidents.close(one)
        except StateUnavailable:
            return DispatchReport(state_unavailable=1)  # the next run finds that they were reported
        return DispatchReport()


def is_given_up(one: OpenIncident, now: int) -> bool:
    """Whether the end of a resolved incident is not tried again at `now` (Unix seconds) if it is refused."""
    return now - (one.resolved_at or 0) >= RETRIED_SECONDS


def _was_put_off(one: OpenIncident) -> bool:
    """Whether a sink has refused the end of a resolved incident: it was due before it was resolved."""
    return one.check_at > (one.resolved_at or 0)


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
        tries_again=True,
    )


def _all_resolved(several: Sequence[OpenIncident], more: int) -> Alert:
    """The one alert about several resolved incidents."""
    return _alert(several[0], lambda: render_several(several, more))
