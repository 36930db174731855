"""Alerts: the findings of a batch that require a notification, with their keys and texts. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from flowwarden.monitor.detectors import BY_NAME
from flowwarden.monitor.findings import Finding, SurplusFinding, counted
from flowwarden.monitor.render import rollup
from flowwarden.monitor.render.incident_key import account_of, incident_key
from flowwarden.monitor.render.notification import render
from flowwarden.monitor.render.parts import RenderContext
from flowwarden.monitor.render.text import describe
from flowwarden.monitor.traffic.hosts import Hosts
from flowwarden.notify.alert import Alert, Route
from flowwarden.printable import one_line
from flowwarden.records.subscription import LogBatch


class Seen(Struct, frozen=True, kw_only=True):
    """Where findings were logged, and how long their repeats are suppressed."""

    batch: LogBatch
    region: str
    suppression_minutes: int
    hosts: Hosts = Hosts({})
    """What is known of the hosts at the ends of the connections."""
    span: tuple[int, int] | None = None
    """When the flows of the batch began and ended, in Unix seconds; None if no record shows it."""

    def context(self, account: str) -> RenderContext:
        """The same for texts; names of log groups and streams are made printable."""
        return RenderContext(
            account_id=account,
            region=self.region,
            log_group=one_line(self.batch.log_group),
            log_stream=one_line(self.batch.log_stream),
            suppression_minutes=self.suppression_minutes,
            hosts=self.hosts,
            batch_span=self.span,
        )


def alerts(findings: Sequence[Finding], seen: Seen) -> list[Alert]:
    """The alerts: missing records first, then by severity, and last those that stand for several findings."""
    return [_alert(each, seen) for each in sorted(findings, key=_urgency) if each.severity.pages]


def _alert(finding: Finding, seen: Seen) -> Alert:
    account = account_of(finding) or seen.batch.owner
    detector = BY_NAME[finding.detector]
    context = seen.context(account)
    key = incident_key(finding, account, seen.region, context.log_group)
    return Alert(
        key=key,
        route=detector.route,
        title=describe(finding).summary,
        render=lambda claim: render(finding, key, claim, context),
        quiet=detector.quiet,
        stands_for=counted([finding]),
    )


def _urgency(finding: Finding) -> tuple[bool, bool, int]:
    is_page = BY_NAME[finding.detector].route is not Route.OPERATIONS
    return is_page, isinstance(finding, SurplusFinding), finding.severity.rank


def roll_up(rest: Sequence[Alert], seen: Seen) -> Alert:
    """The one alert that replaces several of a batch, all of one route."""
    titles, context, route = [each.title for each in rest], seen.context(seen.batch.owner), rest[0].route
    quiet = {each.quiet for each in rest}
    count = sum(each.stands_for for each in rest)
    return Alert(
        key=rollup.rollup_key(context),
        route=route,
        title=rollup.summarize(count, context),
        render=lambda _: rollup.render(titles, count, context, route, quiet=quiet),
    )
