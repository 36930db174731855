"""Converts EC2's description of a network interface, including its kind; for both products."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from flowwarden.network.interface import NetworkInterface

if TYPE_CHECKING:
    from datetime import datetime

    # The Lambda runtime does not contain the stubs.
    from mypy_boto3_ec2.type_defs import NetworkInterfaceTypeDef, TagTypeDef

_LOAD_BALANCING: Final = "amazon-elb"
_SPELLED: Final = {"natGateway": "nat_gateway"}
"""The API reference lists the first spelling; EC2 returns, and filters by, the second."""
_IN_USE: Final = "in-use"


def interface(described: NetworkInterfaceTypeDef) -> NetworkInterface:
    """One network interface, with its own tags, without the networks of its VPC.

    It counts as active while it is in use; the description does not contain the state of its instance.

    Raises:
        KeyError: the description has no id.
    """
    attachment = described.get("Attachment", {})
    private = (each.get("PrivateIpAddress") for each in described.get("PrivateIpAddresses", []))
    ipv6 = (each.get("Ipv6Address") for each in described.get("Ipv6Addresses", []))
    status = described.get("Status")
    return NetworkInterface(
        interface_id=described["NetworkInterfaceId"],
        vpc_id=described.get("VpcId", ""),
        subnet_id=described.get("SubnetId", ""),
        addresses=tuple(address for address in (*private, *ipv6) if address),
        security_groups=tuple(each["GroupId"] for each in described.get("Groups", [])),
        kind=_kind(described),
        # Empty if the interface is not attached, or not attached to an instance.
        instance_id=attachment.get("InstanceId", ""),
        instance_owner=attachment.get("InstanceOwnerId", ""),
        tags=tag_dict(described.get("TagSet", [])),
        active=None if status is None else status == _IN_USE,
        since=seconds(attachment.get("AttachTime")),
    )


def _kind(described: NetworkInterfaceTypeDef) -> str:
    kind: str = described.get("InterfaceType", "interface")
    # Application and classic load balancers. AWS sets the requester; users can write the description.
    if kind == "interface" and described.get("RequesterId") == _LOAD_BALANCING:
        return "load_balancer"
    return _SPELLED.get(kind, kind)


def seconds(moment: datetime | None) -> int | None:
    """Unix seconds; fractions of a second are dropped."""
    return int(moment.timestamp()) if moment else None


def tag_dict(tags: Iterable[TagTypeDef]) -> dict[str, str]:
    """Tags by key; a tag without a key is ignored."""
    return {tag["Key"]: tag.get("Value", "") for tag in tags if "Key" in tag}
