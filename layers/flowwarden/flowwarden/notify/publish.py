"""Publishes a notification, and marks its claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flowwarden.errors import PublishFailed, PublishRefused, PublishUnanswered, StateUnavailable
from flowwarden.notify.alert import Alert
from flowwarden.notify.claims import ClaimKey
from flowwarden.notify.delivery import DeliveryReport
from flowwarden.notify.notification import Notification
from flowwarden.notify.ports import Claims, Sink
from flowwarden.notify.run import Run


def publish(
    claimed: Sequence[Alert],
    unclaimed: Sequence[Alert],
    notification: Notification,
    sink: Sink,
    run: Run,
    claims: Claims | None,
) -> DeliveryReport:
    """Send one notification about these alerts; mark the claims as sent, or release them on failure.

    Without an answer, neither is done: the leases end before the retry, and the claims count the attempt.
    What the service refuses counts as sent, because a retry would be refused, too. Other sinks do not depend
    on that, and the next update of the incident is sent again. The exception is `Alert.tries_again`.
    """
    alerts = (*claimed, *unclaimed)
    keys = {ClaimKey(sink.name, alert.key): alert for alert in claimed}
    try:
        sink.send(notification)
    except PublishRefused as error:
        return _refused(alerts, keys, error, run, claims)
    except PublishFailed as error:
        unsent = tuple(f"{alert.title} {error}" for alert in alerts)
        answered = not isinstance(error, PublishUnanswered)
        failed_calls = mark(keys, run, claims, sent=False) if answered else 0
        return DeliveryReport(unsent=unsent, state_unavailable=failed_calls)
    sent = tuple(alert.key for alert in alerts)
    return DeliveryReport(sent=sent, published=1, state_unavailable=mark(keys, run, claims, sent=True))


def _refused(
    alerts: Sequence[Alert],
    keys: Mapping[ClaimKey, Alert],
    error: PublishRefused,
    run: Run,
    claims: Claims | None,
) -> DeliveryReport:
    """Mark the claims of refused alerts as sent, and release those that are tried again."""
    final = [alert for alert in alerts if not alert.tries_again]
    calls = [
        mark(
            {key: each for key, each in keys.items() if each.tries_again is again},
            run,
            claims,
            sent=not again,
        )
        for again in (False, True)
    ]
    return DeliveryReport(
        refused=tuple(f"{alert.title} {error}" for alert in final),
        known=tuple(alert.key for alert in final),
        to_repeat=tuple((alert.key, f"{alert.title} {error}") for alert in alerts if alert.tries_again),
        state_unavailable=sum(calls),
    )


def mark(
    keys: Mapping[ClaimKey, Alert],
    run: Run,
    claims: Claims | None,
    *,
    sent: bool,
) -> int:
    """Mark claims as sent, or release them for the retry; returns the number of failed calls.

    Stops at the first failure, which does no harm: a sent notification could at worst be repeated by a retry,
    and a claim that is not released expires with its lease, before the retry starts.
    """
    if claims is None:
        return 0
    try:
        for key, alert in keys.items():
            owner = run.owners.get(alert.key, run.owner)
            if sent:
                claims.confirm(alert.request(key.sink, owner, run.at))
            else:
                claims.release(key, owner)
    except StateUnavailable:
        return 1
    return 0
