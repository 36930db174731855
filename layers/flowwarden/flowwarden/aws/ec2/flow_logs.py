"""Describes VPCs, and describes and changes flow logs, with EC2: implements `ports.FlowLogService`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import batched
from typing import TYPE_CHECKING, Any, Final

from flowwarden.aws import errors, hints
from flowwarden.aws.answers import Answer, listed
from flowwarden.aws.availability import require
from flowwarden.aws.ec2 import describe
from flowwarden.aws.ec2.describe import Readings
from flowwarden.aws.ec2.describe_interface import interface
from flowwarden.aws.errors import classified
from flowwarden.aws.hints import code_in, is_uninformative
from flowwarden.aws.pages import bounded
from flowwarden.enforcer.state.desired import DesiredFlowLog
from flowwarden.enforcer.state.inventory import FlowLog, Subnet, Unread, Vpc, resource_type
from flowwarden.errors import CallFailed, CallRefused, EnforcementError, FlowLogExists, NotFound, VpcGone
from flowwarden.network.interface import NetworkInterface
from flowwarden.policy.flow_logs import CLOUD_WATCH_LOGS, SETTINGS
from flowwarden.policy.setting import Setting

if TYPE_CHECKING:
    # The Lambda runtime does not contain the stubs.
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import TagTypeDef

ACTIONS = (
    "ec2:DescribeVpcs",
    "ec2:DescribeFlowLogs",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeInstances",
    "ec2:DescribeSubnets",
    "ec2:DescribeTransitGateways",  # only if the policy selects some, or a managed flow log is that of one
    "ec2:CreateFlowLogs",
    "ec2:DeleteFlowLogs",
    "ec2:CreateTags",  # CreateFlowLogs with TagSpecifications, and later changes of tags
    "iam:PassRole",  # CreateFlowLogs passes the delivery role to vpc-flow-logs.amazonaws.com
)
"""The IAM actions that this file needs."""

VALUES_PER_FILTER: Final = 200
"""EC2's limit for the values of one filter (EC2 API reference, Filter)."""
TAGS_PER_CALL: Final = 200
"""CreateTags accepts 1000 resources, but EC2 recommends smaller batches (EC2 API reference)."""
PAGE: Final = {"PageSize": 1000}
"""The maximum page size of the Describe calls."""

RUNNING: Final = {"Name": "instance-state-name", "Values": ["pending", "running"]}
"""A filter: flow logs contain no records of instances in other states."""

GONE: Final = frozenset(
    {
        "InvalidVpcID.NotFound",
        "InvalidVpcId.NotFound",
        "InvalidSubnetID.NotFound",
        "InvalidNetworkInterfaceID.NotFound",
        "InvalidTransitGatewayID.NotFound",
    }
)
DELETED: Final = "InvalidFlowLogId.NotFound"
CANNOT_ASSUME: Final = "unable to assume given iam role"

ALREADY: Final = "FlowLogAlreadyExists"
TWIN: Final = "existing flow log with the same"
"""The message of FlowLogAlreadyExists, for an error whose code is empty or a number."""
HINTS: Final = {
    "LogDestinationNotFoundException": hints.DESTINATION,
    "LogDestinationPermissionIssueException": hints.DESTINATION,
    "IdempotentParameterMismatch": (
        "a request with the same token had other parameters; change a setting of the flow log, or wait a day"
    ),
}
"""The recommended action for an error code of flow logs."""
KNOWN: Final = frozenset({ALREADY, *GONE, DELETED, *HINTS})


class Ec2FlowLogs:
    """VPCs and flow logs of the client's account and region."""

    def __init__(self, client: EC2Client) -> None:
        self._client = client
        self._readings = Readings()

    def vpcs(self, vpc_ids: Sequence[str] | None) -> Iterator[Vpc]:
        """See the port.

        Uses a filter, because one missing id in `VpcIds` fails the whole call.
        """
        found = self._all("describe_vpcs", "Vpcs", "vpc-id", vpc_ids)
        return self._readings.of("DescribeVpcs", found, describe.vpc)

    def flow_logs(self, resource_ids: Sequence[str] | None) -> Iterator[FlowLog]:
        """See the port."""
        found = self._all("describe_flow_logs", "FlowLogs", "resource-id", resource_ids)
        return self._readings.of("DescribeFlowLogs", found, describe.flow_log)

    def interfaces(self, vpc_ids: Sequence[str] | None) -> Iterator[NetworkInterface]:
        """See the port."""
        found = self._all("describe_network_interfaces", "NetworkInterfaces", "vpc-id", vpc_ids)
        return self._readings.of("DescribeNetworkInterfaces", found, interface)

    def running(self, instance_ids: Sequence[str] | None) -> Iterator[tuple[str, int | None]]:
        """See the port. Stopped instances are filtered out: an account may have many of them."""
        found = self._all("describe_instances", "Reservations", "instance-id", instance_ids, RUNNING)
        for each in self._readings.of("DescribeInstances", found, describe.instances):
            yield from each

    def subnets(self, vpc_ids: Sequence[str] | None) -> Iterator[Subnet]:
        """See the port."""
        found = self._all("describe_subnets", "Subnets", "vpc-id", vpc_ids)
        return self._readings.of("DescribeSubnets", found, describe.subnet)

    def transit_gateways(self, gateway_ids: Sequence[str] | None) -> Iterator[Vpc]:
        """See the port. EC2 lists deleted ones for some time."""
        call, name = "describe_transit_gateways", "transit-gateway-id"
        found = self._all(call, "TransitGateways", name, gateway_ids)
        read = self._readings.of("DescribeTransitGateways", found, describe.transit_gateway)
        return (each for each in read if each is not None)

    def unread(self) -> list[Unread]:
        """See the port."""
        return self._readings.unread()

    def create(self, resource_id: str, desired: DesiredFlowLog, client_token: str) -> str:
        """See the port. One resource per call: the response does not say which id belongs to which."""
        resource = resource_type(resource_id)
        settings = list(_requested(desired, resource))
        newer = [each for each in settings if each.new_since]
        require(self._client, "CreateFlowLogs", {each.parameter: each.new_since for each in newer})
        with classified("CreateFlowLogs", classify):
            created = self._client.create_flow_logs(
                ResourceIds=[resource_id],
                ResourceType=resource,  # type: ignore[arg-type]  # one of EC2's
                TagSpecifications=[{"ResourceType": "vpc-flow-log", "Tags": _tag_list(desired.tags)}],
                ClientToken=client_token,
                **_settings(desired, settings),
                **_destination(desired),
            )
        answer = Answer(created)
        for error in _unsuccessful("CreateFlowLogs", answer):
            raise error
        for flow_log_id in answer.texts("FlowLogIds"):
            return flow_log_id
        raise CallFailed(
            "CreateFlowLogs returned neither a flow log nor an error; the next check shows whether it exists"
        )

    def delete(self, flow_log_id: str) -> None:
        """See the port; a flow log that is not found (exception or item) counts as deleted."""
        try:
            with classified("DeleteFlowLogs", classify):
                deleted = self._client.delete_flow_logs(FlowLogIds=[flow_log_id])
        except NotFound:
            return
        for error in _unsuccessful("DeleteFlowLogs", Answer(deleted)):
            if not isinstance(error, NotFound):
                raise error

    def tag(self, flow_log_ids: Sequence[str], tags: Mapping[str, str]) -> None:
        """See the port."""
        for some in batched(flow_log_ids, TAGS_PER_CALL, strict=False):
            with classified("CreateTags", classify):
                self._client.create_tags(Resources=list(some), Tags=_tag_list(tags))

    def _all(
        self,
        call: str,
        member: str,
        name: str,
        values: Sequence[str] | None,
        also: Mapping[str, Any] | None = None,
    ) -> Iterator[Any]:
        """The items that a paginated Describe call lists.

        Args:
            call: the client's method, such as `describe_vpcs`.
            member: the member of the response with the list.
            name: the filter's name.
            values: the filter's values; None for all items of the account.
            also: a second filter.
        """
        more = [also] if also else []
        pages = self._client.get_paginator(call)  # type: ignore[call-overload]  # five similar calls
        operation = "".join(part.capitalize() for part in call.split("_"))
        with classified(operation):
            if values is None:
                every = pages.paginate(**({"Filters": more} if more else {}), PaginationConfig=PAGE)
                for page in bounded(every):
                    yield from listed(operation, page, member)
                return
            for some in batched(values, VALUES_PER_FILTER, strict=False):
                wanted = [{"Name": name, "Values": list(some)}, *more]
                for page in bounded(pages.paginate(Filters=wanted, PaginationConfig=PAGE)):
                    yield from listed(operation, page, member)


def _unsuccessful(call: str, answer: Answer) -> Iterator[EnforcementError]:
    """The error of each item that EC2 refused in a response with status 200."""
    for item in answer.each("Unsuccessful"):
        error = item.inner("Error")
        yield classify(call, error.text("Code"), error.text("Message"))


def classify(call: str, code: str, message: str, status: int = 0) -> EnforcementError:
    """The error for an EC2 error code, from an exception or from an `Unsuccessful` item."""
    text, known = f"{call}: {code}: {message}", code_in(code, message, KNOWN)
    if known == ALREADY or (is_uninformative(code) and TWIN in message.lower()):
        return FlowLogExists(text)
    if known in GONE:
        return VpcGone(text)
    if known == DELETED:
        return NotFound(text)
    if CANNOT_ASSUME in message.lower():
        return CallFailed(f"{call}: {code}: {hints.TRUST}. AWS says: {message}")
    if known in HINTS:
        return CallRefused(f"{call}: {code}: {HINTS[known]}. AWS says: {message}")
    return errors.classify(call, code, message, status)


def _requested(desired: DesiredFlowLog, resource: str) -> Iterator[Setting]:
    """The settings to pass to CreateFlowLogs.

    One that the runtime's SDK may not know (`new_since`) is passed only if it differs from its default. The
    flow log of a transit gateway has no traffic type.
    """
    for setting in SETTINGS:
        if resource == "TransitGateway" and setting.name == "traffic_type":
            continue
        is_chosen = not setting.new_since or getattr(desired, setting.name) != setting.default
        if is_chosen and setting.applies_to(desired.destination_type):
            yield setting


def _settings(desired: DesiredFlowLog, settings: Sequence[Setting]) -> dict[str, Any]:
    """The parameters of CreateFlowLogs for these settings of the policy."""
    found: dict[str, Any] = {}
    for setting in settings:
        holder = found.setdefault(setting.inside, {}) if setting.inside else found
        holder[setting.parameter] = setting.to_ec2(getattr(desired, setting.name))
    return found


def _destination(desired: DesiredFlowLog) -> dict[str, Any]:
    """The parameters of CreateFlowLogs that define the destination."""
    if desired.destination_type == CLOUD_WATCH_LOGS:
        return {
            "LogDestinationType": CLOUD_WATCH_LOGS,
            "LogGroupName": desired.destination,
            "DeliverLogsPermissionArn": desired.delivery_role_arn,
        }
    return {"LogDestinationType": desired.destination_type, "LogDestination": desired.destination}


def _tag_list(tags: Mapping[str, str]) -> list[TagTypeDef]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
