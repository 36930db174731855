"""One claim of the notifier: its outcome for an alert, and whether there is time for another."""

from __future__ import annotations

from typing import Final

from flowwarden.errors import StateUnavailable
from flowwarden.notify.alert import Alert
from flowwarden.notify.claims import Claim, ClaimKey, ClaimState
from flowwarden.notify.delivery import DeliveryReport
from flowwarden.notify.ports import Claims, Sink
from flowwarden.notify.run import Run

RESERVE_UNCLAIMED: Final = 9.0
"""The same as `RESERVE`, without the table: publishing takes at most 7 s."""

PUBLISH_SECONDS: Final = 7.0
"""The longest time that publishing takes."""

NO_TIME: Final = "The function's time is nearly over."
IN_PROGRESS: Final = "Another delivery of this batch is in progress."
UNANSWERED: Final = "It may have been sent twice, and no attempt was answered: it is not sent again for now."
UNSURE: Final = {ClaimState.IN_PROGRESS: IN_PROGRESS, ClaimState.UNANSWERED: UNANSWERED}


def has_time(run: Run, claims: Claims | None, unclaimed: float = RESERVE_UNCLAIMED) -> bool:
    """Whether enough time is left for another alert; without the table, for which it takes `unclaimed`."""
    return run.time_left() >= (run.reserve if claims is not None else min(run.reserve, unclaimed))


def usable_claims(run: Run, claims: Claims | None) -> Claims | None:
    """The claims, if there is time for them before a roll-up."""
    return claims if run.time_left() >= min(run.reserve, RESERVE_UNCLAIMED + PUBLISH_SECONDS) else None


def claim_of(
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
        claim = claims.claim(alert.first_request(sink.name, run.owner, run.at))
    except StateUnavailable:
        return without, DeliveryReport(state_unavailable=1), None
    if run.lasting is not None:
        run.lasting.note(key, alert, claim, run.at)
    return claim, DeliveryReport(), claims


def not_sent(alert: Alert, claim: Claim, claims: Claims | None) -> DeliveryReport:
    """The report of an alert that this run must not send; without the table, none is known to be sent."""
    unsure = claim.state in UNSURE
    if unsure and claim.same_batch:
        # The other delivery may have crashed: only a retry can find out. If all deliveries were in vain, the
        # batch goes to the failure queue.
        return DeliveryReport(unsent=(f"{alert.title} {UNSURE[claim.state]}",))
    # It was sent before, or another batch is about to send it. If that one crashes, its retry sends it, or
    # its batch ends in the failure queue.
    known = () if unsure or claims is None else (alert.key,)
    title = f"{alert.title} It is part of incident {alert.key}." if claim.joins else alert.title
    return DeliveryReport(
        suppressed=(title,), known=known, repeated=int(claim.same_batch), in_progress=int(unsure)
    )
