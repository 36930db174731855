"""The monitor's ports in memory, which count the billed units of the state table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from flowwarden.dispatcher.ports import OpenIncident
from flowwarden.network.interface import NetworkInterface
from flowwarden.notify.claim_request import ClaimRequest
from flowwarden.notify.claims import Claim, ClaimKey, ClaimState, ClaimTerms, Owner
from flowwarden.notify.notification import Notification
from flowwarden.records.format_choice import LearnedFormats
from flowwarden.state.digests import NOTHING, Content
from flowwarden.state.sets import Addition, Sets, merged
from tests.dispatcher.memory import MemoryIncidents
from tests.notify.fakes import MemoryClaims


class Claims(MemoryClaims):
    """Claims in a dictionary that count the writes that the table would bill."""

    def __init__(self, terms: ClaimTerms) -> None:
        super().__init__(terms)
        self.repeats = 0
        """Suppressed repeats: each costs a second write, which counts it."""
        self.indexed = 0
        """Write units of the index of open incidents."""

    @property
    def writes(self) -> int:
        """Write units: one for each call, one more for each repeat, and those of the index."""
        return self.calls + self.repeats + self.indexed

    def claim(self, request: ClaimRequest) -> Claim:
        """See the port."""
        before = self._due(request.key)
        claim = super().claim(request)
        self.repeats += claim.state is ClaimState.SUPPRESSED and not claim.same_batch
        self.indexed += index_units(before, self._due(request.key))
        return claim

    def confirm(self, request: ClaimRequest) -> None:
        """See the port."""
        before = self._due(request.key)
        super().confirm(request)
        self.indexed += index_units(before, self._due(request.key))

    def _due(self, key: ClaimKey) -> int | None:
        item = self.items.get(key)
        return None if item is None else item.check_at


def index_units(before: int | None, after: int | None) -> int:
    """Write units of the index when an item is due at another time: one to remove it, one to add it."""
    return 0 if before == after else (before is not None) + (after is not None)


class Incidents(MemoryIncidents):
    """The open incidents, which count the write units that the table would bill."""

    def __init__(self, claims: Claims) -> None:
        super().__init__(claims)
        self.indexed = 0
        """Write units of the index."""

    @property
    def write_units(self) -> int:
        """Write units: one for each update, and those of the index."""
        return self.writes + self.indexed

    def take(self, incident: OpenIncident, owner: Owner, now: int) -> bool:
        """See the port."""
        taken = super().take(incident, owner, now)
        self.indexed += 2 * taken
        return taken

    def close(self, incident: OpenIncident) -> bool:
        """See the port."""
        closed = super().close(incident)
        self.indexed += closed
        return closed

    def put_off(self, incident: OpenIncident, check_at: int, no_data_since: int | None, now: int) -> bool:
        """See the port."""
        moved = super().put_off(incident, check_at, no_data_since, now)
        self.indexed += 2 * moved
        return moved


class Sink:
    """Stores notifications until they are taken."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._sent: list[Notification] = []

    def send(self, notification: Notification) -> None:
        """See the port."""
        self._sent.append(notification)

    def take(self) -> list[Notification]:
        """The notifications since the last call."""
        sent, self._sent = self._sent, []
        return sent


class Formats:
    """EC2's log formats: one flow log."""

    def __init__(self, log_format: str) -> None:
        self._log_format = log_format

    def written_into(self, _log_group: str) -> Sequence[str | None]:
        """See the port."""
        return [self._log_format]


class Layouts:
    """The layouts in the state table."""

    def __init__(self) -> None:
        self._learned: dict[str, LearnedFormats] = {}

    def recall(self, log_group: str) -> LearnedFormats | None:
        """See the port."""
        return self._learned.get(log_group)

    def take_turn(self, _log_group: str, _now: int, _wait: int) -> bool:
        """See the port. There are no other callers."""
        return True

    def keep(self, log_group: str, learned: LearnedFormats) -> None:
        """See the port."""
        self._learned[log_group] = learned


class Evidence:
    """Evidence in a dictionary that counts the write units that the table would bill."""

    def __init__(self) -> None:
        self.items: dict[str, tuple[int, Sets]] = {}
        """The expiry (Unix seconds) and the sets of each item, by key."""
        self.writes = 0.0

    def add(self, addition: Addition) -> Sets:
        """See the port."""
        _, known = self.items.get(addition.key, (0, {}))
        sets = merged(known, addition.sets)
        self.items[addition.key] = addition.kept_until, sets
        self.writes += _write_units(addition.key, sets)
        return sets

    def read(self, keys: Sequence[str]) -> Mapping[str, Sets]:
        """See the port."""
        return {key: self.items[key][1] for key in keys if key in self.items}


_UNIT: Final = 1024
_NUMBER: Final = 8
"""Bytes of a number in a set, rounded up: half its digits, plus one."""


def _write_units(key: str, sets: Sets, more: int = 0) -> int:
    size = len(key) + 40 + more + sum(len(name) + _NUMBER * len(numbers) for name, numbers in sets.items())
    return -(-size // _UNIT)


class DigestHours:
    """What the digests say, in a dictionary that counts the write units that the table would bill."""

    def __init__(self) -> None:
        self._items: dict[str, Content] = {}
        self.writes = 0.0

    def add(self, key: str, content: Content, kept_until: int) -> Content:  # noqa: ARG002 - the port's
        """See the port."""
        whole = self._items.get(key, NOTHING).joined(content)
        self._items[key] = whole
        size = sum(3 + len(text) for each in whole.texts.values() for text in each)
        size += sum(2 + len(str(number)) // 2 for each in whole.numbers.values() for number in each)
        self.writes += _write_units(key, {}, size)
        return whole

    def read(self, keys: Sequence[str]) -> Mapping[str, Content]:
        """See the port."""
        return {key: self._items[key] for key in keys if key in self._items}


class Directory:
    """EC2's descriptions of interfaces."""

    def __init__(
        self, interfaces: Callable[[], Mapping[str, Any]], describe: Callable[[Any], NetworkInterface]
    ) -> None:
        self._interfaces = interfaces
        self._describe = describe

    def describe(self, interface_ids: Sequence[str]) -> Mapping[str, NetworkInterface]:
        """See the port."""
        known = self._interfaces()
        return {each: self._describe(known[each]) for each in interface_ids if each in known}
