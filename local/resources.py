"""Creates the resources of an event of `events/` on the AWS emulator, and removes those of earlier events."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec
from botocore.exceptions import ClientError
from msgspec import Struct
from msgspec.structs import replace

from flowwarden.aws.dynamodb.claims import DynamoDbClaims
from flowwarden.aws.dynamodb.sets import DynamoDbEvidence
from flowwarden.aws.dynamodb.work_queue import DynamoDbWorkQueue
from flowwarden.aws.sns import Topic
from flowwarden.enforcer.work_queue import WorkItem
from flowwarden.sinks.sns import SnsSink
from local.clients import Clients
from local.environment import ACCOUNT_ID
from local.expected import renamed
from local.incidents import TERMS, store_incidents
from local.payload import ENFORCER, AccountState, ReadableEvent
from local.stack import STACK, Stack

RETENTION_DAYS = 30
"""The template's default for the stack's log group."""
PENDING_TIMES = ("due", "failing_since", "throttled_at", "grace_until", "backoff_until")


class PreparedEvent(Struct, frozen=True, kw_only=True):
    """An event whose resources exist."""

    payload: dict[str, Any]
    """The function's payload, with the ids that AWS gave. An enforcer event has just happened."""
    names: dict[str, str]
    """The real id for each id that is written in the event."""


def create_resources(event: ReadableEvent, clients: Clients, flow_log_group: str) -> PreparedEvent:
    """Create the event's VPCs and flow logs."""
    names = {}
    for vpc in (each for each in event.account.vpcs if each.owner_id == ACCOUNT_ID):
        names[vpc.vpc_id] = clients.ec2.create_vpc(CidrBlock="10.40.0.0/16")["Vpc"]["VpcId"]
    for flow_log in (each for each in event.account.flow_logs if each.resource_id in names):
        answer = clients.ec2.create_flow_logs(
            ResourceType="VPC",
            ResourceIds=[names[flow_log.resource_id]],
            TrafficType=flow_log.traffic_type,
            LogGroupName=flow_log.log_group_name or flow_log_group,
        )
        names[flow_log.flow_log_id] = answer["FlowLogIds"][0]
    payload = renamed(event.payload, names)
    if event.function == ENFORCER:
        payload = _moved(payload, _seconds_since(event))
    return PreparedEvent(payload=payload, names=names)


def make_state(event: ReadableEvent, made: PreparedEvent, clients: Clients, stack: Stack) -> PreparedEvent:
    """Create the event's log groups and work queue, in the AWS emulator of this event alone.

    Returns:
        The same with the monitor's real ARN for each that is written in a subscription.
    """
    if event.account.log_groups is not None:
        _make_log_groups(event.account, clients, stack)
    _make_incidents(event, clients, stack)
    queue, seconds = DynamoDbWorkQueue(clients.dynamodb, stack.state_table), _seconds_since(event)
    for each in renamed(list(event.account.pending), made.names):
        moved = {name: value + seconds for name, value in each.items() if name in PENDING_TIMES and value}
        queue.put(msgspec.convert({**each, **moved}, WorkItem))
    written = {one.destination_arn for each in event.account.log_groups or () for one in each.subscriptions}
    monitor = _monitor(clients, stack)
    return replace(made, names=made.names | {each: monitor for each in written if each})


def clear(clients: Clients, stack: Stack) -> None:
    """Remove all VPCs, flow logs, stored items and additional log groups; repair the stack's log group.

    Also stop the schedule of the dispatcher, which would process the incidents of an event too early.
    """
    clients.events.disable_rule(Name=stack.resources["DispatchSchedule"])
    flow_logs = [each["FlowLogId"] for each in clients.ec2.describe_flow_logs()["FlowLogs"]]
    if flow_logs:
        clients.ec2.delete_flow_logs(FlowLogIds=flow_logs)
    for vpc in clients.ec2.describe_vpcs()["Vpcs"]:
        _delete_vpc(clients, vpc["VpcId"])
    for key in _keys(clients, stack.state_table):
        clients.dynamodb.delete_item(TableName=stack.state_table, Key=key)
    for name in _log_groups(clients, stack):
        if name != stack.flow_log_group:
            clients.logs.delete_log_group(logGroupName=name)
    _make_log_group(clients, stack, stack.flow_log_group, RETENTION_DAYS)
    _subscribe(clients, stack, stack.flow_log_group, STACK, "")


def _make_incidents(event: ReadableEvent, clients: Clients, stack: Stack) -> None:
    topics = {"pages": stack.pages_topic, "operations": stack.operations_topic}
    store_incidents(
        event.account,
        DynamoDbClaims(clients.dynamodb, stack.state_table, TERMS),
        DynamoDbEvidence(clients.dynamodb, stack.state_table),
        {name: SnsSink(Topic(clients.sns, arn)).name for name, arn in topics.items()},
        _seconds_since(event),
    )


def _seconds_since(event: ReadableEvent) -> int:
    """The seconds from the run that the event describes until now."""
    time = event.event.get("time")
    try:
        happened = datetime.fromisoformat(str(time)).timestamp()
    except ValueError:
        return 0
    return int(datetime.now(UTC).timestamp() - happened - event.seconds_later)


def _moved(payload: dict[str, Any], seconds: int) -> dict[str, Any]:
    """The event, as if it had happened `seconds` later."""
    detail = payload.get("detail")
    moved = payload | {"time": _later(payload.get("time"), seconds)}
    if isinstance(detail, dict) and "eventTime" in detail:
        moved["detail"] = detail | {"eventTime": _later(detail["eventTime"], seconds)}
    return moved


def _later(time: object, seconds: int) -> object:
    try:
        happened = datetime.fromisoformat(str(time)).timestamp()
    except ValueError:
        return time
    return datetime.fromtimestamp(happened + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _delete_vpc(clients: Clients, vpc_id: str) -> None:
    ec2 = clients.ec2
    # A resource that the user created can prevent a deletion. The VPC then stays, and the comparison shows
    # it.
    with suppress(ClientError):
        gateways = ec2.describe_internet_gateways(Filters=[{"Name": "attachment.vpc-id", "Values": [vpc_id]}])
        for gateway in gateways["InternetGateways"]:
            ec2.detach_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"], VpcId=vpc_id)
        subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])
        for subnet in subnets["Subnets"]:
            ec2.delete_subnet(SubnetId=subnet["SubnetId"])
        ec2.delete_vpc(VpcId=vpc_id)


def _keys(clients: Clients, table: str) -> Iterator[dict[str, Any]]:
    for page in clients.dynamodb.get_paginator("scan").paginate(TableName=table):
        yield from ({"pk": each["pk"], "sk": each["sk"]} for each in page["Items"])


def _log_groups(clients: Clients, stack: Stack) -> list[str]:
    pages = clients.logs.get_paginator("describe_log_groups").paginate(
        logGroupNamePrefix=stack.flow_log_group
    )
    return [each["logGroupName"] for page in pages for each in page["logGroups"]]


def _make_log_groups(account: AccountState, clients: Clients, stack: Stack) -> None:
    clients.logs.delete_log_group(logGroupName=stack.flow_log_group)
    for each in account.log_groups or ():
        _make_log_group(clients, stack, each.name, each.retention_days)
        for subscription in each.subscriptions:
            _subscribe(clients, stack, each.name, subscription.name, subscription.pattern)


def _make_log_group(clients: Clients, stack: Stack, name: str, days: int | None) -> None:
    if name not in _log_groups(clients, stack):
        clients.logs.create_log_group(logGroupName=name)
    if days is not None:
        clients.logs.put_retention_policy(logGroupName=name, retentionInDays=days)


def _subscribe(clients: Clients, stack: Stack, group: str, name: str, pattern: str) -> None:
    clients.logs.put_subscription_filter(
        logGroupName=group, filterName=name, filterPattern=pattern, destinationArn=_monitor(clients, stack)
    )


def _monitor(clients: Clients, stack: Stack) -> str:
    return clients.functions.get_function_configuration(FunctionName=stack.monitor)["FunctionArn"]
