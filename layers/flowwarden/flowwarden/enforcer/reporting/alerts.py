"""The alerts of an enforcer's run: one for what each run reports, and one for each recurring incident.

Operations gets them in one notification (`roll_up`). Each has a claim of its own, so what was reported within
the suppression window is left out. If a run is ended before it could send, the leases of its claims end, and
the next run that finds the same sends it: what lasts, and flow logs that were created. Other repairs are not
found again, so a run sends however little time is left.
"""

from __future__ import annotations

from collections.abc import Sequence

from flowwarden.enforcer.reporting.notification import render
from flowwarden.enforcer.reporting.report import EnforcementReport
from flowwarden.notify.alert import Alert, Route
from flowwarden.notify.claims import Owner, digest
from flowwarden.notify.delivery import DeliveryReport
from flowwarden.notify.notifier import Routes, Run, notify
from flowwarden.notify.ports import Claims


def send(report: EnforcementReport, attempt: str, run: Run, claims: Claims, routes: Routes) -> DeliveryReport:
    """Send what the report has to say, in one notification for each sink.

    Args:
        report: of the run.
        attempt: unique: no other run has it, not even a retry.
        run: the invocation.
        claims: what was sent before.
        routes: the sinks.
    """

    def roll_up(alerts: Sequence[Alert]) -> Alert:
        keys = [each.key for each in alerts]
        return _alert(report.about(keys), digest("enforcement", *keys))

    return notify(alerts_of(report, attempt), run, claims, routes, roll_up, singly=0)


def owner_of(report: EnforcementReport, attempt: str) -> Owner:
    """Who claims: one attempt at the event. All deliveries and retries of an event are one batch."""
    return Owner(digest(report.trigger.kind, _event_of(report, attempt)), attempt)


def _event_of(report: EnforcementReport, attempt: str) -> str:
    """The same for all deliveries of an event; one that does not identify itself is an event of its own."""
    return report.trigger.idempotency_key or attempt


def alerts_of(report: EnforcementReport, attempt: str) -> list[Alert]:
    """The alerts, what each run reports first; `attempt` is unique."""
    each_run = report.about(())
    found = [_alert(each_run, _key_of(each_run, attempt))] if each_run.is_news else []
    found += [_alert(report.about([incident]), incident) for incident in report.incidents]
    if incident := report.duplicates_incident:
        # They cost money, not sight. Without the state table each sweep would report them.
        found.append(_alert(report.about([incident]), incident, can_wait=True))
    return found


def _alert(report: EnforcementReport, key: str, *, can_wait: bool = False) -> Alert:
    notification = render(report)
    return Alert(
        key=key,
        route=Route.OPERATIONS,
        title=notification.subject,
        render=lambda _: notification,
        can_wait=can_wait,
    )


def _key_of(report: EnforcementReport, attempt: str) -> str:
    """The same for another delivery of the event that finds the same, and for nothing else."""
    outcomes = [f"{each.result} {each.vpc_id} {each.flow_log_id}" for each in report.outcomes]
    remediations = [f"{each.resource} {each.applied} {each.summary}" for each in report.remediations]
    event = _event_of(report, attempt)
    return digest("enforcement", report.trigger.kind, event, *outcomes, *remediations)
