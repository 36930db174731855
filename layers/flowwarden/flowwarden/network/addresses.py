"""Addresses and peer classes: what the far end of a flow is.

`ipaddress`'s `is_private` is not the question that matters: documentation ranges are "private" to it,
and a VPC's IPv6 addresses are not. What is ours is the unroutable ranges that VPCs use and whatever
the policy adds; all else is the internet.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from itertools import compress
from socket import AF_INET6, inet_aton, inet_pton

import numpy as np
from numpy.typing import NDArray

type Network = IPv4Network | IPv6Network
type Address = IPv4Address | IPv6Address

UNROUTABLE = (
    "10.0.0.0/8",  # RFC 1918
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",  # RFC 6598: pods and secondary VPC CIDRs
    "198.18.0.0/15",  # RFC 2544: a secondary VPC CIDR that AWS allows
    "fc00::/7",  # RFC 4193
)
"""Ranges that can only be inside: this VPC, a peer, or something behind a transit gateway."""

LOCAL_SCOPE = (
    "0.0.0.0/32",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "224.0.0.0/4",
    "255.255.255.255/32",
    "::/127",
    "fe80::/10",
    "ff00::/8",
)
"""Unspecified, loopback, link-local, multicast and broadcast: no host that one connects to."""

CACHED_ADDRESSES = 65_536
"""Addresses whose class a container remembers: about 10 MB, more than a warm container meets."""

VPC_IPV6_PREFIX = 56
"""Prefix length of the IPv6 CIDR that Amazon gives a VPC."""


class PeerClass(StrEnum):
    """What an address is, seen from the account."""

    OWN = "own"
    """In an unroutable range or in one of the policy's `own_cidrs`."""
    AWS_SERVICE = "aws-service"
    """A public address that the record names as an AWS service's."""
    INTERNET = "internet"
    LOCAL = "local"
    """Link-local, multicast, broadcast: never routed, never somebody's connection."""


class AddressBook:
    """Tells own addresses from the internet; remembers its answers, since addresses repeat."""

    def __init__(self, own_cidrs: Iterable[str] = ()) -> None:
        self._own = [ip_network(cidr) for cidr in (*UNROUTABLE, *own_cidrs)]
        self._local = [ip_network(cidr) for cidr in LOCAL_SCOPE]
        self._known: dict[str, PeerClass] = {}

    def classify(self, address: str) -> PeerClass:
        """The class of an address in text form. Raises ValueError if it is none."""
        known = self._known.get(address)
        if known is None:
            known = self._look_up(address)
            if len(self._known) >= CACHED_ADDRESSES:
                self._known.clear()
            self._known[address] = known
        return known

    def classify_all(self, addresses: Sequence[str]) -> list[PeerClass]:
        """The classes of addresses that the reader let through, many at once."""
        is_ipv4 = [":" not in address for address in addresses]
        numbers = b"".join(map(inet_aton, compress(addresses, is_ipv4)))
        ipv4 = iter(self._classes_of(np.frombuffer(numbers, ">u4")))
        return [
            next(ipv4) if short else self.classify(address)
            for address, short in zip(addresses, is_ipv4, strict=True)
        ]

    def _classes_of(self, numbers: NDArray[np.uint32]) -> list[PeerClass]:
        """The classes of IPv4 addresses."""
        own, local = (_within(numbers, networks) for networks in (self._own, self._local))
        return [
            PeerClass.LOCAL if is_local else PeerClass.OWN if is_own else PeerClass.INTERNET
            for is_own, is_local in zip(own.tolist(), local.tolist(), strict=True)
        ]

    def _look_up(self, address: str) -> PeerClass:
        parsed = ip_address(address)
        if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
            parsed = parsed.ipv4_mapped
        if contains(self._local, parsed):
            return PeerClass.LOCAL
        return PeerClass.OWN if contains(self._own, parsed) else PeerClass.INTERNET


def _within(numbers: NDArray[np.uint32], networks: Iterable[Network]) -> NDArray[np.bool_]:
    """Which IPv4 addresses are in one of the networks."""
    within = np.zeros(len(numbers), bool)
    for network in networks:
        if isinstance(network, IPv4Network):
            within |= numbers & int(network.netmask) == int(network.network_address)
    return within


def contains(networks: Iterable[Network], address: Address) -> bool:
    """Whether the address is in one of the networks; families are never mixed."""
    return any(address in network for network in networks)


@lru_cache(maxsize=CACHED_ADDRESSES)
def vpc_prefix(address: str) -> int:
    """The first 56 bits of an IPv6 address: the same for all addresses of a VPC's IPv6 CIDR."""
    return int.from_bytes(inet_pton(AF_INET6, address)[: VPC_IPV6_PREFIX // 8])
