"""Descriptions of network interfaces and EC2's errors: on moto, and on a stub with pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ConnectTimeoutError, NoCredentialsError
from botocore.stub import Stubber
from moto import mock_aws

from flowwarden.aws.ec2.interfaces import VALUES_PER_FILTER, DescribedInterfaces
from flowwarden.errors import InterfacesUnavailable
from flowwarden.network.interface import NetworkInterface
from flowwarden.network.roles import is_middlebox
from tests.aws.clients import session

if TYPE_CHECKING:  # importing the stubs takes half a second
    from mypy_boto3_ec2 import EC2Client

# ---- on moto


def tag_list(**tags: str) -> Any:
    """Tags in EC2's notation."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def image(ec2: EC2Client) -> str:
    """The id of a new image to start instances from."""
    return ec2.register_image(Name="an image", RootDeviceName="/dev/xvda")["ImageId"]


def test_every_interface_of_the_account_is_described() -> None:
    """For `flowwarden interfaces export`."""
    with mock_aws():
        ec2 = session().client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
        made = {
            ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
            for _ in range(3)
        }
        found = DescribedInterfaces(lambda: ec2).every()
    assert {each.interface_id for each in found} == made
    assert {each.vpc_cidrs for each in found} == {("10.0.0.0/16",)}


def test_an_instances_interface_has_the_tags_of_both() -> None:
    """The instance's tags take precedence, because they usually define the host's role."""
    with mock_aws():
        ec2 = session().client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
        group = ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc)["GroupId"]
        instance = ec2.run_instances(
            ImageId=image(ec2),
            MinCount=1,
            MaxCount=1,
            SubnetId=subnet,
            SecurityGroupIds=[group],
            TagSpecifications=[{"ResourceType": "instance", "Tags": tag_list(Role="web")}],
        )["Instances"][0]
        own = instance["NetworkInterfaces"][0]
        ec2.create_tags(Resources=[own["NetworkInterfaceId"]], Tags=tag_list(Role="card", Owner="shop"))
        found = DescribedInterfaces(lambda: ec2).describe([own["NetworkInterfaceId"]])
    assert found == {
        own["NetworkInterfaceId"]: NetworkInterface(
            interface_id=own["NetworkInterfaceId"],
            addresses=(own["PrivateIpAddress"],),
            subnet_id=subnet,
            vpc_id=vpc,
            vpc_cidrs=("10.0.0.0/16",),
            security_groups=(group,),
            group_names=("web",),
            description="Primary network interface",
            kind="interface",
            instance_id=instance["InstanceId"],
            instance_owner="123456789012",
            since=found[own["NetworkInterfaceId"]].since,
            tags={"Role": "web", "Owner": "shop"},
        )
    }


def test_interfaces_have_the_networks_of_their_vpc() -> None:
    """All networks of both families; public ones are the account's own, too."""
    with mock_aws():
        ec2 = session().client("ec2")
        made = ec2.create_vpc(CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]
        vpc, ipv6 = made["VpcId"], made["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"]
        ec2.associate_vpc_cidr_block(VpcId=vpc, CidrBlock="203.0.113.0/24")
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
        own = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
        found = DescribedInterfaces(lambda: ec2).describe([own])
    assert found[own].vpc_cidrs == ("10.0.0.0/16", "203.0.113.0/24", ipv6)


def test_a_disassociated_network_is_ignored_and_a_vpc_is_requested_once(stub: Stubber) -> None:
    """EC2 lists former associations of a VPC for a while."""
    card = {"NetworkInterfaceId": "eni-1", "VpcId": "vpc-1"}
    networks = [
        {"CidrBlock": "10.0.0.0/16", "CidrBlockState": {"State": "associated"}},
        {"CidrBlock": "10.9.0.0/16", "CidrBlockState": {"State": "disassociating"}},
    ]
    stub.add_response("describe_network_interfaces", {"NetworkInterfaces": [card]})
    stub.add_response("describe_vpcs", {"Vpcs": [{"VpcId": "vpc-1", "CidrBlockAssociationSet": networks}]})
    stub.add_response("describe_network_interfaces", {"NetworkInterfaces": [card]})
    asked_twice = directory(stub)
    assert [asked_twice.describe(["eni-1"])["eni-1"].vpc_cidrs for _ in range(2)] == [("10.0.0.0/16",)] * 2
    stub.assert_no_pending_responses()


def test_an_interface_without_an_instance_has_its_own_tags_and_a_missing_one_is_left_out() -> None:
    """A missing id does not hide the others."""
    with mock_aws():
        ec2 = session().client("ec2")
        subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
        made = ec2.create_network_interface(
            SubnetId=subnet,
            TagSpecifications=[{"ResourceType": "network-interface", "Tags": tag_list(Role="proxy")}],
        )["NetworkInterface"]["NetworkInterfaceId"]
        found = DescribedInterfaces(lambda: ec2).describe(["eni-00000000", made])
    assert list(found) == [made]
    assert (found[made].instance_id, found[made].tags) == ("", {"Role": "proxy"})


# ---- on a stub


@pytest.fixture(scope="module")
def client() -> EC2Client:
    """One client for all stubs: creating a client takes almost a second."""
    return session().client("ec2")


@pytest.fixture
def stub(client: EC2Client) -> Iterator[Stubber]:
    """A client without a network: it returns the test's responses in order, and checks every call."""
    with Stubber(client) as stubber:
        yield stubber


def directory(stub: Stubber) -> DescribedInterfaces:
    """The adapter on a stubbed client."""
    client: Any = stub.client
    return DescribedInterfaces(lambda: client)


def request(name: str, *ids: str, **more: Any) -> dict[str, Any]:
    """A call's parameters."""
    return {"Filters": [{"Name": name, "Values": list(ids)}], "MaxResults": 1000, **more}


def described(interface_id: str, instance_id: str | None = None, **more: Any) -> dict[str, Any]:
    """An interface as EC2 describes it."""
    attachment = {"Attachment": {"InstanceId": instance_id}} if instance_id else {}
    return {"NetworkInterfaceId": interface_id, **attachment, **more}


def instances(**roles: str) -> list[dict[str, Any]]:
    """A reservation for each instance, with its role."""
    return [
        {"Instances": [{"InstanceId": name.replace("_", "-"), "Tags": tag_list(Role=role)}]}
        for name, role in roles.items()
    ]


def test_pages_of_interfaces_and_of_instances_are_followed(stub: Stubber) -> None:
    """A terminated instance is missing in the answer and hides no other; each is requested once."""
    by_id, by_instance = "network-interface-id", "instance-id"
    ids = ("eni-1", "eni-2", "eni-3")
    for some, mark, token in (
        ([described("eni-1", "i-1"), described("eni-2", "i-2")], {}, {"NextToken": "more"}),
        ([described("eni-3", "i-1")], {"NextToken": "more"}, {}),
    ):
        stub.add_response(
            "describe_network_interfaces", {"NetworkInterfaces": some, **token}, request(by_id, *ids, **mark)
        )
    stub.add_response(
        "describe_instances", {"Reservations": [], "NextToken": "on"}, request(by_instance, "i-1", "i-2")
    )
    stub.add_response(
        "describe_instances",
        {"Reservations": instances(i_1="web")},
        request(by_instance, "i-1", "i-2", NextToken="on"),
    )
    found = directory(stub).describe(ids)
    stub.assert_no_pending_responses()
    assert {each: found[each].tags.get("Role") for each in found} == {
        "eni-1": "web",
        "eni-2": None,
        "eni-3": "web",
    }


def test_no_filter_has_more_values_than_ec2_accepts(stub: Stubber) -> None:
    """The last of 201 interfaces is requested separately."""
    ids = [f"eni-{number}" for number in range(VALUES_PER_FILTER + 1)]
    for some in (ids[:-1], ids[-1:]):
        stub.add_response(
            "describe_network_interfaces",
            {"NetworkInterfaces": [described(each) for each in some]},
            request("network-interface-id", *some),
        )
    assert list(directory(stub).describe(ids)) == ids
    stub.assert_no_pending_responses()


def test_only_ids_are_requested_and_each_once(stub: Stubber) -> None:
    """In a filter, `eni-*` would match every interface of the account."""
    stub.add_response(
        "describe_network_interfaces", {"NetworkInterfaces": []}, request("network-interface-id", "eni-1")
    )
    assert directory(stub).describe(["eni-*", "-", "eni-1", "eni-1", "eni-?"]) == {}
    assert directory(stub).describe(["*"]) == {}
    stub.assert_no_pending_responses()


def test_all_addresses_are_listed_the_primary_one_first(stub: Stubber) -> None:
    """Secondary IPv4, and IPv6."""
    addresses: dict[str, Any] = {
        "PrivateIpAddress": "10.0.0.1",
        "PrivateIpAddresses": [{"PrivateIpAddress": "10.0.0.1"}, {"PrivateIpAddress": "10.0.0.9"}],
        "Ipv6Addresses": [{"Ipv6Address": "2600:1f18::1"}],
    }
    stub.add_response("describe_network_interfaces", {"NetworkInterfaces": [described("eni-1", **addresses)]})
    given = directory(stub).describe(["eni-1"])["eni-1"]
    assert given.addresses == ("10.0.0.1", "10.0.0.9", "2600:1f18::1")


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"InterfaceType": "nat_gateway"}, "nat_gateway"),
        ({"InterfaceType": "natGateway"}, "nat_gateway"),
        ({"InterfaceType": "lambda"}, "lambda"),
        ({"InterfaceType": "network_load_balancer", "RequesterId": "amazon-elb"}, "network_load_balancer"),
        ({"RequesterId": "amazon-elb", "Description": "ELB app/shop/50dc6c495c0c9188"}, "load_balancer"),
        ({"RequesterId": "amazon-elb", "Description": "ELB shop"}, "load_balancer"),
        ({"RequesterId": "amazon-rds", "Description": "RDSNetworkInterface"}, "interface"),
        ({"Description": "ELB app/shop/50dc6c495c0c9188"}, "interface"),
    ],
)
def test_the_kind_of_an_interface_is_its_type_or_follows_from_its_requester(
    stub: Stubber, given: dict[str, str], kind: str
) -> None:
    """A load balancer is recognized by its requester: an attacker could write the same description."""
    answer = described("eni-1", **{"InterfaceType": "interface", **given})
    stub.add_response("describe_network_interfaces", {"NetworkInterfaces": [answer]})
    interface = directory(stub).describe(["eni-1"])["eni-1"]
    assert interface.kind == kind
    assert is_middlebox(interface) == (kind not in {"interface", "lambda"})


@pytest.mark.parametrize("code", ["RequestLimitExceeded", "UnauthorizedOperation", "InternalError"])
def test_a_refused_call_raises_interfaces_unavailable(stub: Stubber, code: str) -> None:
    """For any reason; the batch is still processed."""
    stub.add_client_error("describe_network_interfaces", code)
    with pytest.raises(InterfacesUnavailable, match=f"DescribeNetworkInterfaces: .*{code}"):
        directory(stub).describe(["eni-1"])


def test_a_failure_on_a_later_page_returns_no_partial_result(stub: Stubber) -> None:
    """Otherwise the interfaces of that page would count as missing."""
    stub.add_response(
        "describe_network_interfaces", {"NetworkInterfaces": [described("eni-1")], "NextToken": "more"}
    )
    stub.add_client_error("describe_network_interfaces", "RequestLimitExceeded")
    with pytest.raises(InterfacesUnavailable):
        directory(stub).describe(["eni-1", "eni-2"])


def test_interfaces_without_their_instances_tags_are_not_returned(stub: Stubber) -> None:
    """They would have another role, and all their traffic would look new."""
    stub.add_response("describe_network_interfaces", {"NetworkInterfaces": [described("eni-1", "i-1")]})
    stub.add_client_error("describe_instances", "UnauthorizedOperation")
    with pytest.raises(InterfacesUnavailable, match=r"DescribeInstances: .*UnauthorizedOperation"):
        directory(stub).describe(["eni-1"])


@pytest.mark.parametrize("error", [ConnectTimeoutError(endpoint_url="https://ec2"), NoCredentialsError()])
def test_a_client_that_cannot_be_created_or_connect_raises_the_same_error(error: Exception) -> None:
    """A function in a VPC without a route to EC2 continues."""

    def fail() -> EC2Client:
        raise error

    with pytest.raises(InterfacesUnavailable):
        DescribedInterfaces(fail).describe(["eni-1"])


def test_the_client_is_created_once_at_the_first_call(stub: Stubber) -> None:
    """Creating it takes long, and a container that knows its interfaces never needs it."""
    made = []

    def make() -> Any:
        made.append(1)
        return stub.client

    book = DescribedInterfaces(make)
    assert book.describe([]) == {}
    assert made == []
    for _ in range(2):
        stub.add_response("describe_network_interfaces", {"NetworkInterfaces": []})
        assert book.describe(["eni-1"]) == {}
    assert made == [1]


@pytest.mark.parametrize(
    ("status", "state", "at_work"),
    [
        ("in-use", "running", True),
        ("in-use", "pending", True),
        ("in-use", "stopped", False),
        ("in-use", "shutting-down", False),
        ("in-use", None, True),
        ("available", None, False),
    ],
)
def test_an_interface_is_active_while_it_is_in_use_and_its_instance_runs(
    stub: Stubber, status: str, state: str | None, *, at_work: bool
) -> None:
    """Other interfaces have no flow records. An interface of a load balancer has no instance."""
    instance = None if state is None else "i-1"
    stub.add_response(
        "describe_network_interfaces",
        {"NetworkInterfaces": [described("eni-1", instance, Status=status)]},
        request("network-interface-id", "eni-1"),
    )
    if state is not None:
        found = [{"Instances": [{"InstanceId": "i-1", "State": {"Name": state}}]}]
        stub.add_response("describe_instances", {"Reservations": found}, request("instance-id", "i-1"))
    assert directory(stub).describe(["eni-1"])["eni-1"].at_work == at_work
