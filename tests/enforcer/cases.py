"""VPCs and flow logs shared by the tests of coverage and plans."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from flowwarden.enforcer.decide.delivery import slots
from flowwarden.enforcer.decide.vpc_state import VpcState
from flowwarden.enforcer.state.desired import resolved
from flowwarden.enforcer.state.inventory import FlowLog, Subnet, Vpc, VpcResources
from flowwarden.network.interface import NetworkInterface
from flowwarden.policy.flow_logs import SETTINGS, FlowLogSpec
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT
from flowwarden.state.heartbeats import number_of
from tests.enforcer.fakes import ACCOUNT, GROUP, STACK
from tests.enforcer.fakes_ec2 import wanted

NOW = 1_793_611_800
OLD = NOW - 30 * 24 * 3600
VPC = Vpc(vpc_id="vpc-1", owner_id=ACCOUNT, cidrs=("10.0.0.0/16",))
DESIRED = resolved(FlowLogSpec(), STACK)
WANTED = wanted("fl-1", "vpc-1", DESIRED, OLD)
"""A managed flow log as the policy requires it."""
ALTERNATE_GROUP = f"{GROUP}-{DESIRED.configuration}"
ACTIVE = NetworkInterface(interface_id="eni-0a", vpc_id="vpc-1", subnet_id="subnet-1")
OTHER = "eni-0b"
"""An interface of another VPC."""


def but(**changes: Any) -> FlowLog:
    """The required flow log with changes."""
    return changed(WANTED, **changes)


def changed(flow_log: FlowLog, **changes: Any) -> FlowLog:
    """A flow log with changed attributes or settings; None removes a setting from the description."""
    names = {each.name for each in SETTINGS}
    attributes = {name: value for name, value in changes.items() if name not in names}
    settings = flow_log.settings | {name: value for name, value in changes.items() if name in names}
    described = {name: value for name, value in settings.items() if value is not None}
    return replace(flow_log, **{"settings": described} | attributes)


GOOD_FORMAT = DEFAULT_LOG_FORMAT.to_log_format()
"""Good enough to cover a VPC."""
THEIRS = "/aws/vpc/vpc-1"
"""An existing log group."""


def readable(**changes: Any) -> FlowLog:
    """An unmanaged flow log that can cover its VPC, in an existing log group, with changes."""
    return unmanaged(**{"log_group_name": THEIRS, "log_format": GOOD_FORMAT} | changes)


def unmanaged(**changes: Any) -> FlowLog:
    """An unmanaged flow log like the required one, with changes."""
    return but(**{"tags": {}, "flow_log_id": "fl-unmanaged"} | changes)


def seen(*interfaces: str, group: str = GROUP, at: int = NOW) -> dict[str, dict[int, frozenset[int]]]:
    """What the monitor saw: these interfaces, in every slot that is checked at that time."""
    numbers = frozenset(number for each in interfaces if (number := number_of(each)) is not None)
    return {group: dict.fromkeys(slots(at), numbers)}


def vpc_state(*flow_logs: FlowLog, **changes: Any) -> VpcState:
    """A VPC with these flow logs; by default without interfaces."""
    parts = VpcResources(
        flow_logs=flow_logs,
        interfaces=changes.pop("interfaces", ()),
        subnets=changes.pop("subnets", ()),
    )
    known: dict[str, Any] = {"vpc": VPC, "parts": parts, "desired": DESIRED, "stack": STACK, "at": NOW}
    return VpcState(**(known | changes))


def subnet(number: int) -> Subnet:
    """A subnet of the VPC."""
    return Subnet(subnet_id=f"subnet-{number}", vpc_id="vpc-1")
