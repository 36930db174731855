"""Chat through Amazon Q Developer: custom notifications on a topic of its own, one thread for each incident.

Amazon Q Developer drops every message of a topic that has another format.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from flowwarden.notify.alert import Route
from flowwarden.notify.notification import Notification
from flowwarden.printable import LONGEST, LONGEST_LINE, one_line
from flowwarden.sinks.base import SinkKind, Topic
from flowwarden.sinks.chat import NO_SUBJECT, columns, details, rows, steps
from flowwarden.sinks.view import View, shortened, view_of

MAX_TITLE: Final = 150
MAX_TEXT: Final = 2800
"""Characters of the text: Slack shows at most 3,000 in one block."""
_ELSEWHERE: Final = frozenset({"Since"})
"""Facts that the text contains in more detail."""
_SHOWN: Final = str.maketrans({"<": "\u2039", ">": "\u203a", "`": "'"})
"""Slack and Teams escape in different ways, so characters with a meaning there become similar ones."""


class AmazonQSink:
    """Publishes custom notifications to one topic."""

    name = "amazonq"

    def __init__(self, topic: Topic) -> None:
        self._topic = topic

    def send(self, notification: Notification) -> None:
        """Publish the notification. Raises PublishFailed."""
        body = msgspec.json.encode(message(notification)).decode()
        self._topic.publish("Flow Warden", msgspec.json.encode({"default": body}).decode(), {})


def message(notification: Notification) -> dict[str, Any]:
    """The custom notification."""
    view = view_of(notification)
    title = _inline(notification.subject, MAX_TITLE) or NO_SUBJECT
    return {
        "version": "1.0",
        "source": "custom",
        "content": {
            "textType": "client-markdown",
            "title": title,
            "description": f"```\n{shortened(plain(_description(view)), MAX_TEXT)}\n```",
            "nextSteps": [*_steps(view)],
            "keywords": [_inline(each) for each in (view.severity, *view.detectors)],
        },
        "metadata": {
            "threadId": _thread(view),
            "summary": title,
            "eventType": view.event.value if view.event else view.kind,
            "additionalContext": {name.lower(): _inline(text) for name, text in rows(view)}
            | {"severity": view.severity},
        },
    }


def plain(text: str) -> str:
    """A text without characters that are markup."""
    return text.translate(_SHOWN)


def _inline(text: str, limit: int = LONGEST) -> str:
    """A line outside the block of code, in which no two brackets make a link to an address of others."""
    return one_line(plain(text).replace("](", "] ("), limit)


def _thread(view: View) -> str:
    """One for each incident; other notifications have one for each kind."""
    return view.incident or f"{view.kind}-{view.account}-{view.region}"


def _description(view: View) -> str:
    """The facts, and of a page with steps only the evidence: these are shown below the whole description."""
    text = details(view)
    if not view.has_life:
        return text or NO_SUBJECT
    facts = "\n".join(columns(each for each in rows(view) if each[0] not in _ELSEWHERE))
    evidence = text.partition("\n\n")[0] if view.advice else text
    return f"{facts}\n\n{evidence}".rstrip("\n")


def _steps(view: View) -> Iterator[str]:
    yield from (_inline(each, LONGEST_LINE) for each in steps(view))
    if view.has_life and view.advice:
        yield f"Mute: flowwarden incidents mute {_inline(view.incident)} --for 7d --reason TEXT"
    for title, address in view.links.items():
        yield f"[{title}]({address.replace(')', '%29')})"


KIND: Final = SinkKind(
    name=AmazonQSink.name,
    title="Amazon Q Developer",
    parameter="ChatNotifications",
    has_secret=False,
    routes=(Route.PAGES, Route.OPERATIONS, Route.DIGEST),
    limits=("2,800 characters of the text", "150 characters of the title"),
    make=lambda topic, edges: AmazonQSink(edges.topic(topic)),
)
