"""Describes network interfaces with EC2: implements `ports.InterfaceDirectory`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import batched
from typing import TYPE_CHECKING, Final, Literal

from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct
from msgspec.structs import replace

from flowwarden.aws.answers import Answer, Malformed
from flowwarden.aws.ec2.describe_interface import interface
from flowwarden.aws.pages import FEW, bounded
from flowwarden.errors import InterfacesUnavailable
from flowwarden.network.interface import NetworkInterface
from flowwarden.unreadable import Unreadable

if TYPE_CHECKING:
    # The Lambda runtime does not contain the stubs.
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import FilterTypeDef, PaginatorConfigTypeDef

ACTIONS = ("ec2:DescribeNetworkInterfaces", "ec2:DescribeInstances", "ec2:DescribeVpcs")
"""The IAM actions that this file needs."""

VALUES_PER_FILTER: Final = 200
"""EC2's limit for the values of one filter (EC2 API reference, Filter)."""
PAGE: Final[PaginatorConfigTypeDef] = {"PageSize": 1000}
"""The maximum page size. In accounts with many interfaces, EC2 rejects requests without pagination."""

type _Call = Literal["describe_network_interfaces", "describe_instances", "describe_vpcs"]
_LISTS: Final[Mapping[_Call, tuple[str, str]]] = {
    "describe_network_interfaces": ("DescribeNetworkInterfaces", "NetworkInterfaces"),
    "describe_instances": ("DescribeInstances", "Reservations"),
    "describe_vpcs": ("DescribeVpcs", "Vpcs"),
}
"""By method of the client: the operation, and the member of its responses that lists the items."""
_INTERFACE_ID: Final = re.compile(r"eni-[0-9a-f]+")
_ASSOCIATED: Final = "associated"
_AT_REST: Final = frozenset({"stopping", "stopped", "shutting-down", "terminated"})
"""Instance states without traffic and without flow records."""


class DescribedInterfaces:
    """Calls EC2 in the client's account and region."""

    def __init__(self, make: Callable[[], EC2Client], unreadable: Unreadable | None = None) -> None:
        """Create no client yet.

        Args:
            make: creates the client at the first call, because EC2's client takes long to create.
            unreadable: where members of descriptions that cannot be read are noted.
        """
        self._client = cache(make)
        self._unreadable = unreadable or Unreadable()
        self._networks: dict[str, tuple[str, ...]] = {}
        """Networks by VPC. Never refreshed: they change rarely, and a new container reads them again."""

    def describe(self, interface_ids: Sequence[str]) -> Mapping[str, NetworkInterface]:
        """The existing interfaces by id, with their instances' tags and their VPCs' networks.

        For each 200 ids, costs one DescribeNetworkInterfaces call, one DescribeInstances call if any
        interface belongs to an instance, and one DescribeVpcs call if any VPC is new. Values that are not an
        interface id are skipped, because `*` and `?` are wildcards in a filter. A description without an id
        is left out, and so is a member of another type.

        Raises:
            InterfacesUnavailable: EC2 throttled, refused or was not reached. There is no partial result,
                because an interface without its instance's tags would get a wrong role.
        """
        ids = dict.fromkeys(filter(_INTERFACE_ID.fullmatch, interface_ids))
        return {
            interface.interface_id: interface
            for some in batched(ids, VALUES_PER_FILTER, strict=False)
            for interface in self._some(some)
        }

    def _some(self, ids: tuple[str, ...]) -> list[NetworkInterface]:
        found = self._all("describe_network_interfaces", "network-interface-id", ids, interface)
        # Uses a filter, because one terminated instance in `InstanceIds` fails the whole call.
        instances = tuple(dict.fromkeys(each.instance_id for each in found if each.instance_id))
        reservations = self._all("describe_instances", "instance-id", instances, _instances)
        known = {instance_id: each for some in reservations for instance_id, each in some}
        self._learn_networks({each.vpc_id for each in found if each.vpc_id})
        return [
            _joined(each, known.get(each.instance_id), self._networks.get(each.vpc_id, ())) for each in found
        ]

    def _learn_networks(self, vpc_ids: set[str]) -> None:
        unknown = tuple(sorted(vpc_ids - self._networks.keys()))
        if unknown:
            described = dict(self._all("describe_vpcs", "vpc-id", unknown, _vpc))
            # A VPC that EC2 does not return is deleted or in another account: it is not requested again.
            self._networks |= {vpc_id: described.get(vpc_id, ()) for vpc_id in unknown}

    def _all[Read](
        self, call: _Call, name: str, values: tuple[str, ...], read: Callable[[Answer], Read]
    ) -> list[Read]:
        """The result of `read` for each description that it can read; the others are noted."""
        operation, member = _LISTS[call]
        found: list[Read] = []
        for some in batched(values, VALUES_PER_FILTER, strict=False):
            wanted = [_any_of(name, some)]
            for raw in _listed(operation, member, lambda: bounded(self._pages(call, wanted), FEW)):  # noqa: B023 - at once
                answer = Answer(raw)
                try:
                    found.append(read(answer))
                except Malformed as error:
                    answer.leave_out(str(error))
                for fault in answer.faults:
                    self._unreadable.note(f"{operation} {_id_of(answer)}", fault)
        return found

    def _pages(self, call: _Call, wanted: list[FilterTypeDef]) -> Iterable[object]:
        paginator = self._client().get_paginator(call)
        pages: Iterable[object] = paginator.paginate(Filters=wanted, PaginationConfig=PAGE)
        return pages


def _any_of(name: str, values: tuple[str, ...]) -> FilterTypeDef:
    return {"Name": name, "Values": list(values)}


def _listed(operation: str, member: str, pages: Callable[[], Iterable[object]]) -> Iterator[object]:
    """The items of a call. Raises InterfacesUnavailable."""
    try:
        for page in pages():
            items = Answer(page).value(member)
            if not isinstance(items, list):
                raise InterfacesUnavailable(f"{operation}: the response has no {member}")
            yield from items
    except (ClientError, BotoCoreError) as error:
        raise InterfacesUnavailable(f"{operation}: {error}") from error


def _id_of(answer: Answer) -> str:
    """The id in a description, for a note."""
    ids = (answer.value(name) for name in ("NetworkInterfaceId", "ReservationId", "VpcId"))
    return next((each for each in ids if isinstance(each, str) and each), "without an id")


def _vpc(vpc: Answer) -> tuple[str, tuple[str, ...]]:
    """The VPC's id and its associated networks, without those that are being disassociated."""
    ipv4 = [
        each.network("CidrBlock")
        for each in vpc.each("CidrBlockAssociationSet")
        if each.inner("CidrBlockState").text("State") == _ASSOCIATED
    ]
    ipv6 = [
        each.network("Ipv6CidrBlock")
        for each in vpc.each("Ipv6CidrBlockAssociationSet")
        if each.inner("Ipv6CidrBlockState").text("State") == _ASSOCIATED
    ]
    return vpc.demand("VpcId"), tuple(cidr for cidr in (*ipv4, *ipv6) if cidr)


class _Instance(Struct, frozen=True):
    """The data of an instance that its interfaces need."""

    tags: Mapping[str, str]
    runs: bool


def _instances(reservation: Answer) -> list[tuple[str, _Instance]]:
    """The instances of a reservation with their ids; one without an id is left out."""
    found: list[tuple[str, _Instance]] = []
    for each in reservation.each("Instances"):
        runs = each.inner("State").text("Name") not in _AT_REST
        try:
            found.append((each.demand("InstanceId"), _Instance(each.tags("Tags"), runs)))
        except Malformed as error:
            reservation.leave_out(str(error))
    return found


def _joined(
    interface: NetworkInterface, instance: _Instance | None, vpc_cidrs: tuple[str, ...]
) -> NetworkInterface:
    """The interface with the data of its instance and its VPC."""
    if instance is None:
        return replace(interface, vpc_cidrs=vpc_cidrs)
    return replace(
        interface,
        vpc_cidrs=vpc_cidrs,
        tags={**interface.tags, **instance.tags},
        active=interface.active if instance.runs else False,
    )
