"""Rules and connections in the short form of the tests.

A rule of a security group: `tcp/443 from 10.0.0.0/16`, `all from sg-a`, `udp/53-60 from pl-x`,
`icmp 8/0 from 0.0.0.0/0`.
An entry of a network ACL: `100 allow tcp/443 10.0.0.0/16`. What is written `?` could not be read.
"""

from __future__ import annotations

from ipaddress import ip_network

from flowwarden.network.rules.model import (
    ANY_ICMP,
    ANY_PORT,
    Configuration,
    Direction,
    End,
    Entry,
    NetworkAcl,
    Packet,
    Peer,
    Place,
    PrefixList,
    Ref,
    Rule,
    SecurityGroup,
    Span,
    address_of,
)
from flowwarden.network.rules.verdict import Rejected

PROTOCOLS = {"all": None, "tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58, "sctp": 132, "esp": 50}
OPEN = "100 allow all 0.0.0.0/0", "101 allow all ::/0"


def rule(text: str) -> Rule:
    """A rule of a security group."""
    service, _, far = text.partition(" from ")
    protocol, ports, codes = _service(service)
    return Rule(rule_id=f"sgr-{text}", protocol=protocol, ports=ports, codes=codes, peer=_peer(far))


def entry(text: str, *, egress: bool) -> Entry:
    """An entry of a network ACL."""
    number, action, *service, network = text.split()
    protocol, ports, codes = _service(" ".join(service))
    return Entry(
        number=int(number),
        egress=egress,
        allows=action == "allow",
        protocol=protocol,
        ports=ports,
        codes=codes,
        network=None if network == "?" else ip_network(network),
    )


def group(group_id: str, inbound: tuple[str, ...] = (), outbound: tuple[str, ...] = ()) -> SecurityGroup:
    """A security group; its name is its id without `sg-`."""
    return SecurityGroup(
        group_id=group_id,
        name=group_id.removeprefix("sg-"),
        inbound=tuple(map(rule, inbound)),
        outbound=tuple(map(rule, outbound)),
    )


def acl(
    inbound: tuple[str, ...] = OPEN, outbound: tuple[str, ...] = OPEN, acl_id: str = "acl-1"
) -> NetworkAcl:
    """A network ACL, with the default entries that EC2 describes."""
    defaults = "32767 deny all 0.0.0.0/0", "32768 deny all ::/0"
    entries = [entry(each, egress=False) for each in (*inbound, *defaults)]
    entries += [entry(each, egress=True) for each in (*outbound, *defaults)]
    return NetworkAcl(acl_id=acl_id, entries=tuple(entries))


def packet(text: str) -> Packet:
    """A request: `tcp 10.0.1.5:40000 > 10.0.2.6:5432`; `:?` for a port that is not known."""
    protocol, source, _, destination = text.split()
    number = PROTOCOLS[protocol]
    assert number is not None
    here, source_ports = _at(source)
    there, ports = _at(destination)
    return Packet(
        source=address_of(here),
        destination=address_of(there),
        protocol=number,
        source_ports=source_ports,
        ports=ANY_ICMP if protocol.startswith("icmp") else ports,
    )


def at(subnet: str, *groups: str) -> End:
    """An end at an interface."""
    return End(place=Place.INTERFACE, interface_id=f"eni-{subnet}", groups=groups, subnet=subnet)


OUTSIDE = End(place=Place.OUTSIDE)
UNKNOWN = End(place=Place.UNKNOWN)


def rejected(
    text: str, source: End, destination: End, side: str = "inbound", *, is_reply: bool = False
) -> Rejected:
    """A packet that was rejected; `side` is '' if the record does not contain it."""
    return Rejected(
        request=packet(text),
        source=source,
        destination=destination,
        direction=Direction(side) if side else None,
        is_reply=is_reply,
    )


def configured(
    *groups: SecurityGroup,
    acls: dict[str, NetworkAcl] | None = None,
    lists: dict[str, tuple[str, ...]] | None = None,
) -> Configuration:
    """A configuration; subnets without an ACL in it have one that allows everything."""
    everywhere = {subnet: acl(acl_id=f"acl-{subnet}") for subnet in ("subnet-a", "subnet-b")}
    return Configuration(
        groups={each.group_id: each for each in groups},
        acls=everywhere | (acls or {}),
        prefix_lists={name: tuple(map(ip_network, each)) for name, each in (lists or {}).items()},
    )


def _at(text: str) -> tuple[str, Span]:
    """`10.0.0.1:53`, `[2001:db8::1]:53`, or an address without a port."""
    if text.startswith("["):
        address, _, port = text[1:].partition("]")
        return address, _port(port.removeprefix(":"))
    address, _, port = text.rpartition(":") if text.count(":") == 1 else (text, "", "")
    return address, _port(port)


def _port(text: str) -> Span:
    return Span(int(text), int(text)) if text.isdecimal() else ANY_PORT


def _service(text: str) -> tuple[int | None, Span | None, Span]:
    name, _, kind = text.partition(" ")
    protocol, _, ports = name.partition("/")
    if protocol == "?":
        return None, None, ANY_ICMP
    if protocol.startswith("icmp"):
        types, _, codes = kind.partition("/")
        return PROTOCOLS[protocol], _span(types, ANY_ICMP), _span(codes, ANY_ICMP)
    return PROTOCOLS[protocol], None if ports == "?" else _span(ports, ANY_PORT), ANY_ICMP


def _span(text: str, whole: Span) -> Span:
    first, _, last = text.partition("-")
    return Span(int(first), int(last or first)) if text else whole


def _peer(text: str) -> Peer | None:
    if text == "?":
        return None
    if text.startswith("pl-"):
        return PrefixList(text)
    if text.startswith("sg-"):
        group_id, _, where = text.partition(" ")
        return Ref(group_id=group_id, elsewhere=bool(where), stale=where == "stale")
    return ip_network(text)
