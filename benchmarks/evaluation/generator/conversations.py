"""Conversations: the records of each interface on the path.

Inside a VPC both ends record a conversation, so it has up to four records. NAT gateways and transit gateways
record both of their legs, with their own address instead of the far end's; `pkt-srcaddr` and `pkt-dstaddr`
contain the packet's original addresses. A node records its own address instead of a pod's.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from benchmarks.evaluation.generator.hosts import Host
from benchmarks.evaluation.generator.recorder import BY_DESTINATION, BY_NEITHER, BY_SOURCE, Recorder

ICMP, TCP, UDP = 1, 6, 17

OK, SILENT, RESET, REFUSED, BARRED, ANSWER_REFUSED = range(6)
"""Outcomes of a conversation, in order: it succeeds; there is no reply; a closed port replies with RST; the
server's security group rejects it; the client's security group rejects it; the request passes, and a network
ACL rejects the reply."""

FIRST_CLIENT_PORT: Final = 32_768
LAST_CLIENT_PORT: Final = 60_999
_REQUEST_FLAGS: Final = {OK: 3, SILENT: 2, RESET: 2, REFUSED: 2, BARRED: 2, ANSWER_REFUSED: 2}
_ANSWER_FLAGS: Final = {OK: 19, RESET: 4, ANSWER_REFUSED: 18}
_ANSWERED: Final = frozenset({OK, RESET, ANSWER_REFUSED})
NAT_PORTS: Final = 1024
"""The lowest port that NAT gateways use for their clients."""


class Talk(Struct, frozen=True):
    """A conversation. Hosts outside the VPCs are None."""

    client: Host | None
    client_address: str
    client_port: int
    server: Host | None
    server_address: str
    server_port: int
    protocol: int
    begin: int
    """Unix seconds."""
    seconds: int
    asked: tuple[int, int]
    """Packets and bytes from client to server."""
    answered: tuple[int, int]
    outcome: int = OK
    via: Host | None = None
    """The NAT gateway or transit gateway on its path."""
    flags: int | None = None
    """The TCP flags of the request; None for those of its outcome."""


class Talks:
    """Records conversations at the interfaces on their path."""

    def __init__(self, recorder: Recorder) -> None:
        self._log = recorder.log

    def add(self, talk: Talk) -> None:
        """Record a conversation at every interface on its path."""
        protocol, outcome = talk.protocol, talk.outcome
        usual = _REQUEST_FLAGS[outcome] if talk.flags is None else talk.flags
        request = usual if protocol == TCP else 0
        answer = _ANSWER_FLAGS.get(outcome, 0) if protocol == TCP else 0
        answers = outcome in _ANSWERED and talk.answered[0] > 0
        if talk.client is not None:
            self._at_client(talk, talk.client, request, answer, answers=answers)
        if outcome == BARRED:
            return
        if talk.via is not None:
            self._on_the_way(talk, talk.via, request, answer, answers=answers)
        if talk.server is not None:
            self._at_server(talk, talk.server, request, answer, answers=answers)

    def _at_client(self, talk: Talk, host: Host, request: int, answer: int, *, answers: bool) -> None:
        near, far = talk.client_address, talk.server_address
        shown = near if ":" in near else host.address
        ports = talk.client_port, talk.server_port
        begin, end = talk.begin, talk.begin + talk.seconds
        action = "REJECT" if talk.outcome == BARRED else "ACCEPT"
        key = shown, far, *ports, talk.protocol, action, True, near, far
        self._log(host, key, begin, end, *talk.asked, request, BY_SOURCE)
        if answers and talk.outcome != ANSWER_REFUSED:
            key = far, shown, ports[1], ports[0], talk.protocol, "ACCEPT", False, far, near
            self._log(host, key, begin, end, *talk.answered, answer, BY_DESTINATION)

    def _at_server(self, talk: Talk, host: Host, request: int, answer: int, *, answers: bool) -> None:
        near, far = talk.server_address, talk.client_address
        shown = near if ":" in near else host.address
        ports = talk.client_port, talk.server_port
        begin, end = talk.begin, talk.begin + talk.seconds
        action = "REJECT" if talk.outcome == REFUSED else "ACCEPT"
        key = far, shown, *ports, talk.protocol, action, False, far, near
        self._log(host, key, begin, end, *talk.asked, request, BY_SOURCE)
        if answers:
            action = "REJECT" if talk.outcome == ANSWER_REFUSED else "ACCEPT"
            key = shown, far, ports[1], ports[0], talk.protocol, action, True, near, far
            self._log(host, key, begin, end, *talk.answered, answer, BY_DESTINATION)

    def _on_the_way(self, talk: Talk, via: Host, request: int, answer: int, *, answers: bool) -> None:
        """Record both legs at a NAT gateway, and the inner one at a transit gateway."""
        here, client, server = via.address, talk.client_address, talk.server_address
        ports = talk.client_port, talk.server_port
        begin, end, protocol = talk.begin, talk.begin + talk.seconds, talk.protocol
        log = self._log
        if talk.client is None:  # from behind the transit gateway into the VPC
            key = here, server, *ports, protocol, "ACCEPT", True, client, server
            log(via, key, begin, end, *talk.asked, request, BY_SOURCE)
            if answers:
                back = server, here, ports[1], ports[0], protocol, "ACCEPT", False, server, client
                log(via, back, begin, end, *talk.answered, answer, BY_DESTINATION)
            return
        key = client, here, *ports, protocol, "ACCEPT", False, client, server
        log(via, key, begin, end, *talk.asked, request, BY_SOURCE)
        if answers:
            back = here, client, ports[1], ports[0], protocol, "ACCEPT", True, server, client
            log(via, back, begin, end, *talk.answered, answer, BY_DESTINATION)
        if via.interface.interface_type != "nat_gateway":
            return
        outer = NAT_PORTS + (talk.client_port * 7919 + talk.begin) % 64_000
        key = here, server, outer, ports[1], protocol, "ACCEPT", True, here, server
        log(via, key, begin, end, *talk.asked, request, BY_SOURCE)
        if answers:
            back = server, here, ports[1], outer, protocol, "ACCEPT", False, server, here
            log(via, back, begin, end, *talk.answered, answer, BY_DESTINATION)

    def leftover(self, talk: Talk, at: int, packets: int) -> None:
        """Record a late packet of the server on an expired connection: the client's side rejects it."""
        ports = talk.server_port, talk.client_port
        flags = 1 if packets == 1 else 0  # a lone FIN, or data
        near, far = talk.client_address, talk.server_address
        if talk.server is not None:
            shown = far if ":" in far else talk.server.address
            key = shown, near, *ports, talk.protocol, "ACCEPT", True, far, near
            self._log(talk.server, key, at, at, packets, 52 * packets, flags, BY_DESTINATION)
        if talk.client is not None:
            shown = near if ":" in near else talk.client.address
            key = far, shown, *ports, talk.protocol, "REJECT", False, far, near
            self._log(talk.client, key, at, at, packets, 52 * packets, flags, BY_DESTINATION)

    def stray(self, host: Host, source: str, ports: tuple[int, int], at: int, flags: int) -> None:
        """Backscatter: a reply to packets with the host's public address as a spoofed source."""
        key = source, host.address, *ports, TCP, "REJECT", False, source, host.address
        self._log(host, key, at, at, 1, 44, flags, BY_NEITHER)
