"""Microsoft Teams, through the webhook of a workflow: a card with the text, its facts and its links.

All texts are runs of rich text, in which Teams sees no markup: only the card's own words are formatted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from flowwarden.notify.alert import Route
from flowwarden.notify.notification import Notification
from flowwarden.printable import one_line
from flowwarden.sinks.base import Endpoint, SinkKind
from flowwarden.sinks.chat import NO_SUBJECT, rows, text_of
from flowwarden.sinks.secret import member
from flowwarden.sinks.view import View, shortened, view_of

MAX_BYTES: Final = 28_000
"""Teams refuses a message of more than 28 KB."""
MAX_HEADER: Final = 300
MOST_LINES: Final = 200
COLORS: Final = {"critical": "attention", "high": "attention", "error": "attention", "medium": "warning"}
"""Of the heading, by severity."""
_FEWEST: Final = 200
"""Characters of the text below which it is not shortened further: the rest of a card is small."""


class TeamsSink:
    """Posts to one channel or chat."""

    name = "teams"

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def send(self, notification: Notification) -> None:
        """Post the notification. Raises PublishFailed."""
        body = msgspec.json.encode(message(notification))
        self._endpoint.post([lambda secret: (member(secret, "url", alone=True), body)])


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
            {"type": "Action.OpenUrl", "title": title, "url": address}
            for title, address in view.links.items()
        ],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None}
    return {"type": "message", "attachments": [attachment | {"content": content}]}


def _body(subject: str, view: View, limit: int) -> Iterator[dict[str, Any]]:
    color = "good" if view.is_over else COLORS.get(view.severity, "default")
    heading = {"weight": "bolder", "size": "medium", "color": color}
    yield _line(one_line(subject, MAX_HEADER) or NO_SUBJECT, **heading)
    for title, text in rows(view):
        yield _line(f"{title}: {one_line(text)}", isSubtle=True)
    lines = shortened(text_of(view), limit).split("\n")
    for line in lines[:MOST_LINES]:
        yield _line(line or " ", fontType="monospace", size="small")
    if len(lines) > MOST_LINES:
        yield _line(f"[truncated: {len(lines) - MOST_LINES} more lines]", fontType="monospace", size="small")


def _line(text: str, **style: Any) -> dict[str, Any]:  # noqa: ANN401 - members of a text run
    """A line of plain text."""
    run = {"type": "TextRun", "text": text, **style}
    return {"type": "RichTextBlock", "spacing": "none", "inlines": [run]}


KIND: Final = SinkKind(
    name=TeamsSink.name,
    title="Microsoft Teams",
    parameter="TeamsSecret",
    has_secret=True,
    routes=(Route.PAGES, Route.OPERATIONS, Route.DIGEST),
    limits=("28 KB a message",),
    make=lambda secret, edges: TeamsSink(edges.endpoint("Microsoft Teams", secret, repeatable=False)),
)
