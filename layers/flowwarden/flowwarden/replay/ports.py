"""What a replay runs on, as Protocols; `memory/` implements them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from flowwarden.dispatcher.dispatch import Dispatcher
from flowwarden.monitor.pipeline import MonitoringService
from flowwarden.network.interface import NetworkInterface
from flowwarden.notify.notification import Notification
from flowwarden.replay.timed import Layouts
from flowwarden.state.ports import EvidenceStore


class Outbox(Protocol):
    """A sink that keeps notifications until they are taken."""

    def take(self) -> list[Notification]:
        """The notifications since the last call."""


class Schedule(Protocol):
    """The open incidents."""

    @property
    def next_check(self) -> int:
        """When the first incident is due (Unix seconds); far in the future if none is open."""


class Interfaces(Protocol):
    """The network interfaces of the archive."""

    @property
    def learned(self) -> int:
        """The number of interfaces that were learned from the lines."""

    def begin(self, layouts: Layouts, lines: Sequence[str]) -> None:
        """Begin with the lines of a batch, from which interfaces that are asked for can be learned."""

    def describe(self, interface_ids: Sequence[str]) -> Mapping[str, NetworkInterface]:
        """The interfaces among these that are known, by id."""


class Stack(Struct, frozen=True, kw_only=True):
    """The monitor and the dispatcher, with their state in memory."""

    monitor: MonitoringService
    dispatcher: Dispatcher
    pages: Outbox
    operations: Outbox
    incidents: Schedule
    interfaces: Interfaces
    evidence: EvidenceStore
    """Where baselines are learned."""
    formats: dict[str, list[str]]
    """The log formats of each log group, as EC2 would describe them; the replay adds to it."""
    expire: Callable[[int], None]
    """Deletes what the state table would have deleted by then (Unix seconds)."""
