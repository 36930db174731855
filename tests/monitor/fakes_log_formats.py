"""Fakes of the sources of log formats: EC2 and the state table, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from flowwarden.errors import LogFormatsUnavailable, StateUnavailable
from flowwarden.monitor.caches.log_formats import LogFormatCache
from flowwarden.records.format_choice import LearnedFormats
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT, LogFormat


@dataclass
class FakeFormats:
    """An account's flow logs: the log format of each, by log group."""

    groups: dict[str, list[str | None]] = field(default_factory=dict)
    throttled: bool = False
    asked: list[str] = field(default_factory=list)
    """The log group of every call, answered or not."""

    def written_into(self, log_group: str) -> Sequence[str | None]:
        """See the port."""
        self.asked.append(log_group)
        if self.throttled:
            raise LogFormatsUnavailable("RequestLimitExceeded, by the test")
        return self.groups.get(log_group, [])


@dataclass
class MemoryLogFormats:
    """The state table's items, in dictionaries."""

    learned: dict[str, LearnedFormats] = field(default_factory=dict)
    asked_at: dict[str, int] = field(default_factory=dict)
    away: set[str] = field(default_factory=set)
    """Operations that the table does not answer."""
    reads: int = 0

    def recall(self, log_group: str) -> LearnedFormats | None:
        """See the port."""
        self.reads += 1
        self._answer("recall")
        return self.learned.get(log_group)

    def take_turn(self, log_group: str, now: int, wait: int) -> bool:
        """See the port."""
        self._answer("take_turn")
        if self.asked_at.get(log_group, now - wait) > now - wait:
            return False
        self.asked_at[log_group] = now
        return True

    def keep(self, log_group: str, learned: LearnedFormats) -> None:
        """See the port."""
        self._answer("keep")
        self.learned[log_group] = learned

    def _answer(self, operation: str) -> None:
        if operation in self.away:
            raise StateUnavailable("unavailable in the test")


def book(
    formats: FakeFormats | None = None,
    memory: MemoryLogFormats | None = None,
    configured: LogFormat = DEFAULT_LOG_FORMAT,
) -> LogFormatCache:
    """A container's cache on these fakes; by default EC2 describes no flow log."""
    return LogFormatCache(
        formats or FakeFormats(),
        memory or MemoryLogFormats(),
        (configured, DEFAULT_LOG_FORMAT),
        lambda _note: None,
    )
