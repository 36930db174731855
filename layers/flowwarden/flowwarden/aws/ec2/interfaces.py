"""Describes network interfaces with EC2: implements `ports.InterfaceDirectory`."""

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
    # The Lambda runtime does not contain the stubs.
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
"""The maximum of the Describe calls. In accounts with many interfaces EC2 rejects unpaginated requests."""

_INTERFACE_ID: Final = re.compile(r"eni-[0-9a-f]+")
_ASSOCIATED: Final = "associated"
_AT_REST: Final = frozenset({"stopping", "stopped", "shutting-down", "terminated"})
"""Instance states without traffic and without flow records."""


class DescribedInterfaces:
    """Calls EC2 in the client's account and region."""

    def __init__(self, make: Callable[[], EC2Client]) -> None:
        """`make` creates the client, at the first call only, because EC2's client takes long to create."""
        self._client = cache(make)
        self._networks: dict[str, tuple[str, ...]] = {}
        """Networks by VPC. Never refreshed: they change so rarely that the next container is soon enough."""

    def describe(self, interface_ids: Sequence[str]) -> Mapping[str, NetworkInterface]:
        """The existing interfaces by id, with their instances' tags and their VPCs' networks.

        For each 200 ids, costs one DescribeNetworkInterfaces call, one DescribeInstances call if any
        interface belongs to an instance, and one DescribeVpcs call if any VPC is new. Values that are not an
        interface id are skipped, because `*` and `?` are wildcards in a filter.

        Raises:
            InterfacesUnavailable: EC2 throttled, refused or was not reached. There is no partial result: an
                interface without its instance's tags would get a wrong role.
        """
        ids = dict.fromkeys(filter(_INTERFACE_ID.fullmatch, interface_ids))
        return {
            interface.interface_id: interface
            for some in batched(ids, VALUES_PER_FILTER, strict=False)
            for interface in self._some(some)
        }

    def _some(self, ids: tuple[str, ...]) -> list[NetworkInterface]:
        found = [interface(each) for each in _checked("DescribeNetworkInterfaces", self._interfaces(ids))]
        # Uses a filter, because one terminated instance in `InstanceIds` fails the whole call.
        instances = tuple(dict.fromkeys(each.instance_id for each in found if each.instance_id))
        known = dict(_checked("DescribeInstances", self._instances(instances))) if instances else {}
        self._learn_networks({each.vpc_id for each in found if each.vpc_id})
        return [
            _joined(each, known.get(each.instance_id), self._networks.get(each.vpc_id, ())) for each in found
        ]

    def _learn_networks(self, vpc_ids: set[str]) -> None:
        unknown = tuple(sorted(vpc_ids - self._networks.keys()))
        if unknown:
            described = dict(_checked("DescribeVpcs", self._vpcs(unknown)))
            # A missing VPC belongs to another account, or is deleted: it is not requested again.
            self._networks |= {vpc_id: described.get(vpc_id, ()) for vpc_id in unknown}

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


def _checked[T](call: str, answers: Iterable[T]) -> Iterator[T]:
    """The items of a call. Raises InterfacesUnavailable."""
    try:
        yield from answers
    except (ClientError, BotoCoreError) as error:
        raise InterfacesUnavailable(f"{call}: {error}") from error


def _cidrs(vpc: VpcTypeDef) -> tuple[str, ...]:
    """The VPC's current networks, without those that are being disassociated."""
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
    """The interface with the data of its instance and its VPC."""
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
