"""Addresses and peer classes: the class of the far end of a flow.

`ipaddress`'s `is_private` is not suitable: it includes documentation ranges and excludes a VPC's IPv6
addresses. Internal are the unroutable ranges that VPCs use and the ranges in the policy; everything else is
the internet.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from enum import StrEnum
from functools import cached_property, lru_cache
from ipaddress import ip_network
from socket import AF_INET, AF_INET6, AddressFamily, inet_pton
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from flowwarden.network.ranges import UNROUTABLE
from flowwarden.records.columnar.tokenizer import ABSENT, Integers, Words

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
"""Unspecified, loopback, link-local, multicast and broadcast: not addresses of a remote host."""

FEW: Final = 40
"""Below this number of addresses, looking them up one by one is faster."""

VPC_IPV6_PREFIX = 56
"""Prefix length of the IPv6 CIDR that Amazon assigns to a VPC."""

_HALF: Final = 64
"""Bits in half an IPv6 address."""


class PeerClass(StrEnum):
    """The class of an address, from the account's point of view."""

    OWN = "own"
    """In an unroutable range or in one of the policy's `own_cidrs`."""
    PARTNER = "partner"
    """In one of the policy's `partner_cidrs`: neither internal nor the internet."""
    AWS_SERVICE = "aws-service"
    """A public address that the record attributes to an AWS service."""
    INTERNET = "internet"
    LOCAL = "local"
    """Unspecified, loopback, link-local, multicast or broadcast: never routed, never a real connection."""


CLASSES: Final = tuple(PeerClass)
"""Peer classes by number."""
_LAYERS: Final = PeerClass.INTERNET, PeerClass.OWN, PeerClass.PARTNER, PeerClass.LOCAL
"""The class of each network layer; addresses in no layer are the internet."""
_NUMBERS: Final = np.array([CLASSES.index(peer_class) for peer_class in _LAYERS])
"""The numbers of these classes."""


class AddressClassifier:
    """Assigns peer classes to addresses."""

    def __init__(self, own_cidrs: Iterable[str] = (), partner_cidrs: Iterable[str] = ()) -> None:
        # Partner networks take precedence over own networks, because they can be within private ranges.
        self._layers = NetworkLayers([*UNROUTABLE, *own_cidrs], partner_cidrs, LOCAL_SCOPE)

    def numbers(self, addresses: Sequence[str]) -> Integers:
        """The classes of addresses, as indexes of `CLASSES`. Raises ValueError if an address is invalid."""
        numbers: Integers = _NUMBERS[self._layers.numbers(addresses)]
        return numbers


MOST_CLASSIFIERS: Final = 4
"""VPCs whose address classifiers a container caches: each invocation is about one VPC."""


class AddressClassifiers:
    """The address classifiers of a policy, one for each set of VPC networks."""

    def __init__(self, own_cidrs: Iterable[str] = (), partner_cidrs: Iterable[str] = ()) -> None:
        self._own, self._partners = tuple(own_cidrs), tuple(partner_cidrs)

    def of(self, vpc_cidrs: frozenset[str]) -> AddressClassifier:
        """The address classifier in which these networks are internal, too."""
        return _classifier((*self._own, *sorted(vpc_cidrs)), self._partners)


@lru_cache(maxsize=MOST_CLASSIFIERS)
def _classifier(own_cidrs: tuple[str, ...], partner_cidrs: tuple[str, ...]) -> AddressClassifier:
    return AddressClassifier(own_cidrs, partner_cidrs)


class NetworkLayers:
    """Layers of networks: maps an address to the last layer that contains it, from 1; 0 if there is none.

    Networks are split into disjoint ranges; a binary search finds the range of an address.
    """

    def __init__(self, *layers: Iterable[str]) -> None:
        """Take the networks of each layer, as CIDRs. Raises ValueError if one is invalid."""
        networks = [(ip_network(cidr), number) for number, cidrs in enumerate(layers, 1) for cidr in cidrs]
        self._ipv4, self._ipv6 = (
            _Ranges(
                (int(network.network_address), int(network.broadcast_address), number)
                for network, number in networks
                if network.version == version
            )
            for version in (4, 6)
        )

    def number(self, address: str) -> int:
        """The layer of an address; address families are separate. Raises ValueError if it is invalid."""
        is_ipv6, number = _number(address)
        return (self._ipv6 if is_ipv6 else self._ipv4).of(number)

    def numbers(self, addresses: Sequence[str]) -> Integers:
        """The layers of many addresses. Raises ValueError if one is invalid."""
        if len(addresses) < FEW:
            return np.array([self.number(address) for address in addresses], np.int64)
        parsed = Numbers(addresses)
        numbers = self._ipv4.of_all(parsed.ipv4)
        rows, high, low = parsed.ipv6
        of_ipv6 = self._ipv6.of
        halves = zip(high.tolist(), low.tolist(), strict=True)
        numbers[rows] = [of_ipv6(upper << _HALF | lower) for upper, lower in halves]
        return numbers


class _Ranges:
    """The whole number range of an address family, split into ranges with one layer each."""

    def __init__(self, networks: Iterable[tuple[int, int, int]]) -> None:
        """Take the first number, last number and layer of each network, in the order of the layers."""
        networks = [*networks]
        self._begins = sorted({0, *(number for first, last, _ in networks for number in (first, last + 1))})
        self._layers = [0] * len(self._begins)
        for first, last, layer in networks:
            begin, end = (bisect_left(self._begins, edge) for edge in (first, last + 1))
            self._layers[begin:end] = [layer] * (end - begin)

    def of(self, number: int) -> int:
        """The layer of a number."""
        return self._layers[bisect_right(self._begins, number) - 1]

    def of_all(self, numbers: Integers) -> Integers:
        """The layers of numbers of at most 63 bits; undefined for negative numbers."""
        begins, layers = self._arrays
        found: Integers = layers[begins.searchsorted(numbers, "right") - 1]
        return found

    @cached_property
    def _arrays(self) -> tuple[Integers, Integers]:
        return np.array(self._begins), np.array(self._layers)


class Numbers:
    """Many addresses as numbers. Raises ValueError if one is invalid."""

    def __init__(self, addresses: Sequence[str]) -> None:
        is_ipv6 = np.array([":" in address for address in addresses], bool)
        self.ipv4: Integers = np.full(len(addresses), ABSENT)
        """The IPv4 numbers; `ABSENT` for IPv6 addresses."""
        self.ipv4[~is_ipv6] = _parsed(
            AF_INET, [address for address in addresses if ":" not in address], ">u4"
        )
        high, low = _high_and_low([address for address in addresses if ":" in address])
        mapped = (high == 0) & (low >> np.uint64(32) == _MAPPED)
        rows = is_ipv6.nonzero()[0]
        self.ipv4[rows[mapped]] = low[mapped] & np.uint64(0xFFFF_FFFF)
        self.ipv6 = rows[~mapped], high[~mapped], low[~mapped]
        """The IPv6 addresses: their positions, and the upper and lower halves of their numbers."""


def _high_and_low(addresses: Sequence[str]) -> tuple[Words, Words]:
    """The upper and lower halves of IPv6 addresses."""
    halves = _parsed(AF_INET6, addresses, ">u8").astype(np.uint64).reshape(-1, 2)
    return halves[:, 0], halves[:, 1]


def _parsed(family: AddressFamily, addresses: Sequence[str], form: str) -> NDArray[Any]:
    """Addresses of one family as numbers of a numpy type."""
    try:
        together = b"".join([inet_pton(family, address) for address in addresses])
    except OSError as error:
        raise ValueError(f"one of {len(addresses)} addresses is invalid: {error}") from error
    return np.frombuffer(together, form)


_MAPPED: Final = 0xFFFF  # ::ffff:0:0/96 contains IPv4-mapped addresses


def _number(address: str) -> tuple[bool, int]:
    """Whether an address is IPv6, and its number; IPv4-mapped IPv6 addresses are treated as IPv4."""
    is_ipv6 = ":" in address
    try:
        number = int.from_bytes(inet_pton(AF_INET6 if is_ipv6 else AF_INET, address))
    except OSError as error:
        raise ValueError(f"{address!r} is not an IP address") from error
    if is_ipv6 and number >> 32 == _MAPPED:
        return False, number & 0xFFFF_FFFF
    return is_ipv6, number


def vpc_prefixes(addresses: Sequence[str]) -> Sequence[int]:
    """The first 56 bits of IPv6 addresses, equal within a VPC; `ABSENT` for IPv4 addresses.

    Also `ABSENT` if these bits are zero, as in IPv4-mapped and loopback addresses, which no VPC has. Raises
    ValueError if an address with a colon is invalid.
    """
    return [_vpc_prefix(address) if ":" in address else ABSENT for address in addresses]


def _vpc_prefix(address: str) -> int:
    _, number = _number(address)
    return number >> (2 * _HALF - VPC_IPV6_PREFIX) or ABSENT
