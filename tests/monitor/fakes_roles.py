"""A fake of the known roles in the state table, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from flowwarden.errors import StateUnavailable
from flowwarden.monitor.baseline.known_roles import KnownRole


@dataclass
class MemoryRoles:
    """Roles that containers share."""

    items: dict[str, KnownRole] = field(default_factory=dict)
    is_away: bool = False
    loads: int = 0
    writes: int = 0

    def load(self) -> Sequence[KnownRole]:
        """See the port."""
        self._answer()
        self.loads += 1
        return [*self.items.values()]

    def put(self, role: KnownRole) -> None:
        """See the port."""
        self._answer()
        self.writes += 1
        stored = self.items.get(role.role, role)
        networks = stored.networks | role.networks
        self.items[role.role] = replace(role, known=stored.known, networks=networks)

    def _answer(self) -> None:
        if self.is_away:
            raise StateUnavailable("ThrottlingException, by the test")
