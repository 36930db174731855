"""The rows of a page, for tests."""

from __future__ import annotations

from itertools import takewhile

from flowwarden.monitor.findings import Finding
from flowwarden.monitor.render.parts import RenderContext
from flowwarden.notify.notification import Notification
from tests.monitor.render.golden import CONTEXT, first_notification


def page(finding: Finding, context: RenderContext = CONTEXT) -> Notification:
    """The notification about a finding that was never sent before."""
    return first_notification(finding, "key0", context)


def row(sent: Notification, name: str) -> str:
    """A row of the page."""
    (found,) = [line for line in sent.text.split("\n") if line.startswith(f"{name} ")]
    return found.removeprefix(name).strip()


def below(sent: Notification, name: str) -> list[str]:
    """The lines below a row that belong to it."""
    lines = sent.text.split("\n")
    (at,) = [number for number, line in enumerate(lines) if line.startswith(f"{name} ")]
    return [line.strip() for line in takewhile(lambda each: each.startswith("  "), lines[at + 1 :])]


def query(sent: Notification) -> str:
    """The filter of the log query."""
    (found,) = [line for line in sent.text.split("\n") if line.startswith("| filter ")]
    return found
