"""Converts EC2's descriptions of security group rules and network ACLs.

A rule that cannot be read is kept, with its unreadable parts as None: it may be the one that matters. A part
of which not even the place is known makes the whole group or network ACL incomplete.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

from msgspec import Struct

from flowwarden.aws.answers import Answer
from flowwarden.network.rules.model import (
    ANY_ICMP,
    ANY_PORT,
    Entry,
    NetworkAcl,
    Peer,
    PrefixList,
    Ref,
    Rule,
    Span,
)
from flowwarden.network.services import ICMP, ICMPV6, TCP, UDP

_ALL: Final = "-1"
_ANY: Final = -1
_NAMES: Final = {"tcp": TCP, "udp": UDP, "icmp": ICMP, "icmpv6": ICMPV6}
_LAST_PROTOCOL: Final = 255
_DELETED: Final = "deleted"
"""The status of a peering connection whose groups match nothing anymore."""
NAME_TAG: Final = "Name"


class Listed(Struct, frozen=True):
    """A rule, with the group and the direction that it belongs to; '' and None if they cannot be read."""

    group_id: str
    is_egress: bool | None
    rule: Rule


def listed_rule(described: Answer, vpc_id: str) -> Listed:
    """One item of DescribeSecurityGroupRules; `vpc_id` is the VPC of its group."""
    protocol, ports, codes = _group_service(described)
    rule = Rule(
        rule_id=described.text("SecurityGroupRuleId"),
        protocol=protocol,
        ports=ports,
        codes=codes,
        peer=_peer(described, vpc_id),
    )
    return Listed(described.text("GroupId"), described.truth("IsEgress"), rule)


def acl(described: Answer) -> NetworkAcl:
    """One network ACL. Raises Malformed without an id."""
    listed = described.value("Entries")
    entries = tuple(entry for each in described.each("Entries") if (entry := _entry(each)))
    return NetworkAcl(
        acl_id=described.demand("NetworkAclId"),
        name=described.tags("Tags").get(NAME_TAG, ""),
        entries=entries,
        complete=isinstance(listed, list) and len(entries) == len(listed),
    )


def network(text: str) -> IPv4Network | IPv6Network | None:
    """A network; None if it is not valid. EC2 also returns networks with bits after their length."""
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def _group_service(described: Answer) -> tuple[int | None, Span | None, Span]:
    """Protocol, ports (None if they or the protocol cannot be read), and ICMP codes."""
    name = described.text("IpProtocol")
    if name == _ALL:
        return None, ANY_PORT, ANY_ICMP
    protocol = _protocol(name)
    first, last = described.number("FromPort"), described.number("ToPort")
    if protocol in {ICMP, ICMPV6}:
        return protocol, _kind(first), _kind(last) or ANY_ICMP
    return protocol, _ports(protocol, first, last), ANY_ICMP


def _entry(described: Answer) -> Entry | None:
    """One entry; None if not even number, direction and action can be read."""
    number, egress = described.number("RuleNumber"), described.truth("Egress")
    action = described.text("RuleAction")
    if number is None or egress is None or action not in {"allow", "deny"}:
        return None
    protocol, ports, codes = _entry_service(described)
    cidr = described.text("CidrBlock") or described.text("Ipv6CidrBlock")
    return Entry(
        number=number,
        egress=egress,
        allows=action == "allow",
        protocol=protocol,
        network=network(cidr),
        ports=ports,
        codes=codes,
    )


def _entry_service(described: Answer) -> tuple[int | None, Span | None, Span]:
    name = described.text("Protocol")
    if name == _ALL:
        return None, ANY_PORT, ANY_ICMP
    protocol = _protocol(name)
    if protocol in {ICMP, ICMPV6}:
        kind = described.inner("IcmpTypeCode")
        return protocol, _kind(kind.number("Type")), _kind(kind.number("Code")) or ANY_ICMP
    ports = described.inner("PortRange")
    return protocol, _ports(protocol, ports.number("From"), ports.number("To")), ANY_ICMP


def _protocol(name: str) -> int | None:
    """The protocol; None if it cannot be read."""
    if name.isascii() and name.isdecimal() and int(name) <= _LAST_PROTOCOL:
        return int(name)
    return _NAMES.get(name)


def _ports(protocol: int | None, first: int | None, last: int | None) -> Span | None:
    if protocol is None:
        return None
    if protocol not in {TCP, UDP}:
        return ANY_PORT
    if first == last == _ANY:
        return ANY_PORT
    if first is None or last is None or not 0 <= first <= last <= ANY_PORT.last:
        return None
    return Span(first, last)


def _kind(number: int | None) -> Span | None:
    """An ICMP type or code, -1 for all; None if it cannot be read."""
    if number == _ANY:
        return ANY_ICMP
    return Span(number, number) if number is not None and 0 <= number <= ANY_ICMP.last else None


def _peer(described: Answer, vpc_id: str) -> Peer | None:
    for member in ("CidrIpv4", "CidrIpv6"):
        if member in described:
            return network(described.text(member))
    if "PrefixListId" in described:
        name = described.text("PrefixListId")
        return PrefixList(name) if name else None
    return _ref(described.inner("ReferencedGroupInfo"), vpc_id)


def _ref(described: Answer, vpc_id: str) -> Ref | None:
    group_id, where = described.text("GroupId"), described.text("VpcId")
    if not group_id:
        return None
    return Ref(
        group_id=group_id,
        elsewhere="VpcPeeringConnectionId" in described or bool(where and vpc_id and where != vpc_id),
        stale=described.text("PeeringStatus") == _DELETED,
    )


def networks(described: Iterable[Answer]) -> tuple[IPv4Network | IPv6Network, ...] | None:
    """The entries of a prefix list; None if one cannot be read, because it may be the one that matters."""
    found = [network(each.text("Cidr")) for each in described]
    known = tuple(each for each in found if each is not None)
    return known if len(known) == len(found) else None
