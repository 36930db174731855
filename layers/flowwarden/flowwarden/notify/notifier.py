"""Telling on-call once: claim, publish, confirm, for each alert of a batch.

A crash between publishing and confirming may page twice; a page is never lost: whatever is not sent when the
batch ends makes the batch fail, and Lambda retries it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from msgspec import Struct

from flowwarden.errors import PublishFailed, StateUnavailable
from flowwarden.notify.claims import Claim, ClaimState, Owner
from flowwarden.notify.notification import Notification
from flowwarden.notify.ports import Claims, Sink

RESERVE: Final = 22.0
"""Seconds that must be left to begin with another alert. A claim, a publish and a confirmation that each
answer just in time, at the second attempt, take 7 each (1 s to connect and 2 s to answer, twice, and a second
between); the metrics have to be written before the function is stopped."""

MAX_PAGES: Final = 25
"""Pages that a batch sends one by one; what is found beyond them is one page. Nobody reads more at night."""

MAX_CLAIMS: Final = 125
"""Alerts of a batch that are looked up at all, so that a flood costs a bounded number of writes."""


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
    repeated: int = 0
    """How many of these another attempt at this very batch had told."""
    together: list[str] = []
    """Summaries that were told in one page."""
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

    def notify(self, alerts: Sequence[Alert], together: Callable[[Sequence[str]], Alert]) -> None:
        """Tell each alert, in their order; what comes of it stands in `told`.

        `together` makes the one page for the summaries of all that are news beyond `MAX_PAGES`, and of all
        beyond `MAX_CLAIMS`, of which nobody knows. What was told before takes nobody's place in the former.
        """
        rest: list[Alert] = []
        for alert in alerts[:MAX_CLAIMS]:
            if self._time_left() < RESERVE:
                self.told.unsent.append(f"{alert.summary} The function's time is nearly over.")
                continue
            claim = self._granted(alert)
            if claim is None:
                continue
            if len(self.told.sent) + self.told.repeated < MAX_PAGES:
                self._publish([alert], alert.render(claim), alert.sink)
            else:
                rest.append(alert)
        beyond = [alert.summary for alert in alerts[MAX_CLAIMS:]]
        if rest or beyond:
            summaries = [*(alert.summary for alert in rest), *beyond]
            self.told.together.extend(summaries)
            self._tell_together(together(summaries), rest, are_all=not beyond)

    def _tell_together(self, page: Alert, rest: list[Alert], *, are_all: bool) -> None:
        """Send the one page: always for what is news, else once in a while for what nobody looked up."""
        if are_all:
            self._publish(rest, page.render(Claim(state=ClaimState.CLAIMED)), page.sink)
        elif self._time_left() < RESERVE:
            self.told.unsent.append(f"{page.summary} The function's time is nearly over.")
        else:
            claim = self._claim(page.key)
            if claim.state is ClaimState.CLAIMED:
                rest.append(page)
            if rest:
                self._publish(rest, page.render(claim), page.sink)
            elif claim.state is ClaimState.IN_PROGRESS and claim.same_batch:
                self.told.unsent.append(f"{page.summary} Another delivery of this batch is at it.")
            else:
                self.told.suppressed.append(page.summary)

    def _granted(self, alert: Alert) -> Claim | None:
        """The claim to an alert that is this attempt's to tell, None for any other."""
        claim = self._claim(alert.key)
        if claim.state is ClaimState.CLAIMED:
            return claim
        if claim.state is ClaimState.IN_PROGRESS and claim.same_batch:
            # The other delivery may have crashed: only a later look can tell.
            self.told.unsent.append(f"{alert.summary} Another delivery of this batch is at it.")
            return None
        # Told before; or another batch is at it: if that one dies, its own retry tells, or it ends in the
        # failure queue.
        self.told.suppressed.append(alert.summary)
        self.told.repeated += claim.same_batch
        return None

    def _publish(self, alerts: Sequence[Alert], notification: Notification, sink: Sink) -> None:
        """Send one notification about all of these."""
        try:
            sink.send(notification)
        except PublishFailed as error:
            for alert in alerts:
                self.told.unsent.append(f"{alert.summary} {error}")
                # For the retry to take at once; if this fails, the lease ends before the retry comes.
                self._remember(partial(self._claims.release, alert.key, self._owner))
            return
        for alert in alerts:
            self.told.sent.append(alert.key)
            # If this fails, the page is out all the same: a retry of the batch would only send it again.
            self._remember(partial(self._claims.confirm, alert.key, self._owner, self._now))

    def _claim(self, key: str) -> Claim:
        claim = self._remember(partial(self._claims.claim, key, self._owner, self._now))
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
