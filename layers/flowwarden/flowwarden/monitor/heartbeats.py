"""Heartbeats of a batch: the interfaces that it shows to write are put down for all containers."""

from __future__ import annotations

from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.detectors.interface_silent import slots_asked
from flowwarden.monitor.view import BatchView
from flowwarden.state import heartbeats


def record(view: BatchView, state: StateView) -> None:
    """Keep which interfaces wrote, and write it to the state table when that is due.

    What the table does not take is tried again the next time.
    """
    log_group, now = view.batch.log_group, view.now
    slot = heartbeats.slot_of(now)
    group = state.heartbeats.of(log_group, slot)
    seen = heartbeats.sightings(view.records, view.batch.log_stream, now)
    group.see(seen, slots_asked(slot).start)
    if not group.is_due(now):
        return
    additions = [
        each
        for name in (log_group, heartbeats.ANY_GROUP)
        for each in heartbeats.additions(name, group.unwritten)
    ]
    kept = [state.keep(each) for each in additions]  # all of them, whichever fails
    if all(kept):
        group.mark_written()
