"""Telling on-call once: claim, publish, confirm, for each alert of a batch.

A crash between publishing and confirming may page twice; a page is never lost: whatever is not sent when the
batch ends makes the batch fail, and Lambda retries it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from flowwarden.alerting.incidents import Claim, ClaimState, Owner
from flowwarden.alerting.notification import Notification
from flowwarden.errors import PublishFailed, StateUnavailable
from flowwarden.ports import Claims, Sink

RESERVE: Final = 10.0
"""Seconds that must be left to begin with another alert: a claim, a publish and a confirmation at their
slowest take 8, and the metrics have to be written before the function is stopped."""


class Alert(Struct, frozen=True):
    """Something to notify about, and where."""

    sink: Sink
    key: str
    """The incident."""
    summary: str
    render: Callable[[Claim], Notification]


class Told(Struct, kw_only=True):
    """What became of the alerts of a batch."""

    sent: list[str] = []
    """Incident keys that were notified."""
    suppressed: list[str] = []
    """Summaries that stayed quiet as repeats."""
    unsent: list[str] = []
    """What could not be published, and why; the batch must be retried when there is any."""
    state_unavailable: int = 0
    """Calls that the state table did not answer."""


class Notifier:
    """Tells the alerts of one batch."""

    def __init__(self, claims: Claims, owner: Owner, now: int, time_left: Callable[[], float]) -> None:
        """Make one for each invocation.

        Args:
            claims: the memory of what was told.
            owner: this invocation.
            now: Unix seconds.
            time_left: seconds until the function is stopped.
        """
        self.told = Told()
        self._claims = claims
        self._owner = owner
        self._now = now
        self._time_left = time_left
        self._has_memory = True

    def notify(self, alert: Alert) -> None:
        """Claim, publish, confirm; what comes of it stands in `told`."""
        if self._time_left() < RESERVE:
            self.told.unsent.append(f"{alert.summary} The function's time is nearly over.")
            return
        claim = self._claim(alert.key)
        match claim.state:
            case ClaimState.CLAIMED:
                self._publish(alert, claim)
            case ClaimState.SUPPRESSED:
                self.told.suppressed.append(alert.summary)
            case ClaimState.IN_PROGRESS if claim.same_batch:
                # The other delivery may have crashed: only a later look can tell.
                self.told.unsent.append(f"{alert.summary} Another delivery of this batch is at it.")
            case ClaimState.IN_PROGRESS:
                # If that one dies, its own retry tells, or its batch ends in the failure queue.
                self.told.suppressed.append(alert.summary)

    def _publish(self, alert: Alert, claim: Claim) -> None:
        try:
            alert.sink.send(alert.render(claim))
        except PublishFailed as error:
            self.told.unsent.append(f"{alert.summary} {error}")
            # For the retry to take at once; if this fails, the lease ends before the retry comes.
            self._remember(lambda: self._claims.release(alert.key, self._owner))
            return
        self.told.sent.append(alert.key)
        # If this fails, the page is out all the same: a retry of the batch would only send it again.
        self._remember(lambda: self._claims.confirm(alert.key, self._owner, self._now))

    def _claim(self, key: str) -> Claim:
        claim = self._remember(lambda: self._claims.claim(key, self._owner, self._now))
        # Better a page too many than none: without memory every finding goes out.
        return claim or Claim(state=ClaimState.CLAIMED)

    def _remember[T](self, call: Callable[[], T]) -> T | None:
        """Ask the table; once it did not answer, leave it alone for the rest of the batch.

        A table that hangs takes seconds a call, and the pages have to be out before the function's timeout.
        """
        if not self._has_memory:
            return None
        try:
            return call()
        except StateUnavailable:
            self._has_memory = False
            self.told.state_unavailable += 1
            return None
