"""The roll-up `alert-rollup`: one notification for all alerts of a batch beyond those sent individually."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from flowwarden.monitor.findings import Severity
from flowwarden.monitor.render.parts import DOCUMENT_VERSION, RenderContext, between, widened
from flowwarden.monitor.render.query import stream_query
from flowwarden.notify import held
from flowwarden.notify.alert import Route
from flowwarden.notify.claims import digest
from flowwarden.notify.incident import Event
from flowwarden.notify.notification import Composed, Notification
from flowwarden.notify.subject import Title, subject_line
from flowwarden.notify.text import duration, plural

NAME: Final = held.NAME
SUMMARY: Final = (
    "one notification for all new alerts of a batch beyond the first 25, or for pages beyond the budget"
)
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
RUNBOOK: Final = {
    Route.PAGES: (
        "Read the pages that were sent individually first: they are the most severe.",
        "Look for what the findings share: a host, a server, a subnet, a service.",
        "If it is a server or a subnet: check what changed in its security group or network ACL.",
        "If it is a host that connects: find out what it does; if no owner confirms it, isolate it.",
    ),
    Route.OPERATIONS: (
        "Look for what the findings share: an interface, a VPC, a log group.",
        "Check whether a flow log was deleted, replaced or given another format.",
        "Check whether something else writes to the log group.",
    ),
}
"""What to do, by the route of the alerts."""

LISTED: Final = 50
"""The number of findings that the page lists; the monitor's log contains more."""


def rollup_key(context: RenderContext) -> str:
    """The incident key: one per log stream, so that repeated roll-ups of a stream are one incident."""
    return digest(context.account_id, context.region, NAME, context.log_group, context.log_stream)


def summarize(count: int, context: RenderContext) -> str:
    """One sentence about a number of findings."""
    return f"{plural(count, 'more finding')} in one batch of log stream {context.log_stream}."


def render(
    summaries: Sequence[str],
    count: int,
    context: RenderContext,
    route: Route,
    key: str | None = None,
    quiet: Collection[int | None] = (None,),
) -> Notification:
    """The notification that replaces these alerts, all of one route.

    Args:
        summaries: a sentence about each alert.
        count: the findings that they stand for.
        context: where they were logged.
        route: their route.
        key: identifies the incident; by default that of the log stream.
        quiet: seconds for which repeats of the alerts are suppressed; None for the stack's setting.
    """
    key = key or rollup_key(context)
    summary = summarize(count, context)
    labels = _labels(context, route)
    return Notification(
        subject=subject_line(SEVERITY[route], Title(summary=summary, brief=_brief(count)), context.region),
        text=_text(summaries, count, key, context, route, quiet),
        document={
            "version": DOCUMENT_VERSION,
            "incident": key,
            **labels,
            "summary": summary,
            "advice": list(RUNBOOK[route]),
            "runbook": context.runbook(NAME),
            **_place(context),
            "findings": count,
            "listed": list(summaries[:LISTED]),
            "not_sent": context.not_sent.document,
        },
        attributes=labels,
    )


def _place(context: RenderContext) -> dict[str, Any]:
    """The log stream, and the query for its records."""
    span = widened(context.batch_span)
    return {
        "log_group": context.log_group,
        "log_stream": context.log_stream,
        "query": stream_query(context.log_stream),
        "console": {"logs": _link(context) or None},
        "query_range": span and {"begin": span[0], "end": span[1]},
    }


def _labels(context: RenderContext, route: Route) -> dict[str, str]:
    """The attributes that subscribers filter by."""
    return {
        "kind": _KIND[route],
        "severity": SEVERITY[route],
        "detector": NAME,
        "account": context.account_id,
        "region": context.region,
        "event": Event.OPENED.value,
    }


def _brief(count: int) -> str:
    return f"{plural(count, 'more finding')} in one batch of a log stream"


def _repeats(quiet: Collection[int | None], context: RenderContext) -> str:
    """For how long repeats of the alerts are suppressed: the shortest and the longest time."""
    minutes = {context.suppression_minutes if each is None else each // 60 for each in quiet}
    times = [duration(each) for each in sorted({min(minutes), max(minutes)})]
    return f"Repeats of each alert suppressed for {' to '.join(times)}."


def _link(context: RenderContext) -> str:
    query = stream_query(context.log_stream)
    return context.console.logs(context.log_group, query, widened(context.batch_span))


def _console(context: RenderContext) -> list[str]:
    link = _link(context)
    return ["AWS console", f"  query of the log group: {link}"] if link else []


def _text(
    summaries: Sequence[str],
    count: int,
    key: str,
    context: RenderContext,
    route: Route,
    quiet: Collection[int | None],
) -> Composed:
    rest = [f"… and {count - LISTED:,} more"] if len(summaries) > LISTED else []
    query = stream_query(context.log_stream).split("\n")
    todo = (f"  {number}. {step}" for number, step in enumerate(RUNBOOK[route], start=1))
    return Composed.of(
        (summarize(count, context),),
        _CAUSE[route],
        (f"  - {each}" for each in (*summaries[:LISTED], *rest)),
        (
            f"Logged in {context.log_group}, stream {context.log_stream}, account {context.account}.",
            context.not_sent.line,
        ),
        ("What to do", *todo, f"  Runbook: {context.runbook(NAME)}"),
        (
            f"CloudWatch Logs Insights, log group {context.log_group}{between(widened(context.batch_span))}",
            *query,
        ),
        (
            _repeats(quiet, context),
            f"Incident {key}, severity {SEVERITY[route]}, detector {NAME}",
        ),
        _console(context),
    )
