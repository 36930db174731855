"""Records which interfaces wrote: in the container's cache, and in the state table for other containers."""

from __future__ import annotations

from flowwarden.monitor.caches.heartbeats import GroupHeartbeats
from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.detectors.interface_silent import slots_asked
from flowwarden.monitor.view import BatchView
from flowwarden.state import heartbeats, watermarks


def see(view: BatchView, state: StateView) -> None:
    """Record in this container which interfaces wrote."""
    now = heartbeats.slot_of(view.now)
    # Records arrive minutes late, so a new container begins in the slot of its traffic. Old records do not
    # count.
    begin = max(heartbeats.slot_of(view.moment), now - 1)
    seen = heartbeats.sightings(view.records, view.batch.log_stream, view.now)
    state.heartbeats.of(view.batch.log_group, begin).see(seen, slots_asked(now).start)


def write(view: BatchView, state: StateView) -> None:
    """Write the sightings to the state table if a write is due.

    Runs after the detectors, because after a failed write they could not use the table. Failed writes, and
    those beyond the batch's limit, are repeated by a later batch; the latest slots come first.
    """
    log_group = view.batch.log_group
    group = state.heartbeats.of(log_group, heartbeats.slot_of(view.now))
    _write_watermark(view, state, group)
    if not group.unwritten or not group.is_due(view.now):
        return
    additions = [
        each
        for slot, numbers in sorted(group.unwritten.items(), reverse=True)
        for each in heartbeats.additions(log_group, {slot: numbers})
    ]
    before = state.deferred
    kept = [state.keep(each) for each in additions]  # tries all, even if one fails
    if state.deferred == before:
        group.mark_written(view.now, complete=all(kept))


def _write_watermark(view: BatchView, state: StateView, group: GroupHeartbeats) -> None:
    """Write that records of this time were processed, once per slot and container."""
    slot = watermarks.slot_of(view.moment)
    if slot > group.watermark and state.keep(watermarks.addition(view.batch.log_group, slot)):
        group.watermark = slot
