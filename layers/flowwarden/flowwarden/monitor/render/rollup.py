"""The roll-up `alert-rollup`: one notification for all alerts of a batch beyond those sent one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from flowwarden.monitor.findings import Severity
from flowwarden.monitor.render.parts import DOCUMENT_VERSION, Occasion, subject_line
from flowwarden.notify.alert import Route
from flowwarden.notify.claims import digest
from flowwarden.notify.notification import Notification
from flowwarden.notify.text import plural

NAME: Final = "alert-rollup"
SUMMARY: Final = "all that is new in one batch beyond 25 notifications, in one"
"""Its row in the README, below those of the detectors."""
SEVERITY: Final = {Route.PAGES: Severity.HIGH, Route.OPERATIONS: Severity.MEDIUM}
"""By the route of the alerts that it stands for."""
_KIND: Final = {Route.PAGES: "incident", Route.OPERATIONS: NAME}
_CAUSE: Final = {
    Route.PAGES: (
        "So many at once have one cause, as a rule: a changed security group or network ACL, or a",
        "scan. The gravest were told one by one; these are the others:",
    ),
    Route.OPERATIONS: (
        "So many at once have one cause, as a rule: a flow log that was deleted or changed, or a log",
        "group into which something else writes. These are the others:",
    ),
}

LISTED: Final = 50
"""Findings that the page lists; the monitor's log has more of them."""


def storm_key(occasion: Occasion) -> str:
    """The incident: one for a stream, of which more is found again and again than anybody looks up."""
    return digest(occasion.account_id, occasion.region, NAME, occasion.log_group, occasion.log_stream)


def summarize(summaries: Sequence[str], occasion: Occasion) -> str:
    """One sentence."""
    return f"{plural(len(summaries), 'more finding')} at once on {occasion.log_stream}."


def render(summaries: Sequence[str], occasion: Occasion, route: Route) -> Notification:
    """The notification that stands for these findings, all of one route."""
    summary = summarize(summaries, occasion)
    labels = {
        "kind": _KIND[route],
        "severity": SEVERITY[route],
        "detector": NAME,
        "account": occasion.account_id,
        "region": occasion.region,
    }
    return Notification(
        subject=subject_line(SEVERITY[route], summary, occasion.region),
        text=_text(summaries, occasion, route),
        document={
            "version": DOCUMENT_VERSION,
            **labels,
            "summary": summary,
            "log_group": occasion.log_group,
            "log_stream": occasion.log_stream,
            "findings": len(summaries),
            "listed": list(summaries[:LISTED]),
        },
        attributes=labels,
    )


def _text(summaries: Sequence[str], occasion: Occasion, route: Route) -> str:
    rest = [f"… and {len(summaries) - LISTED:,} more"] if len(summaries) > LISTED else []
    return "\n".join(
        [
            summarize(summaries, occasion),
            "",
            *_CAUSE[route],
            "",
            *(f"  - {each}" for each in (*summaries[:LISTED], *rest)),
            "",
            f"Seen in {occasion.log_group}, stream {occasion.log_stream}, account {occasion.account_id}.",
            f"Repeats of each stay quiet for {plural(occasion.quiet_minutes, 'minute')}.",
            "",
        ]
    )
