"""What chat shares: the sink of an incoming webhook, facts, and the text without what they show elsewhere.

A message begins with what on-call must see first: what, how bad, which host, since when, and what to do. The
rest of the page follows as details, so a service that shortens a message cuts these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from flowwarden.notify.notification import Notification
from flowwarden.notify.text import moment
from flowwarden.printable import one_line
from flowwarden.sinks.base import Endpoint
from flowwarden.sinks.secret import member
from flowwarden.sinks.view import QUERY, RUNBOOK, View

NO_SUBJECT: Final = "(no subject)"
CONSOLE: Final = "AWS console"
"""The heading of the paragraph with links, which are long."""
STEPS: Final = "What to do"
"""The heading of the paragraph with the steps."""
INSIGHTS: Final = "CloudWatch Logs Insights"
"""The beginning of the paragraph with the query."""
LIKELY: Final = "Likely cause"
MOST_STEPS: Final = 6


class WebhookSink:
    """Posts to the address in a secret, which is that of one channel."""

    def __init__(
        self, name: str, endpoint: Endpoint, message: Callable[[Notification], Mapping[str, Any]]
    ) -> None:
        """Use a service; `message` renders a notification for it."""
        self.name = name
        self._endpoint = endpoint
        self._message = message

    def send(self, notification: Notification) -> None:
        """Post the notification. Raises PublishFailed."""
        body = msgspec.json.encode(self._message(notification))
        self._endpoint.post([lambda secret: (member(secret, "url", alone=True), body)])


def rows(view: View) -> Iterator[tuple[str, str]]:
    """The facts above the text, each with its title; nothing that is empty."""
    event = f", {view.event.value}" if view.event else ""
    found = (
        ("Severity", f"{view.severity}{event}"),
        ("Subject", _subject(view)),
        ("Opened" if view.is_over else "Since", "" if view.first is None else moment(view.first)),
        ("Last seen", moment(view.last) if view.is_over and view.last is not None else ""),
        ("Reason", view.reason),
        (LIKELY, view.likely),
        ("Account", " ".join(each for each in (view.account, _alias(view), view.region) if each)),
        ("Detector", ", ".join(view.detectors)),
        ("Incident", view.incident),
    )
    return ((title, text) for title, text in found if text)


def steps(view: View) -> list[str]:
    """What to do, in order; the runbook is among them if it cannot be a link."""
    runbook = (
        [f"Runbook: {view.runbook}"] if view.advice and view.runbook and RUNBOOK not in view.links else []
    )
    return [*view.advice[:MOST_STEPS], *runbook]


def details(view: View) -> str:
    """The text for people without what a message shows elsewhere: its title, facts, steps and links."""
    shown = {CONSOLE} if view.links else set()
    shown |= {STEPS} if view.advice else set()
    first, *others = view.text.rstrip("\n").split("\n\n")
    kept = [each for each in others if each.partition("\n")[0] not in shown]
    if QUERY in view.links:
        kept = [each for each in kept if not each.startswith(INSIGHTS)]
    if view.is_over and view.incident:
        kept = [each for each in kept if not each.startswith(f"Incident {view.incident}, ")]
    kept = [_without_facts(each, view) for each in kept]
    return "\n\n".join(filter(None, [_untitled(first, view), *kept]))


def _untitled(paragraph: str, view: View) -> str:
    """The first paragraph without the title, which is the heading of a message."""
    title, _, rest = paragraph.partition("\n")
    return rest if title in {view.summary, f"Resolved: {view.summary}"} else paragraph


def _without_facts(paragraph: str, view: View) -> str:
    """A paragraph without the lines that only repeat a fact."""
    shown = set(columns(rows(view)))
    return "\n".join(each for each in paragraph.split("\n") if each not in shown)


def columns(facts: Iterable[tuple[str, str]]) -> list[str]:
    """One line for each fact, in the columns of a page."""
    return [f"{title:<13}{one_line(text)}" for title, text in facts]


def _alias(view: View) -> str:
    alias = view.details.get("account_alias")
    return f"({alias})" if isinstance(alias, str) and alias else ""


def _subject(view: View) -> str:
    """What it is about, with the name and the owners of the host if the page has them."""
    known = [each for each in _hosts(view.details) if each.get("address") == view.subject]
    name = known[0].get("name") if known else None
    owners = known[0].get("owners") if known else None
    owned = [f"{tag}={owner}" for tag, owner in owners.items()] if isinstance(owners, Mapping) else []
    more = ", ".join([*([name] if isinstance(name, str) and name else []), *owned])
    return f"{view.subject} ({more})" if more else view.subject


def _hosts(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The hosts of both ends, as far as the document has them."""
    for end in (document.get("from"), document.get("to")):
        hosts = end.get("hosts") if isinstance(end, Mapping) else ()
        if isinstance(hosts, Sequence):
            yield from (each for each in hosts if isinstance(each, Mapping))
