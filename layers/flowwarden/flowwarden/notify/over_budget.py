"""Pages beyond the budget: asked for before a page is sent, and held if the budget is spent.

The first run that holds pages in an hour sends one roll-up with their titles. These incidents count as sent:
they are open, their repeats are suppressed, and they page again when their evidence grows. Pages that later
runs hold stay pending: the dispatcher sends them as soon as the budget allows, or names them in the roll-up
of the next hour. So no page is lost, however long the budget is spent.

The claim of a held incident is confirmed after the roll-up. If a run ends before, its retry or the
dispatcher asks again, and holds or sends the page.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.errors import StateUnavailable
from flowwarden.notify.alert import Alert
from flowwarden.notify.claiming import NO_TIME, UNSURE, claim_of, has_time, usable_claims
from flowwarden.notify.claims import Claim, ClaimKey, ClaimState, Owner
from flowwarden.notify.delivery import DeliveryReport
from flowwarden.notify.page_budget import CRITICAL, Limit, Page
from flowwarden.notify.ports import Claims, Sink
from flowwarden.notify.publish import mark, publish
from flowwarden.notify.run import Budgeted, Run


class Held(Struct, frozen=True):
    """An alert that was claimed, and the limit that holds its page."""

    alert: Alert
    limit: Limit
    owner: Owner | None = None
    """The owner of its claim, if it is not that of the run."""


def is_critical(alert: Alert) -> bool:
    """Whether the critical budget applies to the alert."""
    return alert.incident is not None and alert.incident.severity == CRITICAL


def known_limit(held: Sequence[Held], alert: Alert) -> Limit | None:
    """The limit that holds the alert because it held another one of this run; None if that is not known."""
    limits = (each.limit for each in held)
    return next((each for each in limits if each.critical is is_critical(alert)), None)


def reached_limit(alert: Alert, claim: Claim, sink: Sink, run: Run) -> tuple[Limit | None, DeliveryReport]:
    """The limit that holds the page of a claimed alert, None if it may be sent; and the report on the call.

    A duplicate or one page too many is better than a missing page: it may be sent if the table does not
    answer, or if there would be no time left to send it.
    """
    # Only an incident is stored with its notification, so only its page can be held.
    if run.budget is None or alert.incident is None or not has_time(run, None, run.reserve):
        return None, DeliveryReport()
    key = ClaimKey(sink.name, alert.key)
    page = Page(key=key, last_sent=claim.last_sent, critical=is_critical(alert))
    try:
        limit = run.budget.pages.take(page, run.at)
    except StateUnavailable:
        return None, DeliveryReport(state_unavailable=1)
    return limit, DeliveryReport()


def send_held(several: Sequence[Held], sink: Sink, run: Run, claims: Claims | None) -> DeliveryReport:
    """Send the roll-up of held pages unless this hour's was sent, and confirm their claims."""
    total = DeliveryReport()
    for critical in (True, False):
        mine = [each for each in several if each.limit.critical is critical]
        if mine and run.budget is not None:
            total += _send(mine, run.budget, sink, run, claims)
    return total


def _send(
    several: Sequence[Held], budget: Budgeted, sink: Sink, run: Run, claims: Claims | None
) -> DeliveryReport:
    alerts, claims = [as_held(each.alert) for each in several], usable_claims(run, claims)
    owners = {each.alert.key: each.owner for each in several if each.owner}
    run = replace(run, owners=owners)
    page = budget.roll_up(alerts, several[0].limit)
    if not has_time(run, None):
        return DeliveryReport(unsent=(f"{page.title} {NO_TIME}",))
    claim, report, usable = claim_of(page, sink, run, claims)
    if claim.state is ClaimState.CLAIMED:
        return report + publish([page, *alerts], [], page.notification(claim), sink, run, usable)
    if claim.state in UNSURE and claim.same_batch:
        return report + DeliveryReport(unsent=(f"{page.title} {UNSURE[claim.state]}",))
    # They stay pending: the dispatcher sends them when the budget allows, or in the roll-up of the next hour.
    # If an earlier attempt at this batch has sent the roll-up, it need not have listed the same pages.
    keys = {ClaimKey(sink.name, each.key): each for each in alerts}
    failed = mark(keys, run, usable, sent=False)
    return report + DeliveryReport(known=tuple(each.key for each in alerts), state_unavailable=failed)


def as_held(alert: Alert) -> Alert:
    """The alert, with an incident that shows that its page was held."""
    return replace(alert, incident=alert.incident and replace(alert.incident, held=True))
