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

OK, SILENT, RESET, REFUSED, EGRESS_REJECTED, ANSWER_REFUSED = range(6)
"""Outcomes of a conversation, in order: it succeeds; there is no reply; a closed port replies with RST; the
server's security group rejects it; the client's security group rejects it; the request passes, and a network
ACL rejects the reply."""

FIRST_CLIENT_PORT: Final = 32_768
LAST_CLIENT_PORT: Final = 60_999
_REQUEST_FLAGS: Final = {OK: 3, SILENT: 2, RESET: 2, REFUSED: 2, EGRESS_REJECTED: 2, ANSWER_REFUSED: 2}
_ANSWER_FLAGS: Final = {OK: 19, RESET: 4, ANSWER_REFUSED: 18}
_ANSWERED: Final = frozenset({OK, RESET, ANSWER_REFUSED})
NAT_PORTS: Final = 1024
"""The lowest port that NAT gateways use for their clients."""


class Conversation(Struct, frozen=True):
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


class ConversationRecorder:
    """Records conversations at the interfaces on their path."""

    def __init__(self, recorder: Recorder) -> None:
        self._log = recorder.log

    def add(self, conversation: Conversation) -> None:
        """Record a conversation at every interface on its path."""
        protocol, outcome = conversation.protocol, conversation.outcome
        usual = _REQUEST_FLAGS[outcome] if conversation.flags is None else conversation.flags
        request = usual if protocol == TCP else 0
        answer = _ANSWER_FLAGS.get(outcome, 0) if protocol == TCP else 0
        answers = outcome in _ANSWERED and conversation.answered[0] > 0
        if conversation.client is not None:
            self._at_client(conversation, conversation.client, request, answer, answers=answers)
        if outcome == EGRESS_REJECTED:
            return
        if conversation.via is not None:
            self._at_gateway(conversation, conversation.via, request, answer, answers=answers)
        if conversation.server is not None:
            self._at_server(conversation, conversation.server, request, answer, answers=answers)

    def _at_client(
        self, conversation: Conversation, host: Host, request: int, answer: int, *, answers: bool
    ) -> None:
        near, remote = conversation.client_address, conversation.server_address
        shown = near if ":" in near else host.address
        ports = conversation.client_port, conversation.server_port
        begin, end = conversation.begin, conversation.begin + conversation.seconds
        action = "REJECT" if conversation.outcome == EGRESS_REJECTED else "ACCEPT"
        key = shown, remote, *ports, conversation.protocol, action, True, near, remote
        self._log(host, key, begin, end, *conversation.asked, request, BY_SOURCE)
        if answers and conversation.outcome != ANSWER_REFUSED:
            key = remote, shown, ports[1], ports[0], conversation.protocol, "ACCEPT", False, remote, near
            self._log(host, key, begin, end, *conversation.answered, answer, BY_DESTINATION)

    def _at_server(
        self, conversation: Conversation, host: Host, request: int, answer: int, *, answers: bool
    ) -> None:
        near, remote = conversation.server_address, conversation.client_address
        shown = near if ":" in near else host.address
        ports = conversation.client_port, conversation.server_port
        begin, end = conversation.begin, conversation.begin + conversation.seconds
        action = "REJECT" if conversation.outcome == REFUSED else "ACCEPT"
        key = remote, shown, *ports, conversation.protocol, action, False, remote, near
        self._log(host, key, begin, end, *conversation.asked, request, BY_SOURCE)
        if answers:
            action = "REJECT" if conversation.outcome == ANSWER_REFUSED else "ACCEPT"
            key = shown, remote, ports[1], ports[0], conversation.protocol, action, True, near, remote
            self._log(host, key, begin, end, *conversation.answered, answer, BY_DESTINATION)

    def _at_gateway(
        self, conversation: Conversation, via: Host, request: int, answer: int, *, answers: bool
    ) -> None:
        """Record both legs at a NAT gateway, and the inner one at a transit gateway."""
        here, client, server = via.address, conversation.client_address, conversation.server_address
        ports = conversation.client_port, conversation.server_port
        begin, end, protocol = (
            conversation.begin,
            conversation.begin + conversation.seconds,
            conversation.protocol,
        )
        log = self._log
        if conversation.client is None:  # from behind the transit gateway into the VPC
            key = here, server, *ports, protocol, "ACCEPT", True, client, server
            log(via, key, begin, end, *conversation.asked, request, BY_SOURCE)
            if answers:
                back = server, here, ports[1], ports[0], protocol, "ACCEPT", False, server, client
                log(via, back, begin, end, *conversation.answered, answer, BY_DESTINATION)
            return
        key = client, here, *ports, protocol, "ACCEPT", False, client, server
        log(via, key, begin, end, *conversation.asked, request, BY_SOURCE)
        if answers:
            back = here, client, ports[1], ports[0], protocol, "ACCEPT", True, server, client
            log(via, back, begin, end, *conversation.answered, answer, BY_DESTINATION)
        if via.interface.interface_type != "nat_gateway":
            return
        outer = NAT_PORTS + (conversation.client_port * 7919 + conversation.begin) % 64_000
        key = here, server, outer, ports[1], protocol, "ACCEPT", True, here, server
        log(via, key, begin, end, *conversation.asked, request, BY_SOURCE)
        if answers:
            back = server, here, ports[1], outer, protocol, "ACCEPT", False, server, here
            log(via, back, begin, end, *conversation.answered, answer, BY_DESTINATION)

    def untracked(self, conversation: Conversation, at: int, packets: int) -> None:
        """Record a late packet of the server on an expired connection: the client's side rejects it."""
        ports = conversation.server_port, conversation.client_port
        flags = 1 if packets == 1 else 0  # a lone FIN, or data
        near, remote = conversation.client_address, conversation.server_address
        if conversation.server is not None:
            shown = remote if ":" in remote else conversation.server.address
            key = shown, near, *ports, conversation.protocol, "ACCEPT", True, remote, near
            self._log(conversation.server, key, at, at, packets, 52 * packets, flags, BY_DESTINATION)
        if conversation.client is not None:
            shown = near if ":" in near else conversation.client.address
            key = remote, shown, *ports, conversation.protocol, "REJECT", False, remote, near
            self._log(conversation.client, key, at, at, packets, 52 * packets, flags, BY_DESTINATION)

    def stray(self, host: Host, source: str, ports: tuple[int, int], at: int, flags: int) -> None:
        """Backscatter: a reply to packets with the host's public address as a spoofed source."""
        key = source, host.address, *ports, TCP, "REJECT", False, source, host.address
        self._log(host, key, at, at, 1, 44, flags, BY_NEITHER)
