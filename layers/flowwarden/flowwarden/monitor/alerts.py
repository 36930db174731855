"""Alerts: the findings of a batch that require a notification, with their keys and texts.

Pure, except that `Alert.complete` looks up rules through `Seen.explain`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.monitor.acting_hosts import Past, Place, own_incidents, place_of
from flowwarden.monitor.causes import Cause, cause_of
from flowwarden.monitor.detectors import BY_NAME
from flowwarden.monitor.findings import Finding, SurplusFinding, TrafficFinding, counted
from flowwarden.monitor.host_incident import HostIncident
from flowwarden.monitor.incidents import incident_of
from flowwarden.monitor.mutes import suggested
from flowwarden.monitor.names import Names
from flowwarden.monitor.quiet import quiet_of, quiet_of_host
from flowwarden.monitor.render import rollup
from flowwarden.monitor.render.console import Console
from flowwarden.monitor.render.incident_key import account_of, incident_key
from flowwarden.monitor.render.message import known_of
from flowwarden.monitor.render.not_sent import NotSent
from flowwarden.monitor.render.notification import render
from flowwarden.monitor.render.parts import RenderContext
from flowwarden.monitor.render.text import describe
from flowwarden.monitor.rules.explainer import Explain
from flowwarden.monitor.traffic.hosts import Hosts
from flowwarden.notify import held
from flowwarden.notify.alert import Alert, Route
from flowwarden.notify.claims import Claim
from flowwarden.notify.course import Course
from flowwarden.notify.crowd import Crowd
from flowwarden.notify.draft import Draft
from flowwarden.notify.evidence import Evidence
from flowwarden.notify.notification import Notification
from flowwarden.notify.page_budget import Limit
from flowwarden.printable import one_line
from flowwarden.records.subscription import LogBatch

MOST_SHOWN: Final = 3
"""Maximum number of descriptions of a cause that a page shows, such as one for each network."""


class Deployment(Struct, frozen=True, kw_only=True):
    """What notifications say of the stack."""

    region: str
    suppression_minutes: int
    """For how long repeats are suppressed."""
    runbooks: str
    """Base address of the runbooks."""
    console: Console = Console()


class Seen(Struct, frozen=True, kw_only=True):
    """Where findings were logged, and how long their repeats are suppressed."""

    batch: LogBatch
    deployment: Deployment
    now: int
    """Unix seconds."""
    hosts: Hosts = Hosts({})
    """What is known of the hosts at the ends of the connections."""
    names: Names | None = None
    """What was looked up for the notifications; None if nothing could be."""
    owner_tags: tuple[str, ...] = ()
    """Keys of tags that tell whose a host is."""
    past: Mapping[Place, Past] = {}
    """What earlier batches reported about the acting hosts of the findings."""
    explain: Explain | None = None
    """Explains a rejection by the rules, with calls to EC2; None if nothing is looked up."""
    not_sent: NotSent = NotSent()
    """The findings of the batch that no alert is about."""
    span: tuple[int, int] | None = None
    """When the flows of the batch began and ended, in Unix seconds; None if no record shows it."""

    def context(self, account: str) -> RenderContext:
        """The same as the renderers need it, with printable names of the log group and the log stream."""
        return RenderContext(
            account_id=account,
            region=self.deployment.region,
            log_group=one_line(self.batch.log_group),
            log_stream=one_line(self.batch.log_stream),
            suppression_minutes=self.deployment.suppression_minutes,
            now=self.now,
            runbooks=self.deployment.runbooks,
            hosts=self.hosts.also(self.names.hosts) if self.names else self.hosts,
            names=self.names,
            owner_tags=self.owner_tags,
            console=self.deployment.console,
            not_sent=self.not_sent,
            batch_span=self.span,
        )


class _PagedFinding(Struct, frozen=True):
    """A finding that notifies, with its incident."""

    finding: Finding
    account: str
    key: str
    cause: Cause | None
    host: HostIncident | None = None
    """The incident of the acting host, if the finding belongs to it."""


type Incidents = Mapping[str, Sequence[_PagedFinding]]
"""The findings that notify, by the keys of their incidents."""


def alerts(findings: Sequence[Finding], seen: Seen) -> list[Alert]:
    """The alerts of a batch, the most urgent first; see `by_incident`."""
    return alerts_about(by_incident(findings, seen), seen)


def alerts_about(incidents: Incidents, seen: Seen) -> list[Alert]:
    """One alert for each incident."""
    return [_alert(each, seen) for each in incidents.values()]


def findings_of(incidents: Incidents) -> dict[str, tuple[Finding, ...]]:
    """The findings alone."""
    return {key: tuple(each.finding for each in some) for key, some in incidents.items()}


def by_incident(findings: Sequence[Finding], seen: Seen) -> Incidents:
    """The findings of a batch that notify, by incident, the most urgent first.

    Those for operations come first, since they report missing or unread records; then single
    findings by severity; then those that stand for several findings. Findings of one incident are one alert.
    """
    incidents: defaultdict[str, list[_PagedFinding]] = defaultdict(list)
    own = own_hosts(findings, seen)
    for finding in sorted(findings, key=urgency):
        if finding.severity.pages:
            paged = _paged(finding, seen, own)
            incidents[paged.key].append(paged)
    return incidents


def own_hosts(findings: Iterable[Finding], seen: Seen) -> dict[Place, Past]:
    """The acting hosts that have an incident of their own, with what was reported about them before."""
    return own_incidents([(each, _cause(each, seen)) for each in findings], seen.past, seen.batch.owner)


def _cause(finding: Finding, seen: Seen) -> Cause | None:
    if not isinstance(finding, TrafficFinding) or not finding.severity.pages:
        return None
    return cause_of(finding, BY_NAME[finding.detector].shares, seen.hosts)


def _paged(finding: Finding, seen: Seen, own: Mapping[Place, Past]) -> _PagedFinding:
    account, log_group = account_of(finding) or seen.batch.owner, one_line(seen.batch.log_group)
    place = place_of(finding, seen.batch.owner)
    if place and place in own:
        key = incident_key(finding, account, seen.deployment.region, log_group, host=place.host)
        quiet = quiet_of_host(seen.deployment.suppression_minutes)
        return _PagedFinding(
            finding, account, key, None, HostIncident(place.host, own[place], quiet, seen.now)
        )
    cause = _cause(finding, seen)
    return _PagedFinding(
        finding, account, incident_key(finding, account, seen.deployment.region, log_group, cause), cause
    )


def _alert(several: Sequence[_PagedFinding], seen: Seen) -> Alert:
    first, findings = several[0], [each.finding for each in several]
    finding, detector = first.finding, BY_NAME[first.finding.detector]
    context, crowd = seen.context(first.account), _crowd(several)
    known = known_of(finding, context)
    summary = known.in_text(describe(finding).summary)
    title = summary.removesuffix(".") + (crowd.added() if crowd else "") + "."
    kind = "incident" if detector.route is Route.PAGES else detector.name
    return Alert(
        key=first.key,
        route=detector.route,
        title=title,
        render=lambda claim: _page(several, claim, context),
        complete=_completing(several, context, seen.explain),
        quiet=first.host.quiet if first.host else quiet_of(finding, seen.deployment.suppression_minutes),
        stands_for=counted(findings),
        evidence=_evidence(several) if detector.route is Route.PAGES else None,
        incident=incident_of(findings, title, kind, context),
    )


def _completing(
    several: Sequence[_PagedFinding], context: RenderContext, explain: Explain | None
) -> Callable[[Claim], Notification | Draft] | None:
    """Creates the notification with what the rules say; None if no page of the incident names a rule."""
    if explain is None or not any(_asks_rules(each.finding) for each in several):
        return None
    return lambda claim: _page(several, claim, context, explain)


def _asks_rules(finding: Finding) -> bool:
    return isinstance(finding, TrafficFinding) and BY_NAME[finding.detector].asks_rules


def _page(
    several: Sequence[_PagedFinding], claim: Claim, context: RenderContext, explain: Explain | None = None
) -> Notification | Draft:
    """The notification about the most urgent finding; of equally urgent ones, about one not yet reported."""
    reported = frozenset(claim.reported.members if claim.reported else ())

    def rank(each: _PagedFinding) -> tuple[tuple[bool, bool, int], bool]:
        return urgency(each.finding), reported.issuperset(_members([each]) or ("",))

    first, *others = sorted(several, key=rank)
    crowd = _crowd([first, *others])
    if crowd is not None:
        mutes = tuple(suggested(each.finding, context.hosts, context.now) for each in others)
        crowd = replace(crowd, mutes=mutes)
    if explain is not None and isinstance(first.finding, TrafficFinding) and _asks_rules(first.finding):
        context = replace(context, explained=explain(first.finding.example))
    return render(first.finding, first.key, context, crowd)


def _crowd(several: Sequence[_PagedFinding]) -> Crowd | Course | None:
    if host := several[0].host:
        return host.course([each.finding for each in several])
    shown = [*dict.fromkeys(each.cause.what for each in several if each.cause)]
    if not shown:
        return None
    others = tuple(describe(each.finding).summary for each in several[1:])
    return Crowd("; ".join(shown[:MOST_SHOWN]), _members(several), others)


def _members(several: Sequence[_PagedFinding]) -> tuple[str, ...]:
    if host := several[0].host:
        return host.behaviors(each.finding for each in several)
    return tuple(dict.fromkeys(name for each in several if each.cause for name in each.cause.members))


def _evidence(several: Sequence[_PagedFinding]) -> Evidence | None:
    findings = [each.finding for each in several]
    if host := several[0].host:
        return host.evidence(findings)
    if not all(isinstance(each, TrafficFinding) for each in findings):
        return None
    measured = ((each.facts, BY_NAME[each.detector].measures) for each in findings)
    amounts = [int(getattr(facts, name, 0)) for facts, name in measured if name]
    causes = [each.cause for each in several if each.cause]
    return Evidence(
        gravity=max(-each.severity.rank for each in findings),
        amount=max(amounts, default=0),
        members=_members(several),
        places=tuple(dict.fromkeys(name for each in causes for name in each.places)),
        asks=tuple(dict.fromkeys(each.asks for each in causes if each.asks)),
        strict=any(each.strict for each in causes),
    )


def urgency(finding: Finding) -> tuple[bool, bool, int]:
    """The rank of a finding among those of a batch: the least is the most urgent."""
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


def held_pages(rest: Sequence[Alert], limit: Limit, seen: Seen) -> Alert:
    """The one alert of an hour about pages that are beyond the budget."""
    context = seen.context(seen.batch.owner)
    place = held.Place(
        account=context.account_id, region=context.region, runbook=context.runbook(rollup.NAME)
    )
    return held.roll_up(rest, limit, place, seen.now)
