"""The one pipeline of notifications: claim, send, mark, for each alert and sink.

A crash between sending and marking may send twice. Nothing is lost: if an alert is not sent, the run fails
and Lambda retries it. Claims belong to one sink, so a sink that fails neither loses nor repeats what others
send.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.errors import PublishFailed, StateUnavailable
from flowwarden.notify.alert import Alert, Route
from flowwarden.notify.claims import Claim, ClaimKey, ClaimState, Owner
from flowwarden.notify.delivery import DeliveryReport
from flowwarden.notify.notification import Notification
from flowwarden.notify.ports import Claims, Sink

RESERVE: Final = 22.0
"""Seconds that must be left to begin with another alert. A claim, a publish and a confirmation that each
answer just in time, at the second attempt, take 7 each (1 s to connect and 2 s to answer, twice, and a second
between); the metrics have to be written before the function is stopped."""

MAX_SINGLE: Final = 25
"""Notifications of a run that a sink gets one by one. One roll-up stands for all others: more are not read at
night."""

MAX_CLAIMS: Final = 125
"""Alerts of a run that are claimed for a sink at all, so that a flood costs a bounded number of writes."""

NO_TIME: Final = "The function's time is nearly over."
IN_PROGRESS: Final = "Another delivery of this batch is at it."

type Routes = Mapping[Route, Sequence[Sink]]
"""The sinks of each route."""

type RollUp = Callable[[Sequence[Alert]], Alert]
"""Makes the one alert that stands for several."""


class Run(Struct, frozen=True, kw_only=True):
    """One invocation that notifies."""

    owner: Owner
    at: int
    """Unix seconds."""
    time_left: Callable[[], float]
    """Seconds until the function is stopped."""
    reserve: float = RESERVE
    """Seconds that must be left to begin with another alert."""


def notify(
    alerts: Sequence[Alert],
    run: Run,
    claims: Claims,
    routes: Routes,
    roll_up: RollUp,
    *,
    singly: int = MAX_SINGLE,
) -> DeliveryReport:
    """Send each alert to each sink of its route, unless it was sent there lately.

    A sink gets its alerts in their order. After a failure it waits until the other sinks are done, so that
    one that hangs takes no time from them.

    Args:
        alerts: the gravest first.
        run: the invocation.
        claims: what was sent before.
        routes: the sinks; sinks of one name are one sink. KeyError if the route of an alert is missing.
        roll_up: makes the alert for what is new beyond `singly`, and for all alerts beyond `MAX_CLAIMS`, for
            which it is unknown whether they are new. Repeats do not count for `singly`.
        singly: how many notifications a sink gets one by one.
    """
    total = DeliveryReport()
    queue = deque(_by_sink(alerts, routes, singly))
    while queue:
        work = queue.popleft()
        # A table that hangs takes seconds a call, and the alerts must be out before the function's timeout.
        used = claims if not total.state_unavailable else None
        if not work.alerts:
            total += _send_rest(work, run, used, roll_up)
            continue
        left, report = _send_next(work, run, used)
        total += report
        if report.unsent:
            queue.append(left)
        else:
            queue.appendleft(left)
    return total


class _Work(Struct, frozen=True, kw_only=True):
    """What is left to do for one sink."""

    sink: Sink
    alerts: tuple[Alert, ...]
    """To be claimed."""
    beyond: tuple[Alert, ...]
    """Beyond `MAX_CLAIMS`."""
    singly: int
    """How many notifications it may still get one by one."""
    claimed: tuple[Alert, ...] = ()
    """For the roll-up."""


def _by_sink(alerts: Sequence[Alert], routes: Routes, singly: int) -> list[_Work]:
    """The work for each sink, in the order of the alerts."""
    sinks: dict[str, Sink] = {}
    by_name: dict[str, list[Alert]] = {}
    for alert in alerts:
        for name, sink in {each.name: each for each in routes[alert.route]}.items():
            sinks.setdefault(name, sink)
            by_name.setdefault(name, []).append(alert)
    return [
        _Work(
            sink=sinks[name],
            alerts=tuple(mine[:MAX_CLAIMS]),
            beyond=tuple(mine[MAX_CLAIMS:]),
            singly=singly,
        )
        for name, mine in by_name.items()
    ]


def _send_next(work: _Work, run: Run, claims: Claims | None) -> tuple[_Work, DeliveryReport]:
    """Claim the next alert and send it, or leave it to the roll-up."""
    alert, left = work.alerts[0], replace(work, alerts=work.alerts[1:])
    if run.time_left() < run.reserve:
        return left, DeliveryReport(unsent=(f"{alert.title} {NO_TIME}",))
    claim, report, usable = _claim(alert, work.sink, run, claims)
    if claim.state is not ClaimState.CLAIMED:
        report += _not_sent(alert, claim)
    elif not left.singly:
        return replace(left, claimed=(*left.claimed, alert)), report
    else:
        report += _publish([alert], alert.render(claim), work.sink, run, usable)
    # What another attempt at this batch sent one by one counts: a retry sends no more than one attempt does.
    return replace(left, singly=max(0, left.singly - len(report.sent) - report.repeated)), report


def _send_rest(work: _Work, run: Run, claims: Claims | None, roll_up: RollUp) -> DeliveryReport:
    """Send the roll-up: always for what is new, else once in a window for what was not looked up."""
    covered = (*work.claimed, *work.beyond)
    if not covered:
        return DeliveryReport()
    page = roll_up(covered)
    report = DeliveryReport(rolled_up=tuple(each.title for each in covered))
    if not work.beyond:
        granted = Claim(state=ClaimState.CLAIMED)
        return report + _publish(work.claimed, page.render(granted), work.sink, run, claims)
    if run.time_left() < run.reserve:
        return report + DeliveryReport(unsent=(f"{page.title} {NO_TIME}",))
    claim, asked, usable = _claim(page, work.sink, run, claims)
    claimed = (*work.claimed, page) if claim.state is ClaimState.CLAIMED else work.claimed
    if not claimed:
        return report + asked + _not_sent(page, claim)
    return report + asked + _publish(claimed, page.render(claim), work.sink, run, usable)


def _claim(
    alert: Alert, sink: Sink, run: Run, claims: Claims | None
) -> tuple[Claim, DeliveryReport, Claims | None]:
    """The claim, what is to report of it, and the claims that are to be used from then on.

    `claims` is None where the table does not answer.
    """
    # One notification too many is better than none: without the table every alert is sent that cannot wait.
    without = Claim(state=ClaimState.SUPPRESSED if alert.can_wait else ClaimState.CLAIMED)
    if claims is None:
        return without, DeliveryReport(), None
    try:
        return claims.claim(ClaimKey(sink.name, alert.key), run.owner, run.at), DeliveryReport(), claims
    except StateUnavailable:
        return without, DeliveryReport(state_unavailable=1), None


def _not_sent(alert: Alert, claim: Claim) -> DeliveryReport:
    """The report of an alert that is not this run's to send."""
    if claim.state is ClaimState.IN_PROGRESS and claim.same_batch:
        # The other delivery may have crashed: only a retry can see that.
        return DeliveryReport(unsent=(f"{alert.title} {IN_PROGRESS}",))
    # It was sent before; or another batch is about to send it. If that one crashes, its own retry sends, or
    # it ends in the failure queue.
    return DeliveryReport(suppressed=(alert.title,), repeated=int(claim.same_batch))


def _publish(
    alerts: Sequence[Alert], notification: Notification, sink: Sink, run: Run, claims: Claims | None
) -> DeliveryReport:
    """Send one notification about all of these, and mark them as sent, or as free if that failed."""
    keys = [ClaimKey(sink.name, alert.key) for alert in alerts]
    try:
        sink.send(notification)
    except PublishFailed as error:
        unsent = tuple(f"{alert.title} {error}" for alert in alerts)
        return DeliveryReport(unsent=unsent, state_unavailable=_mark(keys, run, claims, sent=False))
    sent = tuple(alert.key for alert in alerts)
    return DeliveryReport(sent=sent, state_unavailable=_mark(keys, run, claims, sent=True))


def _mark(keys: Sequence[ClaimKey], run: Run, claims: Claims | None, *, sent: bool) -> int:
    """Mark claims as sent, or as free for the retry; how many calls the table did not answer.

    After the first one it is not asked again. That does no harm: what was sent is out, and a retry would only
    send it again; what is not free at once is free when its lease ends, before the retry comes.
    """
    if claims is None:
        return 0
    try:
        for key in keys:
            if sent:
                claims.confirm(key, run.owner, run.at)
            else:
                claims.release(key, run.owner)
    except StateUnavailable:
        return 1
    return 0
