"""Summed uploads: what a host sent on a day, in this batch and earlier ones."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.traffic import upload_sums
from flowwarden.monitor.traffic.host_uploads import Upload
from flowwarden.monitor.traffic.record_sizes import Volume, bounded
from flowwarden.monitor.traffic.upload_sums import SENT, Sums
from flowwarden.monitor.traffic.usual_volume import limit
from flowwarden.state.sets import DAY, Sets, merged

BEFORE: Final = 4
"""The share of a limit, 1 / 4, from which the day before is read, too: each read costs a call."""


class Summed(Struct, frozen=True):
    """What is known of a host's uploads."""

    upload: Upload
    today: Volume
    before: Volume

    def sums(self, usual_networks: frozenset[int] = frozenset()) -> Sums:
        """The sums of what went to other networks than these."""
        place, hours = self.upload.place, self.upload.hours
        return upload_sums.sums_of(place, hours, self.today, self.before, usual_networks)


def summed(state: StateView, upload: Upload, megabytes: int) -> Summed:
    """The host's uploads, including those from other batches."""
    place, scope = upload.place, upload.profile.scope
    added = upload.added
    stored = state.add(bounded(added, state.known(added.key)))
    today, before = volume_of(merged(stored, added.sets)), Volume(())
    if today.total() >= limit(0, megabytes, DAY) / BEFORE:
        key = place._replace(day=place.day - 1).key(scope)
        before = volume_of(merged(state.known(key), state.read_once([key]).get(key, {})))
    return Summed(upload, today, before)


def volume_of(sets: Sets) -> Volume:
    """The volume that the sets of an item contain."""
    return Volume(sets.get(SENT, frozenset()))
