"""The conversion of network interfaces, which both products use."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from flowwarden.aws.answers import Malformed
from flowwarden.aws.ec2.describe_interface import interface
from flowwarden.network.interface import NetworkInterface


def private(number: str) -> dict[str, Any]:
    """A private address with a public one."""
    return {"PrivateIpAddress": f"10.0.0.{number}", "Association": {"PublicIp": f"198.51.100.{number}"}}


def test_all_members_of_the_description_are_read() -> None:
    """One value has the data of both the monitor and the enforcer."""
    described: Any = {
        "NetworkInterfaceId": "eni-1",
        "VpcId": "vpc-1",
        "SubnetId": "subnet-1",
        "PrivateIpAddresses": [private("1"), private("2")],
        "Association": {"PublicIp": "198.51.100.1"},
        "Description": "AWS Lambda VPC ENI-send",
        "RequesterManaged": True,
        "Ipv6Addresses": [{"Ipv6Address": "2001:db8::1"}],
        "Groups": [{"GroupId": "sg-2", "GroupName": "web"}, {"GroupId": "sg-1"}, {"GroupName": "x"}],
        "InterfaceType": "lambda",
        "Attachment": {
            "InstanceId": "i-1",
            "InstanceOwnerId": "111122223333",
            "AttachTime": datetime(2026, 11, 2, 9, 30, 0, 600_000, tzinfo=UTC),
        },
        "TagSet": [{"Key": "Role", "Value": "web"}, {"Key": "empty"}, {"Value": "no key"}],
        "Status": "in-use",
    }
    assert interface(described) == NetworkInterface(
        interface_id="eni-1",
        vpc_id="vpc-1",
        subnet_id="subnet-1",
        addresses=("10.0.0.1", "10.0.0.2", "2001:db8::1"),
        public_addresses=("198.51.100.1", "198.51.100.2"),
        security_groups=("sg-2", "sg-1"),
        group_names=("web", ""),
        description="AWS Lambda VPC ENI-send",
        managed=True,
        kind="lambda",
        instance_id="i-1",
        instance_owner="111122223333",
        tags={"Role": "web", "empty": ""},
        active=True,
        since=1_793_611_800,
    )


@pytest.mark.parametrize(
    ("status", "active", "at_work"),
    [("in-use", True, True), ("available", False, False), ("detaching", False, False), (None, None, True)],
)
def test_an_interface_is_active_while_it_is_in_use(
    status: str | None, *, active: bool | None, at_work: bool
) -> None:
    """Without a status this is unknown, and the interface may write records."""
    described: Any = {"NetworkInterfaceId": "eni-1"} | ({"Status": status} if status else {})
    assert (interface(described).active, interface(described).at_work) == (active, at_work)


def test_a_description_without_an_id_is_an_error() -> None:
    """`Readings` handles this error."""
    described: Any = {"VpcId": "vpc-1"}
    with pytest.raises(Malformed, match="NetworkInterfaceId is missing"):
        interface(described)
