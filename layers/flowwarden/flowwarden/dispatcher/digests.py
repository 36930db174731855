"""Sends the digests that are due, once each: a digest is claimed like any notification.

The hours and days are those of the records. A run that ends before it has sent a digest, or two runs at once,
do no harm: the claim belongs to the digest and its time. A container remembers what is sent or has nothing to
say, so the table is read once for each hour and day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from msgspec import Struct

from flowwarden.dispatcher import daily_digest, hourly_digest
from flowwarden.dispatcher.digest_day import Day
from flowwarden.dispatcher.digest_place import DigestPlace
from flowwarden.errors import StateUnavailable
from flowwarden.notify.alert import Alert, Route
from flowwarden.notify.claims import digest
from flowwarden.notify.delivery import DeliveryReport
from flowwarden.notify.notification import Notification
from flowwarden.notify.notifier import Routes, notify
from flowwarden.notify.ports import Claims
from flowwarden.notify.run import RESERVE, Run
from flowwarden.state import digests
from flowwarden.state.digests import HOURS, NOTHING, Content, Digests
from flowwarden.state.ports import DigestStore
from flowwarden.state.sets import DAY

CATCH_UP: Final = 6
"""Hours whose digests are sent late, if the dispatcher did not run. The digest of a day is sent for a day."""
QUIET: Final = 3 * DAY
"""Seconds for which a digest is known to be sent: longer than it can be due."""


class _Due(Struct, frozen=True):
    """A digest that may have to be sent."""

    kind: str
    at: int
    """The hour, or the day (since 1970)."""

    @property
    def key(self) -> str:
        """The incident key of its claim."""
        return digest("digest", self.kind, str(self.at))

    @property
    def hours(self) -> range:
        """The hours that it needs: its own, and those that it is compared with."""
        if self.kind == hourly_digest.KIND:
            return range(self.at - 1, self.at + 1)
        return range((self.at - 1) * HOURS, (self.at + 1) * HOURS)


class DigestSender:
    """Sends digests. One per container."""

    def __init__(
        self, store: DigestStore, claims: Claims, routes: Routes, which: Digests, place: DigestPlace
    ) -> None:
        self._store = store
        self._claims = claims
        self._routes = routes
        self._which = which
        self._place = place
        self._done: dict[_Due, None] = {}

    def send(self, run: Run) -> DeliveryReport:
        """Send what is due; with little time left, a later run does it."""
        total = DeliveryReport()
        for due in self._due(run.at):
            if total.state_unavailable or run.time_left() < RESERVE:
                break
            total += self._send(due, run)
        return total

    def _due(self, now: int) -> list[_Due]:
        """What may have to be sent, the oldest first."""
        latest = digests.readable(now)
        found: list[_Due] = []
        if self._which is Digests.HOURLY_AND_DAILY:
            found += [_Due(hourly_digest.KIND, at) for at in range(latest - CATCH_UP + 1, latest + 1)]
        if self._which is not Digests.NONE:
            found.append(_Due(daily_digest.KIND, digests.readable_day(now)))
        self._done = {each: None for each in self._done if each in found}
        return [each for each in found if each not in self._done]

    def _send(self, due: _Due, run: Run) -> DeliveryReport:
        try:
            text = self._text(due)
        except StateUnavailable:
            return DeliveryReport(state_unavailable=1)
        if text is None:
            self._done[due] = None
            return DeliveryReport()
        alert = Alert(
            key=due.key,
            route=Route.OPERATIONS,
            title=f"The {due.kind.replace('-', ' ')}.",
            render=lambda _: text(),
            can_wait=True,
            quiet=QUIET,
        )
        delivery = notify([alert], run, self._claims, self._routes, lambda rest: rest[0])
        if delivery.is_final and not delivery.state_unavailable:
            self._done[due] = None
        return delivery

    def _text(self, due: _Due) -> Callable[[], Notification] | None:
        """How to render the digest; None if there is nothing to say."""
        items = self._store.read([digests.key_of(hour) for hour in due.hours])
        content = {hour: items.get(digests.key_of(hour), NOTHING) for hour in due.hours}
        if due.kind == hourly_digest.KIND:
            return self._hourly(due.at, content[due.at], content[due.at - 1])
        return self._daily(due.at, content)

    def _hourly(self, hour: int, content: Content, before: Content) -> Callable[[], Notification] | None:
        groups, kept = digests.groups_of(content, before), digests.counts_of(content, before)
        return (lambda: hourly_digest.render(hour, groups, kept, self._place)) if groups else None

    def _daily(self, day: int, content: Mapping[int, Content]) -> Callable[[], Notification] | None:
        today, before = (Day.of(_of_day(content, each)) for each in (day, day - 1))
        return (lambda: daily_digest.render(day, today, before, self._place)) if today.sources else None


def _of_day(content: Mapping[int, Content], day: int) -> Iterator[Content]:
    return (content[hour] for hour in range(day * HOURS, (day + 1) * HOURS))
