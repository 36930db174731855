"""An account in memory, and the settings of the enforcer that `flowwarden plan` runs on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flowwarden.aws.identity import Identity
from flowwarden.enforcer.state.inventory import LogGroup, Vpc
from flowwarden.errors import NotDeployed
from flowwarden.network.interface import NetworkInterface
from flowwarden.state import heartbeats
from flowwarden_cli.commands.dry_run import Lookups
from tests.enforcer.cases import but, seen, unmanaged
from tests.enforcer.fakes import ACCOUNT, GROUP, STACK, Fakes
from tests.enforcer.fakes_ec2 import FakeEc2

NOW: Final = 1_793_611_800
SETTINGS: Final = {
    "AWS_REGION": STACK.region,
    "ACCOUNT_ID": ACCOUNT,
    "STACK_NAME": STACK.stack_name,
    "STATE_TABLE": "state",
    "OPERATIONS_TOPIC_ARN": "arn:aws:sns:eu-west-1:111122223333:operations",
    "FLOW_LOG_GROUP_NAME": GROUP,
    "FLOW_LOG_RETENTION_DAYS": "30",
    "LOG_FORMAT": STACK.log_format,
    "DELIVERY_ROLE_ARN": STACK.delivery_role_arn,
    "MONITOR_FUNCTION_ARN": STACK.monitor_arn,
    "ENFORCER_ROLE_ARN": STACK.enforcer_role_arn,
}
"""The environment variables of the deployed function."""


def no_stack(stack: str, region: str | None) -> Mapping[str, str]:
    """Find no stack, as in an account before the first deployment."""
    raise NotDeployed(f"cannot read stack {stack} in {region}: it does not exist")


LOOKUPS: Final = Lookups(
    environment=no_stack,
    identity=lambda region: Identity(account_id=ACCOUNT, region=region or STACK.region, partition="aws"),
)
"""What `flowwarden plan` asks before the first deployment."""


def undeployed() -> Fakes:
    """A named VPC and one without a name, before the first deployment."""
    ec2 = FakeEc2(
        [
            Vpc(vpc_id="vpc-1", owner_id=ACCOUNT, tags={"Name": "payments"}),
            Vpc(vpc_id="vpc-2", owner_id=ACCOUNT),
        ],
        [],
        [NetworkInterface(interface_id="eni-0a", vpc_id="vpc-1")],
    )
    fakes = Fakes(ec2=ec2)
    fakes.groups.there = {}
    return fakes


def deployed() -> Fakes:
    """A VPC with the stack's old format, one that is covered twice, one without a flow log; deployed."""
    ec2 = FakeEc2(
        [Vpc(vpc_id=f"vpc-{number}", owner_id=ACCOUNT) for number in (1, 2, 3)],
        [
            but(log_format="${version}"),
            but(flow_log_id="fl-2", resource_id="vpc-2"),
            unmanaged(resource_id="vpc-2", log_group_name="unmanaged"),
        ],
        [NetworkInterface(interface_id="eni-0a", vpc_id="vpc-1")],
    )
    fakes = Fakes(ec2=ec2)
    fakes.groups.there = {GROUP: LogGroup(name=GROUP, retention_days=7)}
    for each in heartbeats.additions(GROUP, seen("eni-0a", at=NOW)[GROUP]):
        fakes.evidence.add(each)
    return fakes
