"""Converts EC2's descriptions into Flow Warden's types.

A description without a mandatory member (the resource of a flow log, the id of an interface) raises KeyError.
`Readings` skips it, records it as unread, and continues.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from flowwarden.aws.ec2.describe_interface import seconds, tag_dict
from flowwarden.enforcer.state.inventory import FlowLog, Subnet, Unread, Vpc
from flowwarden.policy.flow_logs import SETTINGS
from flowwarden.policy.setting import Value

if TYPE_CHECKING:
    # The Lambda runtime does not contain the stubs.
    from mypy_boto3_ec2.type_defs import (
        FlowLogTypeDef,
        ReservationTypeDef,
        SubnetTypeDef,
        VpcTypeDef,
    )

IDS: Final = ("FlowLogId", "NetworkInterfaceId", "SubnetId", "ReservationId", "ResourceId", "VpcId")
"""Members that identify a description, the most specific first."""


class Readings:
    """Reads descriptions, and records those that cannot be read."""

    def __init__(self) -> None:
        self._unread: dict[Unread, None] = {}

    def of[Read](
        self, call: str, described: Iterable[Mapping[str, Any]], read: Callable[[Any], Read]
    ) -> Iterator[Read]:
        """The result of `read` for each description, without those that it cannot read."""
        for each in described:
            try:
                result = read(each)
            except (KeyError, TypeError, AttributeError) as error:
                named = next((str(each[name]) for name in IDS if each.get(name)), "an item without an id")
                self._unread[Unread(call=call, what=f"{named} ({error!r})")] = None
                continue
            yield result

    def unread(self) -> list[Unread]:
        """The descriptions skipped since the last call, each once."""
        found = list(self._unread)
        self._unread.clear()
        return found


def vpc(described: VpcTypeDef) -> Vpc:
    """One VPC; the owner is '' if EC2 does not report it."""
    blocks = (each.get("CidrBlock") for each in described.get("CidrBlockAssociationSet", []))
    ipv6 = (each.get("Ipv6CidrBlock") for each in described.get("Ipv6CidrBlockAssociationSet", []))
    return Vpc(
        vpc_id=described["VpcId"],
        owner_id=described.get("OwnerId", ""),
        tags=tag_dict(described.get("Tags", [])),
        cidrs=tuple(dict.fromkeys(each for each in (described.get("CidrBlock"), *blocks, *ipv6) if each)),
    )


def flow_log(described: FlowLogTypeDef) -> FlowLog:
    """One flow log; members that EC2 does not report are None."""
    return FlowLog(
        flow_log_id=described["FlowLogId"],
        resource_id=described["ResourceId"],
        settings=_settings(described),
        log_destination_type=described.get("LogDestinationType"),
        log_group_name=described.get("LogGroupName"),
        log_destination=described.get("LogDestination"),
        delivery_role_arn=described.get("DeliverLogsPermissionArn"),
        deliver_logs_status=described.get("DeliverLogsStatus"),
        deliver_logs_error_message=described.get("DeliverLogsErrorMessage"),
        flow_log_status=described.get("FlowLogStatus"),
        creation_time=seconds(described.get("CreationTime")),
        tags=tag_dict(described.get("Tags", [])),
    )


def _settings(described: Mapping[str, Any]) -> dict[str, Value]:
    """The settings in a flow log's description, by their names in the policy."""
    found: dict[str, Value] = {}
    for setting in SETTINGS:
        holder = described.get(setting.inside, {}) if setting.inside else described
        if holder.get(setting.parameter) is not None:
            found[setting.name] = setting.from_ec2(holder[setting.parameter])
    return found


def subnet(described: SubnetTypeDef) -> Subnet:
    """One subnet."""
    return Subnet(subnet_id=described["SubnetId"], vpc_id=described["VpcId"])


def instances(reservation: ReservationTypeDef) -> list[tuple[str, int | None]]:
    """The instances of a reservation, with the time of their last launch (Unix seconds)."""
    return [(each["InstanceId"], seconds(each.get("LaunchTime"))) for each in reservation["Instances"]]
