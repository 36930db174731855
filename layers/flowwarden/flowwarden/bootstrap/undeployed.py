"""The enforcer before the stack is deployed, for `flowwarden plan`: assumes what the deployment creates.

VPCs, flow logs and other log groups are read from the account. The stack's own log group and delivery role
count as created, and the state table as empty.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from flowwarden.aws.clients import make_client
from flowwarden.aws.ec2.flow_logs import Ec2FlowLogs
from flowwarden.aws.identity import Identity
from flowwarden.aws.logs import LogGroups
from flowwarden.bootstrap.deployment import MADE_BY_AWS
from flowwarden.bootstrap.enforcer import existing_groups
from flowwarden.enforcer.decide.delivery_role import NEEDED, SERVICE, DeliveryRole
from flowwarden.enforcer.decide.iam_policy import Statement
from flowwarden.enforcer.decide.log_groups import LogGroupStep
from flowwarden.enforcer.ports import EnforcerPorts, LogGroupService, RunClock
from flowwarden.enforcer.registry import Entry
from flowwarden.enforcer.state.inventory import LogGroup, Subscription
from flowwarden.enforcer.state.stack import Stack
from flowwarden.enforcer.work_queue import Cursor, WorkItem
from flowwarden.errors import CallRefused, StateUnavailable
from flowwarden.notify.claim_request import ClaimRequest
from flowwarden.notify.claims import Claim, ClaimKey, Owner
from flowwarden.parameters import variables, with_defaults
from flowwarden.settings import EnforcerSettings
from flowwarden.state.sets import Addition, Sets

WHY: Final = "the stack is not deployed"


def settings_of(stack: str, identity: Identity, given: Mapping[str, str]) -> EnforcerSettings:
    """The settings that a deployment with these parameters gives the enforcer; the others are defaults.

    The names of roles and of the monitor's function are placeholders: CloudFormation chooses them.

    Raises:
        SettingsError: a parameter does not exist or is not allowed.
    """
    role = f"arn:{identity.partition}:iam::{identity.account_id}:role/{stack}"
    made = {
        "AWS_REGION": identity.region,
        "ACCOUNT_ID": identity.account_id,
        "STACK_NAME": stack,
        "DELIVERY_ROLE_ARN": f"{role}-delivery",
        "ENFORCER_ROLE_ARN": f"{role}-enforcer",
        "MONITOR_FUNCTION_ARN": (
            f"arn:{identity.partition}:lambda:{identity.region}:{identity.account_id}:function:{stack}-monitor"
        ),
    }
    return EnforcerSettings.from_mapping({**MADE_BY_AWS, **variables(with_defaults(given)), **made})


def on_aws(settings: EnforcerSettings, clock: RunClock) -> EnforcerPorts:
    """The ports on AWS: only EC2 and CloudWatch Logs, because the rest of the stack does not exist yet."""
    region = settings.aws_region
    return EnforcerPorts(
        ec2=Ec2FlowLogs(make_client("ec2", region)),
        groups=LogGroups(make_client("logs", region)),
        roles=CreatedRole(),
        existing=existing_groups(region),
        evidence=NoState(),
        queue=NoState(),
        registry=NoFlowLogs(),
        claims=NoState(),
        routes={},
        clock=clock,
    )


def obstacles(aws: EnforcerPorts, settings: EnforcerSettings) -> tuple[str, ...]:
    """Why the deployment would fail, one sentence each.

    Raises:
        CallRefused, CallFailed: the log groups cannot be listed.
    """
    name = settings.flow_log_group_name
    if not list(aws.groups.groups([name])):
        return ()
    fix = "set the parameter FlowLogGroupName to another name"
    return (f"The log group {name} exists already, so the deployment would fail: {fix}.",)


def assumed(aws: EnforcerPorts, stack: Stack) -> EnforcerPorts:
    """The ports with the stack's own log group and delivery role as created, and an empty state table."""
    nothing = NoState()
    return replace(
        aws,
        groups=CreatedGroup(aws.groups, stack),
        roles=CreatedRole(),
        permissions=None,
        evidence=nothing,
        queue=nothing,
        registry=NoFlowLogs(),
        claims=nothing,
        routes={},
    )


class CreatedGroup:
    """Log groups of the account, and that of the stack as the deployment creates it."""

    def __init__(self, groups: LogGroupService, stack: Stack) -> None:
        self._groups = groups
        self._stack = stack

    def groups(self, names: Collection[str]) -> Iterator[LogGroup]:
        """See the port."""
        stack, own = self._stack, self._stack.log_group_name
        if own in names:
            subscription = Subscription(name=stack.stack_name, destination_arn=stack.monitor_arn)
            yield LogGroup(
                name=own,
                retention_days=stack.retention_days,
                kms_key_arn=stack.kms_key_arn or None,
                subscriptions=(subscription,),
            )
        if others := [each for each in names if each != own]:
            yield from self._groups.groups(others)

    def carry_out(self, step: LogGroupStep) -> None:
        """Never called: a plan changes nothing."""
        raise CallRefused(f"{WHY}: {step}")


class CreatedRole:
    """The delivery role as the deployment creates it."""

    def describe(self, _role_arn: str) -> DeliveryRole:
        """See the port."""
        statement = Statement(allows=True, actions=NEEDED, resources=("*",))
        return DeliveryRole(trusted=(SERVICE,), statements=(statement,))


class NoFlowLogs:
    """A registry without flow logs; writing to it raises StateUnavailable."""

    def load(self, _kind: type[Entry] | None = None) -> Sequence[Entry]:
        """See `RegistryStore`."""
        return ()

    def put(self, *_entries: Entry) -> None:
        """See `RegistryStore`."""
        raise StateUnavailable(WHY)

    def remove(self, _entry: Entry) -> None:
        """See `RegistryStore`."""
        raise StateUnavailable(WHY)


class NoState:
    """A state table without items; writing to it raises StateUnavailable."""

    def read(self, _keys: Sequence[str]) -> Mapping[str, Sets]:
        """See `EvidenceStore`."""
        return {}

    def load(self) -> tuple[Sequence[WorkItem], Cursor | None]:
        """See `WorkQueueStore`."""
        return (), None

    def add(self, _addition: Addition) -> Sets:
        """See `EvidenceStore`."""
        raise StateUnavailable(WHY)

    def put(self, _item: WorkItem) -> None:
        """See `WorkQueueStore`."""
        raise StateUnavailable(WHY)

    def remove(self, _vpc_id: str) -> None:
        """See `WorkQueueStore`."""
        raise StateUnavailable(WHY)

    def put_cursor(self, _cursor: Cursor | None, _now: int) -> None:
        """See `WorkQueueStore`."""
        raise StateUnavailable(WHY)

    def claim(self, _request: ClaimRequest) -> Claim:
        """See `Claims`."""
        raise StateUnavailable(WHY)

    def confirm(self, _request: ClaimRequest) -> None:
        """See `Claims`."""
        raise StateUnavailable(WHY)

    def release(self, _key: ClaimKey, _owner: Owner) -> None:
        """See `Claims`."""
        raise StateUnavailable(WHY)
