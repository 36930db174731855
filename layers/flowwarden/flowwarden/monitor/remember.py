"""What a batch stores after its notifications: what it learned, and its heartbeats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import is_not
from typing import Final

from flowwarden.monitor import heartbeats
from flowwarden.monitor.budget import Budget
from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.findings import Finding
from flowwarden.monitor.learning import learn
from flowwarden.monitor.view import BatchView
from flowwarden.notify.delivery import DeliveryReport

REMEMBER_SECONDS: Final = 5.0
"""For what is stored after the notifications are out: baselines and heartbeats."""
CLOSING_SECONDS: Final = 10.0
"""Left after what is stored last: a call takes at most 7 s, and metrics and the log must be written."""


def remember(
    view: BatchView,
    triaged: Sequence[Finding],
    findings: Sequence[Finding],
    state: StateView,
    delivery: DeliveryReport,
    time_left: Callable[[], float],
) -> bool:
    """Learn from the batch and write its heartbeats if its notifications were sent; else a retry does it.

    `triaged` are the same findings before inhibition by other batches.

    Returns False if a notification was not sent.
    """
    if not delivery.is_final:
        state.forget()
    if delivery.unsent:
        return False
    state.resume(Budget(REMEMBER_SECONDS, time_left, CLOSING_SECONDS))
    learn(view, findings, state, is_explained=any(map(is_not, triaged, findings)))
    heartbeats.write(view, state)
    return True
