"""The monitor's ports in memory, which count the billed units of the state table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from benchmarks.evaluation.billing import (
    INDEX,
    bytes_of_claim,
    bytes_of_digest,
    bytes_of_sets,
    index_units,
    units,
)
from flowwarden.dispatcher.ports import OpenIncident
from flowwarden.memory.claim_item import MemoryItem
from flowwarden.memory.claims import MemoryClaims
from flowwarden.memory.incidents import MemoryIncidents
from flowwarden.memory.sets import MemoryDigests, MemoryEvidence
from flowwarden.network.interface import NetworkInterface
from flowwarden.notify.claim_request import ClaimRequest
from flowwarden.notify.claims import Claim, ClaimKey, ClaimState, ClaimTerms, Owner
from flowwarden.state.digests import Content
from flowwarden.state.schema import DIGESTS, INCIDENTS, item_of
from flowwarden.state.sets import Addition, Sets


class Claims(MemoryClaims):
    """Claims in a dictionary that count the write units that the table would bill."""

    def __init__(self, terms: ClaimTerms) -> None:
        super().__init__(terms)
        self.write_units = Counter[str]()
        """By kind of item."""

    def claim(self, request: ClaimRequest) -> Claim:
        """See the port. A suppressed repeat is a refused write, and mostly another one, which counts it."""
        key = request.key
        with self.billed(key):
            size, content = bytes_of_claim(key, self.items.get(key)), self._content(key)
            claim = super().claim(request)
            if claim.state is not ClaimState.CLAIMED and content != self._content(key):
                self.write_units[INCIDENTS.name] += units(size)
        return claim

    def confirm(self, request: ClaimRequest) -> None:
        """See the port."""
        with self.billed(request.key):
            super().confirm(request)

    @contextmanager
    def billed(self, key: ClaimKey) -> Iterator[None]:
        """Count a write to an item, also a refused one, and those of the index."""
        before, due = bytes_of_claim(key, self.items.get(key)), self._due(key)
        yield
        size = max(before, bytes_of_claim(key, self.items.get(key)))
        self.write_units[INCIDENTS.name] += units(size)
        self.write_units[INDEX] += index_units(due, self._due(key))

    def _due(self, key: ClaimKey) -> int | None:
        item = self.items.get(key)
        return None if item is None else item.check_at

    def _content(self, key: ClaimKey) -> MemoryItem | None:
        """What a repeat could change."""
        item = self.items.get(key)
        return item and replace(item, suppressed_batches={*item.suppressed_batches}, joined=[*item.joined])


class Incidents(MemoryIncidents):
    """The open incidents, which count the write units with those of the claims."""

    def __init__(self, claims: Claims) -> None:
        super().__init__(claims)
        self._billed = claims.billed

    def take(self, incident: OpenIncident, owner: Owner, now: int) -> bool:
        """See the port."""
        with self._billed(incident.key):
            return super().take(incident, owner, now)

    def resolve(self, incident: OpenIncident, now: int) -> bool:
        """See the port."""
        with self._billed(incident.key):
            return super().resolve(incident, now)

    def close(self, incident: OpenIncident) -> bool:
        """See the port."""
        with self._billed(incident.key):
            return super().close(incident)

    def put_off(self, incident: OpenIncident, check_at: int, no_data_since: int | None, now: int) -> bool:
        """See the port."""
        with self._billed(incident.key):
            return super().put_off(incident, check_at, no_data_since, now)


class Formats:
    """EC2's log formats: one flow log."""

    def __init__(self, log_format: str) -> None:
        self._log_format = log_format

    def written_into(self, _log_group: str) -> Sequence[str | None]:
        """See the port."""
        return [self._log_format]


class Evidence(MemoryEvidence):
    """Evidence in a dictionary that counts the write units that the table would bill."""

    def __init__(self) -> None:
        super().__init__()
        self.write_units = Counter[str]()
        """By kind of item."""

    def add(self, addition: Addition) -> Sets:
        """See the port."""
        sets = super().add(addition)
        kind = item_of(addition.key)
        self.write_units[kind.name if kind else ""] += units(bytes_of_sets(addition.key, sets))
        return sets


class DigestHours(MemoryDigests):
    """What the digests say, in a dictionary that counts the write units that the table would bill."""

    def __init__(self) -> None:
        super().__init__()
        self.write_units = Counter[str]()
        """By kind of item."""

    def add(self, key: str, content: Content, kept_until: int) -> Content:
        """See the port."""
        whole = super().add(key, content, kept_until)
        self.write_units[DIGESTS.name] += units(bytes_of_digest(key, whole))
        return whole


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
