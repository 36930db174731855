"""The roll-up `alert-rollup`: one notification for all alerts of a batch beyond those sent individually."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from flowwarden.monitor.findings import Severity
from flowwarden.monitor.render.parts import DOCUMENT_VERSION, RenderContext, subject_line
from flowwarden.monitor.text import duration
from flowwarden.notify.alert import Route
from flowwarden.notify.claims import digest
from flowwarden.notify.notification import Composed, Notification
from flowwarden.notify.text import plural

NAME: Final = "alert-rollup"
SUMMARY: Final = "one notification for all new alerts of a batch beyond the first 25"
"""Its row in docs/detectors.md, below those of the detectors."""
SEVERITY: Final = {Route.PAGES: Severity.HIGH, Route.OPERATIONS: Severity.MEDIUM}
"""By the route of the alerts that it replaces."""
_KIND: Final = {Route.PAGES: "incident", Route.OPERATIONS: NAME}
_CAUSE: Final = {
    Route.PAGES: (
        "So many alerts at once usually have one cause: a changed security group or network ACL, or a",
        "scan. The most severe alerts were sent individually. The others:",
    ),
    Route.OPERATIONS: (
        "So many alerts at once usually have one cause: a deleted or changed flow log, or another",
        "writer in the log group. The other alerts:",
    ),
}

LISTED: Final = 50
"""The number of findings that the page lists; the monitor's log contains more."""


def rollup_key(context: RenderContext) -> str:
    """The incident key: one per log stream, so that repeated roll-ups of a stream are one incident."""
    return digest(context.account_id, context.region, NAME, context.log_group, context.log_stream)


def summarize(count: int, context: RenderContext) -> str:
    """One sentence about a number of findings."""
    return f"{plural(count, 'more finding')} in one batch of log stream {context.log_stream}."


def render(summaries: Sequence[str], count: int, context: RenderContext, route: Route) -> Notification:
    """The notification that replaces these alerts, all of one route.

    Args:
        summaries: a sentence about each alert.
        count: the findings that they stand for.
        context: where they were logged.
        route: their route.
    """
    summary = summarize(count, context)
    labels = {
        "kind": _KIND[route],
        "severity": SEVERITY[route],
        "detector": NAME,
        "account": context.account_id,
        "region": context.region,
    }
    return Notification(
        subject=subject_line(SEVERITY[route], summary, context.region),
        text=_text(summaries, count, context, route),
        document={
            "version": DOCUMENT_VERSION,
            **labels,
            "summary": summary,
            "log_group": context.log_group,
            "log_stream": context.log_stream,
            "findings": count,
            "listed": list(summaries[:LISTED]),
        },
        attributes=labels,
    )


def _text(summaries: Sequence[str], count: int, context: RenderContext, route: Route) -> Composed:
    rest = [f"… and {count - LISTED:,} more"] if len(summaries) > LISTED else []
    return Composed.of(
        (summarize(count, context),),
        _CAUSE[route],
        (f"  - {each}" for each in (*summaries[:LISTED], *rest)),
        (
            f"Logged in {context.log_group}, stream {context.log_stream}, account {context.account_id}.",
            f"Repeats of each alert suppressed for {duration(context.suppression_minutes)}.",
        ),
    )
