"""The budget for pages in memory."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from flowwarden.errors import StateUnavailable
from flowwarden.notify.page_budget import Limit, Page, PageLimits
from flowwarden.state.sets import DAY

Counted = defaultdict[tuple[str, int, str], set[str]]


@dataclass
class MemoryPageBudget:
    """Sets of tokens by sink, day and limit."""

    limits: PageLimits
    counted: Counted = field(default_factory=lambda: defaultdict(set))
    away: bool = False
    """Whether the table does not answer."""
    calls: int = 0

    def take(self, page: Page, now: int) -> Limit | None:
        """Implement the port."""
        limits = self.limits.at(now, critical=page.critical)
        self.calls += bool(limits)
        if self.away:
            raise StateUnavailable("unavailable in the test")
        sets = [(each, self.counted[page.key.sink, now // DAY, each.name]) for each in limits]
        for limit, counted in sets:
            if page.token not in counted and len(counted) >= limit.most:
                return limit
        for _, counted in sets:
            counted.add(page.token)
        return None
