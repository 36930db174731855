"""Everyday traffic: the conversations of the edges, by time slot."""

from __future__ import annotations

from math import cos, pi
from random import Random
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from benchmarks.evaluation.generator import addresses, roles
from benchmarks.evaluation.generator.conversations import (
    EGRESS_REJECTED,
    FIRST_CLIENT_PORT,
    ICMP,
    LAST_CLIENT_PORT,
    OK,
    TCP,
    Conversation,
    ConversationRecorder,
)
from benchmarks.evaluation.generator.distributions import poisson
from benchmarks.evaluation.generator.event_queue import EventQueue, UntrackedPacket
from benchmarks.evaluation.generator.fleet import Fleet
from benchmarks.evaluation.generator.hosts import Host
from benchmarks.evaluation.generator.model import DAY
from benchmarks.evaluation.generator.roles import EDGES, OUTSIDE, REPLICATED, Edge

UNTRACKED: Final = 0.01
"""The share of longer connections with a late packet."""
IDLE: Final = 350
"""Seconds after which an idle connection is no longer tracked."""
OVER_IPV6: Final = 0.2
"""The share of IPv6 in conversations between hosts that both support it."""
RETRIES: Final = 2
"""Number of retries of a client without a reply."""

_EXTERNAL: Final = {
    roles.OFFICE: addresses.OFFICES,
    roles.ON_PREMISES: addresses.ON_PREMISES,
    roles.VENDOR: addresses.VENDORS,
    roles.TIME: addresses.TIME_SERVERS,
    roles.RESOLVERS: addresses.RESOLVERS,
}


class _End(Struct, frozen=True):
    host: Host | None
    address: str


class Benign:
    """Generates the edges' conversations."""

    def __init__(
        self, random: Random, fleet: Fleet, conversations: ConversationRecorder, events: EventQueue
    ) -> None:
        self._random = random
        self._fleet = fleet
        self._conversations = conversations
        self._events = events
        self._clients = addresses.pool(random, addresses.CLIENTS)

    def generate(self, begin: int, seconds: int, rate: float) -> None:
        """Generate a time slot from `begin` (Unix seconds); each edge of a VPC occurs at least once a day."""
        share = seconds / DAY * rate * _daily_factor(begin + seconds // 2)
        first = begin % DAY == 0
        for vpc in self._fleet.vpcs:
            for edge in EDGES:
                clients, servers = self._ends(vpc, edge.client), self._ends(vpc, edge.server)
                payers = servers if edge.client in OUTSIDE else clients
                count = poisson(self._random, len(payers) * edge.a_day * share)
                vias = self._fleet.members[vpc, edge.via] if edge.via else []
                for _ in range(max(count, int(first))):
                    self._one(edge, clients, servers, vias, begin + int(self._random.random() * seconds))

    def _ends(self, vpc: int, name: str) -> list[Host]:
        if name in OUTSIDE:
            return []
        return self._fleet.instances(vpc) if name == roles.ANYONE else self._fleet.members[vpc, name]

    def _one(
        self, edge: Edge, clients: list[Host], servers: list[Host], vias: list[Host], begin: int
    ) -> None:
        """Generate a conversation of a random client; few clients have most of the conversations."""
        random = self._random
        number = int(random.random() ** 2 * (len(clients) or addresses.CLIENTS))
        client = _End(clients[number], "") if clients else _End(None, self._external_address(edge.client))
        server = self._server(edge, number, servers)
        if server.host is not None and server.host is client.host:
            return
        near, remote = self._addresses(client, server)
        protocol, outcome = edge.protocol, EGRESS_REJECTED if edge.egress_rejected else OK
        fault = server.host.fault if server.host is not None else None
        if fault is not None and fault.begin <= begin < fault.end and fault.port in {0, edge.port}:
            outcome = fault.outcome
        length = int(random.expovariate(1 / edge.seconds)) if edge.seconds else 0
        packets = 1 + int(random.expovariate(1 / edge.packets))
        size = packets * (52 + random.getrandbits(9))
        conversation = Conversation(
            client.host, near, self._client_port(edge), server.host, remote, edge.port, protocol, begin,
            length, (packets, size), _answer(edge, packets, size), outcome,
            random.choice(vias) if vias else None,
        )  # fmt: skip
        if outcome != OK:
            self._fail(conversation)
            return
        self._conversations.add(conversation)
        if edge.keeps_address:
            self._forward(conversation)
        if length > IDLE // 6 and protocol == TCP and random.random() < UNTRACKED:
            late = begin + length + IDLE + random.randrange(3600)
            self._events.put(UntrackedPacket(conversation, late, random.choice((1, 1, 1, 4))))

    def _server(self, edge: Edge, number: int, servers: list[Host]) -> _End:
        """One of the few servers of this client; for a primary its replica; for a fan of 0 any server."""
        if edge.server in OUTSIDE:
            known = _EXTERNAL[edge.server]
            return _End(None, known[(number * 7 + int(self._random.random() * edge.fan)) % len(known)])
        count = len(servers)
        if edge.client == edge.server == REPLICATED:
            return _End(servers[number % (count // 2) + count // 2], "")
        fan = edge.fan or count
        return _End(servers[(number * 5 + int(self._random.random() * fan)) % count], "")

    def _external_address(self, name: str) -> str:
        if name == roles.INTERNET:
            return self._clients[int(self._random.random() ** 4 * addresses.CLIENTS)]
        return self._random.choice(_EXTERNAL[name])

    def _addresses(self, client: _End, server: _End) -> tuple[str, str]:
        """The addresses in the packets: of a pod on a node; IPv6 if both ends have it."""
        random, near, remote = self._random, client.host, server.host
        if (
            near is not None
            and remote is not None
            and near.ipv6
            and remote.ipv6
            and random.random() < OVER_IPV6
        ):
            return near.ipv6, remote.ipv6
        return _address(near, random) or client.address, _address(remote, random) or server.address

    def _client_port(self, edge: Edge) -> int:
        if edge.protocol == ICMP:
            return 0
        if edge.server == roles.TIME:
            return edge.port
        return self._random.randrange(FIRST_CLIENT_PORT, LAST_CLIENT_PORT)

    def _fail(self, conversation: Conversation) -> None:
        """Retry a failed conversation from other ports."""
        random = self._random
        begin, port = conversation.begin, conversation.client_port
        for _ in range(1 + random.randrange(RETRIES + 1)):
            self._events.put(attempt(conversation, begin, port, random))
            begin += 5 + random.randrange(40)
            port = random.randrange(FIRST_CLIENT_PORT, LAST_CLIENT_PORT) if port else 0

    def _forward(self, conversation: Conversation) -> None:
        """A network load balancer that preserves the client's address: the target sees a public address."""
        assert conversation.server is not None  # noqa: S101 -- it is the load balancer
        vpc = int(conversation.server.interface.vpc_id.removeprefix("vpc-"), 16)
        target = self._random.choice(self._fleet.members[vpc, "edge"])
        self._conversations.add(
            Conversation(
                *(
                    None,
                    conversation.client_address,
                    conversation.client_port,
                    target,
                    target.address,
                    conversation.server_port,
                ),
                *(
                    conversation.protocol,
                    conversation.begin,
                    conversation.seconds,
                    conversation.asked,
                    conversation.answered,
                ),
            )
        )


def attempt(conversation: Conversation, begin: int, port: int, random: Random) -> Conversation:
    """The same conversation without success: a SYN and its TCP retransmissions."""
    syns = random.choice((1, 3, 4, 6))
    return replace(
        conversation,
        client_port=port,
        begin=begin,
        seconds=syns * 4,
        asked=(syns, 60 * syns),
        answered=(syns, 40 * syns),
    )


def _answer(edge: Edge, packets: int, size: int) -> tuple[int, int]:
    """Packets and bytes of the reply direction."""
    if edge.sends:
        return packets // 2, 52 * (packets // 2)
    return (packets, 3 * size) if edge.answered else (0, 0)


def _address(host: Host | None, random: Random) -> str:
    """An address of the host's packets; '' for no host."""
    if host is None:
        return ""
    pods = host.interface.secondary_ipv4
    return random.choice(pods) if pods and random.random() < 0.8 else host.address


def _daily_factor(moment: int) -> float:
    """The activity at a time of day: 1 on average, lowest at 3 o'clock."""
    return 1 - 0.5 * cos(2 * pi * (moment % DAY - 3 * 3600) / DAY)
