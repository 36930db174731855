"""The traffic of a network interface: clients, servers, and rejected hosts.

An accepted conversation mostly has records of both directions, not adjacent. Rejected traffic is noise from
the internet, except for a few: an internal client, a service that rejects the interface itself, late replies.
"""

from __future__ import annotations

from collections import defaultdict
from random import Random
from typing import Final

from msgspec import Struct

from benchmarks.interfaces import Interface

UNIQUE: Final = 0.82
"""The share of flows that belong to a new conversation, as long as others can be repeated."""
_DRAWS: Final = 20

_TCP, _UDP = "6", "17"
_LISTENS_ON: Final = {_TCP: (443, 80, 8443, 5432, 6379), _UDP: (443, 53, 8443)}
_CALLS: Final = {_TCP: (443, 443, 443, 5432, 3306, 8080), _UDP: (53, 53, 123, 443)}
_SCANNED: Final = 22, 23, 80, 443, 445, 1433, 3306, 3389, 5432, 5900, 6379, 8080, 8443, 9200, 27017
_FIRST_CLIENT_PORT: Final = 1024


_REQUEST_FLAGS: Final = "3", "3", "3", "3", "2", "2", "0"
_ANSWER_FLAGS: Final = "19", "19", "19", "19", "18", "18", "0"
"""`tcp-flags` of complete, started and ongoing conversations."""
_LATE_FLAGS: Final = "0", "1", "4"
"""`tcp-flags` of late packets on expired connections."""
_SHARE_OF_NOISE, _SHARE_OF_BARRED, _SHARE_OF_LATE = 0.85, 0.05, 0.05
"""Cumulative shares of the rejects: from the internet, outbound, late packets; the rest is internal."""


class Talk(Struct, frozen=True):
    """One direction of a conversation, as recorded by the interface."""

    source: str
    source_port: int
    destination: str
    destination_port: int
    protocol: str
    action: str
    egress: bool
    flags: str
    """The value of `tcp-flags`."""

    @property
    def key(self) -> tuple[str, str, int, str, str]:
        """The key of the flow in the aggregates."""
        return self.source, self.destination, self.destination_port, self.protocol, self.action


class FarEnds:
    """The far ends of a payload's interfaces; their number grows with the records."""

    def __init__(self, random: Random, records: int) -> None:
        self.peers = {ipv6: _addresses(random, 8 + records // 17, ipv6=ipv6) for ipv6 in (False, True)}
        """By family (True: IPv6)."""
        self.scanners = {
            ipv6: [_address(random, inside=False, ipv6=ipv6) for _ in range(8 + records // 30)]
            for ipv6 in (False, True)
        }
        self.refused = {ipv6: _address(random, inside=True, ipv6=ipv6) for ipv6 in (False, True)}
        """An internal client that is rejected."""
        self.barred = {ipv6: _address(random, inside=False, ipv6=ipv6) for ipv6 in (False, True)}
        """A server that rejects the interfaces."""


class Traffic:
    """Draws the flows of an interface."""

    def __init__(self, random: Random, interface: Interface, far_ends: FarEnds) -> None:
        self._random = random
        self._own = {False: interface.ipv4, True: interface.ipv6}
        self._far = far_ends
        self._unanswered: dict[bool, list[Talk]] = {False: [], True: []}
        self._talks: dict[tuple[str, bool], list[Talk]] = defaultdict(list)
        self._keys: set[tuple[str, str, int, str, str]] = set()

    def talk(self, action: str, *, ipv6: bool) -> Talk:
        """A repeated flow, or a new one."""
        before = self._talks[action, ipv6]
        if before and self._random.random() >= UNIQUE:
            return self._random.choice(before)
        for _ in range(_DRAWS):
            talk = self._draw(action, ipv6=ipv6)
            if talk.key not in self._keys:
                break
        self._keys.add(talk.key)
        before.append(talk)
        return talk

    def _draw(self, action: str, *, ipv6: bool) -> Talk:
        if action == "REJECT":
            return self._refusal(ipv6=ipv6)
        waiting = self._unanswered[ipv6]
        if waiting and self._random.random() < 0.5:  # noqa: PLR2004 -- as many requests as replies
            return waiting.pop(self._random.randrange(len(waiting)))
        return self._conversation(ipv6=ipv6)

    def _conversation(self, *, ipv6: bool) -> Talk:
        """Return a request, and queue its reply for later."""
        random, own, peer = self._random, self._own[ipv6], self._random.choice(self._far.peers[ipv6])
        protocol, client_port = self._protocol(ipv6=ipv6)
        outbound = random.random() < 0.4  # noqa: PLR2004 -- a share
        ports = (_CALLS if outbound else _LISTENS_ON).get(protocol, (0,))
        client, server = (own, peer) if outbound else (peer, own)
        ends = (client, client_port), (server, random.choice(ports))
        kind = 0 if protocol != _TCP else random.randrange(len(_REQUEST_FLAGS))
        flags = ("0", "0") if protocol != _TCP else (_REQUEST_FLAGS[kind], _ANSWER_FLAGS[kind])
        self._unanswered[ipv6].append(
            _one_way(ends[::-1], protocol, "ACCEPT", egress=not outbound, flags=flags[1])
        )
        return _one_way(ends, protocol, "ACCEPT", egress=outbound, flags=flags[0])

    def _refusal(self, *, ipv6: bool) -> Talk:
        random, own, drawn = self._random, self._own[ipv6], self._random.random()
        protocol, port = self._protocol(ipv6=ipv6)
        syn = "2" if protocol == _TCP else "0"
        if drawn < _SHARE_OF_NOISE:
            ends = (
                (random.choice(self._far.scanners[ipv6]), port),
                (own, random.choice(_SCANNED) if port else 0),
            )
            return _one_way(ends, protocol, "REJECT", egress=False, flags=syn)
        drawn -= _SHARE_OF_NOISE
        if drawn < _SHARE_OF_BARRED:
            ends = (own, port), (self._far.barred[ipv6], 25 if port else 0)
            return _one_way(ends, protocol, "REJECT", egress=True, flags=syn)
        if drawn < _SHARE_OF_BARRED + _SHARE_OF_LATE:
            ends = (random.choice(self._far.peers[ipv6]), 443), (own, random.randrange(32_768, 61_000))
            return _one_way(ends, _TCP, "REJECT", egress=False, flags=random.choice(_LATE_FLAGS))
        ends = (self._far.refused[ipv6], port), (own, 9200 if port else 0)
        return _one_way(ends, protocol, "REJECT", egress=False, flags=syn)

    def _protocol(self, *, ipv6: bool) -> tuple[str, int]:
        """A protocol, and the client's port: 0 if the protocol has no ports."""
        drawn = self._random.random()
        if drawn < 0.02:  # noqa: PLR2004 -- a little ICMP
            return "58" if ipv6 else "1", 0
        protocol = _TCP if drawn < 0.85 else _UDP  # noqa: PLR2004 -- mostly TCP
        return protocol, self._random.randrange(_FIRST_CLIENT_PORT, 65_536)


def _one_way(
    ends: tuple[tuple[str, int], tuple[str, int]], protocol: str, action: str, *, egress: bool, flags: str
) -> Talk:
    (source, source_port), (destination, destination_port) = ends
    return Talk(source, source_port, destination, destination_port, protocol, action, egress, flags)


def _addresses(random: Random, count: int, *, ipv6: bool) -> list[str]:
    """Far ends: half of them internal, half of them on the internet."""
    return [_address(random, inside=number % 2 == 0, ipv6=ipv6) for number in range(count)]


def _address(random: Random, *, inside: bool, ipv6: bool) -> str:
    if ipv6:
        groups = ":".join(f"{random.randrange(1, 65_536):x}" for _ in range(4))
        return f"2a05:d018:1:{random.randrange(32):x}:{groups}" if inside else f"2001:db8:0:1:{groups}"
    low, lower = random.randrange(100, 256), random.randrange(1, 255)
    if inside:  # in 32 subnets, as in a VPC
        return f"10.1.{100 + low % 32}.{lower}"
    return f"{random.choice((52, 95, 151, 198))}.51.{low}.{lower}"
