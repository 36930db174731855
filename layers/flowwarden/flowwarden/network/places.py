"""Places that the policy names: by id of a subnet, interface or instance, by address, or by CIDR."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address, ip_network

from flowwarden.network.addresses import CACHED_ADDRESSES, contains

ID_PREFIXES = ("subnet-", "eni-", "i-")
"""What an id of a place starts with; everything else is an address or a CIDR."""


class Places:
    """A set of places, asked with what a record tells about one."""

    def __init__(self, entries: tuple[str, ...]) -> None:
        self._ids = frozenset(entry for entry in entries if entry.startswith(ID_PREFIXES))
        self._networks = [ip_network(entry) for entry in entries if not entry.startswith(ID_PREFIXES)]
        self._known: dict[str, bool] = {}

    def named(self, *ids: str | None) -> bool:
        """Whether one of the ids is named."""
        return not self._ids.isdisjoint(ids)

    def hold(self, address: str | None, *ids: str | None) -> bool:
        """Whether the address is in one of the networks, or one of the ids is named."""
        if self.named(*ids):
            return True
        return bool(self._networks) and address is not None and self._contains(address)

    def _contains(self, address: str) -> bool:
        known = self._known.get(address)
        if known is None:
            if len(self._known) >= CACHED_ADDRESSES:
                self._known.clear()
            known = self._known[address] = contains(self._networks, ip_address(address))
        return known


@lru_cache(maxsize=64)
def places(entries: tuple[str, ...]) -> Places:
    """The places of a policy's entries; parsed once, since every batch asks again."""
    return Places(entries)
