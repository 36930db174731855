"""The single table of flow log fields.

It is the only place with a field's name, version, order and type: log formats, the reader, tests and docs
derive from it. Source: VPC User Guide, "Flow log records", and, for version 6, Transit Gateway guide, "Flow
Log records".
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct


class Kind(StrEnum):
    """The type of a field, which determines how its tokens are parsed and validated; see `values.convert`."""

    TEXT = "text"
    ENCODED_TEXT = "percent-encoded text"
    ADDRESS = "IPv4 or IPv6 address"
    PORT = "port"
    PROTOCOL = "IANA protocol number"
    COUNT = "count"
    FLAGS = "TCP flags"
    SECONDS = "Unix seconds"
    INTEGER = "integer"
    ACTION = "action"
    STATUS = "log status"
    DIRECTION = "flow direction"


TRAFFIC_KINDS: Final = frozenset(
    {Kind.ADDRESS, Kind.PORT, Kind.PROTOCOL, Kind.COUNT, Kind.FLAGS, Kind.ACTION, Kind.DIRECTION}
)
"""Kinds of traffic fields: in a gap, they are normally all absent."""

TRANSIT_GATEWAY_VERSION: Final = 6
"""The version whose fields exist in transit gateway flow logs only."""


class Field(Struct, frozen=True):
    """One field of a flow log."""

    name: str
    """The AWS name, with dashes."""
    version: int | None
    """The flow log version that introduced the field; None if the field is unknown."""
    kind: Kind
    meaning: str

    @property
    def attribute(self) -> str:
        """The field's name as a Python attribute: `_` for `-`; unknown fields have the prefix `unknown_`."""
        attribute = self.name.replace("-", "_")
        return attribute if self.version is not None else f"unknown_{attribute}"


def unknown(name: str) -> Field:
    """A field that is not in the table; its value is kept as text."""
    return Field(name, None, Kind.TEXT, "unknown to this version of Flow Warden; kept as text")


FIELDS: Final = (
    Field("version", 2, Kind.INTEGER, "highest version among the fields of the log format"),
    Field(
        "account-id",
        2,
        Kind.TEXT,
        "owner of the network interface; `unknown` for some AWS-managed interfaces",
    ),
    Field("interface-id", 2, Kind.TEXT, "network interface; absent for regional NAT gateways"),
    Field(
        "srcaddr", 2, Kind.ADDRESS, "source address; for egress, the primary private address of the interface"
    ),
    Field(
        "dstaddr",
        2,
        Kind.ADDRESS,
        "destination address; for ingress, the primary private address of the interface",
    ),
    Field("srcport", 2, Kind.PORT, "source port; 0 for ICMP"),
    Field("dstport", 2, Kind.PORT, "destination port; 0 for ICMP"),
    Field("protocol", 2, Kind.PROTOCOL, "1 ICMP, 6 TCP, 17 UDP, 58 ICMPv6"),
    Field("packets", 2, Kind.COUNT, "packets in the window"),
    Field("bytes", 2, Kind.COUNT, "bytes in the window"),
    Field("start", 2, Kind.SECONDS, "time of the first packet in the window"),
    Field("end", 2, Kind.SECONDS, "time of the last packet in the window"),
    Field("action", 2, Kind.ACTION, "decision of the security groups and network ACLs"),
    Field("log-status", 2, Kind.STATUS, "OK; NODATA or SKIPDATA if the window has no flow"),
    Field("vpc-id", 3, Kind.TEXT, "VPC of the interface"),
    Field("subnet-id", 3, Kind.TEXT, "subnet of the interface"),
    Field("instance-id", 3, Kind.TEXT, "instance of the interface; absent if AWS manages the interface"),
    Field("tcp-flags", 3, Kind.FLAGS, "FIN 1, SYN 2, RST 4, SYN-ACK 18, ORed over the window"),
    Field("type", 3, Kind.TEXT, "IPv4, IPv6 or EFA"),
    Field(
        "pkt-srcaddr", 3, Kind.ADDRESS, "source in the packet; differs from srcaddr behind NAT, for example"
    ),
    Field("pkt-dstaddr", 3, Kind.ADDRESS, "destination in the packet; differs from dstaddr behind NAT"),
    Field("region", 4, Kind.TEXT, "Region of the interface"),
    Field("az-id", 4, Kind.TEXT, "Availability Zone id; absent in a sublocation"),
    Field("sublocation-type", 4, Kind.TEXT, "wavelength, outpost or localzone"),
    Field("sublocation-id", 4, Kind.TEXT, "id of the sublocation"),
    Field(
        "pkt-src-aws-service",
        5,
        Kind.TEXT,
        "AWS service whose range contains pkt-srcaddr; AWS adds names over time",
    ),
    Field(
        "pkt-dst-aws-service",
        5,
        Kind.TEXT,
        "AWS service whose range contains pkt-dstaddr; AWS adds names over time",
    ),
    Field("flow-direction", 5, Kind.DIRECTION, "ingress or egress, relative to the interface"),
    Field(
        "traffic-path",
        5,
        Kind.INTEGER,
        "egress path out of the VPC, at egress only; 8 (or 2) is the internet",
    ),
    Field("ecs-cluster-arn", 7, Kind.TEXT, "ECS cluster of the task"),
    Field("ecs-cluster-name", 7, Kind.TEXT, "name of the ECS cluster"),
    Field("ecs-container-instance-arn", 7, Kind.TEXT, "ECS container instance; absent on Fargate"),
    Field("ecs-container-instance-id", 7, Kind.TEXT, "id of the container instance; absent on Fargate"),
    Field("ecs-container-id", 7, Kind.TEXT, "Docker runtime id of the first container"),
    Field("ecs-second-container-id", 7, Kind.TEXT, "Docker runtime id of the second container"),
    Field("ecs-service-name", 7, Kind.TEXT, "ECS service of the task"),
    Field("ecs-task-definition-arn", 7, Kind.TEXT, "ECS task definition"),
    Field("ecs-task-arn", 7, Kind.TEXT, "ECS task"),
    Field("ecs-task-id", 7, Kind.TEXT, "id of the ECS task"),
    Field("reject-reason", 8, Kind.TEXT, "BPA or EC; absent for rejects by security groups and ACLs"),
    Field("resource-id", 9, Kind.TEXT, "regional NAT gateway, which has no interface"),
    Field("encryption-status", 10, Kind.INTEGER, "0 clear, 1 network layer, 2 application layer, 3 both"),
    Field("instance-tag", 11, Kind.ENCODED_TEXT, "value of the chosen tag of the instance"),
    Field("instance-tag-2", 11, Kind.ENCODED_TEXT, "value of the second chosen tag of the instance"),
    Field("interface-tag", 11, Kind.ENCODED_TEXT, "value of the chosen tag of the interface"),
    Field("interface-tag-2", 11, Kind.ENCODED_TEXT, "value of the second chosen tag of the interface"),
    Field("asg-tag", 11, Kind.ENCODED_TEXT, "value of the chosen tag of the Auto Scaling group"),
    Field("asg-tag-2", 11, Kind.ENCODED_TEXT, "value of the second chosen tag of the Auto Scaling group"),
    Field("interface-type", 11, Kind.TEXT, "type of the interface, such as nat_gateway"),
    Field("next-hop-interface-id", 11, Kind.TEXT, "interface of the peer"),
    Field("next-hop-subnet-id", 11, Kind.TEXT, "subnet of the peer's interface"),
    Field("next-hop-az-id", 11, Kind.TEXT, "Availability Zone id of the peer's interface"),
    Field("next-hop-vpc-id", 11, Kind.TEXT, "VPC of the peer's interface"),
    Field("next-hop-interface-type", 11, Kind.TEXT, "type of the peer's interface"),
    Field("resource-type", 6, Kind.TEXT, "TransitGateway or TransitGatewayAttachment"),
    Field("tgw-id", 6, Kind.TEXT, "transit gateway"),
    Field("tgw-attachment-id", 6, Kind.TEXT, "attachment of the transit gateway"),
    Field("tgw-src-vpc-account-id", 6, Kind.TEXT, "account of the source VPC"),
    Field("tgw-dst-vpc-account-id", 6, Kind.TEXT, "account of the destination VPC"),
    Field("tgw-src-vpc-id", 6, Kind.TEXT, "source VPC"),
    Field("tgw-dst-vpc-id", 6, Kind.TEXT, "destination VPC"),
    Field("tgw-src-subnet-id", 6, Kind.TEXT, "source subnet"),
    Field("tgw-dst-subnet-id", 6, Kind.TEXT, "destination subnet"),
    Field("tgw-src-eni", 6, Kind.TEXT, "interface of the attachment in the source VPC"),
    Field("tgw-dst-eni", 6, Kind.TEXT, "interface of the attachment in the destination VPC"),
    Field("tgw-src-az-id", 6, Kind.TEXT, "Availability Zone id of the source"),
    Field("tgw-dst-az-id", 6, Kind.TEXT, "Availability Zone id of the destination"),
    Field("tgw-pair-attachment-id", 6, Kind.TEXT, "attachment at the other side of the gateway"),
    Field("packets-lost-no-route", 6, Kind.COUNT, "packets lost because there was no route"),
    Field("packets-lost-blackhole", 6, Kind.COUNT, "packets lost in a blackhole route"),
    Field("packets-lost-mtu-exceeded", 6, Kind.COUNT, "packets lost because they exceeded the MTU"),
    Field("packets-lost-ttl-expired", 6, Kind.COUNT, "packets lost because their TTL expired"),
)
"""Every field, in AWS's order; the transit gateway fields are last."""

BY_NAME: Final = {field.name: field for field in FIELDS}
