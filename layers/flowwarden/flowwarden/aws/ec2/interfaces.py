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
from flowwarden.aws.caller import short_reason
from flowwarden.aws.ec2.describe_interface import interface
from flowwarden.aws.pages import FEW, MOST, bounded
from flowwarden.errors import InterfacesUnavailable
from flowwarden.network.interface import NAME_TAG, NetworkInterface
from flowwarden.unreadable import Unreadable

if TYPE_CHECKING:
    # The Lambda runtime does not contain the stubs.
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import FilterTypeDef, PaginatorConfigTypeDef

ACTIONS = (
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeInstances",
    "ec2:DescribeVpcs",
    "ec2:DescribeSubnets",  # the names of subnets, for notifications alone
)
"""The IAM actions that this file needs."""

VALUES_PER_FILTER: Final = 200
"""EC2's limit for the values of one filter (EC2 API reference, Filter)."""
PAGE: Final[PaginatorConfigTypeDef] = {"PageSize": 1000}
"""The maximum page size. In accounts with many interfaces, EC2 rejects requests without pagination."""

type _Call = Literal["describe_network_interfaces", "describe_instances", "describe_vpcs", "describe_subnets"]
_LISTS: Final[Mapping[_Call, tuple[str, str]]] = {
    "describe_network_interfaces": ("DescribeNetworkInterfaces", "NetworkInterfaces"),
    "describe_instances": ("DescribeInstances", "Reservations"),
    "describe_vpcs": ("DescribeVpcs", "Vpcs"),
    "describe_subnets": ("DescribeSubnets", "Subnets"),
}
"""By method of the client: the operation, and the member of its responses that lists the items."""
_INTERFACE_ID: Final = re.compile(r"eni-[0-9a-f]+")
_SUBNET_ID: Final = re.compile(r"subnet-[0-9a-f]+")
_VPC_ID: Final = re.compile(r"vpc-[0-9a-f]+")
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
        self._vpcs: dict[str, _Vpc] = {}
        """Networks and names by VPC. Never refreshed: they change rarely, and a new container reads them
        again."""

    def describe(self, interface_ids: Sequence[str]) -> Mapping[str, NetworkInterface]:
        """The existing interfaces by id, with their instances' tags, and their VPCs' networks and names.

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
            for interface in self._some(_any_of("network-interface-id", some))
        }

    def every(self) -> list[NetworkInterface]:
        """All interfaces of the account in the Region, described as by `describe`.

        Raises:
            InterfacesUnavailable: as by `describe`.
        """
        return self._some()

    def having(self, vpc_ids: Sequence[str], addresses: Sequence[str]) -> list[NetworkInterface]:
        """The interfaces in any of these VPCs that have any of these addresses, described as by `describe`.

        Addresses of one family; at most `VALUES_PER_FILTER` addresses and VPCs, the others are left out.

        Raises:
            InterfacesUnavailable: as by `describe`.
        """
        is_ipv6 = ":" in addresses[0] if addresses else False
        name = "ipv6-addresses.ipv6-address" if is_ipv6 else "addresses.private-ip-address"
        vpcs = tuple(filter(_VPC_ID.fullmatch, vpc_ids))[:VALUES_PER_FILTER]
        if not (vpcs and addresses):
            return []
        wanted = _any_of(name, tuple(addresses[:VALUES_PER_FILTER]))
        return self._some(wanted, _any_of("vpc-id", vpcs))

    def subnet_names(self, subnet_ids: Sequence[str]) -> dict[str, str]:
        """The tag `Name` of each subnet that EC2 describes, by id; '' if it has none.

        Raises:
            InterfacesUnavailable: as by `describe`.
        """
        ids = tuple(filter(_SUBNET_ID.fullmatch, subnet_ids))
        return dict(self._all("describe_subnets", "subnet-id", ids, _subnet))

    def _some(self, *wanted: FilterTypeDef) -> list[NetworkInterface]:
        found = self._described("describe_network_interfaces", wanted, interface)
        # Uses a filter, because one terminated instance in `InstanceIds` fails the whole call.
        instances = tuple(dict.fromkeys(each.instance_id for each in found if each.instance_id))
        reservations = self._all("describe_instances", "instance-id", instances, _instances)
        known = {instance_id: each for some in reservations for instance_id, each in some}
        self._learn_vpcs({each.vpc_id for each in found if each.vpc_id})
        return [
            _joined(each, known.get(each.instance_id), self._vpcs.get(each.vpc_id, _UNKNOWN_VPC))
            for each in found
        ]

    def _learn_vpcs(self, vpc_ids: set[str]) -> None:
        unknown = tuple(sorted(vpc_ids - self._vpcs.keys()))
        if unknown:
            described = dict(self._all("describe_vpcs", "vpc-id", unknown, _vpc))
            # A VPC that EC2 does not return is deleted or in another account: it is not requested again.
            self._vpcs |= {vpc_id: described.get(vpc_id, _UNKNOWN_VPC) for vpc_id in unknown}

    def _all[Read](
        self, call: _Call, name: str, values: tuple[str, ...], read: Callable[[Answer], Read]
    ) -> list[Read]:
        """`_described` for any number of values of a filter."""
        several = batched(values, VALUES_PER_FILTER, strict=False)
        return [each for some in several for each in self._described(call, (_any_of(name, some),), read)]

    def _described[Read](
        self, call: _Call, wanted: Sequence[FilterTypeDef], read: Callable[[Answer], Read]
    ) -> list[Read]:
        """The result of `read` for each description that it can read; the others are noted."""
        operation, member = _LISTS[call]
        found: list[Read] = []
        for raw in _listed(
            operation, member, lambda: bounded(self._pages(call, wanted), FEW if wanted else MOST)
        ):
            answer = Answer(raw)
            try:
                found.append(read(answer))
            except Malformed as error:
                answer.leave_out(str(error))
            for fault in answer.faults:
                self._unreadable.note(f"{operation} {_id_of(answer)}", fault)
        return found

    def _pages(self, call: _Call, wanted: Sequence[FilterTypeDef]) -> Iterable[object]:
        paginator = self._client().get_paginator(call)
        pages: Iterable[object] = paginator.paginate(Filters=list(wanted), PaginationConfig=PAGE)
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
        raise InterfacesUnavailable(f"{operation}: {error}", f"{operation}: {short_reason(error)}") from error


def _id_of(answer: Answer) -> str:
    """The id in a description, for a note."""
    ids = (answer.value(name) for name in ("NetworkInterfaceId", "ReservationId", "SubnetId", "VpcId"))
    return next((each for each in ids if isinstance(each, str) and each), "without an id")


class _Vpc(Struct, frozen=True):
    """The data of a VPC that its interfaces need."""

    cidrs: tuple[str, ...] = ()
    name: str = ""


_UNKNOWN_VPC: Final = _Vpc()


def _vpc(vpc: Answer) -> tuple[str, _Vpc]:
    """The VPC's id, and its name and associated networks, without those that are being disassociated."""
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
    cidrs = tuple(cidr for cidr in (*ipv4, *ipv6) if cidr)
    return vpc.demand("VpcId"), _Vpc(cidrs, vpc.tags("Tags").get(NAME_TAG, ""))


def _subnet(subnet: Answer) -> tuple[str, str]:
    return subnet.demand("SubnetId"), subnet.tags("Tags").get(NAME_TAG, "")


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


def _joined(interface: NetworkInterface, instance: _Instance | None, vpc: _Vpc) -> NetworkInterface:
    """The interface with the data of its instance and its VPC."""
    if instance is None:
        return replace(interface, vpc_cidrs=vpc.cidrs, vpc_name=vpc.name)
    return replace(
        interface,
        vpc_cidrs=vpc.cidrs,
        vpc_name=vpc.name,
        tags={**interface.tags, **instance.tags},
        active=interface.active if instance.runs else False,
    )
