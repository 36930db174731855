"""Slack, through an incoming webhook: a message with the facts of a page, its steps, its links and its text.

An incoming webhook can neither change a message nor reply in its thread, so each notification is a message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from flowwarden.notify.alert import Route
from flowwarden.notify.notification import Notification
from flowwarden.printable import one_line
from flowwarden.sinks.base import SinkKind
from flowwarden.sinks.chat import LIKELY, NO_SUBJECT, STEPS, WebhookSink, details, rows, steps
from flowwarden.sinks.view import CUT, View, shortened, view_of

NAME: Final = "slack"
MAX_TEXT: Final = 3000
"""Characters of the text of a block."""
MAX_FIELD: Final = 500
"""Characters of a fact. Slack allows 2,000."""
MAX_HEADER: Final = 150
MAX_BLOCKS: Final = 50
MAX_PARTS: Final = 8
"""Blocks with text: more than a page has, and as much as a channel bears."""
RESOLVED: Final = "#2e7d32"
COLORS: Final = {"critical": "#b00020", "high": "#e8590c", "error": "#e8590c", "medium": "#f2b705"}
"""Of the bar beside a message, by severity."""
OTHER_COLOR: Final = "#5c7080"
_FENCE: Final = "```"
_FENCES: Final = re.compile("`{3,}")
_ESCAPES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def message(notification: Notification) -> dict[str, Any]:
    """The message of a notification."""
    view = view_of(notification)
    color = RESOLVED if view.is_over else COLORS.get(view.severity, OTHER_COLOR)
    return {
        "text": escaped(notification.subject) or NO_SUBJECT,  # of the preview; the blocks are shown
        "mrkdwn": False,
        "unfurl_links": False,
        "attachments": [{"color": color, "blocks": [*_blocks(notification.subject, view)]}],
    }


def escaped(text: str) -> str:
    """A text in which Slack sees no link, mention or command."""
    return "".join(_ESCAPES.get(char, char) for char in text)


def _blocks(subject: str, view: View) -> Iterator[dict[str, Any]]:
    """At most `MAX_BLOCKS`: a heading, facts, steps, links, and parts of the text.

    Slack shows the first lines of a long message, and hides the others behind "Show more".
    """
    header = one_line(subject, MAX_HEADER) or NO_SUBJECT
    yield {"type": "header", "text": {"type": "plain_text", "text": header, "emoji": False}}
    facts = {title: _plain(f"{title}: {one_line(text, MAX_FIELD)}") for title, text in rows(view)}
    likely = facts.pop(LIKELY, None)
    if facts:
        yield {"type": "section", "fields": [*facts.values()]}
    if likely:
        yield {"type": "section", "text": likely}
    if numbered := "\n".join(f"{at}. {one_line(step)}" for at, step in enumerate(steps(view), 1)):
        yield {"type": "section", "text": _plain(shortened(f"{STEPS}\n{numbered}", MAX_TEXT))}
    if links := [_link(title, address) for title, address in view.links.items()]:
        yield {"type": "context", "elements": links}
    for part in parts(details(view)):
        yield {"type": "section", "text": {"type": "mrkdwn", "text": part, "verbatim": True}}


def parts(text: str) -> list[str]:
    """The text as blocks of code, so that its columns stay aligned; `CUT` marks that some is missing."""
    whole = [*_filled(_FENCES.sub(lambda found: "'" * len(found[0]), text))]
    if len(whole) > MAX_PARTS:
        whole = [*whole[: MAX_PARTS - 1], CUT]
    return [f"{_FENCE}{each}{_FENCE}" for each in whole]


def _filled(text: str) -> Iterator[str]:
    """Escaped parts of whole lines, each within the limit of a block."""
    limit, filled = MAX_TEXT - 2 * len(_FENCE), ""
    for line in (piece for each in text.split("\n") for piece in _pieces(each, limit - 1)):
        if filled and len(filled) + len(line) + 1 > limit:
            yield filled
            filled = ""
        filled = f"{filled}\n{line}" if filled else line
    if filled.strip():
        yield filled


def _pieces(line: str, limit: int) -> Iterator[str]:
    """A line, escaped; one that is too long in several pieces, none of which ends within an escape."""
    piece = ""
    for char in line:
        shown = _ESCAPES.get(char, char)
        if len(piece) + len(shown) > limit:
            yield piece
            piece = ""
        piece += shown
    yield piece


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def _link(title: str, address: str) -> dict[str, str]:
    shown = escaped(address).replace("|", "%7C")
    return {"type": "mrkdwn", "text": f"<{shown}|{title}>" if len(shown) < MAX_TEXT - 100 else title}


KIND: Final = SinkKind(
    name=NAME,
    title="Slack",
    parameter="SlackSecret",
    has_secret=True,
    routes=(Route.PAGES, Route.OPERATIONS, Route.DIGEST),
    limits=("3,000 characters of a block", "50 blocks", "150 characters of the heading"),
    make=lambda secret, edges: WebhookSink(NAME, edges.endpoint("Slack", secret, repeatable=False), message),
)
