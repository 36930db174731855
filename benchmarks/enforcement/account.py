"""An account on moto, in process: a thousand VPCs in mixed states, and the enforcer on it.

moto stores the resources, but does not paginate. In moto, a flow log that is created without its log group
fails at once; the flow logs that do not deliver are created in this way.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import boto3
from msgspec import Struct

from flowwarden.aws.dynamodb.claims import DynamoDbClaims
from flowwarden.aws.dynamodb.registry import DynamoDbRegistry
from flowwarden.aws.dynamodb.sets import DynamoDbEvidence
from flowwarden.aws.dynamodb.work_queue import DynamoDbWorkQueue
from flowwarden.aws.ec2.flow_logs import Ec2FlowLogs
from flowwarden.aws.iam import Roles
from flowwarden.aws.logs import LogGroups
from flowwarden.enforcer.creation import ManagedFlowLog
from flowwarden.enforcer.ports import EnforcerPorts
from flowwarden.enforcer.reconcile import Enforcer
from flowwarden.enforcer.state.desired import DesiredFlowLog, resolved
from flowwarden.enforcer.state.stack import Stack
from flowwarden.notify.claims import ClaimTerms
from flowwarden.policy.flow_logs import FlowLogSpec, FlowLogsPolicy

ACCOUNT: Final = "123456789012"
REGION: Final = "us-east-1"
GROUP: Final = "/flow-warden/flow-logs"
TABLE: Final = "state"
STATE_TAG: Final = "state"
STACK: Final = Stack(
    account_id=ACCOUNT,
    region=REGION,
    stack_name="flow-warden",
    log_group_name=GROUP,
    delivery_role_arn=f"arn:aws:iam::{ACCOUNT}:role/delivery",
    log_format="${version} ${interface-id} ${srcaddr} ${dstaddr} ${dstport} ${action} ${log-status}",
    retention_days=30,
)
WANTED: Final = resolved(FlowLogSpec(), STACK)

COVERED, BARE, OLD, REJECT, UNMANAGED, FAILING = (
    "covered",
    "bare",
    "another format",
    "REJECT alone",
    "unmanaged",
    "failing",
)
SHARES: Final = {COVERED: 60, BARE: 20, OLD: 5, REJECT: 5, UNMANAGED: 7, FAILING: 3}
"""Number per hundred VPCs."""


class Counted(Struct):
    """The number of calls, by service and operation."""

    calls: Counter[str]

    def client(self, service: str) -> Any:  # noqa: ANN401 - a client of any service
        """A client whose calls are counted."""
        made = _session().client(service)  # type: ignore[call-overload]  # any name
        made.meta.events.register(
            "before-call", lambda model, **_: self.calls.update([f"{service}:{model.name}"])
        )
        return made


class Hour:
    """A time limit of an hour, without real waiting."""

    def remaining(self) -> float:
        """Seconds."""
        return 3600

    def wait(self, seconds: float) -> None:
        """Return at once."""


def build(vpcs: int, progress: Callable[[str], None]) -> dict[str, str]:
    """Create the account; return the state of each VPC by its id."""
    session = _session()
    ec2, logs, iam = session.client("ec2"), session.client("logs"), session.client("iam")
    logs.create_log_group(logGroupName=GROUP)
    logs.put_retention_policy(logGroupName=GROUP, retentionInDays=30)
    logs.create_log_group(logGroupName="unmanaged")
    _make_role(iam)
    session.client("dynamodb").create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    (default,) = ec2.describe_vpcs()["Vpcs"]
    states = {str(default["VpcId"]): BARE}
    kinds = [state for state, share in SHARES.items() for _ in range(share)]
    for number in range(1, vpcs):
        state = kinds[number * 37 % 100]
        tagged: Any = [{"ResourceType": "vpc", "Tags": [{"Key": STATE_TAG, "Value": state}]}]
        made = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=tagged)
        states[str(made["Vpc"]["VpcId"])] = state
        if number % 100 == 0:
            progress(f"{number} VPCs created")
    for vpc_id, state in states.items():
        _prepare(ec2, logs, vpc_id, state)
    _record(ec2, DynamoDbRegistry(session.client("dynamodb"), TABLE))
    return states


def _record(ec2: Any, registry: DynamoDbRegistry) -> None:  # noqa: ANN401 - a client
    """Record the tagged flow logs as created by the stack."""
    for each in ec2.describe_flow_logs()["FlowLogs"]:
        if each.get("Tags"):
            registry.put(ManagedFlowLog(flow_log_id=each["FlowLogId"], vpc_id=each["ResourceId"], at=0))


def enforcer(counted: Counted, *, dry_run: bool = False) -> Enforcer:
    """The enforcer on the account."""
    table = counted.client("dynamodb")
    aws = EnforcerPorts(
        ec2=Ec2FlowLogs(counted.client("ec2")),
        groups=LogGroups(counted.client("logs")),
        roles=Roles(counted.client("iam")),
        evidence=DynamoDbEvidence(table, TABLE),
        queue=DynamoDbWorkQueue(table, TABLE),
        registry=DynamoDbRegistry(table, TABLE),
        claims=DynamoDbClaims(table, TABLE, ClaimTerms(suppression=4 * 3600, lease=50)),
        routes={},
        clock=Hour(),
    )
    policy = FlowLogsPolicy(deletion_protection=False)  # moto does not have the operation
    return Enforcer(aws, policy, STACK, dry_run=dry_run)


def _prepare(ec2: Any, logs: Any, vpc_id: str, state: str) -> None:  # noqa: ANN401 - clients
    """Create the VPC's flow log for its state."""
    match state:
        case "covered":
            _create(ec2, vpc_id, WANTED)
        case "another format":
            _create(ec2, vpc_id, WANTED, LogFormat="${version} ${srcaddr}")
        case "REJECT alone":
            _create(ec2, vpc_id, WANTED, TrafficType="REJECT")
        case "unmanaged":
            _create(ec2, vpc_id, WANTED, LogGroupName="unmanaged", TagSpecifications=[])
        case "failing":
            # moto checks the log group only when the flow log is created.
            logs.delete_log_group(logGroupName=GROUP)
            _create(ec2, vpc_id, WANTED)
            logs.create_log_group(logGroupName=GROUP)
            logs.put_retention_policy(logGroupName=GROUP, retentionInDays=30)


def _create(ec2: Any, vpc_id: str, desired: DesiredFlowLog, **changes: Any) -> None:  # noqa: ANN401 - a client
    tags = [{"Key": key, "Value": value} for key, value in desired.tags.items()]
    asked: dict[str, Any] = {
        "ResourceIds": [vpc_id],
        "ResourceType": "VPC",
        "TrafficType": desired.traffic_type,
        "LogDestinationType": desired.destination_type,
        "LogGroupName": desired.destination,
        "DeliverLogsPermissionArn": desired.delivery_role_arn,
        "LogFormat": desired.log_format,
        "MaxAggregationInterval": desired.max_aggregation_interval,
        "TagSpecifications": [{"ResourceType": "vpc-flow-log", "Tags": tags}],
    }
    ec2.create_flow_logs(**(asked | changes))


def _make_role(iam: Any) -> None:  # noqa: ANN401 - a client
    service = {"Service": "vpc-flow-logs.amazonaws.com"}
    iam.create_role(
        RoleName="delivery", AssumeRolePolicyDocument=_allowing("sts:AssumeRole", Principal=service)
    )
    iam.put_role_policy(
        RoleName="delivery", PolicyName="write", PolicyDocument=_allowing("logs:*", Resource="*")
    )


def _allowing(action: str, **more: object) -> str:
    statement = {"Effect": "Allow", "Action": action, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@cache
def _session() -> boto3.Session:
    """A session whose credentials are valid only for moto. It reads the services' descriptions once."""
    return boto3.Session(
        aws_access_key_id="testing",
        aws_secret_access_key="testing",  # noqa: S106  not a real secret
        region_name=REGION,
    )
