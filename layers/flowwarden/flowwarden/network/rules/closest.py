"""The closest rule: the allow rule that comes closest to matching a denied packet.

In this order: all of the rule matches (an entry of a network ACL that comes too late); protocol and port
match; the far end and the protocol match; the far end matches. Among equals, the network that shares most
leading bits with the far end's address, then the nearest port, then the first. A rule of which neither the
service nor the far end matches is not close.
"""

from __future__ import annotations

from collections.abc import Sequence

from flowwarden.network.rules.matching import peer_matches, protocol_matches, service_matches
from flowwarden.network.rules.model import (
    Address,
    Entry,
    Network,
    Passage,
    Peer,
    PrefixList,
    Ref,
    Rule,
    Span,
)

type _Rank = tuple[int, int, int]
"""How many parts match, leading bits in common, and the distance of the port, negative: higher is closer."""


def closest_rule(rules: Sequence[tuple[str, Rule]], passage: Passage) -> tuple[str, Rule | None]:
    """The closest rule of security groups, with its group; ('', None) if none is close.

    Args:
        rules: those of one direction, after the ids of their groups.
        passage: the denied packet.
    """
    ranks = [_rank(rule, rule.peer, passage) for _, rule in rules]
    best = max(ranks, default=(0, 0, 0))
    return rules[ranks.index(best)] if best[0] else ("", None)


def closest_entry(entries: Sequence[Entry], passage: Passage) -> Entry | None:
    """The closest entry of a network ACL that allows something; None if none is close."""
    allowing = [each for each in entries if each.allows]
    ranks = [_rank(each, each.network, passage) for each in allowing]
    best = max(ranks, default=(0, 0, 0))
    return allowing[ranks.index(best)] if best[0] else None


def _rank(rule: Rule | Entry, peer: Peer | None, passage: Passage) -> _Rank:
    service = service_matches(rule, passage.packet) is True
    here = peer is not None and peer_matches(peer, passage) is True
    matching = 4 if service and here else 3 if service else 0
    if here and not service:
        matching = 2 if protocol_matches(rule, passage.packet) else 1
    return matching, _bits(peer, passage), -_distance(rule.ports, passage.packet.ports)


def _bits(peer: Peer | None, passage: Passage) -> int:
    """Leading bits that the far address shares with the network of a rule, at most those of the network."""
    match peer:
        case None | Ref():
            return 0
        case PrefixList():
            networks = passage.prefix_lists.get(peer.prefix_list_id, ())
            return max((_common(passage.address, each) for each in networks), default=0)
    return _common(passage.address, peer)


def _common(address: Address, network: Network) -> int:
    if address.version != network.version:
        return 0
    different = int(address) ^ int(network.network_address)
    return min(network.prefixlen, network.max_prefixlen - different.bit_length())


def _distance(wanted: Span | None, ports: Span) -> int:
    """From the packet's port to the nearest one of the rule."""
    if wanted is None:
        return ports.last
    return max(0, wanted.first - ports.last, ports.first - wanted.last)
