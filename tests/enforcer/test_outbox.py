"""The outbox: a report that was sent is removed, after its deletions are marked."""

from __future__ import annotations

import pytest

from flowwarden.enforcer.outbox import MARKED_AT_MOST, Outbox, Unsent
from flowwarden.enforcer.registry import ENFORCER, DeletedFlowLog
from flowwarden.notify.notification import Notification
from tests.enforcer.fakes import FakeOutbox, MemoryRegistry

NOW = 1_764_000_000


def report(deletions: int) -> Unsent:
    """A report with this number of deletions."""
    entries = tuple(
        DeletedFlowLog(flow_log_id=f"fl-{number:017x}", at=NOW, caller=ENFORCER)
        for number in range(deletions)
    )
    notification = Notification(subject="s", text="t", document={}, attributes={})
    return Unsent(key="k", batch="event", notification=notification, replaced=entries)


@pytest.mark.parametrize(
    ("deletions", "runs"), [(0, 1), (1, 1), (MARKED_AT_MOST, 1), (MARKED_AT_MOST + 1, 2), (950, 10)]
)
def test_a_run_marks_some_deletions_and_the_next_ones_go_on(deletions: int, runs: int) -> None:
    """No run makes more writes than its bound; the report is removed once all are marked."""
    store, registry = FakeOutbox(), MemoryRegistry()
    outbox = Outbox(store, registry)
    outbox.put(report(deletions), NOW)
    made = 0
    while left := outbox.left_over(None):
        before, made = registry.writes, made + 1
        outbox.remove(left[0], NOW)
        assert registry.writes - before <= MARKED_AT_MOST
    marked = registry.of(DeletedFlowLog)
    assert (made, len(marked)) == (runs, deletions)
    assert all(each.reported for each in marked)
