"""Whether a rule matches a packet: yes, no, or not known, with the reason."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct

from flowwarden.network.rules.model import (
    ANY_ICMP,
    ANY_PORT,
    Address,
    End,
    Entry,
    Network,
    Packet,
    Passage,
    Peer,
    Place,
    PrefixList,
    Ref,
    Rule,
    Span,
)
from flowwarden.network.services import ICMP, ICMPV6, TCP, UDP

_ICMP: Final = frozenset({ICMP, ICMPV6})
_WITH_PORTS: Final = frozenset({TCP, UDP})
"""A rule about another protocol, except ICMP, is about all its ports (EC2 API reference, IpPermission)."""


class Doubt(StrEnum):
    """Why it is not known whether a rule matches."""

    RULE = "rule"
    """A rule could not be read."""
    PORT = "port"
    """The record does not contain the port."""
    ICMP = "icmp"
    """The rule is about some ICMP types, which flow records do not contain."""
    PEERED = "peered"
    """The rule refers to a group in another VPC, whose members cannot be read."""
    MEMBERS = "members"
    """The rule refers to a group, and no interface with the far address is known."""
    PREFIX_LIST = "prefix-list"
    """The rule refers to a prefix list that could not be read."""
    GROUP = "group"
    """A security group could not be read."""
    ACL = "acl"
    """The network ACL of a subnet could not be read."""
    SUBNET = "subnet"
    """It is not known whether both ends are in one subnet, where no network ACL applies."""


class Unknown(Struct, frozen=True):
    """A reason, and the id or number of what it is about."""

    doubt: Doubt
    about: str = ""


type Match = bool | Unknown


def rule_matches(rule: Rule, passage: Passage) -> Match:
    """Whether a rule of a security group matches a packet."""
    about = rule.rule_id
    peer = Unknown(Doubt.RULE, about) if rule.peer is None else peer_matches(rule.peer, passage)
    return _both(service_matches(rule, passage.packet, about), peer)


def entry_matches(entry: Entry, passage: Passage) -> Match:
    """Whether an entry of a network ACL matches a packet."""
    about = str(entry.number)
    far = Unknown(Doubt.RULE, about) if entry.network is None else in_network(passage.address, entry.network)
    return _both(service_matches(entry, passage.packet, about), far)


def in_network(address: Address, network: Network) -> bool:
    """Whether an address is in a network of the same IP version."""
    return address.version == network.version and address in network


def protocol_matches(rule: Rule | Entry, packet: Packet) -> bool:
    """Whether a rule is about the protocol of a packet."""
    return rule.protocol in {None, packet.protocol}


def service_matches(rule: Rule | Entry, packet: Packet, about: str = "") -> Match:
    """Whether protocol and ports of a rule match; `about` names the rule."""
    if not protocol_matches(rule, packet):
        return False
    if rule.ports is None:
        return Unknown(Doubt.RULE, about)
    if rule.protocol in _ICMP:
        types = _spans(rule.ports, packet.ports, ANY_ICMP, Doubt.ICMP)
        return _both(types, _spans(rule.codes, packet.codes, ANY_ICMP, Doubt.ICMP))
    if rule.protocol in _WITH_PORTS:
        return _spans(rule.ports, packet.ports, ANY_PORT, Doubt.PORT)
    return True


def peer_matches(peer: Peer, passage: Passage) -> Match:
    """Whether the far end is the one in a rule of a security group."""
    if isinstance(peer, Ref):
        return _is_member(peer, passage.far)
    if not isinstance(peer, PrefixList):
        return in_network(passage.address, peer)
    networks = passage.prefix_lists.get(peer.prefix_list_id)
    if networks is None:
        return Unknown(Doubt.PREFIX_LIST, peer.prefix_list_id)
    return any(in_network(passage.address, each) for each in networks)


def _is_member(ref: Ref, end: End) -> Match:
    if ref.stale:
        return False
    if end.place is Place.INTERFACE:
        return ref.group_id in end.groups
    if end.place is Place.UNKNOWN:
        return Unknown(Doubt.MEMBERS, ref.group_id)
    return Unknown(Doubt.PEERED, ref.group_id) if ref.elsewhere else False


def _spans(wanted: Span, possible: Span, whole: Span, doubt: Doubt) -> Match:
    if wanted.covers(whole) or wanted.covers(possible):
        return True
    return Unknown(doubt) if wanted.meets(possible) else False


def _both(first: Match, second: Match) -> Match:
    """Whether both hold; if one certainly does not, the other does not matter."""
    if first is False or second is False:
        return False
    return second if first is True else first
