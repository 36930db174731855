"""What an interface belongs to: from AWS's own words alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.network.interface import NetworkInterface
from flowwarden.network.resource import OF_USERS, Resource, resource_of
from tests.examples import examples

UUID = "0a1b2c3d-1111-2222-3333-0123456789ab"


def interface(description: str = "", kind: str = "interface", **given: Any) -> NetworkInterface:
    """An interface."""
    return NetworkInterface(interface_id="eni-1", description=description, kind=kind, **given)


@pytest.mark.parametrize(
    ("description", "kind", "expected"),
    [
        ("Interface for NAT Gateway nat-02d216882c", "nat_gateway", "NAT gateway nat-02d216882c"),
        ("VPC Endpoint Interface vpce-0abc", "vpc_endpoint", "VPC endpoint vpce-0abc"),
        ("VPC Endpoint Interface vpce-0abc", "gateway_load_balancer_endpoint",
         "Gateway Load Balancer endpoint vpce-0abc"),
        ("ELB app/web-prod/57b09a5655e9f806", "load_balancer", "Application Load Balancer web-prod"),
        ("ELB app/web-prod/57b09a5655e9f806", "interface", "Application Load Balancer web-prod"),
        ("ELB net/my-nlb/abcdef1234567890", "network_load_balancer", "Network Load Balancer my-nlb"),
        ("ELB gwy/GWLB/abcdef1234567890", "gateway_load_balancer", "Gateway Load Balancer GWLB"),
        ("ELB example-classic", "load_balancer", "Classic Load Balancer example-classic"),
        ("Network Interface for Transit Gateway Attachment tgw-attach-0e", "transit_gateway",
         "transit gateway attachment tgw-attach-0e"),
        ("Network interface for Transit Gateway Attachment tgw-attach-0e", "transit_gateway",
         "transit gateway attachment tgw-attach-0e"),
        (f"AWS Lambda VPC ENI-send-mail-{UUID}", "lambda", "Lambda function send-mail"),
        ("AWS Lambda VPC ENI-send-mail", "lambda", "Lambda function send-mail"),
        ("AWS Lambda VPC ENI: my-fn", "lambda", "Lambda function"),
        ("RDSNetworkInterface", "interface", "database of RDS, Aurora, DocumentDB or Neptune"),
        ("Network interface for DBProxy proxy-1734138353499-games-1", "interface",
         "RDS Proxy proxy-1734138353499-games-1"),
        ("ElastiCache homebox-staging-redis-001", "interface", "ElastiCache node homebox-staging-redis-001"),
        ("ElastiCache+sessions", "interface", "ElastiCache node sessions"),
        ("EFS mount target for fs-56d23cb6 (fsmt-42d00fa3)", "interface",
         "EFS mount target fs-56d23cb6 (fsmt-42d00fa3)"),
        ("EFS mount target for fs-56d23cb6 (fsmt-42d00fa3)", "efs",
         "EFS mount target fs-56d23cb6 (fsmt-42d00fa3)"),
        ("Amazon EKS net410-eks-cluster", "interface", "EKS control plane of cluster net410-eks-cluster"),
        (f"arn:aws-us-gov:ecs:us-gov-west-1:111122223333:attachment/{UUID}", "interface",
         f"ECS task attachment/{UUID}"),
        ("Route 53 Resolver: rslvr-out-9bb0d69b4dd94f918:rni-51f53f6ef7b6436f8", "interface",
         "Route 53 Resolver endpoint rslvr-out-9bb0d69b4dd94f918"),
        ("ENI managed by APIGateway", "api_gateway_managed", "API Gateway"),
        ("anything", "a_new_type", "interface of the type a_new_type"),
        ("", "nat_gateway", "NAT gateway"),
    ],
)  # fmt: skip
def test_the_description_of_aws_names_the_resource(description: str, kind: str, expected: str) -> None:
    """The forms are those of public listings of interfaces."""
    found = resource_of(interface(description, kind, managed=True))
    assert found is not None
    assert found.text == expected


@pytest.mark.parametrize("kind", sorted(OF_USERS))
@pytest.mark.parametrize("description", ["RDSNetworkInterface", "ELB app/shop/0123", "Amazon EKS apps"])
def test_a_user_cannot_give_an_interface_the_look_of_a_service(description: str, kind: str) -> None:
    """Users choose the description of their own interfaces, and some types."""
    assert resource_of(interface(description, kind)) is None
    assert resource_of(interface(description, kind, managed=True)) is not None


def test_a_lambda_interface_is_one_although_ec2_calls_it_unmanaged() -> None:
    """EC2 sets RequesterManaged to false for them; users cannot choose the type."""
    assert resource_of(interface("AWS Lambda VPC ENI-a", "lambda")) == Resource("Lambda function", "a")


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"aws:eks:cluster-name": "apps"}, Resource("EKS node of cluster", "apps")),
        ({"eks:cluster-name": "apps", "eks:nodegroup-name": "n"}, Resource("EKS node of cluster", "apps")),
        ({"kubernetes.io/cluster/apps": "owned"}, Resource("EKS node of cluster", "apps")),
        ({"kubernetes.io/cluster/": "owned"}, None),
        ({"aws:ecs:serviceName": "web", "aws:ecs:clusterName": "shop"},
         Resource("ECS task of service", "web in cluster shop")),
        ({"aws:ecs:serviceName": "web"}, Resource("ECS task of service", "web")),
        ({"aws:ecs:clusterName": "shop"}, None),
        ({"Name": "web-1"}, None),
    ],
)  # fmt: skip
def test_tags_name_a_cluster(tags: dict[str, str], expected: Resource | None) -> None:
    """Those that EKS, ECS and their tools set."""
    assert resource_of(interface(tags=tags)) == expected


def test_the_service_of_a_task_says_more_than_its_attachment() -> None:
    """But the tags of a load balancer's interface do not hide the load balancer."""
    tags = {"aws:ecs:serviceName": "web"}
    task = interface(f"arn:aws:ecs:eu-west-1:1:attachment/{UUID}", managed=True, tags=tags)
    balancer = interface("ELB net/a/0", "network_load_balancer", tags=tags)
    assert [resource_of(each) for each in (task, balancer)] == [
        Resource("ECS task of service", "web"),
        Resource("Network Load Balancer", "a"),
    ]


@examples(5)
@given(st.text(max_size=300), st.sampled_from(["interface", "lambda", "nat_gateway", "efs"]), st.booleans())
def test_any_description_is_read(description: str, kind: str, managed: bool) -> None:  # noqa: FBT001
    """No text raises an error, and a name is a part of its description."""
    found = resource_of(interface(description, kind, managed=managed))
    assert found is None or found.name in description
