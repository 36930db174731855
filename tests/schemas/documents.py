"""Examples of every document that machines get, by the name of its schema in `docs/schemas/`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from msgspec.structs import replace

from flowwarden.dispatcher.resolved import render as render_resolved
from flowwarden.dispatcher.resolved import render_several
from flowwarden.enforcer.reporting.notification import render as render_report
from flowwarden.monitor.alerts import Deployment, Seen, alerts, held_pages
from flowwarden.notify.claims import Claim, ClaimState
from flowwarden.notify.incident import Event
from flowwarden.notify.notification import Notification
from flowwarden.notify.page_budget import PageLimits
from tests.dispatcher.digests.examples import EXAMPLES as DIGESTS
from tests.dispatcher.test_resolved import over
from tests.enforcer.reporting.examples import EXAMPLES as REPORTS
from tests.monitor.batches import GROUP
from tests.monitor.one_host import Monitor, moved, scanned
from tests.monitor.render.examples import EXAMPLES as FINDINGS
from tests.monitor.render.golden import CONTEXT, CONTEXTS, LATER, first_notification, only_blocked
from tests.monitor.render.rule_pages import PAGES
from tests.sinks.examples import incident, page, tests_sent


def examples() -> Iterator[tuple[str, dict[str, Any]]]:
    """The name of a schema, and a document that fits it."""
    for name, sent in _notifications():
        # As a receiver gets it: JSON, with the text.
        yield name, json.loads(json.dumps({**sent.document, "text": sent.text}))


def _notifications() -> Iterator[tuple[str, Notification]]:
    for finding in FINDINGS.values():
        yield "incident", first_notification(finding(), "key0", CONTEXT)
    for context in CONTEXTS.values():
        yield "incident", first_notification(only_blocked(), "key0", context)
    for rules in PAGES.values():
        context = replace(CONTEXT, explained=rules.explanation())
        yield "incident", first_notification(rules.finding, "key0", context)
    for event, reopened in ((Event.UPDATED, 0), (Event.REOPENED, 0), (Event.UPDATED, 2)):
        yield "incident", page(event, reopened)
    monitor = Monitor()
    monitor.process([scanned()])
    yield "incident", monitor.process([moved(at=LATER)], LATER)[0]
    yield "incident", _held()
    for one in (incident(), incident(2), over("a", held=True)):
        yield "resolved", render_resolved(one)
    yield "resolved", tests_sent()[1]
    yield "several-resolved", render_several([over("a"), over("b", "critical", reopened=1)], 2)
    for name, digest in DIGESTS.items():
        yield f"{name.partition('-')[0]}-digest", digest()
    for report in REPORTS.values():
        if not (made := report()).plans:
            yield "enforcement", render_report(made)
    yield "test", tests_sent()[0]


def _held() -> Notification:
    """The page about pages beyond the budget."""
    deployment = Deployment(region=CONTEXT.region, suppression_minutes=240, runbooks=CONTEXT.runbooks)
    seen = Seen(batch=GROUP, deployment=deployment, now=CONTEXT.now)
    several = alerts([FINDINGS[name]() for name in ("scan", "egress-volume")], seen)
    (limit,) = PageLimits(hour=4).at(CONTEXT.now, critical=False)
    return held_pages(several, limit, seen).notification(Claim(state=ClaimState.CLAIMED))


SCHEMAS: Final = (
    "incident", "resolved", "several-resolved", "hourly-digest", "daily-digest", "enforcement", "test",
)  # fmt: skip
"""The names of the schemas."""
