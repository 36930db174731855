"""Where and when the findings of a notification were logged. Pure."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from flowwarden.monitor.render.not_sent import NotSent
from flowwarden.monitor.rules.explanation import Explanation
from flowwarden.monitor.traffic.hosts import Hosts
from flowwarden.notify.text import moment

DOCUMENT_VERSION: Final = "1"
"""Raised when a member of the JSON document is removed or changes its meaning."""


NOT_INSPECTED: Final = "Flow Warden cannot inspect this traffic: the absence of alerts proves nothing."
"""The second line of notifications about missing or unparsed records."""


QUERY_MARGIN: Final = 600
"""Seconds before and after traffic that a log query covers: records of one window can arrive late."""


class RenderContext(Struct, frozen=True, kw_only=True):
    """Where findings were logged, and how long their repeats are suppressed."""

    account_id: str
    region: str
    log_group: str
    log_stream: str
    suppression_minutes: int
    now: int
    """Unix seconds: a mute that a page suggests begins then."""
    runbooks: str
    """Base address of the runbooks."""
    hosts: Hosts = Hosts({})
    """What is known of the hosts at the ends of the connections."""
    not_sent: NotSent = NotSent()
    """The findings of the batch that no notification is about."""
    batch_span: tuple[int, int] | None = None
    """When the flows of the batch began and ended, in Unix seconds; None if no record shows it."""

    explained: Explanation | None = None
    """What the rules say about the example of the finding; None if that was not looked up."""

    def runbook(self, detector: str) -> str:
        """The address of a detector's runbook."""
        return f"{self.runbooks}/{detector}.md"


def widened(span: tuple[int, int] | None) -> tuple[int, int] | None:
    """The times (Unix seconds) that a log query about traffic at these times covers."""
    return span and (span[0] - QUERY_MARGIN, span[1] + QUERY_MARGIN)


def between(span: tuple[int, int] | None) -> str:
    """`, 2026-11-24 02:58:01 UTC to 2026-11-24 03:08:01 UTC`; empty if the times are unknown."""
    return "" if span is None else f", {moment(span[0])} to {moment(span[1])}"
