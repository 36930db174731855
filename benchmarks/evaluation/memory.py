"""The monitor's ports in memory: claims that count their writes, and a sink that stores pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from flowwarden.network.interface import NetworkInterface
from flowwarden.notify.claims import Claim, ClaimKey, ClaimState, ClaimTerms, Owner
from flowwarden.notify.evidence import JOIN_SECONDS, MOST_ASKS, MOST_MEMBERS
from flowwarden.notify.evidence import Evidence as Told
from flowwarden.notify.notification import Notification
from flowwarden.records.format_choice import LearnedFormats
from flowwarden.state.sets import Addition, Sets, merged


class Item(Struct):
    """A claim."""

    owner: Owner
    sent_at: int = 0
    quiet_until: int | None = None
    suppressed_batches: int = 0
    told: Told | None = None
    joined: tuple[str, ...] = ()

    def has_told(self, given: Told | None, now: int, window: int) -> bool:
        """Whether a repeat shows nothing that must be told; see `notify/evidence.py`."""
        told = self.told
        if given is None or told is None:
            return given is told
        grew = given.gravity > told.gravity or given.amount >= told.grows_at
        if grew or len(self.joined) >= told.crowd:
            return False
        others = set(given.members) - set(told.members)
        place = all(not set(group).isdisjoint(told.places) for group in given.asks[:MOST_ASKS])
        waits = bool(self.joined) and others <= set(self.joined) and now < self.sent_at + window
        joins = now < self.sent_at + JOIN_SECONDS or len(told.members) >= MOST_MEMBERS
        free = not given.strict or len(told.members) == 1
        return (not others and (place or free)) or (place and (waits or joins))

    def repeat(self, given: Told | None, now: int, quiet: int) -> bool:
        """Go on with the suppression, or join; returns whether a member joins."""
        self.suppressed_batches += 1
        if given is None or self.told is None or self.quiet_until is None:
            return False
        others = [each for each in given.members if each not in self.told.members]
        if not others:
            furthest = self.sent_at + max(quiet, self.told.remind)
            self.quiet_until = max(self.quiet_until, min(now + quiet, furthest))
        self.joined = tuple(dict.fromkeys((*self.joined, *others)))[:MOST_MEMBERS]
        return bool(others)


class Claims:
    """Claims in a dictionary. Every call counts as one write unit, as in the table."""

    def __init__(self, terms: ClaimTerms) -> None:
        self._terms = terms
        self.items: dict[ClaimKey, Item] = {}
        self.writes = 0

    def claim(
        self,
        key: ClaimKey,
        owner: Owner,
        now: int,
        quiet: int | None = None,
        evidence: Told | None = None,
    ) -> Claim:
        """See the port. Invocations are sequential here, so none is ever in progress."""
        self.writes += 1
        item = self.items.get(key)
        if item is None:
            self.items[key] = Item(owner)
            return Claim(state=ClaimState.CLAIMED)
        goes_on = item.quiet_until is not None and item.quiet_until > now
        if item.owner.batch_id == owner.batch_id and item.quiet_until is not None:
            return Claim(state=ClaimState.SUPPRESSED, same_batch=True)
        quiet = quiet or self._terms.suppression
        if goes_on and item.has_told(evidence, now, min(quiet, self._terms.suppression)):
            self.writes += 1
            return Claim(state=ClaimState.SUPPRESSED, joins=item.repeat(evidence, now, quiet))
        item.owner, item.quiet_until = owner, None
        return Claim(
            state=ClaimState.CLAIMED,
            suppressed_batches=item.suppressed_batches,
            last_sent=item.sent_at or None,
            joined=item.joined,
            told=item.told if goes_on else None,
        )

    def confirm(
        self,
        key: ClaimKey,
        owner: Owner,
        now: int,
        quiet: int | None = None,
        evidence: Told | None = None,
    ) -> None:
        """See the port."""
        self.writes += 1
        item = self.items[key]
        if item.owner == owner:
            item.sent_at, item.quiet_until = now, now + (quiet or self._terms.suppression)
            item.suppressed_batches, item.told, item.joined = 0, evidence, ()

    def release(self, _key: ClaimKey, _owner: Owner) -> None:
        """See the port. No claim is ever in progress here, so a release only costs a write."""
        self.writes += 1


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
    """EC2 with one flow log."""

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
    """Evidence in a dictionary that counts the table's billed units."""

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


def _write_units(key: str, sets: Sets) -> int:
    size = len(key) + 40 + sum(len(name) + _NUMBER * len(numbers) for name, numbers in sets.items())
    return -(-size // _UNIT)


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
