"""Writes flow records to the flow-log group in the same way as AWS: one stream for each interface."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress

from msgspec import Struct

from flowwarden.records.log_format import LogFormat
from local.clients import Clients
from local.environment import ACCOUNT_ID, REGION
from local.stack import Stack

TCP = 6
SYN, SYN_FIN, SYN_ACK_FIN = 2, 3, 19


class Host(Struct, frozen=True, kw_only=True):
    """A host of the scenario: its address, its interface and its location."""

    address: str
    interface: str
    instance: str
    subnet: str
    vpc: str


class Conversation(Struct, frozen=True, kw_only=True):
    """A connection between two hosts, as recorded by one interface."""

    at: Host
    """The host whose interface recorded it."""
    client: str
    """Address of the initiator."""
    client_port: int
    server: str
    port: int
    accepted: bool = True
    answered: bool = True
    """Whether the reply was recorded too; a rejected attempt has none."""
    packets: int = 12
    bytes: int = 5200

    @property
    def outbound(self) -> bool:
        """Whether the recording host is the initiator."""
        return self.client == self.at.address


def lines(conversation: Conversation, log_format: str, start: int) -> list[str]:
    """The records of a conversation: both directions if it was answered, otherwise only the attempt."""
    directions = [False, True] if conversation.accepted and conversation.answered else [False]
    records = [_record(conversation, start, answer=answer) for answer in directions]
    names = LogFormat.parse(log_format).names
    return [" ".join(record.get(name, "-") for name in names) for record in records]


class Written(Struct, frozen=True):
    """The number of records written, and the number of batches for the monitor (one per interface)."""

    records: int
    batches: int


def write(clients: Clients, stack: Stack, conversations: Iterable[Conversation], now: int) -> Written:
    """Write the records of these conversations in the minute before `now` (Unix seconds)."""
    streams: dict[str, list[str]] = {}
    start = now - 60
    for each in conversations:
        streams.setdefault(each.at.interface, []).extend(lines(each, stack.log_format, start))
    for interface, messages in streams.items():
        put(clients, stack, interface, messages, start)
    return Written(records=sum(map(len, streams.values())), batches=len(streams))


def put(clients: Clients, stack: Stack, interface: str, messages: Iterable[str], start: int) -> None:
    """Write lines like a flow log: to the interface's stream, with the window's start as timestamp."""
    stream = f"{interface}-all"
    with suppress(clients.logs.exceptions.ResourceAlreadyExistsException):
        clients.logs.create_log_stream(logGroupName=stack.flow_log_group, logStreamName=stream)
    clients.logs.put_log_events(
        logGroupName=stack.flow_log_group,
        logStreamName=stream,
        logEvents=[{"timestamp": start * 1000, "message": message} for message in messages],
    )


def _record(conversation: Conversation, start: int, *, answer: bool) -> Mapping[str, str]:
    """One record by AWS's field names; missing fields become `-`."""
    host = conversation.at
    ends = (
        (conversation.client, conversation.client_port),
        (conversation.server, conversation.port),
    )
    (source, source_port), (target, target_port) = ends[::-1] if answer else ends
    egress = conversation.outbound != answer
    return {
        "version": "8",
        "account-id": ACCOUNT_ID,
        "interface-id": host.interface,
        "srcaddr": source,
        "dstaddr": target,
        "srcport": str(source_port),
        "dstport": str(target_port),
        "protocol": str(TCP),
        "packets": str(conversation.packets),
        "bytes": str(conversation.bytes),
        "start": str(start),
        "end": str(start + 55),
        "action": "ACCEPT" if conversation.accepted else "REJECT",
        "log-status": "OK",
        "vpc-id": host.vpc,
        "subnet-id": host.subnet,
        "instance-id": host.instance,
        "tcp-flags": str(_flags(conversation, answer=answer)),
        "type": "IPv4",
        "pkt-srcaddr": source,
        "pkt-dstaddr": target,
        "region": REGION,
        "az-id": "euw1-az1",
        "flow-direction": "egress" if egress else "ingress",
        "traffic-path": _path(conversation) if egress else "-",
    }


def _flags(conversation: Conversation, *, answer: bool) -> int:
    if answer:
        return SYN_ACK_FIN
    return SYN_FIN if conversation.accepted and conversation.answered else SYN


def _path(conversation: Conversation) -> str:
    """The traffic path of egress: 1 stays in the VPC, 8 leaves through an internet gateway."""
    within = all(end.startswith("10.") for end in (conversation.client, conversation.server))
    return "1" if within else "8"
