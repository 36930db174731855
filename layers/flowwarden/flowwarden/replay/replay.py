"""Runs the monitor and the dispatcher over slices, by the clock of the records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.monitor.pipeline import Invocation
from flowwarden.monitor.report import BatchReport
from flowwarden.monitor.view import BatchView
from flowwarden.notify.alert import Route
from flowwarden.notify.notification import Notification
from flowwarden.replay.batches import LogGroups, batches
from flowwarden.replay.observer import Observer
from flowwarden.replay.ports import Stack
from flowwarden.replay.recorder import Recorder
from flowwarden.replay.reorder import Slice
from flowwarden.replay.result import ReplayResult
from flowwarden.state import digests
from flowwarden.state.sets import DAY, HOUR

TIME_LEFT: Final = 60.0
"""Seconds that each invocation has: memory answers at once."""
MINUTE: Final = 60
DIGESTS_SECONDS: Final = 600
"""Seconds between two runs of the dispatcher when no incident is due: for the digests."""
IDLE_MOST: Final = 30 * DAY
"""Of a longer time without records, only the last part is run: by then, all incidents were checked."""


type Observe = Callable[[BatchReport, BatchView], None]


class Hooks(Struct, frozen=True, kw_only=True):
    """What is called while a replay runs."""

    batch: Observe = lambda *_: None
    """Called with each batch."""
    sent: Callable[[Route, Notification, int], None] = lambda *_: None
    """Called with each notification, its route, and when it would have been sent (Unix seconds)."""


NONE: Final = Hooks()


class Replay:
    """One replay of an archive."""

    def __init__(
        self,
        stack: Stack,
        groups: LogGroups,
        account: str,
        *,
        as_delivered: bool = False,
        observes: bool = False,
        hooks: Hooks = NONE,
    ) -> None:
        """Take the stack and the names in notifications.

        Args:
            stack: the stack.
            groups: the names of the log groups.
            account: the account of the log groups.
            as_delivered: whether batches are as small as in production.
            observes: whether the result contains what was seen in the traffic.
            hooks: called while it runs.
        """
        self._hooks = hooks
        self._stack = stack
        self._groups = groups
        self._account = account
        self._as_delivered = as_delivered
        self._recorder = Recorder(stack.interfaces)
        self._observer = Observer(stack.evidence) if observes else None
        self._minute = 0
        """Unix seconds of the last run of the dispatcher; 0 before the first."""
        self._end = 0

    def finish(self) -> None:
        """Run the dispatcher until the digests of the last slice are sent."""
        if self._end:
            self._dispatch(_digests_out(self._end))

    def result(self, sources: int, failed: int, unreadable: int = 0) -> ReplayResult:
        """The result, after the last slice.

        Args:
            sources: the number of sources.
            failed: those that could not be read to their end.
            unreadable: parts of sources that are no lines.
        """
        result = self._recorder.result(
            sources=sources, failed=failed, unreadable=unreadable, as_delivered=self._as_delivered
        )
        return result if self._observer is None else replace(result, observed=self._observer.observed())

    def process(self, one: Slice) -> None:
        """Process a slice, after those before it."""
        now = self._end = one.end
        self._dispatch(now)
        self._recorder.begin(one)
        for layouts, batch in batches(one, self._groups, self._account, as_delivered=self._as_delivered):
            self._stack.interfaces.begin(layouts, batch.lines)
            invocation = Invocation(batch.batch_id, lambda: TIME_LEFT)
            report, view = self._stack.monitor.inspect(batch, invocation, now)
            self._recorder.batch(report, view)
            self._hooks.batch(report, view)
            if self._observer is not None:
                self._observer.see(report, view)
            self._take(now)

    def _dispatch(self, until: int) -> None:
        """Run the dispatcher in each minute until then in which anything may be due."""
        if not self._minute:
            self._minute = until - until % MINUTE
        self._minute = max(self._minute, until - IDLE_MOST)
        while (minute := self._next_minute()) <= until:
            if minute // HOUR > self._minute // HOUR:
                self._stack.expire(minute)
            self._minute = minute
            self._stack.dispatcher.run(str(minute), minute, lambda: TIME_LEFT)
            self._take(minute)

    def _next_minute(self) -> int:
        due = -(-self._stack.incidents.next_check // MINUTE) * MINUTE
        digest = (self._minute // DIGESTS_SECONDS + 1) * DIGESTS_SECONDS
        return max(min(due, digest), self._minute + MINUTE)

    def _take(self, now: int) -> None:
        for route, outbox in ((Route.PAGES, self._stack.pages), (Route.OPERATIONS, self._stack.operations)):
            for notification in outbox.take():
                self._recorder.sent(route, notification, now)
                self._hooks.sent(route, notification, now)


def _digests_out(end: int) -> int:
    """When the digest of the last hour is sent (Unix seconds)."""
    return (end // HOUR + 2) * HOUR + digests.GRACE + digests.SETTLE
