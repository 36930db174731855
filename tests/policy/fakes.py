"""In-memory fake of the store of the last good policy."""

from __future__ import annotations

from dataclasses import dataclass, field

from flowwarden.errors import StateUnavailable


@dataclass
class MemoryPolicy:
    """Keeps one text; can be away."""

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
            raise StateUnavailable("away in the test")
