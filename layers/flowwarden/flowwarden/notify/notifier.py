"""The notification pipeline: claim, send, mark, for each alert and sink.

A crash between sending and marking, or an answer that is lost, can cause one duplicate, not more
(`claims.MAX_UNANSWERED`). No alert is lost: if one is not sent, the run fails and Lambda retries it. Claims
are per sink, so a failing sink causes neither losses nor duplicates in others.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.errors import StateUnavailable
from flowwarden.notify.alert import Alert, Route
from flowwarden.notify.claims import Claim, ClaimKey, ClaimState
from flowwarden.notify.delivery import DeliveryReport
from flowwarden.notify.ports import Claims, Sink
from flowwarden.notify.publish import publish
from flowwarden.notify.run import Run

RESERVE_UNCLAIMED: Final = 9.0
"""The same without the table: publishing takes at most 7 s."""

PUBLISH_SECONDS: Final = 7.0
"""The longest time that publishing takes."""

MAX_SINGLE: Final = 25
"""Individual notifications per run and sink. One roll-up covers all others, because on-call cannot read
more."""

NO_TIME: Final = "The function's time is nearly over."
IN_PROGRESS: Final = "Another delivery of this batch is in progress."
UNANSWERED: Final = "It may have been sent twice, and no attempt was answered: it is not sent again for now."
_UNSURE: Final = {ClaimState.IN_PROGRESS: IN_PROGRESS, ClaimState.UNANSWERED: UNANSWERED}

type Routes = Mapping[Route, Sequence[Sink]]
"""The sinks of each route."""

type RollUp = Callable[[Sequence[Alert]], Alert]
"""Creates one alert that covers several."""


def notify(
    alerts: Sequence[Alert],
    run: Run,
    claims: Claims,
    routes: Routes,
    roll_up: RollUp,
    *,
    singly: int = MAX_SINGLE,
) -> DeliveryReport:
    """Send each alert to each sink of its route, unless it was sent there within the suppression window.

    A sink receives its alerts in order. After a failure, it is retried last, so that it delays no other.

    Args:
        alerts: the alerts, most severe first.
        run: the invocation.
        claims: the shared claims.
        routes: the sinks; sinks with the same name are one sink. A missing route of an alert is a KeyError.
        roll_up: creates the alert that covers new alerts beyond `singly` and all alerts beyond
            `Run.most_claims`, which are not looked up. Repeats do not count toward `singly`.
        singly: the maximum number of individual notifications per sink.
    """
    total, overdue = DeliveryReport(), 0
    queue = deque(_by_sink(alerts, routes, singly, run.most_claims))
    while queue:
        work = queue.popleft()
        if not total.state_unavailable and not run.may_claim():
            overdue, total = 1, total + DeliveryReport(state_unavailable=1)
        # If the table hangs, each call takes seconds; alerts must be sent before the function times out.
        answers = total.state_unavailable == overdue
        if not work.alerts:
            used = claims if answers and (run.confirms_late or not overdue) else None
            total += _send_rest(work, run, used, roll_up)
            continue
        left, report = _send_next(work, run, claims if answers and not overdue else None)
        total += report
        (queue.append if report.unsent else queue.appendleft)(left)
    return total


class _Work(Struct, frozen=True, kw_only=True):
    """The remaining work for one sink."""

    sink: Sink
    alerts: tuple[Alert, ...]
    """Alerts to claim."""
    beyond: tuple[Alert, ...]
    """Alerts that are not claimed."""
    singly: int
    """Individual notifications left."""
    claimed: tuple[Alert, ...] = ()
    """Claimed alerts for the roll-up."""
    unclaimed: tuple[Alert, ...] = ()
    """Alerts for the roll-up that were not claimed, because the table took too long."""
    slowest: float | None = None
    """Seconds that the slowest single notification took; None if none was sent yet. After one, a retry would
    have as little time for the others."""

    @property
    def reserve_single(self) -> float:
        """Remaining seconds required to send one of several alerts, and then a roll-up of the rest.

        Both without the table. With less, the rest is rolled up at once.
        """
        return RESERVE_UNCLAIMED + (PUBLISH_SECONDS if self.slowest is None else self.slowest)


def _by_sink(alerts: Sequence[Alert], routes: Routes, singly: int, most_claims: int) -> list[_Work]:
    """The work for each sink, in the order of the alerts."""
    sinks: dict[str, Sink] = {}
    by_name: dict[str, list[Alert]] = {}
    for alert in alerts:
        for name, sink in {each.name: each for each in routes[alert.route]}.items():
            sinks.setdefault(name, sink)
            by_name.setdefault(name, []).append(alert)
    shares = _shares({name: len(mine) for name, mine in by_name.items()}, most_claims - len(by_name))
    return [
        _Work(
            sink=sinks[name],
            alerts=tuple(mine[: shares[name]]),
            beyond=tuple(mine[shares[name] :]),
            singly=singly,
        )
        for name, mine in by_name.items()
    ]


def _shares(wanted: Mapping[str, int], total: int) -> dict[str, int]:
    """Equal shares of a total for each sink; what a sink does not want is for the others."""
    shares: dict[str, int] = {}
    for name in sorted(wanted, key=wanted.__getitem__):
        shares[name] = min(wanted[name], max(0, total) // (len(wanted) - len(shares)))
        total -= shares[name]
    return shares


def _send_next(work: _Work, run: Run, claims: Claims | None) -> tuple[_Work, DeliveryReport]:
    """Claim the next alert and send it, or add it to the roll-up."""
    alert, left = work.alerts[0], replace(work, alerts=work.alerts[1:])
    waiting = left.claimed or left.unclaimed
    others = bool(left.alerts or waiting or left.beyond)
    if not (_has_time(run, claims) or ((others or work.slowest is not None) and _has_time(run, None))):
        return left, DeliveryReport(unsent=(f"{alert.title} {NO_TIME}",))
    hurries = bool(waiting) or (others and not _has_time(run, claims, work.reserve_single))
    if not _has_time(run, claims):
        claims = _usable(run, claims) if hurries else None
    claim, report, usable = _claim(alert, work.sink, run, claims)
    alert = alert.after(claim)
    if claim.state is not ClaimState.CLAIMED:
        report += _not_sent(alert, claim, usable)
    elif hurries or not left.singly:
        if usable is None:
            return replace(left, unclaimed=(*left.unclaimed, alert)), report
        return replace(left, claimed=(*left.claimed, alert)), report
    else:
        before = run.time_left()
        report += publish([alert], [], alert.render(claim), work.sink, run, usable)
        if report.sent:
            left = replace(left, slowest=max(work.slowest or 0.0, before - run.time_left()))
    # Notifications sent by other attempts at this batch count: a retry does not raise the limit.
    singly = max(0, left.singly - len(report.sent) - report.repeated)
    return replace(left, singly=singly), report


def _send_rest(work: _Work, run: Run, claims: Claims | None, roll_up: RollUp) -> DeliveryReport:
    """Send the roll-up: always for new alerts, otherwise once per suppression window."""
    covered = (*work.claimed, *work.unclaimed, *work.beyond)
    if not covered:
        return DeliveryReport()
    page, claims = roll_up(covered), _usable(run, claims)
    report = DeliveryReport(rolled_up=tuple(each.title for each in covered))
    if not work.beyond:
        granted = Claim(state=ClaimState.CLAIMED)
        return report + publish(work.claimed, work.unclaimed, page.render(granted), work.sink, run, claims)
    if not _has_time(run, None):
        return report + DeliveryReport(unsent=(f"{page.title} {NO_TIME}",))
    claim, asked, usable = _claim(page, work.sink, run, claims)
    claimed = (*work.claimed, page) if claim.state is ClaimState.CLAIMED else work.claimed
    if not (claimed or work.unclaimed):
        return report + asked + _not_sent(page, claim, usable)
    return report + asked + publish(claimed, work.unclaimed, page.render(claim), work.sink, run, usable)


def _has_time(run: Run, claims: Claims | None, unclaimed: float = RESERVE_UNCLAIMED) -> bool:
    """Whether enough time is left for another alert; without the table, for which it takes `unclaimed`."""
    return run.time_left() >= (run.reserve if claims is not None else min(run.reserve, unclaimed))


def _usable(run: Run, claims: Claims | None) -> Claims | None:
    """The claims, if there is time for them before a roll-up."""
    return claims if run.time_left() >= min(run.reserve, RESERVE_UNCLAIMED + PUBLISH_SECONDS) else None


def _claim(
    alert: Alert, sink: Sink, run: Run, claims: Claims | None
) -> tuple[Claim, DeliveryReport, Claims | None]:
    """The claim, its report, and the claims to use from now on: None if the table does not respond."""
    # A duplicate is better than a missing page: without the table, every alert is sent unless it can wait.
    without = Claim(state=ClaimState.SUPPRESSED if alert.can_wait else ClaimState.CLAIMED)
    if claims is None:
        return without, DeliveryReport(), None
    key = ClaimKey(sink.name, alert.key)
    if run.lasting is not None and run.lasting.suppress(key, alert.evidence, run.at):
        return Claim(state=ClaimState.SUPPRESSED), DeliveryReport(), claims
    try:
        claim = claims.claim(key, run.owner, run.at, alert.quiet, alert.evidence)
    except StateUnavailable:
        return without, DeliveryReport(state_unavailable=1), None
    if run.lasting is not None:
        run.lasting.note(key, alert, claim, run.at)
    return claim, DeliveryReport(), claims


def _not_sent(alert: Alert, claim: Claim, claims: Claims | None) -> DeliveryReport:
    """The report of an alert that this run must not send; without the table, none is known to be sent."""
    unsure = claim.state in _UNSURE
    if unsure and claim.same_batch:
        # The other delivery may have crashed: only a retry can find out. If all deliveries were in vain, the
        # batch goes to the failure queue.
        return DeliveryReport(unsent=(f"{alert.title} {_UNSURE[claim.state]}",))
    # It was sent before, or another batch is about to send it. If that one crashes, its retry sends it, or
    # its batch ends in the failure queue.
    known = () if unsure or claims is None else (alert.key,)
    title = f"{alert.title} It is part of incident {alert.key}." if claim.joins else alert.title
    return DeliveryReport(
        suppressed=(title,), known=known, repeated=int(claim.same_batch), in_progress=int(unsure)
    )
