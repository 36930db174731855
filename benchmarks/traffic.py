"""Who talks with one network interface: clients, servers, and scanners that are refused."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from random import Random
from typing import Final, Self

from msgspec import Struct

UNIQUE: Final = 0.82
"""How often a flow is one that was not there before, as far as there are others left to draw."""
_DRAWS: Final = 20

_LISTENS_ON: Final = 443, 80, 8443, 5432, 6379
_CALLS: Final = 443, 443, 443, 5432, 3306, 53
_SCANNED: Final = 22, 23, 80, 443, 445, 1433, 3306, 3389, 5432, 5900, 6379, 8080, 8443, 9200, 27017
_FIRST_CLIENT_PORT: Final = 1024


class Interface(Struct, frozen=True):
    """A network interface with one address of each family."""

    fields: Mapping[str, str]
    """What all of its records say, under AWS' field names."""
    ipv4: str
    ipv6: str

    @property
    def interface_id(self) -> str:
        """Its id."""
        return self.fields["interface-id"]

    @classmethod
    def drawn(cls, random: Random) -> Self:
        """Draw one."""
        subnet = random.randrange(16)
        fields = {
            "account-id": "111122223333",
            "interface-id": f"eni-{random.getrandbits(68):017x}",
            "vpc-id": "vpc-0a1b2c3d4e5f67890",
            "subnet-id": f"subnet-0{subnet:016x}",
            "instance-id": f"i-{random.getrandbits(68):017x}",
            "region": "eu-west-1",
            "az-id": f"euw1-az{1 + subnet % 3}",
        }
        return cls(
            fields,
            f"10.0.{subnet}.{random.randrange(4, 255)}",
            f"2a05:d018:1:{subnet:x}::{random.getrandbits(16):x}",
        )


class Talk(Struct, frozen=True):
    """One way of a conversation, as the interface recorded it."""

    source: str
    source_port: int
    destination: str
    destination_port: int
    protocol: str
    action: str
    egress: bool

    @property
    def key(self) -> tuple[str, str, int, str, str]:
        """What the aggregates are told apart by."""
        return self.source, self.destination, self.destination_port, self.protocol, self.action


class Traffic:
    """Draws what an interface sees among so many records; the number of its peers grows with them."""

    def __init__(self, random: Random, interface: Interface, records: int) -> None:
        self._random = random
        self._own = {False: interface.ipv4, True: interface.ipv6}
        self._peers = {ipv6: _addresses(random, 8 + records // 20, ipv6=ipv6) for ipv6 in (False, True)}
        self._scanners = {ipv6: _addresses(random, 8 + records // 30, ipv6=ipv6) for ipv6 in (False, True)}
        self._talks: dict[tuple[str, bool], list[Talk]] = defaultdict(list)
        self._keys: set[tuple[str, str, int, str, str]] = set()

    def talk(self, action: str, *, ipv6: bool) -> Talk:
        """Something that was seen before, or something new."""
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
        random, own = self._random, self._own[ipv6]
        protocol, client_port = self._protocol(ipv6=ipv6)
        if action == "REJECT":
            scanner = random.choice(self._scanners[ipv6])
            target = random.choice(_SCANNED) if client_port else 0
            ends = (scanner, client_port), (own, target)
            egress = random.random() < 0.1  # noqa: PLR2004 -- one of ten refused flows wanted out
            return _one_way(ends[::-1] if egress else ends, protocol, action, egress=egress)
        outbound, answer = random.random() < 0.4, random.random() < 0.75  # noqa: PLR2004 -- shares
        port = random.choice(_CALLS if outbound else _LISTENS_ON) if client_port else 0
        near, far = (own, client_port), (random.choice(self._peers[ipv6]), port)
        if not outbound:
            near, far = (own, port), (far[0], client_port)
        egress = outbound != answer
        return _one_way((near, far) if egress else (far, near), protocol, action, egress=egress)

    def _protocol(self, *, ipv6: bool) -> tuple[str, int]:
        """A protocol, and the client's port: 0 where the protocol has none."""
        drawn = self._random.random()
        if drawn < 0.02:  # noqa: PLR2004 -- a little ICMP
            return "58" if ipv6 else "1", 0
        protocol = "6" if drawn < 0.85 else "17"  # noqa: PLR2004 -- mostly TCP
        return protocol, self._random.randrange(_FIRST_CLIENT_PORT, 65_536)


def _one_way(
    ends: tuple[tuple[str, int], tuple[str, int]], protocol: str, action: str, *, egress: bool
) -> Talk:
    (source, source_port), (destination, destination_port) = ends
    return Talk(source, source_port, destination, destination_port, protocol, action, egress)


def _addresses(random: Random, count: int, *, ipv6: bool) -> list[str]:
    """Far ends: half of them inside, half of them on the internet."""
    return [_address(random, inside=number % 2 == 0, ipv6=ipv6) for number in range(count)]


def _address(random: Random, *, inside: bool, ipv6: bool) -> str:
    if ipv6:
        groups = ":".join(f"{random.randrange(1, 65_536):x}" for _ in range(4))
        return f"2a05:d018:1:{random.randrange(32):x}:{groups}" if inside else f"2001:db8:0:1:{groups}"
    low, lower = random.randrange(256), random.randrange(1, 255)
    return f"10.1.{low}.{lower}" if inside else f"{random.choice((52, 95, 151, 198))}.51.{low}.{lower}"
