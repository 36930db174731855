"""In-memory fakes of the sources of a policy."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from flowwarden.errors import PolicyUnavailable, StateUnavailable


@dataclass
class MemoryPolicy:
    """The store of the last good policy; can be unavailable."""

    text: str | None = None
    away: bool = False
    calls: list[str] = field(default_factory=list)

    def load(self) -> str | None:
        """Implement the port."""
        self._answer("load")
        return self.text

    def keep(self, text: str, _now: int) -> None:
        """Implement the port."""
        self._answer("keep")
        self.text = text

    def _answer(self, operation: str) -> None:
        self.calls.append(operation)
        if self.away:
            raise StateUnavailable("unavailable in the test")


@dataclass
class MemoryProfile:
    """A profile of AppConfig; can be unavailable."""

    content: str
    away: bool = False
    calls: int = 0
    profile: str = "abc1234/def5678/ghi9012"
    _read: str | None = None

    def text(self) -> str:
        """Implement the port."""
        if self._read is None:
            self.refresh()
        return self._read or ""

    def refresh(self) -> bool:
        """Implement the port."""
        self.calls += 1
        if self.away:
            raise PolicyUnavailable("away in the test")
        before, self._read = self._read, self.content
        return self.content != before

    def in_new_container(self) -> MemoryProfile:
        """The same profile, for a container that has not read it."""
        return replace(self, calls=0, _read=None)
