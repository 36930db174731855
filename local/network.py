"""The demo's database on the AWS emulator: its interface, its security group, and what is learned of it.

The emulator gives an interface an address of its own choice, and no subnet a network ACL, so only the
security group of the database is evaluated. It has no CloudTrail either: the event about the change is sent
like that of a new VPC.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from flowwarden.aws.dynamodb.sets import DynamoDbEvidence
from flowwarden.monitor.baseline.additions import learned
from flowwarden.monitor.baseline.baseline import Edge
from flowwarden.state.sets import DAY
from local.clients import Clients
from local.cloudtrail_events import by_caller
from local.feed import TCP, Host
from local.stack import Stack

if TYPE_CHECKING:
    # The environment of the emulator has no stubs.
    from mypy_boto3_ec2.type_defs import IpPermissionTypeDef

GROUP: Final = "database"
ROLE: Final = "database"
NAME: Final = "orders-db"
OWNER: Final = "data team"
LEARNED_DAYS: Final = 30


def make_database(
    clients: Clients, stack: Stack, host: Host, clients_network: str, port: int, now: int
) -> Host:
    """The database with an interface that EC2 describes, used by its clients for a month.

    Args:
        clients: the clients of the emulator.
        stack: the deployed stack.
        host: the database of the scenario.
        clients_network: the network of the hosts that usually connect to it.
        port: its port.
        now: Unix seconds.
    """
    ec2, network = clients.ec2, f"{host.address.rpartition('.')[0]}.0/24"
    subnet = ec2.create_subnet(VpcId=host.vpc, CidrBlock=network)["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName=GROUP, Description=GROUP, VpcId=host.vpc)["GroupId"]
    made = ec2.create_network_interface(SubnetId=subnet, Groups=[group])["NetworkInterface"]
    interface = made["NetworkInterfaceId"]
    tags = {"Role": ROLE, "Name": NAME, "Owner": OWNER}
    ec2.create_tags(Resources=[interface], Tags=[{"Key": key, "Value": value} for key, value in tags.items()])
    for allowed in (clients_network, network):
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission(port, allowed)])
    evidence, usual = (
        DynamoDbEvidence(clients.dynamodb, stack.state_table),
        Edge("in", TCP, port, clients_network),
    )
    for ago in range(1, LEARNED_DAYS):
        evidence.add(learned(f"tag:Role={ROLE}", now // DAY - ago, frozenset({usual})))
    return replace(host, interface=interface, subnet=subnet)


def permission(port: int, network: str) -> IpPermissionTypeDef:
    """A rule for TCP, in EC2's notation."""
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": network}]}


def revoke(clients: Clients, database: Host, network: str, port: int, at: int) -> dict[str, Any]:
    """Revoke the rule for a network; the CloudTrail record of that, as if it had happened at `at`."""
    described = clients.ec2.describe_network_interfaces(NetworkInterfaceIds=[database.interface])
    group = described["NetworkInterfaces"][0]["Groups"][0]["GroupId"]
    clients.ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[permission(port, network)])
    ranges = {"items": [{"cidrIp": network}]}
    items = {"ipProtocol": "tcp", "fromPort": port, "toPort": port, "ipRanges": ranges}
    request = {"groupId": group, "ipPermissions": {"items": [items]}}
    return by_caller("RevokeSecurityGroupIngress", datetime.fromtimestamp(at, UTC)) | {
        "requestParameters": request,
        "responseElements": {"_return": True},
        "eventID": f"revocation-of-{group}",
    }
