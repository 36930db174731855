"""Sets of hosts in the policy: by id of a subnet, interface or instance, by address, or by CIDR."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from flowwarden.network.addresses import NetworkLayers
from flowwarden.records.columnar.tokenizer import Integers

ID_PREFIXES = ("subnet-", "eni-", "i-")
"""Prefixes of ids; all other entries are addresses or CIDRs."""


class HostSet:
    """A set of hosts, to be matched against the addresses and ids in a record."""

    def __init__(self, entries: tuple[str, ...]) -> None:
        self._ids = frozenset(entry for entry in entries if entry.startswith(ID_PREFIXES))
        cidrs = [entry for entry in entries if not entry.startswith(ID_PREFIXES)]
        self._networks = NetworkLayers(cidrs) if cidrs else None

    @property
    def has_ids(self) -> bool:
        """Whether any entry is an id."""
        return bool(self._ids)

    @property
    def has_networks(self) -> bool:
        """Whether any entry is an address or a CIDR."""
        return self._networks is not None

    def hold(self, address: str | None, *ids: str | None) -> bool:
        """Whether the address is in one of the networks, or one of the ids is in the set."""
        if not self._ids.isdisjoint(ids):
            return True
        return self._networks is not None and address is not None and self._networks.number(address) > 0

    def naming(self, ids: Sequence[str]) -> Sequence[int]:
        """For each id, whether it is in the set."""
        return [each in self._ids for each in ids]

    def holding(self, addresses: Sequence[str]) -> Sequence[int] | Integers:
        """For each address, 1 if it is in one of the networks, else 0."""
        return [0] * len(addresses) if self._networks is None else self._networks.numbers(addresses)


@lru_cache(maxsize=2**12)
def any_held(entries: tuple[str, ...], addresses: tuple[str, ...]) -> bool:
    """Whether a policy's entries contain any of the addresses; cached, because interfaces repeat."""
    return any(map(host_set(entries).hold, addresses))


@lru_cache(maxsize=2**12)
def host_set(entries: tuple[str, ...]) -> HostSet:
    """The host set of a policy's entries; cached, because every batch needs it."""
    return HostSet(entries)
