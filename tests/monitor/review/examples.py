"""Summaries of roles, for tests of the text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from flowwarden.monitor.baseline.additions import learned
from flowwarden.monitor.baseline.baseline import Edge, bursts_of, guessed_at
from flowwarden.monitor.baseline.known_roles import KnownRole, networks_of
from flowwarden.monitor.review.summary import RoleSummary, summary_of
from flowwarden.monitor.traffic import usual_volume
from flowwarden.network.addresses import PeerClass
from flowwarden.state.sets import DAY, HOUR, Sets, merged

TODAY: Final = 20_416
SSH: Final = Edge("out", 6, 22, "10.0.2.0/24")
WEB_EDGES: Final = (
    Edge("in", 6, 22, "internet"), guessed_at(22), SSH, bursts_of(SSH), Edge("out", 6, 445, "10.0.9.0/24"),
    Edge("out", 6, 443, "internet"), Edge("out", 6, 4444, "internet"), Edge("out", 6, 32_768, "internet"),
    Edge("refused", 6, 25, "internet"), Edge("refused", 6, 5432, "10.0.2.0/24"),
)  # fmt: skip


def items_of(
    role: str, edges: Sequence[Edge] = WEB_EDGES, days: int = 14, sent: int = 0, today: int = TODAY
) -> dict[str, Sets]:
    """The items of a role that on each of the last days had these edges, and sent `sent` bytes in an hour."""
    items: dict[str, Sets] = {}
    for day in range(today - days, today):
        addition = learned(role, day, frozenset(edges))
        items[addition.key] = merged(items.get(addition.key, {}), addition.sets)
        if sent:
            volume = usual_volume.learned(role, day, PeerClass.INTERNET, {HOUR: sent, DAY: 4 * sent}, ())
            items[volume.key] = volume.sets
    return items


def summary(role: str, edges: Sequence[Edge] = WEB_EDGES, days: int = 14, sent: int = 0) -> RoleSummary:
    """The summary of a role with these items."""
    return summary_of(role, TODAY, items_of(role, edges, days, sent))


def known(role: str, *addresses: str) -> KnownRole:
    """A known role with hosts at these addresses."""
    return KnownRole(role=role, known=TODAY - 16, networks=networks_of(addresses))


DATABASE: Final = (Edge("in", 6, 5432, "10.0.1.0/24"), Edge("out", 6, 8080, "internet"))
ROLES: Final = (
    summary("tag:Role=web", sent=1_500_000_000), summary("tag:Role=db", DATABASE),
    summary("asg:idle", (Edge("out", 6, 443, "internet"),), days=3),
)  # fmt: skip
KNOWN: Final = (
    known("tag:Role=web", "10.0.1.5"), known("tag:Role=db", "10.0.2.30", "2001:db8::1"),
    known("tag:Role=cache", "10.0.2.31"), known("tag:Role=queue", "10.0.2.32"), known("asg:idle"),
)  # fmt: skip
