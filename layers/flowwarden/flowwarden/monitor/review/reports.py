"""Sends the report on learning, once for each role, after the notifications of a batch are out.

Its failure never fails a batch: the roles stay unreported, and a later batch of any container tries again.
The claim of the report keeps others from sending it at the same time. If a run ends between sending the
report and marking its roles as reported, the next one finds the claim, and only marks them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import batched
from typing import Final

from msgspec import Struct

from flowwarden.monitor.baseline.known_roles import KnownRole, RoleStore
from flowwarden.monitor.budget import Budget, TimedClaims
from flowwarden.monitor.caches.state import ROLES_TOGETHER, StateView
from flowwarden.monitor.review import due
from flowwarden.monitor.review.summary import RoleSummary, keys_of, summary_of
from flowwarden.monitor.review.text import MOST_BYTES, Review, notification
from flowwarden.notify.alert import Alert, Route
from flowwarden.notify.claims import Owner
from flowwarden.notify.delivery import DeliveryReport
from flowwarden.notify.notifier import Routes, notify
from flowwarden.notify.ports import Claims
from flowwarden.notify.run import RESERVE, Run
from flowwarden.notify.text import plural
from flowwarden.state.sets import DAY

LEAST_SECONDS: Final = 30.0
"""Remaining time of the function for a report: reading takes up to `READ_SECONDS`, and sending needs its
reserve."""
READ_SECONDS: Final = 6.0
"""For what a report reads: of 96 roles, about 60 calls."""
CLAIM_SECONDS: Final = 8.0
RETRY_SECONDS: Final = 600
"""Pause after a report was not sent, or its roles not marked."""
BEGIN: Final = 600
"""Seconds of a day before a container asks whether a report is due: containers that did so at the end of the
day before have finished, so that all of them ask about the same day."""
QUIET: Final = 30 * DAY
"""For how long the same roles are not reported again, although they are not marked as reported."""
FEWEST_CLAIMS: Final = 2
"""Claims that must be left for each sink: of the report, and the notifier's own reserve for a roll-up."""


class Occasion(Struct, frozen=True, kw_only=True):
    """The run of a batch whose notifications are out."""

    owner: Owner
    account: str
    now: int
    """Unix seconds."""
    time_left: Callable[[], float]
    most_claims: int
    """The claims for which the batch has room."""


class LearningReports:
    """Reports on learning; knows when this container has to ask next."""

    def __init__(self, store: RoleStore, claims: Claims, routes: Routes, region: str) -> None:
        self._store = store
        self._claims = claims
        self._routes = routes
        self._region = region
        self._fewest_claims = FEWEST_CLAIMS * len(routes[Route.OPERATIONS])
        self._next = 0
        """Unix seconds: nothing is due before."""

    def send(self, occasion: Occasion, state: StateView) -> DeliveryReport:
        """Send the report if one is due; what the report's `unsent` contains is sent by a later batch.

        Costs a comparison if this container has asked on this day. Otherwise one query and one read, and if
        a report is due, at most 60 reads, two writes for the claim, and one to mark its roles.
        """
        now = occasion.now
        if (
            now < self._next
            or now % DAY < BEGIN
            or occasion.most_claims < self._fewest_claims
            or occasion.time_left() < LEAST_SECONDS
        ):
            return DeliveryReport()
        self._next = now + RETRY_SECONDS
        state.resume(Budget(READ_SECONDS, occasion.time_left, RESERVE))
        found = self._found(now // DAY, state)
        if found is None:
            return DeliveryReport()
        known, ready, more = found
        if not ready:
            self._next = (now // DAY + 1) * DAY + BEGIN
            return DeliveryReport()
        review = Review.of(ready, known, most=MOST_BYTES, more=more)
        listed = {each.role for each in ready}
        roles = [each for each in known if each.role in listed]
        delivery = self._sent(self._alert(roles, review, occasion.account), occasion)
        if delivery.sent or delivery.known:
            state.keep(due.reported_addition([*listed], now // DAY, more=more))
        return delivery

    def _found(
        self, today: int, state: StateView
    ) -> tuple[Sequence[KnownRole], list[RoleSummary], bool] | None:
        """All known roles, those to report, and whether others are left; None if the table did not answer."""
        known = state.call(self._store.load)
        reported = state.read([due.KEY]).get(due.KEY, {})
        if known is None or state.is_away:
            return None
        candidates = due.candidates(known, reported, today)
        ready: list[RoleSummary] = []
        for some in batched(candidates, ROLES_TOGETHER, strict=False):
            items = state.read(key for each in some for key in keys_of(each.role, today))
            if state.is_away:
                return None
            ready += [summary_of(each.role, today, items) for each in some]
        ready = [each for each in ready if not each.learning]
        waited = {each.role for each in candidates if due.has_waited(each, today)}
        if waited.isdisjoint(each.role for each in ready):
            return known, [], False
        left = len(ready) > due.MOST_ROLES or len(candidates) == due.MOST_READ
        return known, ready[: due.MOST_ROLES], left

    def _alert(self, roles: Sequence[KnownRole], review: Review, account: str) -> Alert:
        incident = due.incident_of(self._region, roles)
        content = notification(review, incident, account, self._region)
        return Alert(
            key=incident,
            route=Route.OPERATIONS,
            title=f"Learning ended for {plural(len(roles), 'role')}.",
            render=lambda _: content,
            can_wait=True,
            quiet=QUIET,
        )

    def _sent(self, alert: Alert, occasion: Occasion) -> DeliveryReport:
        budget = Budget(CLAIM_SECONDS, occasion.time_left, RESERVE)
        run = Run(
            owner=occasion.owner,
            at=occasion.now,
            time_left=occasion.time_left,
            most_claims=self._fewest_claims,
            may_claim=lambda: not budget.is_spent,
        )
        return notify([alert], run, TimedClaims(self._claims, budget), self._routes, lambda rest: rest[0])
