"""Microsoft Teams, through the webhook of a workflow: a card with facts, steps, links and the text.

The text of a page with steps is hidden until a reader asks for it. All texts are runs of rich text, in which
Teams sees no markup: only the card's own words are formatted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from flowwarden.notify.alert import Route
from flowwarden.notify.notification import Notification
from flowwarden.printable import one_line
from flowwarden.sinks.base import SinkKind
from flowwarden.sinks.chat import NO_SUBJECT, STEPS, WebhookSink, details, rows, steps
from flowwarden.sinks.view import View, shortened, view_of

NAME: Final = "teams"
TITLE: Final = "Microsoft Teams"
MAX_BYTES: Final = 28_000
"""Teams refuses a message of more than 28 KB."""
MAX_HEADER: Final = 300
MAX_FACT: Final = 500
"""Characters of a fact or a step."""
MOST_LINES: Final = 200
COLORS: Final = {"critical": "attention", "high": "attention", "error": "attention", "medium": "warning"}
"""Of the heading, by severity."""
_DETAILS: Final = "details"
_SHOW: Final = {"type": "Action.ToggleVisibility", "title": "Details", "targetElements": [_DETAILS]}
_FEWEST: Final = 200
"""Characters of the text below which it is not shortened further: the rest of a card is small."""


def message(notification: Notification) -> dict[str, Any]:
    """The message of a notification, within the limit of Teams."""
    view, limit = view_of(notification), MAX_BYTES
    while True:
        card = _message(notification.subject, view, limit)
        if len(msgspec.json.encode(card)) <= MAX_BYTES or limit <= _FEWEST:
            return card
        limit //= 2


def _message(subject: str, view: View, limit: int) -> dict[str, Any]:
    content = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": one_line(subject, MAX_HEADER),
        "msteams": {"width": "Full"},
        "body": [*_body(subject, view, limit)],
        "actions": [
            *([_SHOW] if view.advice else []),
            *(
                {"type": "Action.OpenUrl", "title": title, "url": address}
                for title, address in view.links.items()
            ),
        ],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None}
    return {"type": "message", "attachments": [attachment | {"content": content}]}


def _body(subject: str, view: View, limit: int) -> Iterator[dict[str, Any]]:
    color = "good" if view.is_over else COLORS.get(view.severity, "default")
    heading = {"weight": "bolder", "size": "medium", "color": color}
    yield _line(one_line(subject, MAX_HEADER) or NO_SUBJECT, **heading)
    for title, text in rows(view):
        yield _fact(title, one_line(text, MAX_FACT))
    if several := steps(view):
        yield _line(STEPS, weight="bolder", spacing="medium")
        for number, step in enumerate(several, 1):
            yield _line(one_line(f"{number}. {step}", MAX_FACT))
    if text := shortened(details(view), limit):
        lines = [*_lines(text.split("\n"))]
        yield {"type": "Container", "id": _DETAILS, "isVisible": not view.advice, "items": lines}


def _lines(text: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The lines of the text; their number is limited."""
    for line in text[:MOST_LINES]:
        yield _line(line or " ", fontType="monospace", size="small")
    if len(text) > MOST_LINES:
        yield _line(f"[truncated: {len(text) - MOST_LINES} more lines]", fontType="monospace", size="small")


def _fact(title: str, text: str) -> dict[str, Any]:
    """A fact with its title."""
    bold = {"type": "TextRun", "text": f"{title}: ", "weight": "bolder"}
    return {"type": "RichTextBlock", "spacing": "none", "inlines": [bold, {"type": "TextRun", "text": text}]}


def _line(text: str, spacing: str = "none", **style: Any) -> dict[str, Any]:  # noqa: ANN401 - of a text run
    """A line of plain text."""
    run = {"type": "TextRun", "text": text, **style}
    return {"type": "RichTextBlock", "spacing": spacing, "inlines": [run]}


KIND: Final = SinkKind(
    name=NAME,
    title=TITLE,
    parameter="TeamsSecret",
    has_secret=True,
    routes=(Route.PAGES, Route.OPERATIONS, Route.DIGEST),
    limits=("28 KB a message",),
    make=lambda secret, edges: WebhookSink(
        NAME, edges.endpoint("Microsoft Teams", secret, repeatable=False), message
    ),
)
