"""Addresses and peer classes: what the far end of a flow is.

`ipaddress`'s `is_private` is not the question that matters: documentation ranges are "private" to it,
and a VPC's IPv6 addresses are not. What is ours is the unroutable ranges that VPCs use and whatever
the policy adds; all else is the internet.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from socket import AF_INET, AF_INET6, AddressFamily, inet_pton
from typing import Final

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
        self._own = _Networks((*UNROUTABLE, *own_cidrs))
        self._partners = _Networks(partner_cidrs)
        self._local = _Networks(LOCAL_SCOPE)
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

    def number(self, address: str) -> int:
        """The number of its class in `CLASSES`. Raises ValueError if it is none."""
        return _NUMBERS[self.classify(address)]

    def _look_up(self, address: str) -> PeerClass:
        family, number = _number(address)
        if self._local.hold(family, number):
            return PeerClass.LOCAL
        if self._partners.hold(family, number):  # before what is ours: they are reached by private ranges
            return PeerClass.PARTNER
        return PeerClass.OWN if self._own.hold(family, number) else PeerClass.INTERNET


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


class _Networks:
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

    def hold(self, family: AddressFamily, number: int) -> bool:
        """Whether an address of this family is in one of them; families are never mixed."""
        return any(number & mask == network for mask, network in self._masked[family])


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


def contains(networks: Iterable[Network], address: Address) -> bool:
    """Whether the address is in one of the networks; families are never mixed."""
    return any(address in network for network in networks)


@lru_cache(maxsize=CACHED_ADDRESSES)
def vpc_prefix(address: str) -> int:
    """The first 56 bits of an IPv6 address: the same for all addresses of a VPC's IPv6 CIDR."""
    return int.from_bytes(inet_pton(AF_INET6, address)[: VPC_IPV6_PREFIX // 8])
