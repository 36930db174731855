"""Names for notifications: on moto, and with EC2's refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from moto import mock_aws

from flowwarden.aws.account import AccountAlias
from flowwarden.aws.ec2.interfaces import VALUES_PER_FILTER, DescribedInterfaces
from flowwarden.aws.ec2.names import DescribedNames
from flowwarden.errors import NamesUnavailable
from tests.aws.clients import session


def named(**tags: str) -> Any:
    """Tags in EC2's notation."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def names(ec2: Any) -> DescribedNames:
    """The adapter on a client of EC2."""
    return DescribedNames(DescribedInterfaces(lambda: ec2), AccountAlias(lambda: ec2))


def test_hosts_are_found_by_address_with_the_names_of_their_vpc() -> None:
    """Only in the VPCs that are named: another one can use the same address."""
    with mock_aws():
        ec2 = session().client("ec2")
        found = {}
        for vpc_name in ("shop", "test"):
            vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
            subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
            ec2.create_tags(Resources=[vpc], Tags=named(Name=vpc_name))
            ec2.create_tags(Resources=[subnet], Tags=named(Name=f"{vpc_name}-a"))
            made = ec2.create_network_interface(
                SubnetId=subnet, PrivateIpAddress="10.0.0.9", Description="proxy",
                TagSpecifications=[
                    {"ResourceType": "network-interface", "Tags": named(Name=f"proxy of {vpc_name}")}
                ],
            )  # fmt: skip
            found[vpc_name] = (vpc, subnet, made["NetworkInterface"]["NetworkInterfaceId"])
        one, (vpc, subnet, card) = names(ec2), found["shop"]
        (interface,) = one.having([vpc], ["10.0.0.9", "10.0.0.10"])
        assert (interface.interface_id, interface.name) == (card, "proxy of shop")
        assert (interface.vpc_name, interface.subnet_id) == ("shop", subnet)
        assert interface.description == "proxy"
        assert len(one.having([vpc, found["test"][0]], ["10.0.0.9"])) == 2
        assert one.describe([card]) == {card: interface}
        assert one.subnet_names([subnet, found["test"][1], "subnet-00000000"]) == {
            subnet: "shop-a",
            found["test"][1]: "test-a",
        }


class Recording:
    """EC2 that records filters and finds nothing."""

    def __init__(self) -> None:
        self.filters: list[dict[str, list[str]]] = []

    def get_paginator(self, _call: str) -> Any:
        """See boto3."""
        return self

    def paginate(self, Filters: Any, **_: Any) -> Any:  # noqa: N803 - boto3's name
        """See boto3."""
        self.filters.append({each["Name"]: each["Values"] for each in Filters})
        return [{"NetworkInterfaces": [], "Subnets": []}]


def test_a_filter_has_no_wildcard_and_not_too_many_values() -> None:
    """`*` would match every VPC; EC2 accepts 200 values."""
    ec2 = Recording()
    one = names(ec2)
    addresses = [f"10.0.{each // 250}.{each % 250}" for each in range(300)]
    one.having(["vpc-1", "vpc-*", "unknown"], addresses)
    one.having(["vpc-1"], ["2001:db8::1"])
    one.subnet_names(["subnet-1", "subnet-?"])
    assert one.having(["vpc-*"], addresses) == one.having(["vpc-1"], []) == []
    assert ec2.filters == [
        {"addresses.private-ip-address": addresses[:VALUES_PER_FILTER], "vpc-id": ["vpc-1"]},
        {"ipv6-addresses.ipv6-address": ["2001:db8::1"], "vpc-id": ["vpc-1"]},
        {"subnet-id": ["subnet-1"]},
    ]


ERRORS = [
    (
        ClientError({"Error": {"Code": "RequestLimitExceeded", "Message": "long"}}, "x"),
        "RequestLimitExceeded",
    ),
    (ClientError({"Error": {"Code": "UnauthorizedOperation"}}, "x"), "UnauthorizedOperation"),
    (ReadTimeoutError(endpoint_url="https://ec2"), "no response in time"),
]


@pytest.mark.parametrize(("error", "why"), ERRORS)
@pytest.mark.parametrize(
    ("use", "call"),
    [
        (lambda one: one.having(["vpc-1"], ["10.0.0.1"]), "DescribeNetworkInterfaces"),
        (lambda one: one.describe(["eni-1"]), "DescribeNetworkInterfaces"),
        (lambda one: one.subnet_names(["subnet-1"]), "DescribeSubnets"),
    ],
    ids=["by address", "by id", "subnets"],
)
def test_a_failed_call_is_named_with_its_code(
    use: Callable[[DescribedNames], object], call: str, error: Exception, why: str
) -> None:
    """Denied, throttled or without an answer: the page says which, without AWS's long message."""

    class Failing(Recording):
        def paginate(self, Filters: Any, **_: Any) -> Any:  # noqa: ARG002, N803 - boto3's name
            raise error

    with pytest.raises(NamesUnavailable) as caught:
        use(names(Failing()))
    assert str(caught.value) == f"{call}: {why}"
