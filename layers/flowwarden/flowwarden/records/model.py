"""What a line of a flow log can be: a flow, a gap, or malformed. Values are frozen and valid from birth."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from msgspec import Struct

from flowwarden.records.log_format import LogFormat


class Action(StrEnum):
    """What the security groups and network ACLs decided about a flow."""

    ACCEPT = "ACCEPT"
    REJECT = "REJECT"


class GapKind(StrEnum):
    """Why a window has no flow: nobody talked, or AWS skipped records."""

    NODATA = "NODATA"
    SKIPDATA = "SKIPDATA"


class LogStatus(StrEnum):
    """The `log-status` field."""

    OK = "OK"
    NODATA = "NODATA"
    SKIPDATA = "SKIPDATA"


class FlowDirection(StrEnum):
    """The `flow-direction` field: relative to the interface."""

    INGRESS = "ingress"
    EGRESS = "egress"


class Flow:
    """One OK record: a one-way 5-tuple on one network interface in one aggregation window.

    Every layout has a class of its own below this one (`line_decoder.flow_type`), with an attribute for each
    of its fields. The ones here are those that the project reasons on: AWS's field names with `_` for `-`.
    One that the layout lacks, or that the record fills with `-`, is None. Addresses are in the text form that
    AWS wrote. Flows are frozen; two are equal if layout and values are.
    """

    __slots__ = ()

    layout: ClassVar[LogFormat]
    records: ClassVar[int] = 1
    """A flow is one record; sums of flows say how many they are."""

    srcaddr: str
    dstaddr: str
    srcport: int | None = None
    dstport: int | None = None
    protocol: int | None = None
    """IANA protocol number."""
    packets: int | None = None
    bytes: int | None = None
    start: int | None = None
    """Unix seconds of the first packet in the window."""
    end: int | None = None
    """Unix seconds of the last packet in the window."""
    action: Action | None = None
    account_id: str | None = None
    interface_id: str | None = None
    vpc_id: str | None = None
    subnet_id: str | None = None
    instance_id: str | None = None
    tcp_flags: int | None = None
    """FIN 1, SYN 2, RST 4, SYN-ACK 18, ORed over the window."""
    pkt_srcaddr: str | None = None
    pkt_dstaddr: str | None = None
    pkt_src_aws_service: str | None = None
    pkt_dst_aws_service: str | None = None
    flow_direction: FlowDirection | None = None
    traffic_path: int | None = None
    reject_reason: str | None = None
    resource_id: str | None = None
    """The NAT gateway of a record that has no interface (regional NAT)."""


FLOW_ATTRIBUTES = tuple(name for name in Flow.__annotations__ if name not in ("layout", "records"))
"""The attributes that every flow has, whatever its layout."""


class Gap(Struct, frozen=True, gc=False, kw_only=True):
    """A window without flows: silence (NODATA) or lost sight (SKIPDATA). Attributes as those of Flow."""

    kind: GapKind
    account_id: str | None = None
    interface_id: str | None = None
    resource_id: str | None = None
    start: int | None = None
    end: int | None = None


class Malformed(Struct, frozen=True, gc=False):
    """A line that is neither flow nor gap, with the reason a person needs to find out why."""

    line: str
    reason: str


class Records(Struct, frozen=True):
    """All that a batch of lines turned out to be; every line is in exactly one of the three."""

    flows: list[Flow]
    gaps: list[Gap]
    malformed: list[Malformed]
