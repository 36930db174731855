"""The resource that a network interface belongs to, from its type and the description by AWS. Pure.

EC2 has no member that names a load balancer, a NAT gateway or a task. Their ids are in the description of the
interface, which has a fixed form for each service. AWS documents few of these forms; the others are those of
interfaces as `aws ec2 describe-network-interfaces` shows them. Users can write any description for their own
interfaces, so it is only interpreted if an AWS service manages the interface or EC2 assigns it a type that
users cannot choose. The tags of the prefix `aws:` can only be set by AWS.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from flowwarden.network.interface import NetworkInterface


class Resource(Struct, frozen=True):
    """What an interface belongs to."""

    kind: str
    """Such as `NAT gateway`."""
    name: str = ""
    """Its id or name; '' if the description does not contain it."""

    @property
    def text(self) -> str:
        """`NAT gateway nat-0123456789abcdef0`."""
        return f"{self.kind} {self.name}".rstrip()


OF_USERS: Final = frozenset({"interface", "efa", "efa-only", "trunk", "branch"})
"""Types that users can choose when they create an interface, or that say nothing about a service."""

_TYPES: Final[Mapping[str, str]] = {
    "nat_gateway": "NAT gateway",
    "regional_nat_gateway": "NAT gateway",
    "vpc_endpoint": "VPC endpoint",
    "gateway_load_balancer_endpoint": "Gateway Load Balancer endpoint",
    "load_balancer": "load balancer",
    "network_load_balancer": "Network Load Balancer",
    "gateway_load_balancer": "Gateway Load Balancer",
    "transit_gateway": "transit gateway attachment",
    "lambda": "Lambda function",
    "efs": "EFS mount target",
    "api_gateway_managed": "API Gateway",
    "quicksight": "Amazon Quick Sight",
    "global_accelerator_managed": "Global Accelerator",
    "iot_rules_managed": "AWS IoT rule",
    "aws_codestar_connections_managed": "AWS CodeConnections",
    "ec2_instance_connect_endpoint": "EC2 Instance Connect Endpoint",
}
"""By EC2's type of the interface, if the description has another form than those below."""

_UUID: Final = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_NAMED: Final = tuple(
    (re.compile(form), kind)
    for form, kind in (
        (r"Interface for NAT Gateway (nat-\w+)", "NAT gateway"),
        (r"VPC Endpoint Interface (vpce-\w+)", ""),
        (r"ELB app/([\w-]+)/\w+", "Application Load Balancer"),
        (r"ELB net/([\w-]+)/\w+", "Network Load Balancer"),
        (r"ELB gwy/([\w-]+)/\w+", "Gateway Load Balancer"),
        (r"ELB ([\w-]+)", "Classic Load Balancer"),
        (r"(?i:network interface for transit gateway attachment) (tgw-attach-\w+)", ""),
        (rf"AWS Lambda VPC ENI-([\w-]+?)(?:-{_UUID})?", "Lambda function"),
        (r"RDSNetworkInterface()", "database of RDS, Aurora, DocumentDB or Neptune"),
        (r"Network interface for DBProxy (\S+)", "RDS Proxy"),
        (r"ElastiCache[ +](\S+)", "ElastiCache node"),
        (r"DAX (\S+)", "DynamoDB Accelerator node"),
        (r"RedshiftNetworkInterface()", "Amazon Redshift"),
        (r"DMSNetworkInterface()", "Database Migration Service"),
        (r"ES (\S+)", "OpenSearch domain"),
        (r"EFS mount target for (fs-\w+ \(fsmt-\w+\))", "EFS mount target"),
        (r"Amazon EKS (\S+)", "EKS control plane of cluster"),
        (r"arn:[\w-]+:ecs:[\w-]+:\d*:(attachment/[\w-]+)", "ECS task"),
        (r"Route 53 Resolver: (rslvr-[\w-]+):.*", "Route 53 Resolver endpoint"),
        (r"AWS created network interface for directory (d-\w+)\.?", "Directory Service directory"),
        (r"Created By Amazon Work[Ss]paces for AWS Account ID \d+()", "WorkSpace"),
        (r".*Amazon MSK network interface for cluster arn:\S+:cluster/([\w-]+)/\S+", "MSK cluster"),
        (r"Attached to Glue using role: \S+/([\w+=,.@-]+)", "Glue job with role"),
        (r"\[DO NOT DELETE\] ENI managed by SageMaker for Studio Domain \(?(d-\w+).*", "SageMaker domain"),
    )
)
"""The forms of descriptions, each with the kind of resource; '' for that of EC2's type. Each has one group:
the name."""

_CLUSTERS: Final = ("aws:eks:cluster-name", "eks:cluster-name", "alpha.eksctl.io/cluster-name")
"""Tags of instances with the name of their EKS cluster: set by EKS, by its managed node groups, by eksctl."""
_CLUSTER_PREFIX: Final = "kubernetes.io/cluster/"
"""The rest of this tag's key is the name of a Kubernetes cluster: EKS requires it for nodes."""
_ECS_SERVICE: Final = "aws:ecs:serviceName"
_ECS_CLUSTER: Final = "aws:ecs:clusterName"
"""ECS sets both on a task's interface if its managed tags are enabled."""


def resource_of(interface: NetworkInterface) -> Resource | None:
    """What the interface belongs to, apart from an instance; None if nothing shows it."""
    by_tags = _of_tags(interface.tags)
    if interface.kind in OF_USERS and not interface.managed:
        return by_tags
    described = _of_description(interface)
    if by_tags and (described is None or described.kind == "ECS task"):
        return by_tags
    return described


def _of_description(interface: NetworkInterface) -> Resource | None:
    of_type = _TYPES.get(interface.kind, "")
    for form, kind in _NAMED:
        if found := form.fullmatch(interface.description):
            return Resource(kind or of_type or "AWS resource", found[1])
    if of_type:
        return Resource(of_type)
    return None if interface.kind in OF_USERS else Resource(f"interface of the type {interface.kind}")


def _of_tags(tags: Mapping[str, str]) -> Resource | None:
    if service := tags.get(_ECS_SERVICE):
        cluster = tags.get(_ECS_CLUSTER)
        return Resource("ECS task of service", f"{service} in cluster {cluster}" if cluster else service)
    named = next((tags[key] for key in _CLUSTERS if tags.get(key)), "")
    owned = (key.removeprefix(_CLUSTER_PREFIX) for key in sorted(tags) if key.startswith(_CLUSTER_PREFIX))
    cluster = named or next(owned, "")
    return Resource("EKS node of cluster", cluster) if cluster else None
