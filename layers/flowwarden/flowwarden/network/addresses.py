"""Addresses and peer classes: what the far end of a flow is.

`ipaddress`'s `is_private` is not the question that matters: documentation ranges are "private" to it,
and a VPC's IPv6 addresses are not. What is ours is the unroutable ranges that VPCs use and whatever
the policy adds; all else is the internet.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from ipaddress import ip_network
from socket import AF_INET, AF_INET6, AddressFamily, inet_pton
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from flowwarden.records.columnar.tokenizer import ABSENT, Integers, Mask, Words

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

FEW: Final = 16
"""With fewer addresses than this, asking for one after the other is quicker."""

VPC_IPV6_PREFIX = 56
"""Prefix length of the IPv6 CIDR that Amazon gives a VPC."""


class PeerClass(StrEnum):
    """What an address is, seen from the account."""

    OWN = "own"
    """In an unroutable range or in one of the policy's `own_cidrs`."""
    PARTNER = "partner"
    """In one of the policy's `partner_cidrs`: neither ours nor the internet."""
    AWS_SERVICE = "aws-service"
    """A public address that the record names as an AWS service's."""
    INTERNET = "internet"
    LOCAL = "local"
    """Link-local, multicast, broadcast: never routed, never somebody's connection."""


CLASSES: Final = tuple(PeerClass)
"""Peer classes by number."""
_NUMBERS: Final = {peer_class: number for number, peer_class in enumerate(CLASSES)}


class AddressBook:
    """Tells own addresses from the internet; remembers its answers, since addresses repeat."""

    def __init__(self, own_cidrs: Iterable[str] = (), partner_cidrs: Iterable[str] = ()) -> None:
        self._own = Networks((*UNROUTABLE, *own_cidrs))
        self._partners = Networks(partner_cidrs)
        self._local = Networks(LOCAL_SCOPE)
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

    def numbers(self, addresses: Sequence[str]) -> Integers:
        """The numbers of the classes of many addresses in `CLASSES`. Raises ValueError if any is none."""
        if len(addresses) < FEW:
            return np.array([_NUMBERS[self.classify(address)] for address in addresses], np.int64)
        numbers = np.full(len(addresses), _NUMBERS[PeerClass.INTERNET])
        parsed = Numbers(addresses)
        numbers[self._own.holding_numbers(parsed)] = _NUMBERS[PeerClass.OWN]
        numbers[self._partners.holding_numbers(parsed)] = _NUMBERS[PeerClass.PARTNER]
        numbers[self._local.holding_numbers(parsed)] = _NUMBERS[PeerClass.LOCAL]
        return numbers

    def _look_up(self, address: str) -> PeerClass:
        if self._local.hold(address):
            return PeerClass.LOCAL
        if self._partners.hold(address):  # before what is ours: they are reached by private ranges
            return PeerClass.PARTNER
        return PeerClass.OWN if self._own.hold(address) else PeerClass.INTERNET


MOST_BOOKS: Final = 4
"""VPCs whose addresses a container remembers at a time: each invocation is about one."""


class AddressBooks:
    """An address book for each set of networks that VPCs have."""

    def __init__(self, own_cidrs: Iterable[str] = (), partner_cidrs: Iterable[str] = ()) -> None:
        self._own, self._partners = tuple(own_cidrs), tuple(partner_cidrs)
        self._books: dict[frozenset[str], AddressBook] = {}

    def of(self, vpc_cidrs: frozenset[str]) -> AddressBook:
        """The book that takes these networks for ours as well."""
        book = self._books.pop(vpc_cidrs, None)
        if book is None:
            book = AddressBook((*self._own, *sorted(vpc_cidrs)), self._partners)
        self._books[vpc_cidrs] = book  # the last one now
        if len(self._books) > MOST_BOOKS:
            del self._books[next(iter(self._books))]
        return book


class Networks:
    """Networks as numbers: `ipaddress` takes thirty times as long to look into a dozen of them."""

    def __init__(self, cidrs: Iterable[str]) -> None:
        networks = [ip_network(cidr) for cidr in cidrs]
        self._masked = {
            family: [
                (int(network.netmask), int(network.network_address))
                for network in networks
                if network.version == version
            ]
            for family, version in ((AF_INET, 4), (AF_INET6, 6))
        }

    def hold(self, address: str) -> bool:
        """Whether an address is in one of them; families are never mixed. Raises ValueError if it is none."""
        family, number = _number(address)
        return any(number & mask == network for mask, network in self._masked[family])

    def holding(self, addresses: Sequence[str]) -> Mask:
        """Which of some addresses are. Raises ValueError if any is none."""
        if len(addresses) < FEW:
            return np.array([self.hold(address) for address in addresses], bool)
        return self.holding_numbers(Numbers(addresses))

    def holding_numbers(self, addresses: Numbers) -> Mask:
        """Which of many addresses are."""
        held = np.zeros(len(addresses.ipv4), bool)
        for mask, network in self._masked[AF_INET]:
            held |= addresses.ipv4 & mask == network
        held &= addresses.ipv4 != ABSENT  # -1 has all the bits of 255.255.255.255
        rows, high, low = addresses.ipv6
        if len(rows):
            for mask, network in self._masked[AF_INET6]:
                (high_mask, low_mask), (high_network, low_network) = _halves(mask), _halves(network)
                held[rows] |= (high & high_mask == high_network) & (low & low_mask == low_network)
        return held


class Numbers:
    """Many addresses as numbers. Raises ValueError if any is none."""

    def __init__(self, addresses: Sequence[str]) -> None:
        is_ipv6 = np.array([":" in address for address in addresses], bool)
        self.ipv4: Integers = np.full(len(addresses), ABSENT)
        """Their numbers; `ABSENT` where they are none of IPv4."""
        self.ipv4[~is_ipv6] = _parsed(
            AF_INET, [address for address in addresses if ":" not in address], ">u4"
        )
        high, low = _high_and_low([address for address in addresses if ":" in address])
        mapped = (high == 0) & (low >> np.uint64(32) == _MAPPED)
        rows = is_ipv6.nonzero()[0]
        self.ipv4[rows[mapped]] = low[mapped] & np.uint64(0xFFFF_FFFF)
        self.ipv6 = rows[~mapped], high[~mapped], low[~mapped]
        """The others: their places, and the upper and the lower halves of their numbers."""


def _high_and_low(addresses: Sequence[str]) -> tuple[Words, Words]:
    """The halves of IPv6 addresses."""
    halves = _parsed(AF_INET6, addresses, ">u8").astype(np.uint64).reshape(-1, 2)
    return halves[:, 0], halves[:, 1]


def _halves(number: int) -> tuple[np.uint64, np.uint64]:
    return np.uint64(number >> 64), np.uint64(number & 2**64 - 1)


def _parsed(family: AddressFamily, addresses: Sequence[str], form: str) -> NDArray[Any]:
    """Addresses of a family as numbers of a form that numpy knows."""
    try:
        together = b"".join([inet_pton(family, address) for address in addresses])
    except OSError as error:
        raise ValueError(f"one of {len(addresses)} addresses is none: {error}") from error
    return np.frombuffer(together, form)


_MAPPED: Final = 0xFFFF  # ::ffff:0:0/96 holds IPv4 addresses


def _number(address: str) -> tuple[AddressFamily, int]:
    """Family and number of an address; an IPv4 address that is mapped into IPv6 is one of IPv4."""
    family = AF_INET6 if ":" in address else AF_INET
    try:
        number = int.from_bytes(inet_pton(family, address))
    except OSError as error:
        raise ValueError(f"{address!r} is no address") from error
    if family == AF_INET6 and number >> 32 == _MAPPED:
        return AF_INET, number & 0xFFFF_FFFF
    return family, number


def vpc_prefixes(addresses: Sequence[str]) -> Integers:
    """The first 56 bits of IPv6 addresses, the same for all of a VPC; `ABSENT` for those of IPv4.

    So it is for those whose first bits are zero, which no VPC has: IPv4 that is mapped, and loopback.
    """
    is_ipv6 = np.array([":" in address for address in addresses], bool)
    prefixes = np.full(len(addresses), ABSENT)
    high, _ = _high_and_low([address for address in addresses if ":" in address])
    prefixes[is_ipv6] = high >> np.uint64(64 - VPC_IPV6_PREFIX)
    prefixes[prefixes == 0] = ABSENT
    return prefixes
