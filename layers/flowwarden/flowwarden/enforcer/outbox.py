"""The outbox: reports that are not sent yet.

A retry finds everything repaired, and has nothing to report. A run therefore stores its report before it
sends it, and removes it after it was sent. The next run, of any kind, sends the reports that are still
stored. If a report was sent, but not removed, its claim prevents a second notification.

A report also lists the flow logs that its run deleted. As long as it is stored, no other run reports them.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Final, Protocol

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.enforcer.marking import mark_reported
from flowwarden.enforcer.registry import DeletedFlowLog, RegistryStore
from flowwarden.errors import StateUnavailable
from flowwarden.notify.alert import Alert, Route
from flowwarden.notify.claims import Claim, ClaimState, Owner
from flowwarden.notify.delivery import DeliveryReport
from flowwarden.notify.notification import Notification
from flowwarden.notify.notifier import Routes, notify
from flowwarden.notify.ports import Claims
from flowwarden.notify.run import Run

MARKED_AT_MOST: Final = 100
"""Deletions of a report that a run marks, a write each; until all are marked, the report stays stored."""


class Unsent(Struct, frozen=True, kw_only=True):
    """A report that may not have been sent."""

    key: str
    """The key of its alert."""
    batch: str
    """The owner of its claim: the event, without the attempt."""
    notification: Notification
    replaced: tuple[DeletedFlowLog, ...] = ()
    """The deletions that it contains."""

    @classmethod
    def of(cls, alert: Alert, owner: Owner, replaced: tuple[DeletedFlowLog, ...] = ()) -> Unsent:
        """An alert whose text does not depend on its claim, with the deletions that it contains."""
        notification = alert.notification(Claim(state=ClaimState.CLAIMED))
        return cls(key=alert.key, batch=owner.batch_id, notification=notification, replaced=replaced)

    @property
    def alert(self) -> Alert:
        """Its alert."""
        notification = self.notification
        return Alert(
            key=self.key, route=Route.OPERATIONS, title=notification.subject, render=lambda _: notification
        )


class OutboxStore(Protocol):
    """The stored reports. All methods raise StateUnavailable."""

    def load(self) -> Sequence[Unsent]:
        """All reports. Costs one read."""

    def put(self, report: Unsent, now: int) -> None:
        """Store or replace the report of a key; `now` is Unix seconds."""

    def remove(self, key: str) -> None:
        """Remove the report of a key; does nothing if there is none."""


class Outbox:
    """The outbox within one run. If the table does not answer, it is empty and stores nothing."""

    def __init__(self, store: OutboxStore | None, registry: RegistryStore) -> None:
        """Use a store; without one, nothing is stored. The registry learns which deletions were reported."""
        self._store = store
        self._registry = registry

    def left_over(self, current: Alert | None) -> list[Unsent]:
        """The reports of earlier runs, without that of the current one."""
        if self._store is None:
            return []
        try:
            return [each for each in self._store.load() if current is None or each.key != current.key]
        except StateUnavailable:
            return []

    def put(self, report: Unsent, now: int) -> None:
        """Store a report before it is sent."""
        if self._store is not None:
            with suppress(StateUnavailable):  # it is sent nevertheless
                self._store.put(report, now)

    def deliver(
        self, reports: Sequence[Unsent], attempt: str, run: Run, claims: Claims, routes: Routes
    ) -> DeliveryReport:
        """Send the reports of earlier runs; a report that cannot be sent remains for the next run."""
        total = DeliveryReport()
        for each in reports:
            own_run = replace(run, owner=Owner(each.batch, attempt))
            done = notify([each.alert], own_run, claims, routes, lambda alerts: alerts[0], singly=1)
            if done.is_final:
                self.remove(each, run.at)
            total += DeliveryReport(sent=done.sent)
        return total

    def remove(self, report: Unsent, now: int) -> None:
        """Remove a report that was sent, after its deletions are marked as reported.

        If there are many, the report stays stored with the remaining ones, and the next run continues.
        """
        marked, left = report.replaced[:MARKED_AT_MOST], report.replaced[MARKED_AT_MOST:]
        with suppress(StateUnavailable):  # its claim suppresses it in the next run, which removes it
            mark_reported(marked, self._registry)
            if self._store is not None and left:
                self._store.put(replace(report, replaced=left), now)
            elif self._store is not None:
                self._store.remove(report.key)
