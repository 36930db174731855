"""The lookout: watches that flow logs are written, interface by interface, and whole.

Who wrote is kept by each container and written down together, so that it costs a few writes in ten minutes
and not one a batch. What a container loses when it ends others have seen: interfaces write many batches in an
hour and a half.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Final

from flowwarden.monitor.blind_spots import BlindSpot
from flowwarden.monitor.caches.interfaces import InterfaceCache
from flowwarden.monitor.caches.state import StateCache
from flowwarden.monitor.detectors import interface_silent, records_skipped
from flowwarden.policy.detection import Thresholds
from flowwarden.records.columnar.flow_table import Table
from flowwarden.records.subscription import LogBatch
from flowwarden.state import heartbeats
from flowwarden.state.schema import MOST_LOST
from flowwarden.state.sets import Addition

WRITE_SECONDS: Final = 600
"""How long a container waits before it writes down again who wrote."""
MOST_SEEN: Final = 1000
"""Interfaces of a slot that a batch adds: more than any batch that flow logs write has."""
MOST_ASKED: Final = 200
"""Silent interfaces that EC2 is asked about at once: one call's worth, and far more than are told singly."""
MOST_TOLD: Final = 16
"""Blind spots of a batch that are told; as many silent ones have one cause."""


class Register(dict[int, set[int]]):
    """Numbers of interfaces by slot."""

    def put(self, slot: int, numbers: set[int]) -> None:
        """Add to a slot."""
        self.setdefault(slot, set()).update(numbers)


class Watch:
    """What a container keeps about one log group."""

    def __init__(self, begin: int) -> None:
        """Begin in a slot."""
        self.fresh = Register()
        """Who was seen and is not written down."""
        self.written = Register()
        """Who was written down by this container."""
        self.write_again = 0
        """Unix seconds."""
        self.looked = begin
        """The last slot in whose traffic was looked for silent ones. That in which a container begins counts:
        whom another had seen and not written down when it ended, somebody has seen again by the next."""

    def see(self, sightings: Mapping[int, set[int]], oldest: int) -> None:
        """Keep who was seen, and forget slots before the oldest that anybody asks for."""
        for slot, numbers in sightings.items():
            new = numbers - self.written.get(slot, set())
            if slot >= oldest and new:
                self.fresh.put(slot, set(islice(new, MOST_SEEN)))
        for register in (self.fresh, self.written):
            for slot in [each for each in register if each < oldest]:
                del register[slot]

    def settle(self) -> None:
        """All that was fresh is written down."""
        for slot, numbers in self.fresh.items():
            self.written.put(slot, numbers)
        self.fresh.clear()


class Lookout:
    """Finds blind spots. One for a container."""

    def __init__(self, evidence: StateCache, interfaces: InterfaceCache, thresholds: Thresholds) -> None:
        self._least_lost = thresholds.lost_windows
        self._evidence = evidence
        self._interfaces = interfaces
        self._watches: dict[str, Watch] = {}

    def inspect(self, batch: LogBatch, records: Table, now: int) -> list[BlindSpot]:
        """The blind spots that a batch brings to light; `now` is Unix seconds."""
        return [*self._lost(records, now), *self._silent(batch, records, now)][:MOST_TOLD]

    def _lost(self, records: Table, now: int) -> list[BlindSpot]:
        lost = records_skipped.lost_windows(records.gaps, now)
        spots = (self._lost_at(interface, lost[interface]) for interface in sorted(lost)[:MOST_LOST])
        return [spot for spot in spots if spot is not None]

    def _lost_at(self, interface: str, starts: frozenset[int]) -> BlindSpot | None:
        added = records_skipped.additions(interface, starts)
        items = {begin: self._windows(each) for begin, each in added.items()}
        return records_skipped.inspect(interface, items, self._least_lost)

    def _windows(self, addition: Addition) -> frozenset[int]:
        """The windows of an item; nothing is written any more when there are enough."""
        known = self._evidence.known(addition.key).get(records_skipped.LOST, frozenset())
        enough = records_skipped.is_dense(known, self._least_lost)
        return known if enough else self._evidence.add(addition)[records_skipped.LOST]

    def _silent(self, batch: LogBatch, records: Table, now: int) -> list[BlindSpot]:
        here = heartbeats.slot_of(now)
        watch = self._watches.setdefault(batch.log_group, Watch(here))
        oldest = interface_silent.slots_asked(here).start
        watch.see(heartbeats.sightings(records, batch.log_stream, now), oldest)
        if now >= watch.write_again:
            self._write(batch.log_group, watch)
            watch.write_again = now + WRITE_SECONDS
        moment = heartbeats.moment(records, now)
        slot = heartbeats.slot_of(moment)
        if slot <= watch.looked or not interface_silent.is_due(moment):
            return []
        silent = self._look(batch.log_group, watch, slot, now)
        if silent is not None:  # what could not be asked now is asked by the next batch
            watch.looked = slot
        return silent or []

    def _write(self, log_group: str, watch: Watch) -> None:
        """Write down who was seen; what the table does not take is tried again the next time."""
        groups = (log_group, heartbeats.ANY_GROUP)
        additions = [each for group in groups for each in heartbeats.additions(group, watch.fresh)]
        kept = [self._evidence.keep(each) for each in additions]
        if all(kept):
            watch.settle()

    def _look(self, log_group: str, watch: Watch, slot: int, now: int) -> list[BlindSpot] | None:
        """The silent interfaces; None if the table or EC2 could not be asked."""
        failures = self._evidence.unavailable + self._interfaces.unavailable
        known = self._seen(log_group, watch, interface_silent.slots_asked(slot))
        silent = interface_silent.silent(slot, known)
        if silent:
            # A flow log that was replaced writes into another group, and so does what another rule is for.
            elsewhere = self._seen(heartbeats.ANY_GROUP, watch, interface_silent.slots_of_silence(slot))
            silent -= frozenset().union(*elsewhere.values())
        told = self._at_work(sorted(silent)[:MOST_ASKED], slot, now) if silent else []
        return told if self._evidence.unavailable + self._interfaces.unavailable == failures else None

    def _seen(self, log_group: str, watch: Watch, slots: Iterable[int]) -> dict[int, frozenset[int]]:
        wanted = heartbeats.keys(log_group, slots)
        seen = heartbeats.seen(wanted, self._evidence.recall(wanted))
        return {each: numbers | watch.fresh.get(each, set()) for each, numbers in seen.items()}

    def _at_work(self, numbers: Sequence[int], slot: int, now: int) -> list[BlindSpot]:
        described = self._interfaces.described([heartbeats.interface_of(each) for each in numbers], now)
        at_work = {name: each.vpc_id for name, each in described.items() if each.at_work}
        return interface_silent.inspect(slot, at_work)
