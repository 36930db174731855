"""Budgets of seconds: how long a batch may wait for optional calls.

A slow service answers without an error, so a count of errors does not protect the time for pages. A `Budget`
counts the seconds that calls take; after they are spent, the batch continues as if the service did not
answer. A budget covers all calls that its owner makes within `spending`, and a batch may have several
budgets. Only waiting counts, not computing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf
from typing import Final

from flowwarden.notify.claim_request import ClaimRequest
from flowwarden.notify.claims import Claim, ClaimKey, Owner
from flowwarden.notify.page_budget import Limit, Page
from flowwarden.notify.ports import Claims, PageBudget

HANGING_CALLS: Final = 2
"""A failed call is repeated only if the budget left exceeds its duration by this factor."""


class Budget:
    """Seconds for some calls of one batch."""

    def __init__(self, seconds: float, time_left: Callable[[], float], reserve: float = 0.0) -> None:
        """Begin with a full budget.

        Args:
            seconds: that the calls may take together. The call that exceeds them is not interrupted.
            time_left: the clock: seconds until Lambda stops the function.
            reserve: of that time, the seconds that calls must leave for other work.
        """
        self._seconds = seconds
        self._time_left = time_left
        self._reserve = reserve

    @property
    def left(self) -> float:
        """Seconds left for further calls; not positive if the budget is spent."""
        return min(self._seconds, self._time_left() - self._reserve)

    @property
    def is_spent(self) -> bool:
        """Whether no further call may be made."""
        return self.left <= 0

    @contextmanager
    def spending(self) -> Iterator[None]:
        """Count the time of a call, whether it succeeds or not."""
        before = self._time_left()
        try:
            yield
        finally:
            self._seconds -= before - self._time_left()

    def allows_repeat(self, left_before: float) -> bool:
        """Whether a call that failed may be made once more: a single error must not cost a finding.

        A call that hung is not repeated.

        Args:
            left_before: `left` before the call.
        """
        return self.left > HANGING_CALLS * (left_before - self.left)


UNLIMITED: Final = Budget(inf, lambda: 0.0, reserve=-inf)
"""A budget that is never spent, for callers without a clock."""


class TimedClaims:
    """Claims whose time is counted. Whether further ones may be made is `Run.may_claim`.

    A single notification is confirmed or released even if its claim has used up the budget, because a page
    that is sent, but not marked, would repeat. Only a roll-up continues without the table; its leases expire.
    """

    def __init__(self, claims: Claims, budget: Budget) -> None:
        self._claims = claims
        self._budget = budget

    def claim(self, request: ClaimRequest) -> Claim:
        """`Claims.claim`, with its time counted."""
        with self._budget.spending():
            return self._claims.claim(request)

    def confirm(self, request: ClaimRequest) -> None:
        """`Claims.confirm`, with its time counted."""
        with self._budget.spending():
            self._claims.confirm(request)

    def release(self, key: ClaimKey, owner: Owner) -> None:
        """`Claims.release`, with its time counted."""
        with self._budget.spending():
            self._claims.release(key, owner)


class TimedPages:
    """The budget for pages, whose time is counted with that of the claims."""

    def __init__(self, pages: PageBudget, budget: Budget) -> None:
        self._pages = pages
        self._budget = budget

    def take(self, page: Page, now: int) -> Limit | None:
        """`PageBudget.take`, with its time counted."""
        with self._budget.spending():
            return self._pages.take(page, now)
