"""Converts EC2's description of a network interface, for both functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flowwarden.aws.answers import Answer
from flowwarden.network.interface import NetworkInterface

_LOAD_BALANCING: Final = "amazon-elb"
_SPELLED: Final = {"natGateway": "nat_gateway"}
"""The API reference lists the first spelling; EC2 returns, and filters by, the second."""
_IN_USE: Final = "in-use"
_LONGEST_DESCRIPTION: Final = 256
"""Characters that are read of a description; EC2 allows 255."""


def interface(described: Mapping[str, Any] | Answer) -> NetworkInterface:
    """One network interface, with its own tags, but without its instance's tags and its VPC's networks.

    It counts as active if it is in use; the description does not contain the state of its instance.

    Raises:
        Malformed: the description has no id.
    """
    found = Answer.of(described)
    attachment = found.inner("Attachment")
    private = (each.address("PrivateIpAddress") for each in found.each("PrivateIpAddresses"))
    ipv6 = (each.address("Ipv6Address") for each in found.each("Ipv6Addresses"))
    groups = [(each.text("GroupId"), each.text("GroupName")) for each in found.each("Groups")]
    status = found.text("Status")
    return NetworkInterface(
        interface_id=found.demand("NetworkInterfaceId"),
        vpc_id=found.text("VpcId"),
        subnet_id=found.text("SubnetId"),
        addresses=tuple(address for address in (*private, *ipv6) if address),
        public_addresses=_public(found),
        security_groups=tuple(group for group, _ in groups if group),
        group_names=tuple(name for group, name in groups if group),
        kind=_kind(found),
        description=found.text("Description")[:_LONGEST_DESCRIPTION],
        managed=found.truth("RequesterManaged") is True,
        # Empty if the interface is not attached, or not attached to an instance.
        instance_id=attachment.text("InstanceId"),
        instance_owner=attachment.text("InstanceOwnerId"),
        tags=found.tags("TagSet"),
        active=status == _IN_USE if status else None,
        since=attachment.moment("AttachTime"),
    )


def _public(found: Answer) -> tuple[str, ...]:
    """The public addresses, those of the primary private address first, without duplicates."""
    private = found.each("PrivateIpAddresses")
    held = [each.inner("Association").address("PublicIp") for each in private]
    own = found.inner("Association").address("PublicIp")
    return tuple(dict.fromkeys(each for each in (own, *held) if each))


def _kind(found: Answer) -> str:
    kind = found.text("InterfaceType") or "interface"
    # An Application or Classic Load Balancer. Only AWS sets the requester; users can write the description.
    if kind == "interface" and found.text("RequesterId") == _LOAD_BALANCING:
        return "load_balancer"
    return _SPELLED.get(kind, kind)
