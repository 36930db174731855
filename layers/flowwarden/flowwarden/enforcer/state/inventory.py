"""The inventory: VPCs, their subnets and interfaces, their flow logs and log groups, as observed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from flowwarden.network.interface import NetworkInterface
from flowwarden.policy.setting import Value
from flowwarden.policy.transit_gateways import is_gateway

STANDARD: Final = "STANDARD"
"""The default class of log groups."""


class Vpc(Struct, frozen=True, kw_only=True):
    """One VPC; `owner_id` is the account that owns it, which is another account for a shared VPC.

    A transit gateway is planned like a VPC without interfaces: `vpc_id` is then its id (`is_gateway`).

    `owner_id` is '' if unknown, as in an event without an account.
    """

    vpc_id: str
    owner_id: str
    tags: dict[str, str] = {}
    cidrs: tuple[str, ...] = ()


RESOURCE_TYPES: Final = {
    "vpc": "VPC",
    "subnet": "Subnet",
    "eni": "NetworkInterface",
    "tgw": "TransitGateway",
}
"""The `ResourceType` of CreateFlowLogs by the prefix of the resource's id."""


def resource_type(resource_id: str) -> str:
    """The `ResourceType` of a resource that the enforcer creates flow logs for; '' for any other resource."""
    prefix = resource_id.partition("-")[0]
    return "" if prefix == "tgw" and not is_gateway(resource_id) else RESOURCE_TYPES.get(prefix, "")


def kind_of(resource_id: str) -> str:
    """What a resource that is planned is called in a sentence."""
    return "the transit gateway" if is_gateway(resource_id) else "the VPC"


class Subnet(Struct, frozen=True, kw_only=True):
    """One subnet."""

    subnet_id: str
    vpc_id: str


class FlowLog(Struct, frozen=True, kw_only=True):
    """One flow log as DescribeFlowLogs describes it; None if the description omits a member."""

    flow_log_id: str
    resource_id: str
    """Id of a VPC, a subnet, a network interface or another resource, such as a transit gateway."""
    settings: dict[str, Value] = {}
    """By name in the policy (`policy.flow_logs.SETTINGS`); a setting that is not described is missing."""
    log_destination_type: str | None = None
    log_group_name: str | None = None
    log_destination: str | None = None
    delivery_role_arn: str | None = None
    deliver_logs_status: str | None = None
    deliver_logs_error_message: str | None = None
    flow_log_status: str | None = None
    creation_time: int | None = None
    """Unix seconds."""
    tags: dict[str, str] = {}
    recorded: bool = False
    """Whether the state table has the record that this stack created it (`enforcer.registry`)."""

    @property
    def log_format(self) -> str | None:
        """As EC2 writes it: `${field} ${field} …`; None if it is not described."""
        return self._text("log_format")

    @property
    def traffic_type(self) -> str | None:
        """ALL, ACCEPT or REJECT; None if it is not described."""
        return self._text("traffic_type")

    def _text(self, name: str) -> str | None:
        value = self.settings.get(name)
        return None if value is None else str(value)


class Unread(Struct, frozen=True, kw_only=True):
    """An item of a description that could not be read."""

    call: str
    what: str
    """The resource, and why it could not be read."""
    item_id: str = ""
    """The id of the resource; '' if that could not be read either."""


class LogGroup(Struct, frozen=True, kw_only=True):
    """One log group and its subscriptions."""

    name: str
    retention_days: int | None = None
    """None means unlimited."""
    kms_key_arn: str | None = None
    subscriptions: tuple[Subscription, ...] = ()
    log_class: str = STANDARD
    """Only a group of the class STANDARD takes subscription filters; a class cannot be changed."""
    is_protected: bool | None = None
    """Whether deletion protection is on; None if that is not described."""
    created_at: int | None = None
    """Unix seconds."""
    is_masked: bool = False
    """Whether a data protection policy of the group or of the account masks parts of its lines."""


class Subscription(Struct, frozen=True, kw_only=True):
    """One subscription filter."""

    name: str
    destination_arn: str
    pattern: str = ""


class FoundSubscription(Subscription, frozen=True, kw_only=True):
    """One subscription filter of an existing log group, as CloudWatch Logs describes it."""

    creation_time: int | None = None
    """Unix seconds; None if unknown."""


class VpcResources(Struct, frozen=True, kw_only=True):
    """The resources of one VPC."""

    subnets: tuple[Subnet, ...] = ()
    """Only listed if some subnet or interface has its own flow log."""
    interfaces: tuple[NetworkInterface, ...] = ()
    flow_logs: tuple[FlowLog, ...] = ()
    """Those of the VPC, its subnets and its interfaces."""


def by_vpc(
    subnets: Iterable[Subnet], interfaces: Iterable[NetworkInterface], flow_logs: Iterable[FlowLog]
) -> Mapping[str, VpcResources]:
    """Group resources by VPC; a flow log of a resource that belongs to no known VPC is left out."""
    vpc_of: dict[str, str] = {}
    own: dict[str, tuple[list[Subnet], list[NetworkInterface], list[FlowLog]]] = {}
    for subnet in subnets:
        vpc_of[subnet.subnet_id] = subnet.vpc_id
        own.setdefault(subnet.vpc_id, ([], [], []))[0].append(subnet)
    for interface in interfaces:
        vpc_of[interface.interface_id] = interface.vpc_id
        own.setdefault(interface.vpc_id, ([], [], []))[1].append(interface)
    for flow_log in flow_logs:
        resource = flow_log.resource_id
        whole = resource.startswith("vpc-") or is_gateway(resource)
        vpc_id = resource if whole else vpc_of.get(resource)
        if vpc_id is not None:
            own.setdefault(vpc_id, ([], [], []))[2].append(flow_log)
    return {
        vpc_id: VpcResources(subnets=tuple(one), interfaces=tuple(two), flow_logs=tuple(three))
        for vpc_id, (one, two, three) in own.items()
    }
