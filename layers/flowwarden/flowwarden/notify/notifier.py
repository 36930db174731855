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

from flowwarden.notify.alert import Alert, Route
from flowwarden.notify.claiming import (
    NO_TIME,
    PUBLISH_SECONDS,
    RESERVE_UNCLAIMED,
    claim_of,
    has_time,
    not_sent,
    usable_claims,
)
from flowwarden.notify.claims import Claim, ClaimState
from flowwarden.notify.delivery import DeliveryReport
from flowwarden.notify.over_budget import Held, as_held, known_limit, reached_limit, send_held
from flowwarden.notify.page_budget import Limit
from flowwarden.notify.ports import Claims, Sink
from flowwarden.notify.publish import publish
from flowwarden.notify.run import Run

MAX_SINGLE: Final = 25
"""Individual notifications per run and sink. One roll-up covers all others, because on-call cannot read
more."""

ROLL_UPS: Final = 3
"""Roll-ups of a sink, each with a claim: of the alerts that were not claimed, and of those beyond the budgets
for pages, critical and others."""

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
    queue = deque(_by_sink(alerts, routes, singly, run))
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
    asked: int
    """Pages left for which the budget can be asked."""
    held: tuple[Held, ...] = ()
    """Claimed pages beyond the budget."""
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


def _by_sink(alerts: Sequence[Alert], routes: Routes, singly: int, run: Run) -> list[_Work]:
    """The work for each sink, in the order of the alerts."""
    sinks: dict[str, Sink] = {}
    by_name: dict[str, list[Alert]] = {}
    for alert in alerts:
        for name, sink in {each.name: each for each in routes[alert.route]}.items():
            sinks.setdefault(name, sink)
            by_name.setdefault(name, []).append(alert)
    roll_ups = len(by_name) * (ROLL_UPS if run.budget else 1)
    shares = _shares({name: len(mine) for name, mine in by_name.items()}, run.most_claims - roll_ups)
    paged = sum(any(each.route is Route.PAGES for each in mine) for mine in by_name.values())
    return [
        _Work(
            sink=sinks[name],
            alerts=tuple(mine[: shares[name]]),
            beyond=tuple(mine[shares[name] :]),
            singly=singly,
            asked=run.budget.most_asked // max(1, paged) if run.budget else 0,
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
    others = bool(left.alerts or waiting or left.beyond or left.held)
    if not (has_time(run, claims) or ((others or work.slowest is not None) and has_time(run, None))):
        return left, DeliveryReport(unsent=(f"{alert.title} {NO_TIME}",))
    hurries = bool(waiting) or (others and not has_time(run, claims, work.reserve_single))
    if not has_time(run, claims):
        claims = usable_claims(run, claims) if hurries else None
    claim, report, usable = claim_of(alert, work.sink, run, claims)
    if claim.state is not ClaimState.CLAIMED:
        report += not_sent(alert, claim, usable)
    else:
        alert = alert.after(claim, run.at)
        left, sent = _send_claimed(left, alert, claim, run, usable, hurries=hurries)
        report += sent
    # Notifications sent by other attempts at this batch count: a retry does not raise the limit.
    singly = max(0, left.singly - len(report.sent) - report.repeated)
    return replace(left, singly=singly), report


def _send_claimed(
    left: _Work, alert: Alert, claim: Claim, run: Run, claims: Claims | None, *, hurries: bool
) -> tuple[_Work, DeliveryReport]:
    """Send a claimed alert, hold it because the budget for pages is spent, or add it to the roll-up."""
    counts = run.budget is not None and claims is not None and alert.route is Route.PAGES
    if counts and (limit := known_limit(left.held, alert)):
        return _hold(left, alert, limit)
    if hurries or not left.singly or (counts and not left.asked):
        if claims is None:
            return replace(left, unclaimed=(*left.unclaimed, alert)), DeliveryReport()
        return replace(left, claimed=(*left.claimed, alert)), DeliveryReport()
    report = DeliveryReport()
    if counts:
        left = replace(left, asked=left.asked - 1)
        limit, report = reached_limit(alert, claim, left.sink, run)
        if limit is not None:
            return _hold(left, alert, limit)
    notification, before = alert.notification(claim), run.time_left()
    report += publish([alert], [], notification, left.sink, run, claims)
    if report.sent:
        left = replace(left, slowest=max(left.slowest or 0.0, before - run.time_left()))
    return left, report


def _hold(left: _Work, alert: Alert, limit: Limit) -> tuple[_Work, DeliveryReport]:
    held = (*left.held, Held(alert, limit))
    return replace(left, held=held), DeliveryReport(held=(alert.title,))


def _send_rest(work: _Work, run: Run, claims: Claims | None, roll_up: RollUp) -> DeliveryReport:
    """Send the roll-ups: of pages beyond the budget, and of the other alerts that are left.

    Pages beyond the budget are in the other roll-up if that is sent anyway.
    """
    if not (work.claimed or work.unclaimed):
        held = send_held(work.held, work.sink, run, claims)
        return held + (_send_roll_up(work, run, claims, roll_up) if work.beyond else DeliveryReport())
    claimed = (*work.claimed, *(as_held(each.alert) for each in work.held))
    return _send_roll_up(replace(work, claimed=claimed), run, claims, roll_up)


def _send_roll_up(work: _Work, run: Run, claims: Claims | None, roll_up: RollUp) -> DeliveryReport:
    """Send the roll-up: always for new alerts, otherwise once per suppression window."""
    covered = (*work.claimed, *work.unclaimed, *work.beyond)
    page, claims = roll_up(covered), usable_claims(run, claims)
    report = DeliveryReport(rolled_up=tuple(each.title for each in covered))
    if not work.beyond:
        granted = Claim(state=ClaimState.CLAIMED)
        return report + publish(
            work.claimed, work.unclaimed, page.notification(granted), work.sink, run, claims
        )
    if not has_time(run, None):
        return report + DeliveryReport(unsent=(f"{page.title} {NO_TIME}",))
    claim, asked, usable = claim_of(page, work.sink, run, claims)
    claimed = (*work.claimed, page) if claim.state is ClaimState.CLAIMED else work.claimed
    if not (claimed or work.unclaimed):
        return report + asked + not_sent(page, claim, usable)
    return report + asked + publish(claimed, work.unclaimed, page.notification(claim), work.sink, run, usable)
