"""The allowance of one batch for lookups of rules: seconds and requests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flowwarden.errors import RulesUnavailable
from flowwarden.monitor.budget import Budget


class Allowance:
    """Seconds and requests for the lookups of one batch."""

    def __init__(self, budget: Budget, requests: int) -> None:
        self._budget = budget
        self._requests = requests

    @contextmanager
    def request(self) -> Iterator[None]:
        """Count one request and its time. Raises RulesUnavailable if no further one may be made."""
        if self._budget.is_spent:
            raise RulesUnavailable("the time for lookups of this batch was used up")
        if self._requests <= 0:
            raise RulesUnavailable("the requests for lookups of this batch were used up")
        self._requests -= 1
        with self._budget.spending():
            yield
