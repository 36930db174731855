"""Whether records arrive in each log group and at the monitor.

The heartbeats in the state table are the proof: the monitor writes them when it has processed records.
Without them, CloudWatch's metric IncomingLogEvents shows on which side the fault is. The time of the newest
event by the streams of a group is used only if the metrics cannot be read, because AWS updates it late.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flowwarden.doctor.check import Check
from flowwarden.doctor.fact import Unread, known
from flowwarden.doctor.facts import Delivery, Facts
from flowwarden.doctor.line import Found, Problem, Verdict
from flowwarden.state.sets import HOUR

UNSEEN: Final = Problem(
    name="records-unseen",
    verdict=Verdict.FAILED,
    text="records arrived in the last {hours} hours, but the monitor processed none of them",
    fix="apply the fixes for its subscription filter and for the monitor in this report; then see aws logs "
    "tail /aws/lambda/{stack}-monitor --since 1h --region {region}",
)
SILENT: Final = Problem(
    name="records-missing",
    verdict=Verdict.FAILED,
    text="no record arrived in the last {hours} hours, although flow logs cover {expected} active interfaces",
    fix="apply the fixes for its flow logs and the delivery role in this report; then run flowwarden plan "
    "--stack {stack} --region {region}",
)
REFUSED: Final = Problem(
    name="delivery-errors",
    verdict=Verdict.FAILED,
    text="CloudWatch Logs could not send {errors} log events to the monitor in the last {hours} hours",
    fix="apply the fixes for the monitor and its policy in this report; the records remain in the log "
    "group: read those of that time with aws logs filter-log-events and flowwarden read",
)


def _judge(_name: str, delivery: Delivery, facts: Facts) -> Iterator[Found | Unread]:
    if known(delivery.delivery_errors, 0):
        yield REFUSED.of(errors=delivery.delivery_errors, hours=delivery.hours)
    if known(delivery.writers, 0):
        return
    arrived, unread = _arrived(delivery, facts.place.now)
    if arrived and isinstance(delivery.writers, Unread):
        yield delivery.writers
    elif arrived:
        yield UNSEEN.of(hours=delivery.hours)
    elif isinstance(delivery.expected, Unread):
        yield delivery.expected
    elif delivery.expected and unread is not None:
        yield unread
    elif delivery.expected:
        yield SILENT.of(hours=delivery.hours, expected=delivery.expected)


def _arrived(delivery: Delivery, now: int) -> tuple[bool, Unread | None]:
    """Whether records arrived in the window; if that is unknown, the reason."""
    if not isinstance(delivery.incoming, Unread):
        return bool(delivery.incoming), None
    if isinstance(delivery.last_event, Unread):
        return False, delivery.incoming
    newest = delivery.last_event
    return newest is not None and newest > now - delivery.hours * HOUR, None


CHECK: Final = Check(
    name="delivery",
    verifies="each log group whose flow logs cover active interfaces receives records, and the monitor "
    "processes them; heartbeats show this, or else CloudWatch's metrics",
    sound="the monitor processes the records, or no records are expected yet",
    subjects=lambda facts: facts.deliveries,
    judge=_judge,
    problems=(UNSEEN, SILENT, REFUSED),
)
