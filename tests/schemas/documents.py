"""Examples of every document that machines get, by the name of its schema in `docs/schemas/`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from msgspec.structs import replace

from flowwarden.dispatcher import hourly_digest
from flowwarden.dispatcher.resolved import render as render_resolved
from flowwarden.dispatcher.resolved import render_several
from flowwarden.enforcer.decide.existing_flow_logs import ReadFlowLog
from flowwarden.enforcer.decide.telemetry_rules import RuleReport
from flowwarden.enforcer.reporting.notification import render as render_report
from flowwarden.enforcer.reporting.report import EnforcementReport
from flowwarden.monitor.alerts import Deployment, Seen, alerts, held_pages
from flowwarden.monitor.review.text import Review
from flowwarden.monitor.review.text import notification as learned
from flowwarden.notify.alert import Alert
from flowwarden.notify.claims import Claim, ClaimState
from flowwarden.notify.incident import Event
from flowwarden.notify.notification import Notification
from flowwarden.notify.page_budget import PageLimits
from flowwarden.policy.expired_mutes import EndedMutes
from flowwarden.policy.last_good import PolicyRecorder
from flowwarden.policy.policy import Policy
from flowwarden.state.digests import Group
from local.docs_schemas import SENT
from tests.dispatcher.digests.examples import EXAMPLES as DIGESTS
from tests.dispatcher.digests.examples import KEPT, PLACE
from tests.dispatcher.test_resolved import over
from tests.enforcer.reporting.examples import EXAMPLES as REPORTS
from tests.enforcer.runs import SWEEP
from tests.monitor.batches import GROUP
from tests.monitor.one_host import Monitor, moved, scanned
from tests.monitor.render.examples import EXAMPLES as FINDINGS
from tests.monitor.render.golden import (
    CONTEXT,
    CONTEXTS,
    LATER,
    context_of,
    first_notification,
    only_blocked,
)
from tests.monitor.render.named_interfaces import KINDS
from tests.monitor.render.rule_pages import PAGES
from tests.monitor.review.examples import KNOWN, ROLES
from tests.policy.fakes import MemoryPolicy, MemoryProfile
from tests.sinks.examples import incident, page, tests_sent


def examples() -> Iterator[tuple[str, dict[str, Any]]]:
    """The name of a schema, and a document that fits it."""
    for name, sent in _notifications():
        # As a receiver gets it: JSON, with the text.
        yield name, json.loads(json.dumps({**sent.document, "text": sent.text}))


def _notifications() -> Iterator[tuple[str, Notification]]:
    yield from (("incident", each) for each in _pages())
    for one in (incident(), incident(2), over("a", held=True)):
        yield "resolved", render_resolved(one)
    yield "resolved", tests_sent()[1]
    yield "several-resolved", render_several([over("a"), over("b", "critical", reopened=1)], 2)
    of_two_detectors = [over("a", opened_at=1), over("b", attributes={"detector": "egress-volume"})]
    yield "several-resolved", render_several(of_two_detectors, 0)
    yield "test", tests_sent()[0]
    yield from _reports()


def _pages() -> Iterator[Notification]:
    for finding in FINDINGS.values():
        yield first_notification(finding(), "key0", CONTEXT)
    for context in (*CONTEXTS.values(), *map(context_of, KINDS)):
        yield first_notification(only_blocked(), "key0", context)
    for rules in PAGES.values():
        context = replace(CONTEXT, explained=rules.explanation())
        yield first_notification(rules.finding, "key0", context)
    for event, reopened in ((Event.UPDATED, 0), (Event.REOPENED, 0), (Event.UPDATED, 2)):
        yield page(event, reopened)
    monitor = Monitor()
    monitor.process([scanned()])
    yield monitor.process([moved(at=LATER)], LATER)[0]
    yield _held()


def _reports() -> Iterator[tuple[str, Notification]]:
    for name, digest in DIGESTS.items():
        yield f"{name.partition('-')[0]}-digest", digest()
    yield "hourly-digest", hourly_digest.render(1, {Group("ping-sweep", "", "", "", ""): 2}, KEPT, PLACE)
    for report in REPORTS.values():
        if not (made := report()).plans:
            yield "enforcement", render_report(made)
    yield "enforcement", render_report(_of_telemetry_rules())
    yield "learning-report", learned(Review.of(ROLES, KNOWN), "key0", "111122223333", "eu-west-1")
    for sent in _unusable():
        yield "policy", sent
    yield "mute-expired", _ended()


def _held() -> Notification:
    """The page about pages beyond the budget."""
    deployment = Deployment(region=CONTEXT.region, suppression_minutes=240, runbooks=CONTEXT.runbooks)
    seen = Seen(batch=GROUP, deployment=deployment, now=CONTEXT.now)
    several = alerts([FINDINGS[name]() for name in ("scan", "egress-volume")], seen)
    (limit,) = PageLimits(hour=4).at(CONTEXT.now, critical=False)
    return held_pages(several, limit, seen).notification(Claim(state=ClaimState.CLAIMED))


def _of_telemetry_rules() -> EnforcementReport:
    """A run that finds them, an existing flow log that was measured, and one without losses."""
    found = ReadFlowLog(flow_log_id="fl-1", resource_id="vpc-1", destination="/theirs", dollars_more=1.5)
    return EnforcementReport(
        trigger=SWEEP, account_id="111122223333", region="eu-west-1", read_in_place=(found,),
        rules=RuleReport(made=(("rule", ("fl-2",)),), problems=("not valid",), unread="denied"),
    )  # fmt: skip


def _unusable() -> Iterator[Notification]:
    """A policy that cannot be used: an earlier one is, that of the parameter, or the default."""
    away = MemoryProfile("{", away=True)
    for store, source in ((MemoryPolicy("{}"), None), (MemoryPolicy(), away), (MemoryPolicy(), None)):
        text = "{" if source is None else "{}"
        (alert,) = PolicyRecorder.choosing(text, store, source).alerts("111122223333", "eu-west-1")
        yield _sent(alert)


def _ended() -> Notification:
    """A mute that has ended."""
    mute = {"detector": "scan", "until": "2025-11-20", "reason": "a test"}
    policy = Policy.from_json(json.dumps({"mutes": [mute]}))
    (end,) = (each.end for each in policy.mutes)
    (alert,) = EndedMutes(policy.mutes).alerts((end or 0) + 1, "111122223333", "eu-west-1")
    return _sent(alert)


def _sent(alert: Alert) -> Notification:
    return alert.notification(Claim(state=ClaimState.CLAIMED))


SCHEMAS: Final = tuple(each.removesuffix("-1") for each in SENT)
"""The names of the schemas."""
