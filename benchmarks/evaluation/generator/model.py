"""What the generator hands out: interfaces, deliveries, and the labels of incidents. Plain data."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct

from flowwarden.records.log_format import LogFormat

DAY: Final = 86_400
BEGIN: Final = 1_767_225_600
"""Unix seconds at which every world begins: 2026-01-01 00:00 UTC, a multiple of every window."""

LOG_GROUP: Final = "/flow-warden/flow-logs"
ACCOUNT: Final = "111122223333"
REGION: Final = "eu-west-1"


class Truth(StrEnum):
    """Which end of the record opened the conversation that the record is a part of."""

    SOURCE = "s"
    DESTINATION = "d"
    NONE = "n"
    """Nobody did: a packet that belongs to no conversation of the world's, such as backscatter."""
    NO_FLOW = "-"
    """The line is a gap, or nothing that a reader should understand."""


class Interface(Struct, frozen=True):
    """A network interface, with what DescribeNetworkInterfaces and DescribeTags would tell of it."""

    interface_id: str
    account_id: str
    vpc_id: str
    subnet_id: str
    subnet_cidr: str
    az_id: str
    instance_id: str | None
    """None where AWS manages the interface."""
    interface_type: str
    """As EC2 writes it: `interface`, `nat_gateway`, `network_load_balancer`, `transit_gateway`."""
    description: str
    requester_managed: bool
    private_ipv4: str
    """The primary one, which records show at this end."""
    secondary_ipv4: tuple[str, ...]
    """Those of pods."""
    ipv6: tuple[str, ...]
    public_ipv4: str | None
    security_groups: tuple[str, ...]
    tags: tuple[tuple[str, str], ...]
    auto_scaling_group: str | None
    role: str
    """Which part the interface plays in the world."""
    public_subnet: bool
    """Whether the subnet has a route to an internet gateway."""


class Delivery(Struct, frozen=True):
    """Log events of one interface, as a subscription hands them over at once."""

    number: int
    """The same for a second delivery of the same events, and for nothing else."""
    arrived: int
    """Unix seconds."""
    log_group: str
    log_stream: str
    account: str
    lines: tuple[str, ...]
    truth: str
    """A character of `Truth` for each line."""


class Incident(Struct, frozen=True):
    """Something that was done to the traffic on purpose, and should be found."""

    number: int
    kind: str
    """A name of the table in `incidents`."""
    source: str
    """Address of who does it; of the interface that it happens to, where nobody does."""
    interface_id: str
    """Of the source if it is inside, else of the target."""
    targets: tuple[str, ...]
    """Addresses at the other end, as far as there are any; the most there are is 300."""
    begin: int
    """Unix seconds of the first packet."""
    end: int
    """Unix seconds of the last packet."""


class World(Struct, frozen=True, kw_only=True):
    """The parameters of a world. The same parameters give the same deliveries."""

    seed: int
    layout: LogFormat
    interfaces: int
    """About so many; whole VPCs of about `fleet.VPC_INTERFACES` are made."""
    learning_days: int = 14
    judged_days: int = 7
    window: int = 600
    """Seconds: 60 or 600."""
    stress: float = 1.0
    """How many times as often something breaks that is nobody's fault: outages, stale addresses, releases."""
    incidents_of_each_kind: int = 0
    learning_rate: float = 0.2
    """Conversations during learning, as a share of what is usual."""
    judged_rate: float = 1.0
    """The same on judged days."""

    @property
    def days(self) -> int:
        """All of them."""
        return self.learning_days + self.judged_days

    @property
    def judged_from(self) -> int:
        """Unix seconds at which learning is over."""
        return BEGIN + self.learning_days * DAY

    @property
    def end(self) -> int:
        """Unix seconds at which the last day is over."""
        return BEGIN + self.days * DAY
