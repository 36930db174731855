"""Security groups, network ACLs and connections, as the evaluation needs them.

Sources: EC2 API reference (IpPermission, NetworkAclEntry), VPC User Guide ("Security group rules", "Network
ACL basics"). What a record or EC2's answer leaves open is represented, and not assumed: a port as a span of
possible ports, what of a rule could not be read as None, an end that is not known by its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from msgspec import Struct

type Address = IPv4Address | IPv6Address
type Network = IPv4Network | IPv6Network


class Span(Struct, frozen=True):
    """Whole numbers from `first` to `last`: ports, ICMP types or ICMP codes."""

    first: int
    last: int

    def covers(self, other: Span) -> bool:
        """Whether it contains all numbers of the other one."""
        return self.first <= other.first and other.last <= self.last

    def meets(self, other: Span) -> bool:
        """Whether both have a number in common."""
        return self.first <= other.last and other.first <= self.last


ANY_PORT: Final = Span(0, 2**16 - 1)
EPHEMERAL: Final = Span(1024, 2**16 - 1)
"""From which a client's port is, if a record does not contain it."""
ANY_ICMP: Final = Span(0, 2**8 - 1)
"""All ICMP types, or all codes. No flow record contains either."""
DEFAULT_ENTRIES: Final = 32767
"""From this number on, an entry of a network ACL is the last one (`*`), which denies everything."""


class Ref(Struct, frozen=True, kw_only=True):
    """A security group to which a rule refers."""

    group_id: str
    elsewhere: bool = False
    """Whether the group is in another VPC, so that its members are not known."""
    stale: bool = False
    """Whether the peering connection to its VPC is gone, so that the rule matches nothing."""


class PrefixList(Struct, frozen=True):
    """A prefix list to which a rule refers."""

    prefix_list_id: str


type Peer = IPv4Network | IPv6Network | Ref | PrefixList
"""The far end in a rule of a security group: the source of an inbound rule, the destination of an outbound
one."""


class Rule(Struct, frozen=True, kw_only=True):
    """A rule of a security group, for one far end. Rules of security groups only allow."""

    rule_id: str = ""
    """Such as `sgr-…`; '' if EC2 does not report it."""
    protocol: int | None
    """IANA number; None for all protocols and ports."""
    ports: Span | None = ANY_PORT
    """Destination ports; for ICMP the types. None if they, or the protocol, could not be read."""
    codes: Span = ANY_ICMP
    """ICMP codes."""
    peer: Peer | None
    """None if it could not be read."""


class SecurityGroup(Struct, frozen=True, kw_only=True):
    """A security group."""

    group_id: str
    name: str = ""
    inbound: tuple[Rule, ...] = ()
    outbound: tuple[Rule, ...] = ()
    complete: bool = True
    """False if there may be further rules that could not be read."""


class Entry(Struct, frozen=True, kw_only=True):
    """An entry of a network ACL; the one with the lowest number that matches decides."""

    number: int
    egress: bool
    allows: bool
    protocol: int | None
    """IANA number; None for all protocols and ports."""
    network: IPv4Network | IPv6Network | None
    """None if it could not be read."""
    ports: Span | None = ANY_PORT
    """Destination ports; for ICMP the types. None if they, or the protocol, could not be read."""
    codes: Span = ANY_ICMP

    @property
    def is_default(self) -> bool:
        """Whether it is the last entry, which is shown as `*`."""
        return self.number >= DEFAULT_ENTRIES


class NetworkAcl(Struct, frozen=True, kw_only=True):
    """A network ACL."""

    acl_id: str
    name: str = ""
    entries: tuple[Entry, ...] = ()
    complete: bool = True
    """False if there are entries of which not even number, direction and action could be read."""


class Packet(Struct, frozen=True, kw_only=True):
    """A packet, with all values that its ports and ICMP type may have."""

    source: IPv4Address | IPv6Address
    destination: IPv4Address | IPv6Address
    protocol: int
    source_ports: Span = ANY_PORT
    ports: Span = ANY_PORT
    """Destination ports; for ICMP the types."""
    codes: Span = ANY_ICMP

    @property
    def reply(self) -> Packet:
        """The reply to it."""
        return Packet(
            source=self.destination,
            destination=self.source,
            protocol=self.protocol,
            source_ports=self.ports,
            ports=self.source_ports,
        )


class Direction(StrEnum):
    """The direction of a packet, seen from an interface or a subnet, and so which rules apply."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Place(StrEnum):
    """Where an address is, seen from the VPC of the interface that logged a record."""

    INTERFACE = "an interface of the VPC"
    UNKNOWN = "in the VPC's networks, but at no interface that EC2 describes"
    OUTSIDE = "outside the VPC"


class End(Struct, frozen=True, kw_only=True):
    """One end of a connection."""

    place: Place
    interface_id: str = ""
    groups: tuple[str, ...] = ()
    """Security groups of the interface."""
    subnet: str = ""


class Passage(Struct, frozen=True, kw_only=True):
    """A packet as one component sees it."""

    packet: Packet
    direction: Direction
    far: End = End(place=Place.OUTSIDE)
    """The far end; network ACLs examine only its address."""
    prefix_lists: Mapping[str, tuple[IPv4Network | IPv6Network, ...]] = {}

    @property
    def address(self) -> IPv4Address | IPv6Address:
        """The address of the far end."""
        inbound = self.direction is Direction.INBOUND
        return self.packet.source if inbound else self.packet.destination


class Configuration(Struct, frozen=True, kw_only=True):
    """What EC2 describes: a mapping lacks what it does not describe or what was not requested."""

    groups: Mapping[str, SecurityGroup] = {}
    acls: Mapping[str, NetworkAcl] = {}
    """By subnet."""
    prefix_lists: Mapping[str, tuple[IPv4Network | IPv6Network, ...]] = {}


def address_of(text: str) -> IPv4Address | IPv6Address:
    """An address; one that is written as IPv4-mapped IPv6 is that IPv4 address, as on the wire.

    Raises ValueError.
    """
    address = ip_address(text)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
