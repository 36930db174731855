"""The mutes made by command, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from flowwarden.errors import StateUnavailable
from flowwarden.policy.made_mutes import MadeMute, id_of
from flowwarden.policy.mutes import Mute


@dataclass
class MemoryMutes:
    """Mutes by id; can refuse to answer."""

    items: dict[str, MadeMute] = field(default_factory=dict)
    is_away: bool = False
    loads: int = 0

    @classmethod
    def of(cls, *mutes: Mute) -> MemoryMutes:
        """A table with these."""
        return cls({id_of(each): MadeMute(id=id_of(each), mute=each) for each in mutes})

    def load(self, now: int) -> Sequence[MadeMute]:
        """See the port."""
        self.loads += 1
        self._answer()
        return [each for each in self.items.values() if each.mute.applies_at(now)]

    def put(self, mute: MadeMute) -> None:
        """See the port."""
        self._answer()
        self.items[mute.id] = mute

    def remove(self, mute: str) -> bool:
        """See the port."""
        self._answer()
        return self.items.pop(mute, None) is not None

    def _answer(self) -> None:
        if self.is_away:
            raise StateUnavailable("ThrottlingException, by the test")
