"""The log formats of log groups, in memory: those that are given, and those that were learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flowwarden.records.format_choice import LearnedFormats


class MemoryFormats:
    """Implements `monitor.ports.LogFormats`: the log formats are given."""

    def __init__(self, written: Mapping[str, Sequence[str]]) -> None:
        """Take the log formats by log group; the mapping may grow later."""
        self._written = written

    def written_into(self, log_group: str) -> Sequence[str | None]:
        """See the port."""
        return self._written.get(log_group, ())


class MemoryFormatStore:
    """Implements `monitor.ports.LogFormatStore`. There are no other callers."""

    def __init__(self) -> None:
        self._learned: dict[str, LearnedFormats] = {}

    def recall(self, log_group: str) -> LearnedFormats | None:
        """See the port."""
        return self._learned.get(log_group)

    def take_turn(self, _log_group: str, _now: int, _wait: int) -> bool:
        """See the port."""
        return True

    def keep(self, log_group: str, learned: LearnedFormats) -> None:
        """See the port."""
        self._learned[log_group] = learned
