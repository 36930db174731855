"""Pending notifications, as the dispatcher sends them: singly, or held if the budget for pages is spent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.dispatcher.ports import OpenIncident
from flowwarden.notify import held
from flowwarden.notify.alert import Alert, Route
from flowwarden.notify.claims import Claim, ClaimState
from flowwarden.notify.delivery import DeliveryReport
from flowwarden.notify.over_budget import Held, reached_limit, send_held
from flowwarden.notify.page_budget import Limit
from flowwarden.notify.pending import Pending
from flowwarden.notify.ports import Claims, PageBudget, Sink
from flowwarden.notify.publish import publish
from flowwarden.notify.run import Budgeted, Run


class HeldPage(Struct, frozen=True):
    """A pending page beyond the budget, and its sink."""

    sink: Sink
    held: Held


class Limited(Struct, frozen=True):
    """The budget for pages, and the address of the runbook of its roll-up."""

    pages: PageBudget
    runbook: str = ""


def with_budget(run: Run, limited: Limited | None) -> Run:
    """The run with the budget for pages, if there is one."""
    if limited is None:
        return run

    def roll_up(several: Sequence[Alert], limit: Limit) -> Alert:
        known = next((each.incident.attributes for each in several if each.incident), {})
        place = held.Place(
            account=known.get("account", ""), region=known.get("region", ""), runbook=limited.runbook
        )
        return held.roll_up(several, limit, place, run.at)

    return replace(run, budget=Budgeted(pages=limited.pages, roll_up=roll_up))


def send(
    one: OpenIncident, pending: Pending, sink: Sink, run: Run, claims: Claims
) -> tuple[DeliveryReport, HeldPage | None]:
    """Send a pending notification that the run's owner has taken over, or hold it for `send_several`.

    It is what the invocation would have sent that claimed it: the claim shows what was reported before.
    """
    claim = one.claim or Claim(state=ClaimState.CLAIMED, last_sent=one.sent_at)
    alert = alert_of(one, pending).after(claim, run.at)
    if alert.route is Route.PAGES:
        limit, report = reached_limit(alert, claim, sink, run)
        if limit is not None:
            return report, HeldPage(sink, Held(alert, limit, run.owner))
    return publish([alert], [], alert.notification(claim), sink, run, claims), None


def send_several(several: Sequence[HeldPage], run: Run, claims: Claims) -> DeliveryReport:
    """Send the roll-ups of held pages, and confirm their claims."""
    by_sink = defaultdict[str, list[HeldPage]](list)
    for each in several:
        by_sink[each.sink.name].append(each)
    total = DeliveryReport()
    for mine in by_sink.values():
        total += send_held([each.held for each in mine], mine[0].sink, run, claims)
    return total


def alert_of(one: OpenIncident, pending: Pending) -> Alert:
    """The alert of the invocation that claimed it."""
    rendered = pending.rendered
    is_page = pending.incident.attributes.get("kind") == held.KIND
    return Alert(
        key=one.key.incident,
        route=Route.PAGES if is_page else Route.OPERATIONS,
        title=pending.incident.title,
        render=lambda _: rendered,
        quiet=pending.quiet,
        evidence=pending.evidence,
        incident=pending.incident,
    )
