"""Interfaces of every kind, as EC2 describes them, and descriptions with something missing, for golden pages.

The descriptions are those of real accounts, from public documentation and listings, with other names.
"""

from __future__ import annotations

from typing import Any, Final

from flowwarden.network.interface import NetworkInterface

ADDRESS: Final = "10.0.2.30"
UUID: Final = "0a1b2c3d-1111-2222-3333-0123456789ab"


def _interface(kind: str = "interface", description: str = "", **given: Any) -> NetworkInterface:
    fixed: dict[str, Any] = {
        "interface_id": "eni-2", "vpc_id": "vpc-1", "subnet_id": "subnet-2", "addresses": (ADDRESS,),
        "vpc_cidrs": ("10.0.0.0/16",), "kind": kind, "description": description,
    }  # fmt: skip
    return NetworkInterface(**(fixed | given))


def _managed(description: str, **given: Any) -> NetworkInterface:
    return _interface(description=description, managed=True, security_groups=("sg-2",), **given)


def _instance(**given: Any) -> NetworkInterface:
    fixed = {"instance_id": "i-2", "security_groups": ("sg-2",), "group_names": ("data",)}
    return _interface(description="Primary network interface", **(fixed | given))


NAMED: Final = {"Name": "orders-db-1", "Owner": "Data team", "Contact": "data@example.com"}

KINDS: Final[dict[str, NetworkInterface]] = {
    "instance": _instance(tags=NAMED | {"Role": "db"}),
    "instance-of-a-group": _instance(tags=NAMED | {"aws:autoscaling:groupName": "orders-workers"}),
    "instance-with-a-public-address": _instance(tags=NAMED, public_addresses=("198.51.100.4",)),
    "instance-with-many-groups": _instance(
        tags=NAMED, security_groups=tuple(f"sg-{each}" for each in range(1, 6)), group_names=("base", "web")
    ),
    "eks-node": _instance(tags={"Name": "apps-node", "eks:cluster-name": "apps", "team": "platform"}),
    "kubernetes-pods": _interface(
        description="aws-K8S-i-0123456789abcdef0",
        instance_id="i-2",
        tags={"kubernetes.io/cluster/apps": "owned", "node.k8s.amazonaws.com/instance_id": "i-2"},
    ),
    "ecs-task": _managed(f"arn:aws:ecs:eu-west-1:111122223333:attachment/{UUID}"),
    "ecs-task-of-a-service": _managed(
        f"arn:aws-cn:ecs:cn-north-1:111122223333:attachment/{UUID}",
        tags={"aws:ecs:serviceName": "orders", "aws:ecs:clusterName": "shop", "Team": "shop"},
    ),
    "eks-control-plane": _managed("Amazon EKS apps"),
    "nat-gateway": _interface("nat_gateway", "Interface for NAT Gateway nat-02d216882c09db8e6"),
    "vpc-endpoint": _interface("vpc_endpoint", "VPC Endpoint Interface vpce-0123456789abcdef0"),
    "gateway-load-balancer-endpoint": _interface(
        "gateway_load_balancer_endpoint", "VPC Endpoint Interface vpce-0123456789abcdef1"
    ),
    "application-load-balancer": _managed("ELB app/shop-front/0123456789abcdef", kind="load_balancer"),
    "network-load-balancer": _interface("network_load_balancer", "ELB net/shop-mail/0123456789abcdef"),
    "gateway-load-balancer": _interface("gateway_load_balancer", "ELB gwy/firewalls/0123456789abcdef"),
    "classic-load-balancer": _managed("ELB shop-old", kind="load_balancer"),
    "transit-gateway": _interface(
        "transit_gateway", "Network Interface for Transit Gateway Attachment tgw-attach-06bf47fa39e5d1578"
    ),
    "lambda": _interface("lambda", f"AWS Lambda VPC ENI-send-orders-{UUID}"),
    "rds": _managed("RDSNetworkInterface", public_addresses=("198.51.100.5",)),
    "rds-proxy": _managed("Network interface for DBProxy orders-proxy"),
    "elasticache": _managed("ElastiCache sessions-001"),
    "redshift": _managed("RedshiftNetworkInterface"),
    "dms": _managed("DMSNetworkInterface"),
    "opensearch": _managed("ES shop-search"),
    "efs": _managed("EFS mount target for fs-0dcdbf56073416b82 (fsmt-0852ce334db888836)"),
    "resolver": _managed("Route 53 Resolver: rslvr-in-55829d25693e4b729:rni-9494385465134fa5a"),
    "directory": _managed("AWS created network interface for directory d-0123456789"),
    "workspace": _managed("Created By Amazon Workspaces for AWS Account ID 111122223333"),
    "msk": _managed(
        "DO NOT DELETE - Amazon MSK network interface for cluster "
        f"arn:aws:kafka:eu-west-2:111122223333:cluster/events/{UUID}-2."
    ),
    "api-gateway": _interface("api_gateway_managed", "ENI managed by APIGateway"),
    "a-type-of-the-future": _interface("quantum_router", "Quantum"),
    "managed-with-another-description": _managed("a new service of AWS"),
    "of-a-user": _interface(description="proxy of the shop", tags={"Owner": "Web team"}),
    "that-pretends": _interface(description="RDSNetworkInterface"),
    "without-a-description": _interface("nat_gateway"),
    "without-a-name": _instance(tags={"Owner": "Data team"}),
    "without-tags": _instance(),
    "without-names-of-groups": _instance(tags=NAMED, group_names=()),
    "without-a-subnet": _instance(tags=NAMED, subnet_id=""),
    "bare": NetworkInterface(interface_id="eni-2", vpc_id="vpc-1", addresses=(ADDRESS,)),
}
"""By the name of the golden page."""
