"""Rules and packets in words: `tcp/5432 from 10.0.1.0/24`. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from flowwarden.network.rules.check import Check, Component
from flowwarden.network.rules.matching import Doubt, Unknown
from flowwarden.network.rules.model import (
    ANY_ICMP,
    ANY_PORT,
    Direction,
    Entry,
    Packet,
    Peer,
    PrefixList,
    Ref,
    Rule,
    Span,
)
from flowwarden.network.services import ICMP, ICMPV6, has_ports, protocol_name
from flowwarden.printable import one_line

LONGEST_NAME: Final = 64
"""Characters of a name that is shown."""
_DOUBTS: Final = {
    Doubt.RULE: "rule {} cannot be read",
    Doubt.PORT: "the record does not contain the port",
    Doubt.ICMP: "a rule is about some ICMP types, which flow records do not contain",
    Doubt.PEERED: "a rule refers to {} in another VPC, whose members cannot be read",
    Doubt.MEMBERS: "a rule refers to {}, and EC2 describes no interface with the address of the far end",
    Doubt.PREFIX_LIST: "a rule refers to {}, which cannot be read",
    Doubt.GROUP: "{} cannot be read",
    Doubt.ACL: "the network ACL of {} cannot be read",
    Doubt.SUBNET: "it is not known whether both ends are in {}, where no network ACL applies",
}


def in_words(doubt: Unknown) -> str:
    """Why it is not known whether a rule matches."""
    return _DOUBTS[doubt.doubt].format(one_line(doubt.about, LONGEST_NAME))


def packet_words(check: Check) -> str:
    """The packet that a component examined: `tcp/5432 from 10.0.1.5`."""
    packet, inbound = check.packet, check.direction is Direction.INBOUND
    far = packet.source if inbound else packet.destination
    return f"{_service_of(packet)} {_toward(check.direction)} {far}"


def rule_words(rule: Rule | Entry, direction: Direction) -> str:
    """A rule that allows something: `sgr-1: tcp/5432 from 10.0.1.0/24`, `rule 100: tcp/443 to 0.0.0.0/0`."""
    peer = rule.peer if isinstance(rule, Rule) else rule.network
    name = rule.rule_id if isinstance(rule, Rule) else f"rule {number_of(rule)}"
    what = f"{_service(rule.protocol, rule.ports)} {_toward(direction)} {peer_words(peer)}"
    return f"{one_line(name, LONGEST_NAME)}: {what}" if name else what


def number_of(entry: Entry) -> str:
    """The number of an entry, as the console shows it."""
    return "*" if entry.is_default else str(entry.number)


def components(check: Check) -> str:
    """The component: `sg-1 (db), sg-2`, `network ACL acl-1 (data)`."""
    names = zip(check.ids, check.names or ("",) * len(check.ids), strict=True)
    shown = ", ".join(_named(each, name) for each, name in names)
    return shown if check.component is Component.SECURITY_GROUPS else f"network ACL {shown}"


def peer_words(peer: Peer | None) -> str:
    """The far end in a rule."""
    match peer:
        case None:
            return "a network that cannot be read"
        case Ref():
            return one_line(peer.group_id, LONGEST_NAME)
        case PrefixList():
            return one_line(peer.prefix_list_id, LONGEST_NAME)
    return str(peer)


def several(parts: Iterable[str], most: int) -> str:
    """The first parts, and the number of the others."""
    found = list(parts)
    rest = len(found) - most
    return "; ".join([*found[:most], *([f"and {rest} more"] if rest > 0 else [])])


def _named(name: str, text: str) -> str:
    shown = one_line(name, LONGEST_NAME)
    return f"{shown} ({one_line(text, LONGEST_NAME)})" if text else shown


def _toward(direction: Direction) -> str:
    return "from" if direction is Direction.INBOUND else "to"


def _service_of(packet: Packet) -> str:
    return _service(packet.protocol, packet.ports)


def _service(protocol: int | None, span: Span | None) -> str:
    if protocol is None:
        return "all traffic" if span else "traffic of a protocol that cannot be read"
    name = protocol_name(protocol)
    if span is None:
        return f"{name} to ports that cannot be read"
    if protocol in {ICMP, ICMPV6}:
        return name if span.covers(ANY_ICMP) else f"{name} type {_span(span)}"
    return name if not has_ports(protocol) or span.covers(ANY_PORT) else f"{name}/{_span(span)}"


def _span(span: Span) -> str:
    return str(span.first) if span.first == span.last else f"{span.first}-{span.last}"
