"""The alerts of an enforcer run: one for what every run reports, and one for each recurring incident.

Operations gets them in one notification (`roll_up`). Each alert has its own claim, so an incident that was
reported within the suppression window is left out. If a run is terminated before it can send, the leases of
its claims expire, and the next run that finds the same sends it: persistent problems, and created flow logs.
Other repairs are not found again, so what every run reports is stored before it is sent: `enforcer.outbox`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from flowwarden.enforcer.reporting.notification import render
from flowwarden.enforcer.reporting.report import EnforcementReport
from flowwarden.notify.alert import Alert, Route
from flowwarden.notify.claims import Owner, digest
from flowwarden.notify.delivery import DeliveryReport
from flowwarden.notify.notifier import Routes, notify
from flowwarden.notify.ports import Claims
from flowwarden.notify.run import Run

MONTH: Final = 30 * 24 * 3600
"""For which telemetry rules are not reported again if they do not change."""


def send(report: EnforcementReport, attempt: str, run: Run, claims: Claims, routes: Routes) -> DeliveryReport:
    """Send the report, in one notification to each sink.

    Args:
        report: the report of the run.
        attempt: an id that no other run has, not even a retry.
        run: the invocation.
        claims: the store of claims, which records what was sent before.
        routes: the sinks.
    """

    def roll_up(alerts: Sequence[Alert]) -> Alert:
        keys = [each.key for each in alerts]
        return _alert(report.about(keys), digest("enforcement", *keys))

    return notify(alerts_of(report, attempt), run, claims, routes, roll_up, singly=0)


def owner_of(report: EnforcementReport, attempt: str) -> Owner:
    """The owner of the claims: one attempt at an event, whose deliveries and retries form one batch."""
    return Owner(digest(report.trigger.kind, _event_of(report, attempt)), attempt)


def _event_of(report: EnforcementReport, attempt: str) -> str:
    """The id shared by all deliveries of an event; an event without an id counts as a new event."""
    return report.trigger.idempotency_key or attempt


def each_run(report: EnforcementReport, attempt: str) -> Alert | None:
    """The alert for what every run reports, None if there is nothing; `attempt` is unique."""
    own = report.about(())
    return _alert(own, _key_of(own, attempt)) if own.is_news else None


def alerts_of(report: EnforcementReport, attempt: str) -> list[Alert]:
    """The alerts; the one for what every run reports comes first. `attempt` is unique."""
    news = each_run(report, attempt)
    found = [news] if news else []
    found += [_alert(report.about([incident]), incident) for incident in report.incidents]
    found += [_alert(report.about([each]), each) for each in report.deletions_by_incident]
    # These cost money or effort, but hide nothing. Without the state table, each sweep would report them.
    found += [_alert(report.about([each]), each, can_wait=True) for each in report.notices.values()]
    if report.rules.incident:
        about = report.about([report.rules.incident])
        found.append(_alert(about, report.rules.incident, can_wait=True, quiet=MONTH))
    return found


def _alert(report: EnforcementReport, key: str, *, can_wait: bool = False, quiet: int | None = None) -> Alert:
    notification = render(report)
    return Alert(
        key=key,
        route=Route.OPERATIONS,
        title=notification.subject,
        render=lambda _: notification,
        can_wait=can_wait,
        quiet=quiet,
    )


def _key_of(report: EnforcementReport, attempt: str) -> str:
    """The key: identical only for deliveries of the same event with the same results."""
    outcomes = [f"{each.result} {each.vpc_id} {each.flow_log_id}" for each in report.outcomes]
    remediations = [f"{each.resource} {each.applied} {each.summary}" for each in report.remediations]
    located = [f"located {each.flow_log_id}" for each in report.located]
    event = _event_of(report, attempt)
    return digest("enforcement", report.trigger.kind, event, *outcomes, *remediations, *located)
