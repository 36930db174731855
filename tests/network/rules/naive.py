"""A second, naive evaluator: expands every rule to all packets of a small universe.

It shares with the product only the types of the input. What is not known is tried both ways: the packet is
allowed or denied only if it is in every such world.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product
from typing import Final

from flowwarden.network.rules.model import (
    Configuration,
    Direction,
    End,
    Entry,
    Peer,
    Place,
    PrefixList,
    Ref,
    Rule,
    SecurityGroup,
    address_of,
)
from flowwarden.network.rules.verdict import Rejected

HOSTS: Final = tuple(
    address_of(f"{start}{last}") for start in ("10.0.1.", "10.0.2.", "2001:db8::") for last in range(1, 4)
)
PORTS: Final = 0, 22, 443, 1023, 1024, 5432, 40000, 65535
TYPES: Final = 0, 3, 8, 255
SERVICES: Final = (
    *((protocol, port) for protocol in (6, 17, 132) for port in PORTS),
    *((protocol, kind) for protocol in (1, 58) for kind in TYPES),
)
"""(protocol, destination port or ICMP type)."""

type Concrete = tuple[object, tuple[int, int]]
"""The address of the far end, and the service."""
type World = dict[object, bool]
"""For each thing that is not known, whether it matches."""


def outcome(rejected: Rejected, rules: Configuration) -> tuple[str, str]:
    """`allowed`, `denied` or `undetermined`, and the first component that denies the packet in all worlds."""
    results = {_in_world(rejected, rules, world) for world in worlds(rejected, rules)}
    denied = {component != "" for component in results}
    if len(denied) > 1:
        return "undetermined", ""
    return ("denied", results.pop() if len(results) == 1 else "?") if denied == {True} else ("allowed", "")


def _in_world(rejected: Rejected, rules: Configuration, world: World) -> str:
    """The first component at the interface that denies the packet; '' if none does."""
    request, direction = rejected.request, rejected.direction or Direction.INBOUND
    outbound = rejected.direction is Direction.OUTBOUND
    leaves_source = outbound is not rejected.is_reply
    here, far = rejected.source, rejected.destination
    if not leaves_source:
        here, far = far, here
    packet = request.reply if rejected.is_reply else request
    far_address = packet.destination if outbound else packet.source
    concrete = far_address, (packet.protocol, packet.ports.first)
    acl = "" if _acl_allows(rules, here, far, concrete, direction, world) else "network-acl"
    groups = ""
    if here.groups and not rejected.is_reply:
        allowed = set[Concrete]()
        for name in here.groups:
            allowed |= _expanded(name, rules, far, direction, world)
        groups = "" if concrete in allowed else "security-groups"
    return (groups or acl) if outbound else (acl or groups)


def _acl_allows(
    rules: Configuration, here: End, far: End, concrete: Concrete, direction: Direction, world: World
) -> bool:
    if far.place is Place.INTERFACE and here.subnet == far.subnet:
        return True
    if far.place is Place.UNKNOWN and world["same subnet"]:
        return True
    decided: dict[Concrete, bool] = {}
    acl = rules.acls.get(here.subnet)
    if acl is None or not acl.complete:
        return world[here.subnet]
    for entry in sorted(acl.entries, key=lambda each: each.number):
        if entry.egress is (direction is Direction.OUTBOUND):
            for each in _of_entry(entry, world):
                decided.setdefault(each, entry.allows)
    return decided.get(concrete, False)


def _of_entry(entry: Entry, world: World) -> Iterator[Concrete]:
    networks = (
        [world[entry]] * len(HOSTS) if entry.network is None else [each in entry.network for each in HOSTS]
    )
    hosts = [host for host, is_in in zip(HOSTS, networks, strict=True) if is_in]
    yield from product(hosts, _services(entry, world))


def _expanded(name: str, rules: Configuration, far: End, direction: Direction, world: World) -> set[Concrete]:
    group = rules.groups.get(name)
    everything = set[Concrete](product(HOSTS, SERVICES))
    if group is None:
        return everything if world[name] else set()
    allowed = everything if not group.complete and world[name] else set[Concrete]()
    for rule in group.outbound if direction is Direction.OUTBOUND else group.inbound:
        hosts = [each for each in HOSTS if _is_peer(rule, each, far, rules, world)]
        allowed |= set(product(hosts, _services(rule, world)))
    return allowed


def _is_peer(rule: Rule, host: object, far: End, rules: Configuration, world: World) -> bool:
    peer: Peer | None = rule.peer
    if peer is None:
        return world[rule]
    if isinstance(peer, PrefixList):
        entries = rules.prefix_lists.get(peer.prefix_list_id)
        return world[peer] if entries is None else any(host in each for each in entries)
    if isinstance(peer, Ref):
        if peer.stale:
            return False
        if far.place is Place.INTERFACE:
            return peer.group_id in far.groups
        return world[peer] if far.place is Place.UNKNOWN or peer.elsewhere else False
    return host in peer


def _services(rule: Rule | Entry, world: World) -> list[tuple[int, int]]:
    found = []
    for protocol, number in SERVICES:
        if rule.protocol is not None and protocol != rule.protocol:
            continue
        if rule.ports is None:
            matches = world[rule]
        elif rule.protocol is None or protocol == 132:
            matches = True
        else:
            matches = number in range(rule.ports.first, rule.ports.last + 1)
        if matches:
            found.append((protocol, number))
    return found


def worlds(rejected: Rejected, rules: Configuration) -> Iterator[World]:
    """Every combination of what is not known."""
    unknown = unknowns(rejected, rules)
    for values in product((False, True), repeat=len(unknown)):
        yield dict(zip(unknown, values, strict=True))


def unknowns(rejected: Rejected, rules: Configuration) -> list[object]:
    """Everything that is not known, each once."""
    return list(dict.fromkeys(_unknown(rejected, rules)))


def _unknown(rejected: Rejected, rules: Configuration) -> Iterator[object]:
    ends = rejected.source, rejected.destination
    if any(each.place is Place.UNKNOWN for each in ends):
        yield "same subnet"
    for end in ends:
        yield from (name for name in end.groups if name not in rules.groups)
        if end.subnet and end.subnet not in rules.acls:
            yield end.subnet
    yield from (subnet for subnet, acl in rules.acls.items() if not acl.complete)
    for group in rules.groups.values():
        yield from _unknown_of_group(group, rules)
    for acl in rules.acls.values():
        yield from _unread(acl.entries)


def _unknown_of_group(group: SecurityGroup, rules: Configuration) -> Iterator[object]:
    if not group.complete:
        yield group.group_id
    for rule in (*group.inbound, *group.outbound):
        if rule.peer is None or rule.ports is None:
            yield rule
        if isinstance(rule.peer, Ref):
            yield rule.peer
        if isinstance(rule.peer, PrefixList) and rule.peer.prefix_list_id not in rules.prefix_lists:
            yield rule.peer


def _unread(entries: Iterable[Entry]) -> Iterator[Entry]:
    return (each for each in entries if each.network is None or each.ports is None)
