"""The roll-up of pages beyond the budget: one page per hour and sink about all of them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from flowwarden.notify.alert import Alert, Route
from flowwarden.notify.claims import digest
from flowwarden.notify.incident import Event
from flowwarden.notify.notification import Composed, Notification
from flowwarden.notify.page_budget import CRITICAL, Limit
from flowwarden.notify.text import moment, plural
from flowwarden.printable import one_line
from flowwarden.state.sets import HOUR

NAME: Final = "alert-rollup"
"""The detector that its attributes name, as those of the other roll-ups."""
KIND: Final = "incident"
DOCUMENT_VERSION: Final = "1"
"""Raised when a member of the JSON document is removed or changes its meaning."""
LISTED: Final = 50
"""Titles that the page lists; the log contains all."""
_SEVERITY: Final = "high"
STEPS: Final = (
    "List all open incidents (flowwarden incidents list --stack NAME), also those held after this page.",
    "Look for what they share, such as a host, a subnet or a change: many pages usually have one cause.",
    "If each needs its own page, raise the parameter PagesPerHour, PagesPerDay or CriticalPagesPerHour.",
)
"""What to do."""


class Place(Struct, frozen=True, kw_only=True):
    """Where the pages belong."""

    account: str
    region: str
    runbook: str = ""
    """The address of the roll-up's runbook; '' if it is not known."""


def roll_up(held: Sequence[Alert], limit: Limit, place: Place, now: int) -> Alert:
    """The page about pages that are held at `now` (Unix seconds); at least one.

    Its key is the same for an hour and kind of limit, so that each sink gets it once.
    """
    key = digest("page-budget", str(limit.critical), str(now // HOUR))
    summary = f"{_spent(limit)}: {plural(len(held), 'incident')} held."
    return Alert(
        key=key,
        route=Route.PAGES,
        title=summary,
        render=lambda _: _render(held, key, summary, limit, place),
        quiet=HOUR,
    )


def _spent(limit: Limit) -> str:
    kind, span = "critical page" if limit.critical else "page", "an hour" if limit.span == HOUR else "a day"
    return f"The budget of {plural(limit.most, kind)} {span} is spent"


def _render(held: Sequence[Alert], key: str, summary: str, limit: Limit, place: Place) -> Notification:
    titles, labels = [each.title for each in held], _labels(limit, place)
    return Notification(
        subject=one_line(f"[{labels['severity'].upper()}] {summary.removesuffix('.')} ({place.region})"),
        text=_text(titles, key, summary, limit, place),
        document={
            "version": DOCUMENT_VERSION,
            "incident": key,
            **labels,
            "summary": summary,
            "advice": list(STEPS),
            "runbook": place.runbook or None,
            "findings": sum(each.stands_for for each in held),
            "listed": list(titles[:LISTED]),
            "limit": {"pages": limit.most, "seconds": limit.span, "until": limit.until},
        },
        attributes=labels,
    )


def _labels(limit: Limit, place: Place) -> dict[str, str]:
    """The attributes that subscribers filter by."""
    return {
        "kind": KIND,
        "severity": CRITICAL if limit.critical else _SEVERITY,
        "detector": NAME,
        "account": place.account,
        "region": place.region,
        "event": Event.OPENED.value,
    }


def _text(titles: Sequence[str], key: str, summary: str, limit: Limit, place: Place) -> Composed:
    rest = [f"… and {len(titles) - LISTED:,} more"] if len(titles) > LISTED else []
    others = "" if limit.critical else " Critical incidents have their own budget."
    return Composed.of(
        [summary],
        [
            f"Until {moment(limit.until)}, pages to this receiver are held. Repeats of the incidents below",
            f"are suppressed. Later pages are sent when the budget allows, or listed in an hour.{others}",
        ],
        ["Held:", *(f"  - {each}" for each in (*titles[:LISTED], *rest))],
        [
            "What to do",
            *(f"  {number}. {step}" for number, step in enumerate(STEPS, start=1)),
            *([f"  Runbook: {place.runbook}"] if place.runbook else []),
        ],
        [f"Incident {key}, severity {_labels(limit, place)['severity']}, detector {NAME}"],
    )
