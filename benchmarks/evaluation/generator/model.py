"""The output of the generator: interfaces, deliveries, and labels of incidents. Plain data."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct

from flowwarden.records.log_format import LogFormat

DAY: Final = 86_400
BEGIN: Final = 1_767_225_600
"""Unix seconds of the start of every network: 2026-01-01 00:00 UTC, a multiple of every window."""

LOG_GROUP: Final = "/flow-warden/flow-logs"
ACCOUNT: Final = "111122223333"
REGION: Final = "eu-west-1"


class Truth(StrEnum):
    """The end of the record that initiated its conversation."""

    SOURCE = "s"
    DESTINATION = "d"
    NONE = "n"
    """Neither end: the packet belongs to no conversation of the network, such as backscatter."""
    NO_FLOW = "-"
    """The line is a gap, or must be unreadable."""


class Interface(Struct, frozen=True):
    """A network interface, with the data of DescribeNetworkInterfaces and DescribeTags."""

    interface_id: str
    account_id: str
    vpc_id: str
    subnet_id: str
    subnet_cidr: str
    az_id: str
    instance_id: str | None
    """None if AWS manages the interface."""
    interface_type: str
    """In EC2's notation: `interface`, `nat_gateway`, `network_load_balancer`, `transit_gateway`."""
    requester_managed: bool
    private_ipv4: str
    """The primary address, which records contain at this end."""
    secondary_ipv4: tuple[str, ...]
    """Addresses of pods."""
    ipv6: tuple[str, ...]
    public_ipv4: str | None
    security_groups: tuple[str, ...]
    tags: tuple[tuple[str, str], ...]
    auto_scaling_group: str | None
    role: str
    """The role of the interface in the network."""
    public_subnet: bool
    """Whether the subnet has a route to an internet gateway."""


class Delivery(Struct, frozen=True):
    """Log events of one interface, in one subscription delivery."""

    number: int
    """Equal only for a second delivery of the same events."""
    arrived: int
    """Unix seconds."""
    log_group: str
    log_stream: str
    account: str
    lines: tuple[str, ...]
    truth: str
    """A character of `Truth` for each line."""


class Incident(Struct, frozen=True):
    """A deliberate change of the traffic that should be found."""

    kind: str
    """A name of the table in `incidents`."""
    source: str
    """Address of the source, or of the affected interface if there is no source."""
    interface_id: str
    """Of the source if it is internal, otherwise of the target."""
    targets: tuple[str, ...]
    """Addresses of the other ends, if any; at most 300."""
    begin: int
    """Unix seconds of the first packet."""
    end: int
    """Unix seconds of the last packet."""


class Network(Struct, frozen=True, kw_only=True):
    """The parameters of a network. The same parameters give the same deliveries."""

    seed: int
    layout: LogFormat
    interfaces: int
    """Approximate number; VPCs are complete, with about `fleet.VPC_INTERFACES` each."""
    learning_days: int = 14
    judged_days: int = 7
    window: int = 600
    """The aggregation interval in seconds: 60 or 600."""
    stress: float = 1.0
    """Factor for the frequency of ordinary faults: outages, stale addresses, releases."""
    incidents_of_each_kind: int = 0
    learning_rate: float = 0.2
    """Conversations during learning, relative to the usual number."""
    learning_slot: int = 3600
    """Seconds of traffic in a delivery during learning."""
    judged_rate: float = 1.0
    """The same on scored days."""

    @property
    def days(self) -> int:
        """The number of all days."""
        return self.learning_days + self.judged_days

    @property
    def judged_from(self) -> int:
        """Unix seconds of the end of learning."""
        return BEGIN + self.learning_days * DAY

    @property
    def end(self) -> int:
        """Unix seconds of the end of the last day."""
        return BEGIN + self.days * DAY
