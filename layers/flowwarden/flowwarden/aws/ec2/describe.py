"""Converts EC2's descriptions into Flow Warden's types.

A description without an id is skipped, and so is a flow log with a member of the wrong type. In other
descriptions, only the member of the wrong type is ignored. `Readings` records both and continues.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from flowwarden.aws.answers import Answer, Malformed
from flowwarden.enforcer.state.inventory import FlowLog, Subnet, Unread, Vpc
from flowwarden.policy.flow_logs import SETTINGS
from flowwarden.policy.setting import Setting, Value

IDS: Final = (
    *("FlowLogId", "NetworkInterfaceId", "SubnetId", "ReservationId", "ResourceId", "VpcId"),
    "TransitGatewayId",
)
"""Members by which a message names a description, the most specific first."""
ID_OF: Final = {"DescribeFlowLogs": "FlowLogId", "DescribeVpcs": "VpcId"}
"""The member with the id of the described resource, by call."""


class Readings:
    """Converts descriptions, and records those that cannot be read, as a whole or in part."""

    def __init__(self) -> None:
        self._unread: dict[Unread, None] = {}

    def of[Read](
        self, call: str, described: Iterable[object], read: Callable[[Answer], Read]
    ) -> Iterator[Read]:
        """The result of `read` for each description that it can read.

        Args:
            call: the operation, such as `DescribeVpcs`.
            described: the descriptions as botocore returned them.
            read: converts one of them; raises Malformed if it cannot.
        """
        for each in described:
            answer = Answer(each)
            try:
                result = read(answer)
            except Malformed as error:
                self._leave_out(call, answer, str(error))
                continue
            if answer.faults:
                self._leave_out(call, answer, "; ".join(answer.faults))
            yield result

    def _leave_out(self, call: str, answer: Answer, why: str) -> None:
        ids = {name: value for name in IDS if isinstance(value := answer.value(name), str) and value}
        what = f"{next(iter(ids.values()), 'an item without an id')} ({why})"
        item_id = ids.get(ID_OF.get(call, ""), "")
        self._unread[Unread(call=call, what=what, item_id=item_id)] = None

    def unread(self) -> list[Unread]:
        """What could not be read since the last call of this method, each once."""
        found = list(self._unread)
        self._unread.clear()
        return found


def vpc(described: Answer) -> Vpc:
    """One VPC; the owner is '' if EC2 does not report it. Raises Malformed without an id."""
    blocks = (each.network("CidrBlock") for each in described.each("CidrBlockAssociationSet"))
    ipv6 = (each.network("Ipv6CidrBlock") for each in described.each("Ipv6CidrBlockAssociationSet"))
    cidrs = (described.network("CidrBlock"), *blocks, *ipv6)
    return Vpc(
        vpc_id=described.demand("VpcId"),
        owner_id=described.text("OwnerId"),
        tags=described.tags("Tags"),
        cidrs=tuple(dict.fromkeys(each for each in cidrs if each)),
    )


def transit_gateway(described: Answer) -> Vpc | None:
    """One transit gateway; None if it is deleted. Raises Malformed without an id."""
    if described.text("State") in {"deleting", "deleted"}:
        return None
    return Vpc(
        vpc_id=described.demand("TransitGatewayId"),
        owner_id=described.text("OwnerId"),
        tags=described.tags("Tags"),
    )


def flow_log(described: Answer) -> FlowLog:
    """One flow log; members that EC2 does not report are None.

    Raises:
        Malformed: an id is missing, or a member has the wrong type. Nothing may be changed by a description
            that was read only in part.
    """
    read = FlowLog(
        flow_log_id=described.demand("FlowLogId"),
        resource_id=described.demand("ResourceId"),
        settings=_settings(described),
        log_destination_type=described.text("LogDestinationType") or None,
        log_group_name=described.text("LogGroupName") or None,
        log_destination=described.text("LogDestination") or None,
        delivery_role_arn=described.text("DeliverLogsPermissionArn") or None,
        deliver_logs_status=described.text("DeliverLogsStatus") or None,
        deliver_logs_error_message=described.text("DeliverLogsErrorMessage") or None,
        flow_log_status=described.text("FlowLogStatus") or None,
        creation_time=described.moment("CreationTime"),
        tags=described.tags("Tags"),
    )
    if described.faults:
        raise Malformed("; ".join(described.faults))
    return read


def _settings(described: Answer) -> dict[str, Value]:
    """The settings in a flow log's description, by their names in the policy. Raises Malformed."""
    found: dict[str, Value] = {}
    for setting in SETTINGS:
        holder = described.inner(setting.inside) if setting.inside else described
        if setting.parameter in holder:
            found[setting.name] = _converted(setting, holder.value(setting.parameter))
    return found


def _converted(setting: Setting, value: object) -> Value:
    try:
        converted: Value = setting.from_ec2(value)
    except (KeyError, TypeError) as error:
        raise Malformed(f"{setting.parameter} cannot be read: {error!r}") from error
    if type(converted) is type(setting.default):
        return converted
    raise Malformed(f"{setting.parameter} is {type(converted).__name__}")


def subnet(described: Answer) -> Subnet:
    """One subnet. Raises Malformed without an id."""
    return Subnet(subnet_id=described.demand("SubnetId"), vpc_id=described.demand("VpcId"))


def instances(reservation: Answer) -> list[tuple[str, int | None]]:
    """The ids of a reservation's instances, with their last launch time (Unix seconds; None if unknown)."""
    found: list[tuple[str, int | None]] = []
    for each in reservation.each("Instances"):
        try:
            found.append((each.demand("InstanceId"), each.moment("LaunchTime")))
        except Malformed as error:
            reservation.leave_out(str(error))
    return found
