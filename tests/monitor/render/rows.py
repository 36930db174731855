"""The rows of a page, for tests."""

from __future__ import annotations

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


def query(sent: Notification) -> str:
    """The filter of the log query."""
    (found,) = [line for line in sent.text.split("\n") if line.startswith("| filter ")]
    return found
