"""Where and when the findings of a notification were logged. Pure."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from flowwarden.monitor.names import Names
from flowwarden.monitor.render.console import Console
from flowwarden.monitor.render.named_host import NamedHost, with_name
from flowwarden.monitor.render.not_sent import NotSent
from flowwarden.monitor.rules.explanation import Explanation
from flowwarden.monitor.traffic.hosts import Host, Hosts
from flowwarden.notify.text import moment

DOCUMENT_VERSION: Final = "1"
"""Raised when a member of the JSON document is removed or changes its meaning."""


NOT_INSPECTED: Final = "Flow Warden cannot inspect this traffic: the absence of alerts proves nothing."
"""The second line of notifications about missing or unparsed records."""


COLUMN: Final = 12
"""Characters of the names of rows."""


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
    names: Names | None = None
    """What was looked up for the notifications; None if nothing could be."""
    owner_tags: tuple[str, ...] = ()
    """Keys of tags that tell whose a host is."""
    console: Console = Console()
    not_sent: NotSent = NotSent()
    """The findings of the batch that no notification is about."""
    batch_span: tuple[int, int] | None = None
    """When the flows of the batch began and ended, in Unix seconds; None if no record shows it."""

    explained: Explanation | None = None
    """What the rules say about the example of the finding; None if that was not looked up."""

    @property
    def account(self) -> str:
        """`111122223333 (shop-production)`."""
        return with_name(self.account_id, self.account_alias)

    @property
    def account_alias(self) -> str:
        """The alias of the account; '' if it is not known."""
        return self.names.aliases.get(self.account_id, "") if self.names else ""

    @property
    def names_unavailable(self) -> str:
        """Why some names could not be found; '' if they were, or nothing could be looked up."""
        return self.names.unavailable if self.names else ""

    def named_host(self, host: Host, *, from_outside: bool = False) -> NamedHost:
        """A host as people name it; `from_outside` as for `NamedHost`."""
        return NamedHost(host, self.names, self.owner_tags, from_outside=from_outside)

    def runbook(self, detector: str) -> str:
        """The address of a detector's runbook."""
        return f"{self.runbooks}/{detector}.md"


def row(name: str, value: str, *more: str) -> list[str]:
    """A row of a text, and further lines below its value."""
    return [f"{name:<{COLUMN}} {value}", *(f"{'':<{COLUMN}} {line}" for line in more)]


def unnamed(context: RenderContext) -> list[str]:
    """The line about names that could not be found; none if there is nothing to say."""
    why = context.names_unavailable
    return [f"Names unavailable: {why}"] if why else []


def widened(span: tuple[int, int] | None) -> tuple[int, int] | None:
    """The times (Unix seconds) that a log query about traffic at these times covers."""
    return span and (span[0] - QUERY_MARGIN, span[1] + QUERY_MARGIN)


def between(span: tuple[int, int] | None) -> str:
    """`, 2026-11-24 02:58:01 UTC to 2026-11-24 03:08:01 UTC`; empty if the times are unknown."""
    return "" if span is None else f", {moment(span[0])} to {moment(span[1])}"
