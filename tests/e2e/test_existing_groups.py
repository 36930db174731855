"""An account that has flow logs already: they are read where they are, until the stack is deleted."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import Any

import pytest

from flowwarden.records.log_format import DEFAULT_LOG_FORMAT
from local import feed
from local.environment import ACCOUNT_ID, REGION
from local.feed import Conversation, Host
from local.scenario import TIMEOUT_SECONDS, Stage
from tests.e2e.test_coverage import make_vpc
from tests.e2e.test_settings_check import answer

pytestmark = pytest.mark.e2e

FORMAT = DEFAULT_LOG_FORMAT.to_log_format()
"""AWS's default, which is not the stack's."""
THEIRS = "siem"


def vpc_with_flow_log(stage: Stage) -> tuple[str, str]:
    """A new VPC whose flow log delivers into a log group as telemetry rules name it; returns both."""
    vpc = make_vpc(stage)
    group = f"/aws/vpc/{vpc}"
    stage.clients.logs.create_log_group(logGroupName=group)
    stage.clients.logs.put_retention_policy(logGroupName=group, retentionInDays=7)
    stage.clients.ec2.create_flow_logs(
        ResourceIds=[vpc],
        ResourceType="VPC",
        TrafficType="ALL",
        LogGroupName=group,
        LogFormat=FORMAT,
        DeliverLogsPermissionArn=f"arn:aws:iam::{ACCOUNT_ID}:role/theirs",
    )
    return vpc, group


def filters(stage: Stage, group: str) -> dict[str, str]:
    """The subscription filters of a group: destination by name."""
    found = stage.clients.logs.describe_subscription_filters(logGroupName=group)["subscriptionFilters"]
    return {each["filterName"]: each["destinationArn"].rpartition(":")[2] for each in found}


def scan(stage: Stage, vpc: str, group: str, host: int) -> str:
    """Write the records of a host that scans a server into a group; returns the host's address."""
    here = Host(
        address=f"10.32.7.{host}",
        interface=f"eni-0e2e0000000000{host:03}",
        instance=f"i-0e2e0000000000{host:03}",
        subnet="subnet-0e2e0000000000007",
        vpc=vpc,
    )
    start = int(time.time()) - 60
    messages = [
        line
        for port in range(1000, 1120)
        for line in feed.lines(
            Conversation(
                at=here, client=here.address, client_port=50_000 + port, server="10.32.8.8", port=port,
                accepted=False, packets=1, bytes=44,
            ),
            FORMAT,
            start,
        )
    ]  # fmt: skip
    stream = f"{here.interface}-all"
    with suppress(stage.clients.logs.exceptions.ResourceAlreadyExistsException):
        stage.clients.logs.create_log_stream(logGroupName=group, logStreamName=stream)
    stage.clients.logs.put_log_events(
        logGroupName=group,
        logStreamName=stream,
        logEvents=[{"timestamp": start * 1000, "message": each} for each in messages],
    )
    return here.address


def deletion_of_filter(group: str, name: str) -> dict[str, Any]:
    """The event of DeleteSubscriptionFilter, as EventBridge receives it from CloudTrail."""
    return {
        "id": f"event-{group}",
        "source": "aws.logs",
        "detail-type": "AWS API Call via CloudTrail",
        "detail": {
            "eventSource": "logs.amazonaws.com",
            "eventName": "DeleteSubscriptionFilter",
            "eventID": f"deletion-in-{group}",
            "awsRegion": REGION,
            "recipientAccountId": ACCOUNT_ID,
            "sourceIPAddress": "203.0.113.7",
            "userIdentity": {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT_ID}:user/mallory"},
            "requestParameters": {"logGroupName": group, "filterName": name},
        },
    }


def test_flow_logs_in_an_existing_group_are_read_within_one_sweep(stage: Stage) -> None:
    """In another format; there is no second flow log, and a scan in the records pages."""
    vpc, group = vpc_with_flow_log(stage)
    before = stage.flow_logs(vpc)
    (report,) = stage.sweep().deliveries
    assert f"of {vpc} in {group}" in report.text
    assert stage.flow_logs(vpc) == before
    assert filters(stage, group) == {"flow-warden": stage.stack.monitor}
    policy = json.loads(stage.clients.functions.get_policy(FunctionName=stage.stack.monitor)["Policy"])
    granted = [each for each in policy["Statement"] if each["Sid"].startswith("flow-warden-existing-")]
    assert [json.dumps(each).count("/aws/vpc/*:*") for each in granted] == [1]
    address = scan(stage, vpc, group, 11)
    (page,) = stage.pages.wait(1, TIMEOUT_SECONDS)
    assert address in page.subject
    assert group in page.text
    assert stage.sweep().deliveries == ()


def test_a_deleted_subscription_filter_comes_back_with_who_did_it(stage: Stage) -> None:
    """The report names the principal."""
    _, group = vpc_with_flow_log(stage)
    stage.sweep()
    stage.clients.logs.delete_subscription_filter(logGroupName=group, filterName="flow-warden")
    stage.enforcer.skip()
    stage.clients.functions.invoke(
        FunctionName=stage.stack.enforcer,
        InvocationType="Event",
        Payload=json.dumps(deletion_of_filter(group, "flow-warden")).encode(),
    )
    assert stage.enforcer.wait(1, TIMEOUT_SECONDS)
    assert filters(stage, group) == {"flow-warden": stage.stack.monitor}
    (report,) = stage.operations.take()
    assert "user/mallory from 203.0.113.7" in report.text
    assert f"- {group}: subscription filter flow-warden was missing" in report.text


def test_deleting_the_stack_leaves_the_groups_as_they_were(stage: Stage) -> None:
    """Its custom resource removes the stack's filters alone; another deployment subscribes them again."""
    _, group = vpc_with_flow_log(stage)
    monitor = stage.clients.functions.get_function(FunctionName=stage.stack.monitor)["Configuration"]
    arn = monitor["FunctionArn"]
    stage.clients.logs.put_subscription_filter(
        logGroupName=group,
        filterName=THEIRS,
        filterPattern="",
        destinationArn=arn.replace(stage.stack.monitor, stage.stack.enforcer),
    )
    before = stage.clients.logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    stage.sweep()
    assert set(filters(stage, group)) == {"flow-warden", THEIRS}
    request = {
        "ResourceType": "Custom::ExistingSubscriptions",
        "ResourceProperties": {
            "MonitorFunctionArn": arn,
            "FilterName": "flow-warden",
            "FlowLogGroupName": "/flow-warden/flow-logs",
        },
    }
    for kind, left in (("Update", {"flow-warden", THEIRS}), ("Delete", {THEIRS}), ("Delete", {THEIRS})):
        got = answer(stage, {"RequestType": kind, **request})
        assert (got["Status"], got["PhysicalResourceId"]) == ("SUCCESS", "subscriptions"), got
        assert set(filters(stage, group)) == left
    assert stage.clients.logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"] == before
    stage.sweep()
    assert set(filters(stage, group)) == {"flow-warden", THEIRS}
