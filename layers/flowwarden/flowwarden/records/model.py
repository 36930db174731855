"""The records of a flow log: flow, gap or malformed. Values are immutable and validated on creation."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from msgspec import Struct

from flowwarden.records.log_format import LogFormat


class Action(StrEnum):
    """The decision of the security groups and network ACLs about a flow."""

    ACCEPT = "ACCEPT"
    REJECT = "REJECT"


class GapKind(StrEnum):
    """Why a window has no flow: there was no traffic, or AWS skipped records."""

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

    Every log format has its own subclass (`line_decoder.flow_type`), with an attribute for each of its
    fields. The attributes here are those that the project uses: AWS's field names with `_` for `-`. An
    attribute is None if the log format lacks the field or the record has `-`. Addresses keep the text form
    that AWS wrote. Flows are immutable; they are equal if log format and values are equal.
    """

    __slots__ = ()

    layout: ClassVar[LogFormat]

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
    """The NAT gateway of a record without an interface (regional NAT)."""


FLOW_ATTRIBUTES = tuple(name for name in Flow.__annotations__ if name != "layout")
"""The attributes of every flow, regardless of its log format."""


class Gap(Struct, frozen=True, gc=False, kw_only=True):
    """A window without flows: no traffic (NODATA) or skipped records (SKIPDATA). Attributes as in Flow."""

    kind: GapKind
    account_id: str | None = None
    interface_id: str | None = None
    resource_id: str | None = None
    start: int | None = None
    end: int | None = None


class Malformed(Struct, frozen=True, gc=False):
    """A line that is neither a flow nor a gap, with the reason for operators."""

    line: str
    reason: str


class Records(Struct, frozen=True):
    """The records of a batch of lines; every line is in exactly one of the three lists."""

    flows: list[Flow]
    gaps: list[Gap]
    malformed: list[Malformed]

    def add(self, more: Records) -> None:
        """Append the records of further lines."""
        self.flows.extend(more.flows)
        self.gaps.extend(more.gaps)
        self.malformed.extend(more.malformed)
