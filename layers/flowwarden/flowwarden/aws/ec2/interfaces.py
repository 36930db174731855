"""Network interfaces, as EC2 describes them: implements `ports.InterfaceDirectory`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import batched
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError
from msgspec.structs import replace

from flowwarden.aws.ec2.describe_interface import interface, tag_dict
from flowwarden.errors import InterfacesUnavailable
from flowwarden.network.interface import NetworkInterface

if TYPE_CHECKING:
    # The stubs are no part of the Lambda runtime.
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import (
        FilterTypeDef,
        InstanceTypeDef,
        NetworkInterfaceTypeDef,
        PaginatorConfigTypeDef,
        VpcTypeDef,
    )

ACTIONS = ("ec2:DescribeNetworkInterfaces", "ec2:DescribeInstances", "ec2:DescribeVpcs")
"""IAM actions that this file's calls need."""

VALUES_PER_FILTER: Final = 200
"""EC2's limit for the values of one filter (EC2 API reference, Filter)."""
PAGE: Final[PaginatorConfigTypeDef] = {"PageSize": 1000}
"""The most that both calls take. In accounts with many interfaces EC2 refuses what is not asked in pages."""

_INTERFACE_ID: Final = re.compile(r"eni-[0-9a-f]+")
_ASSOCIATED: Final = "associated"
_AT_REST: Final = frozenset({"stopping", "stopped", "shutting-down", "terminated"})
"""States of instances whose interfaces carry nothing, and about which flow logs say nothing."""


class DescribedInterfaces:
    """Asks EC2 in the account and region that the client is made for."""

    def __init__(self, make: Callable[[], EC2Client]) -> None:
        """Take the way to a client; it is made at the first call, as EC2's takes long to make."""
        self._client = cache(make)
        self._networks: dict[str, tuple[str, ...]] = {}
        """Of VPCs that were asked for; they change so seldom that a new container is soon enough."""

    def describe(self, interface_ids: Sequence[str]) -> Mapping[str, NetworkInterface]:
        """Those of the interfaces that exist, by id, with their instances' tags and their VPCs' networks.

        Costs a call of DescribeNetworkInterfaces, and one of DescribeInstances if any belongs to an
        instance, for each 200 ids; and one of DescribeVpcs for VPCs that were never asked for. What does not
        look like an interface's id is not asked for: in a filter `*` and `?` stand for anything.

        Raises:
            InterfacesUnavailable: EC2 throttled, refused or was not reached, whatever the reason. Then
                nothing is told: an interface without its instance's tags would have another role.
        """
        ids = dict.fromkeys(filter(_INTERFACE_ID.fullmatch, interface_ids))
        return {
            interface.interface_id: interface
            for some in batched(ids, VALUES_PER_FILTER, strict=False)
            for interface in self._some(some)
        }

    def _some(self, ids: tuple[str, ...]) -> list[NetworkInterface]:
        found = [interface(each) for each in _told("DescribeNetworkInterfaces", self._interfaces(ids))]
        # Filtered by: an instance that has gone is then no error that hides the others.
        instances = tuple(dict.fromkeys(each.instance_id for each in found if each.instance_id))
        known = dict(_told("DescribeInstances", self._instances(instances))) if instances else {}
        self._learn_networks({each.vpc_id for each in found if each.vpc_id})
        return [
            _joined(each, known.get(each.instance_id), self._networks.get(each.vpc_id, ())) for each in found
        ]

    def _learn_networks(self, vpc_ids: set[str]) -> None:
        unknown = tuple(sorted(vpc_ids - self._networks.keys()))
        if unknown:
            told = dict(_told("DescribeVpcs", self._vpcs(unknown)))
            # One that is not told is of another account, or gone: it is not asked for again.
            self._networks |= {vpc_id: told.get(vpc_id, ()) for vpc_id in unknown}

    def _vpcs(self, ids: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
        pages = self._client().get_paginator("describe_vpcs")
        for page in pages.paginate(Filters=[_any_of("vpc-id", ids)], PaginationConfig=PAGE):
            yield from ((vpc["VpcId"], _cidrs(vpc)) for vpc in page["Vpcs"])

    def _interfaces(self, ids: tuple[str, ...]) -> Iterator[NetworkInterfaceTypeDef]:
        pages = self._client().get_paginator("describe_network_interfaces")
        for page in pages.paginate(Filters=[_any_of("network-interface-id", ids)], PaginationConfig=PAGE):
            yield from page["NetworkInterfaces"]

    def _instances(self, ids: tuple[str, ...]) -> Iterator[tuple[str, InstanceTypeDef]]:
        pages = self._client().get_paginator("describe_instances")
        for some in batched(ids, VALUES_PER_FILTER, strict=False):
            for page in pages.paginate(Filters=[_any_of("instance-id", some)], PaginationConfig=PAGE):
                for reservation in page["Reservations"]:
                    for instance in reservation["Instances"]:
                        yield instance["InstanceId"], instance


def _any_of(name: str, values: tuple[str, ...]) -> FilterTypeDef:
    return {"Name": name, "Values": list(values)}


def _told[T](call: str, answers: Iterable[T]) -> Iterator[T]:
    """The answers of a call. Raises InterfacesUnavailable."""
    try:
        yield from answers
    except (ClientError, BotoCoreError) as error:
        raise InterfacesUnavailable(f"{call}: {error}") from error


def _cidrs(vpc: VpcTypeDef) -> tuple[str, ...]:
    """The networks that are the VPC's now; one that is being taken away is not any more."""
    ipv4 = (
        each.get("CidrBlock")
        for each in vpc.get("CidrBlockAssociationSet", [])
        if each.get("CidrBlockState", {}).get("State") == _ASSOCIATED
    )
    ipv6 = (
        each.get("Ipv6CidrBlock")
        for each in vpc.get("Ipv6CidrBlockAssociationSet", [])
        if each.get("Ipv6CidrBlockState", {}).get("State") == _ASSOCIATED
    )
    return tuple(cidr for cidr in (*ipv4, *ipv6) if cidr)


def _joined(
    interface: NetworkInterface, instance: InstanceTypeDef | None, vpc_cidrs: tuple[str, ...]
) -> NetworkInterface:
    """The interface with what its instance and its VPC add."""
    if instance is None:
        return replace(interface, vpc_cidrs=vpc_cidrs)
    return replace(
        interface,
        vpc_cidrs=vpc_cidrs,
        tags={**interface.tags, **tag_dict(instance.get("Tags", []))},
        active=interface.active if _runs(instance) else False,
    )


def _runs(instance: InstanceTypeDef) -> bool:
    return instance.get("State", {}).get("Name") not in _AT_REST
