"""What chat messages share: rows, colors and the text without what they show as links. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flowwarden.sinks.view import View

NO_SUBJECT: Final = "(no subject)"
CONSOLE: Final = "AWS console"
"""The heading of the paragraph with links, which are long."""


def rows(view: View) -> Iterator[tuple[str, str]]:
    """The facts above the text, each with its title; nothing that is empty."""
    found = (
        ("Severity", view.severity),
        ("Account", view.account),
        ("Region", view.region),
        ("Detector", ", ".join(view.detectors)),
        ("Incident", view.incident),
    )
    return ((title, text) for title, text in found if text)


def text_of(view: View) -> str:
    """The text for people without the paragraph of links, which a message shows by their titles."""
    paragraphs = view.text.rstrip("\n").split("\n\n")
    kept = [each for each in paragraphs if view.links == {} or each.partition("\n")[0] != CONSOLE]
    return "\n\n".join(kept)
