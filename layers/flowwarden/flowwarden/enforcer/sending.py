"""Sends the report of a run to operations, and what earlier runs could not send.

Also reports a policy that is not valid, and stores a valid one as the last good one.
"""

from __future__ import annotations

from typing import Final

from flowwarden.enforcer import reported
from flowwarden.enforcer.outbox import Outbox, Unsent
from flowwarden.enforcer.ports import EnforcerPorts, RunClock
from flowwarden.enforcer.reporting import alerts
from flowwarden.enforcer.reporting.report import EnforcementReport
from flowwarden.notify.delivery import DeliveryReport
from flowwarden.notify.notifier import notify
from flowwarden.notify.run import Run
from flowwarden.policy.last_good import PolicyRecorder

CLAIM_RESERVE: Final = 20
"""Remaining seconds from which on the report is sent without claims: the table may be slow, and a report that
another run repeats is better than none."""
CALLS_AFTER: Final = 20
"""Calls to the table after the claims: what was reported is stored, and the stored report is removed."""
MOST_CLAIMS: Final = 200
"""Claims of a run over all sinks: a deletion beyond them would not be known to be reported."""


def send(report: EnforcementReport, attempt: str, ports: EnforcerPorts, now: int) -> DeliveryReport:
    """Send the report, if there is something to report, and the reports that earlier runs could not send.

    Args:
        report: the report of this run.
        attempt: an id that no other run has, not even a retry.
        ports: the sinks, the claims, and what stores reports.
        now: Unix seconds; a run may take minutes, so this is not its start time.
    """
    run = _run(report, attempt, ports, now)
    outbox, news = Outbox(ports.outbox, ports.registry), alerts.each_run(report, attempt)
    left_over = outbox.left_over(news)
    report = report.without(each.flow_log_id for unsent in left_over for each in unsent.replaced)
    current = None if news is None else Unsent.of(news, run.owner, report.replaced)
    if current is not None:
        outbox.put(current, now)
    sent = alerts.send(report, attempt, run, ports.claims, ports.routes)
    reported.store(report, sent, ports.registry)
    if current is not None and sent.is_final:
        outbox.remove(current, now)
    return sent + outbox.deliver(left_over, attempt, run, ports.claims, ports.routes)


def send_policy(
    report: EnforcementReport, attempt: str, ports: EnforcerPorts, policy_recorder: PolicyRecorder, now: int
) -> DeliveryReport:
    """Report a policy that is not valid; store a valid one as the last good one. See `send`."""
    policy_recorder.keep(now)
    found = policy_recorder.alerts(report.account_id, report.region)
    run = _run(report, attempt, ports, now)
    return notify(found, run, ports.claims, ports.routes, lambda rest: rest[0])


def _run(report: EnforcementReport, attempt: str, ports: EnforcerPorts, now: int) -> Run:
    # Even if little time is left: a report that is not sent now is sent minutes later.
    return Run(
        owner=alerts.owner_of(report, attempt),
        at=now,
        time_left=ports.clock.remaining,
        reserve=0,
        most_claims=MOST_CLAIMS,
        may_claim=_Pace(ports.clock).may_claim,
        confirms_late=True,
    )


class _Pace:
    """Whether there is time for another claim, for its confirmation, and to store what was reported.

    Without confirmations, and without the marks of deletions, the next run reports the same again. Both take
    as long for each call as the claims did.
    """

    def __init__(self, clock: RunClock) -> None:
        self._clock = clock
        self._begin: float | None = None
        self._claims = 0

    def may_claim(self) -> bool:
        """Call it before each claim."""
        left = self._clock.remaining()
        self._begin = left if self._begin is None else self._begin
        spent = self._begin - left
        after = spent + CALLS_AFTER * spent / max(1, self._claims)
        self._claims += 1
        return left > CLAIM_RESERVE + after
