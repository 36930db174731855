"""What the notifier must know of the invocation for which it notifies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from flowwarden.notify.alert import Alert
from flowwarden.notify.claims import Owner
from flowwarden.notify.lasting import LastingIncidents
from flowwarden.notify.page_budget import Limit
from flowwarden.notify.ports import PageBudget
from flowwarden.state.schema import PAGE_BUDGET

RESERVE: Final = 22.0
"""Remaining seconds required to start another alert. Claim, publish and confirmation take at most 7 s each if
the second attempt succeeds (1 s to connect and 2 s to respond, twice, with 1 s in between); the metrics must
also be written before the function times out."""

MAX_CLAIMS: Final = 27
"""Maximum claims per run, over all sinks, unless the caller has room for more: each costs two writes."""

MAX_ASKED: Final = PAGE_BUDGET.per_batch
"""Maximum pages of a run for which the budget is asked, over all sinks. Each costs a write."""


class Budgeted(Struct, frozen=True, kw_only=True):
    """The budget for pages, as a run uses it."""

    pages: PageBudget
    roll_up: Callable[[Sequence[Alert], Limit], Alert]
    """Creates the one page of an hour and sink about the alerts that were held, and the limit."""
    most_asked: int = MAX_ASKED
    """Maximum pages for which it is asked, over all sinks; a roll-up covers the others."""


class Run(Struct, frozen=True, kw_only=True):
    """One invocation that notifies."""

    owner: Owner
    owners: Mapping[str, Owner] = {}
    """The owners of claims that are not the run's, by the keys of their alerts."""
    at: int
    """Unix seconds."""
    time_left: Callable[[], float]
    """Seconds until the function times out."""
    reserve: float = RESERVE
    """Remaining seconds required to start another alert."""
    most_claims: int = MAX_CLAIMS
    """Maximum claims over all sinks, including one for each roll-up."""
    lasting: LastingIncidents | None = None
    """Incidents whose repeats the container need not claim."""
    may_claim: Callable[[], bool] = lambda: True
    """Whether there is time for further claims. If not, the run sends the rest without them."""
    budget: Budgeted | None = None
    """The budget for pages; None for no limits."""
    confirms_late: bool = False
    """Whether it still confirms claims then: if `may_claim` leaves time for that."""
