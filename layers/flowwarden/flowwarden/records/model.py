"""What a line of a flow log can be: a flow, a gap, or malformed. Values are frozen and valid from birth."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


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


class Flow(Struct, frozen=True, gc=False):
    """One OK record: a one-way 5-tuple on one network interface in one aggregation window.

    Attributes carry the AWS field names with `_` for `-`. An optional field that the layout lacks, or
    that the record fills with `-`, is None. Addresses are in the text form that AWS wrote.
    Write the attributes by keyword; only the reader, for speed, goes by their order.
    """

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
    """None for a regional NAT gateway; `resource_id` tells which one it is."""
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
