"""What of a replay changes while it runs: all of it is stored, so that the replay can go on elsewhere.

Caches are part of it, although the functions can start without them: limits of their size, and the time for
which their entries are used, can decide what a batch finds. What is not here follows from the content:
whether an address is valid, answers to questions about a text.
"""

from __future__ import annotations

from typing import Any, Final

from flowwarden.dispatcher.digests import DigestSender
from flowwarden.dispatcher.dispatch import Dispatcher
from flowwarden.memory.claims import MemoryClaims
from flowwarden.memory.formats import MemoryFormatStore
from flowwarden.memory.sets import MemoryDigests, MemoryEvidence
from flowwarden.memory.sink import MemorySink
from flowwarden.monitor.baseline.baseline import Baseline
from flowwarden.monitor.caches.bounded import BoundedCache
from flowwarden.monitor.caches.digests import DigestCache, HourOfDigest
from flowwarden.monitor.caches.heartbeats import GroupHeartbeats, HeartbeatCache
from flowwarden.monitor.caches.interfaces import InterfaceCache
from flowwarden.monitor.caches.log_formats import LogFormatCache
from flowwarden.monitor.caches.state import StateCache
from flowwarden.monitor.digest_rows import DigestRows
from flowwarden.monitor.pipeline import Caches, MonitoringService
from flowwarden.notify.lasting import LastingIncidents
from flowwarden.policy.expired_mutes import EndedMutes
from flowwarden.policy.last_good import PolicyRecorder
from flowwarden.records.columnar.reader import ColumnarReader
from flowwarden.replay.batches import LogGroups
from flowwarden.replay.checkpoint import graph
from flowwarden.replay.checkpoint.kinds import Kinds, Rebuilt
from flowwarden.replay.conversations import Conversations
from flowwarden.replay.coverage import Covered
from flowwarden.replay.heaviest import Heaviest
from flowwarden.replay.interfaces import LearnedInterfaces
from flowwarden.replay.learned_roles import LearnedRoles
from flowwarden.replay.noise import Noise
from flowwarden.replay.not_judged import Unjudged
from flowwarden.replay.observer import Observer
from flowwarden.replay.ports import Stack
from flowwarden.replay.recorder import Recorder
from flowwarden.replay.rejected import Rejected
from flowwarden.replay.replay import Replay
from flowwarden.replay.report_only import ReportedOnly
from flowwarden.replay.scan_points import ScanPoints
from flowwarden.unreadable import Unreadable

STATE: Final[graph.State] = {
    Replay: ("_minute", "_end"),
    LogGroups: ("_names", "_formats"),
    # What was recorded
    Recorder: (
        "_records", "_incidents", "_others", "_repeats", "_days", "_traffic", "_names", "_span", "_pages",
    ),
    Noise: ("_subjects",),
    ReportedOnly: ("_found",),
    Unjudged: (
        "_skipped", "_unjudged", "_surplus", "_deferred", "_without_flags", "_described", "_learning",
    ),
    Observer: (),
    Conversations: ("_sums", "_roles"),
    Rejected: (),
    Heaviest: ("_counts", "missed"),
    ScanPoints: ("_hosts", "left_out"),
    LearnedRoles: ("_networks", "_last"),
    Covered: ("_interfaces", "_base", "_left_out"),
    # What the state table, EC2 and the topics have in production
    Stack: (),
    MemoryEvidence: ("items",),
    MemoryDigests: ("items",),
    MemoryClaims: ("items",),
    MemoryFormatStore: ("_learned",),
    MemorySink: ("_sent",),
    LearnedInterfaces: ("_learned", "_readers"),
    # What the monitor and the dispatcher remember between batches
    MonitoringService: (),
    Caches: (),
    LogFormatCache: ("_entries",),
    InterfaceCache: ("_entries", "bytes", "_at", "_retry_at", "_why", "_trusted_until"),
    StateCache: ("knows_a_role",),
    BoundedCache: ("_entries", "bytes"),
    HeartbeatCache: ("_groups",),
    DigestRows: (),
    DigestCache: ("_hours",),
    LastingIncidents: ("_memory",),
    EndedMutes: ("_reported",),
    PolicyRecorder: ("_next", "_next_poll"),
    Unreadable: ("_count", "_new", "_named"),
    Dispatcher: (),
    DigestSender: ("_done",),
}  # fmt: skip
"""Tests compare all attributes of a replay with those of one that goes on, so that none is forgotten."""


def _reader(given: tuple[tuple[Any, ...], list[str]]) -> ColumnarReader:
    """A reader that goes on where another one was, with the same number for each text."""
    made = ColumnarReader(*given[0])
    made.vocabulary.numbers(given[1])
    return made


KINDS: Final = Kinds(
    plain=frozenset({Baseline, GroupHeartbeats, HourOfDigest}),
    rebuilt={ColumnarReader: Rebuilt(lambda reader: (reader.given, reader.vocabulary.texts), _reader)},
)


def captured(replay: Replay) -> bytes:
    """The state of a replay between two slices."""
    return graph.captured(replay, STATE, KINDS)


def restore(replay: Replay, state: bytes) -> None:
    """Put the state into a new replay with the same policy and options. Raises Unusable."""
    graph.restore(replay, state, STATE, KINDS)
