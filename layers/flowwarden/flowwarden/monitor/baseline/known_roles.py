"""Known roles: a list of the roles that have baselines, because the keys of baselines cannot be listed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from msgspec import Struct

from flowwarden.monitor.baseline.peers import network_of
from flowwarden.monitor.baseline.shown import network_number
from flowwarden.state.schema import KNOWN_ROLES


class KnownRole(Struct, frozen=True, kw_only=True):
    """A role, as stored in the state table."""

    role: str
    known: int
    """The day (since 1970) on which it was first stored."""
    networks: frozenset[int] = frozenset()
    """The networks of its hosts, by their numbers; see `shown.network_number`."""
    expires_at: int = 0
    """Unix seconds; the table may delete it after that."""

    def covers(self, other: KnownRole, now: int) -> bool:
        """Whether `other` need not be stored: its networks are, and the item does not expire soon."""
        return other.networks <= self.networks and now < self.expires_at - KNOWN_ROLES.ttl // 2


class RoleStore(Protocol):
    """The known roles, shared by all containers."""

    def load(self) -> Sequence[KnownRole]:
        """All known roles. Raises StateUnavailable."""

    def put(self, role: KnownRole) -> None:
        """Store a role, or add its networks to the stored one and keep its day. Raises StateUnavailable."""


def networks_of(addresses: Iterable[str]) -> frozenset[int]:
    """The numbers of the networks of addresses."""
    return frozenset(number for each in addresses if (number := network_number(network_of(each))) is not None)
