"""The monitor: parses a batch of log lines, detects findings, and sends each notification once.

Nothing is remembered as seen or sent before the notifications of the batch are out: if one is not, the
container forgets what the batch has added, learns nothing, and Lambda's retry finds it as before. Calls
that a batch can do without have budgets of seconds, so that a slow service delays no page.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from flowwarden.monitor import alerts, digest_rows, heartbeats
from flowwarden.monitor.alerts import Deployment, Seen, held_pages, own_hosts, roll_up
from flowwarden.monitor.budget import Budget, TimedClaims, TimedPages
from flowwarden.monitor.caches.interfaces import InterfaceCache
from flowwarden.monitor.caches.log_formats import CachedFormats, LogFormatCache
from flowwarden.monitor.caches.mutes import MuteCache
from flowwarden.monitor.caches.names import NameCache
from flowwarden.monitor.caches.roles import RoleCache
from flowwarden.monitor.caches.state import StateCache, StateView
from flowwarden.monitor.detectors import detected, unparsed_lines
from flowwarden.monitor.findings import Finding
from flowwarden.monitor.inhibition import Inhibition
from flowwarden.monitor.mutes import muted
from flowwarden.monitor.naming import names_of
from flowwarden.monitor.policy_view import PolicyView
from flowwarden.monitor.remember import remember
from flowwarden.monitor.render.not_sent import NotSent
from flowwarden.monitor.report import BatchReport, delay, report
from flowwarden.monitor.report_only import only_reported
from flowwarden.monitor.reported import HostHistory
from flowwarden.monitor.review.reports import LearningReports, Occasion
from flowwarden.monitor.rules.explainer import Explain, RuleExplainer
from flowwarden.monitor.triage import triage
from flowwarden.monitor.view import BatchView, Context
from flowwarden.notify.alert import Alert
from flowwarden.notify.claims import Owner
from flowwarden.notify.delivery import DeliveryReport
from flowwarden.notify.lasting import LastingIncidents
from flowwarden.notify.notifier import MAX_SINGLE, Routes, notify
from flowwarden.notify.ports import Claims, PageBudget
from flowwarden.notify.run import RESERVE, Budgeted, Run
from flowwarden.policy.expired_mutes import EndedMutes
from flowwarden.policy.last_good import PolicyRecorder
from flowwarden.records.columnar.flow_table import Table
from flowwarden.records.subscription import LogBatch
from flowwarden.unreadable import Notes, Unreadable

LOOKUP_SECONDS: Final = 8.0
"""For lookups and writes before the notifications, out of the function's timeout of 40 s. Enough for 40 calls
of 0.2 s, which is about twenty times the usual latency of DynamoDB."""
CLAIM_SECONDS: Final = 8.0
"""For claims: at 0.2 s a call, enough for twenty notifications, each with its claim and confirmation. When it
is spent, the remaining notifications are sent without a claim, and may repeat."""


class Invocation(Struct, frozen=True):
    """One run of the function."""

    attempt: str
    """An id that no other run has, not even a retry of the same event."""
    time_left: Callable[[], float]
    """Seconds until Lambda stops the function."""


class Caches(Struct, frozen=True, kw_only=True):
    """The data that a container keeps between batches."""

    formats: LogFormatCache
    interfaces: InterfaceCache
    state: StateCache
    roles: RoleCache | None = None
    """None if the roles are not stored, as in evaluations."""
    reports: LearningReports | None = None
    """Sends the report on learning when it is due; None if there is none, as in evaluations."""
    digests: digest_rows.DigestRows | None = None
    """Stores what the digests say; None if there are none."""
    rules: RuleExplainer | None = None
    """Explains rejections by the rules; None if nothing is looked up, as in evaluations."""
    mutes: MuteCache | None = None
    """The mutes made by command; None if there are none, as in evaluations."""
    names: NameCache | None = None
    """Finds the names for notifications; None if there are none, as in evaluations."""
    unreadable_items: Unreadable = field(default_factory=Unreadable)
    """The parts of the state table's items that could not be read."""
    unreadable_answers: Unreadable = field(default_factory=Unreadable)
    """The parts of EC2's responses that could not be read."""


class MonitoringService:
    """Processes batches; keeps nothing between them that cannot be relearned."""

    def __init__(
        self,
        *,
        caches: Caches,
        policy_recorder: PolicyRecorder,
        claims: Claims,
        routes: Routes,
        deployment: Deployment,
        page_budget: PageBudget | None = None,
    ) -> None:
        self._caches = caches
        self._policy_recorder = policy_recorder
        self._use_policy()
        self._claims = claims
        self._page_budget = page_budget
        self._lasting = LastingIncidents(deployment.suppression_minutes * 60)
        self._routes = routes
        self._deployment = deployment

    def process(self, batch: LogBatch, invocation: Invocation, now: int) -> BatchReport:
        """Parse, inspect and notify; `now` is Unix seconds.

        Never raises because of a line's content or a port's failure: see `BatchReport.delivery`.
        """
        return self.inspect(batch, invocation, now)[0]

    def inspect(self, batch: LogBatch, invocation: Invocation, now: int) -> tuple[BatchReport, BatchView]:
        """As `process`; also returns the view of the batch, for those who show its traffic."""
        if self._policy_recorder.renew(now):
            self._use_policy()
        lookups = Budget(LOOKUP_SECONDS, invocation.time_left, RESERVE)
        state = self._caches.state.for_batch(lookups)
        try:
            return self._process(batch, invocation, now, state, lookups)
        except BaseException:
            state.forget()
            raise

    def _use_policy(self) -> None:
        policy = self._policy_recorder.in_use.policy
        self._policy, self._ended_mutes = PolicyView.of(policy), EndedMutes(policy.mutes)

    def _process(
        self, batch: LogBatch, invocation: Invocation, now: int, state: StateView, lookups: Budget
    ) -> tuple[BatchReport, BatchView]:
        formats, records = self._parse(batch, now, lookups)
        view = BatchView(batch, records, self._context(formats, state, now, lookups))
        heartbeats.see(view, state)
        found = detected(view, state)
        inhibition = Inhibition(batch.owner, self._deployment.suppression_minutes, now)
        sorted_out = triage(found, view.policy)
        triaged = self._silenced(sorted_out.remaining, view, state)
        findings = inhibition.of(triaged, state)
        seen = self._seen(view, findings, sorted_out.inhibited, state, invocation)
        incidents = alerts.by_incident(findings, seen)
        found_alerts = [*alerts.alerts_about(incidents, seen), *self._about_policy(batch.owner, now)]
        delivery = self._notify(found_alerts, seen, invocation, now, state.claims)
        self._ended_mutes.note(delivery)
        learning = DeliveryReport()
        if remember(view, triaged, findings, state, delivery, invocation.time_left):
            inhibition.store(findings, state, own_hosts(findings, seen), view.hosts)
            digest_rows.keep(self._caches.digests, view, [*findings, *sorted_out.inhibited], delivery, state)
            claimed = sum(len(self._routes[each.route]) for each in found_alerts)
            learning = self._report_learning(view, state, invocation, claimed)
        self._policy_recorder.keep(now)
        done = report(
            records,
            [*findings, *sorted_out.inhibited],
            delivery + replace(learning, unsent=()),
            log_formats_unavailable=int(formats.unavailable),
            host_history_unavailable=state.failures,
            interfaces_unavailable=view.interfaces.failures,
        )
        return replace(
            done,
            incidents=alerts.findings_of(incidents),
            delay=delay(records, now),
            reports_unsent=learning.unsent,
            deferred=state.deferred + len(view.active_hosts.others),
            policy_invalid=int(bool(self._policy_recorder.in_use.problem)),
            **self._unreadable(),
        ), view

    def _unreadable(self) -> dict[str, Notes]:
        """The members of the report about what was left out since the last batch."""
        caches = self._caches
        return {
            "unreadable_items": caches.unreadable_items.take(),
            "unreadable_answers": caches.unreadable_answers.take(),
        }

    def _silenced(self, findings: Sequence[Finding], view: BatchView, state: StateView) -> list[Finding]:
        """The findings; those that are muted or of report-only detectors no longer notify."""
        made = self._caches.mutes.mutes(findings, state, view.now) if self._caches.mutes else ()
        policy = self._policy.policy
        remaining = muted(findings, (*policy.mutes, *made), view.hosts, view.now)
        return only_reported(remaining, policy.report_only)

    def _context(self, formats: CachedFormats, state: StateView, now: int, lookups: Budget) -> Context:
        return Context(
            formats=formats.candidates.layouts,
            interfaces=self._caches.interfaces.for_batch(now, lookups),
            state=state,
            policy=self._policy,
            now=now,
        )

    def _report_learning(
        self, view: BatchView, state: StateView, invocation: Invocation, claimed: int
    ) -> DeliveryReport:
        """Store the roles of the batch, and send the report on learning if it is due."""
        if self._caches.roles is not None:
            self._caches.roles.see(view.profiles.values(), state, view.now)
        if self._caches.reports is None:
            return DeliveryReport()
        occasion = Occasion(
            owner=Owner(view.batch.batch_id, invocation.attempt),
            account=view.batch.owner,
            now=view.now,
            time_left=invocation.time_left,
            most_claims=state.claims - claimed,
        )
        return self._caches.reports.send(occasion, state)

    def _about_policy(self, owner: str, now: int) -> list[Alert]:
        """The alerts about the policy: it is not valid, or a mute has ended."""
        invalid = self._policy_recorder.alerts(owner, self._deployment.region)
        return [*invalid, *self._ended_mutes.alerts(now, owner, self._deployment.region)]

    def _seen(
        self,
        view: BatchView,
        findings: Sequence[Finding],
        inhibited: Sequence[Finding],
        state: StateView,
        invocation: Invocation,
    ) -> Seen:
        """What the texts of notifications need in addition to the findings."""
        history = HostHistory(view.batch.owner, self._deployment.suppression_minutes, view.now)
        # Before the names, which can take its time: without the history, a host gets a second incident.
        past = history.of(findings, view.hosts, state)
        return Seen(
            batch=view.batch,
            deployment=self._deployment,
            now=view.now,
            hosts=view.hosts,
            names=names_of(findings, view, self._caches.names, invocation.time_left),
            owner_tags=view.policy.owner_tags,
            explain=self._explain(view, invocation),
            past=past,
            not_sent=NotSent.of([*findings, *inhibited]),
            span=view.records.flows.span,
        )

    def _explain(self, view: BatchView, invocation: Invocation) -> Explain | None:
        """What explains the rejections of the batch by the rules, with calls to EC2."""
        if self._caches.rules is None:
            return None
        return self._caches.rules.for_batch(view.now, invocation.time_left, view.interfaces.networks)

    def _parse(self, batch: LogBatch, now: int, lookups: Budget) -> tuple[CachedFormats, Table]:
        """Parse the batch; if lines do not match and newer formats are available, parse it again."""
        entry = self._formats(self._caches.formats.entry, batch.log_group, now, lookups)
        records = entry.reader.read(batch.lines)
        if not unparsed_lines.unreadable(records):
            return entry, records
        renewed = self._formats(self._caches.formats.renewed, batch.log_group, now, lookups)
        return renewed, records if renewed.reader is entry.reader else renewed.reader.read(batch.lines)

    def _formats(
        self, lookup: Callable[[str, int], CachedFormats], log_group: str, now: int, lookups: Budget
    ) -> CachedFormats:
        """The log group's formats, after another lookup if the first one failed fast."""
        before = lookups.left
        with lookups.spending():
            entry = lookup(log_group, now)
        if not entry.may_repeat(now) or not lookups.allows_repeat(before):
            return entry
        with lookups.spending():
            return self._caches.formats.repeated(log_group, now)

    def _notify(
        self, found: Sequence[Alert], seen: Seen, invocation: Invocation, now: int, most_claims: int
    ) -> DeliveryReport:
        budget = Budget(CLAIM_SECONDS, invocation.time_left, RESERVE)
        run = Run(
            owner=Owner(seen.batch.batch_id, invocation.attempt),
            at=now,
            time_left=invocation.time_left,
            most_claims=most_claims,
            lasting=self._lasting,
            may_claim=lambda: not budget.is_spent,
            budget=self._budgeted(seen, budget),
        )
        claims = TimedClaims(self._claims, budget)
        singly = MAX_SINGLE * self._caches.state.breadth
        return notify(found, run, claims, self._routes, lambda rest: roll_up(rest, seen), singly=singly)

    def _budgeted(self, seen: Seen, budget: Budget) -> Budgeted | None:
        """The budget for pages, if there is one; `budget` is that of seconds for claims."""
        if self._page_budget is None:
            return None
        pages = TimedPages(self._page_budget, budget)
        return Budgeted(pages=pages, roll_up=lambda held, limit: held_pages(held, limit, seen))
