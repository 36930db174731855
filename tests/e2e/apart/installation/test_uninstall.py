"""`flowwarden uninstall` leaves an account as it was, and a second installation works."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any, Final

import pytest

from local.environment import CREDENTIALS, PROJECT, REGION
from local.server import EmbeddedAws
from local.stack import STACK, Stack, build, deploy

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

OTHERS: Final = "/aws/vpc/vpc-of-others"
SWEEP: Final = b'{"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}'
TAG: Final = "flow-warden:managed"
SECOND: Final = {"FlowLogGroupName": "/flow-warden/second"}


def uninstall(aws: EmbeddedAws, *options: str) -> tuple[int, str, str]:
    """Run the command, as a script does."""
    variables = {
        **CREDENTIALS,
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": aws.endpoint,
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    done = subprocess.run(
        [sys.executable, "-m", "flowwarden_cli", "uninstall", "--stack", STACK, *options],
        env=os.environ | variables, cwd=PROJECT, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


def groups(aws: EmbeddedAws) -> dict[str, list[str]]:
    """The names of the subscription filters of each log group."""
    logs = aws.clients.logs
    found = logs.describe_log_groups()["logGroups"]
    return {
        name: [
            each["filterName"]
            for each in logs.describe_subscription_filters(logGroupName=name)["subscriptionFilters"]
        ]
        for name in (each["logGroupName"] for each in found)
    }


def flow_logs(aws: EmbeddedAws) -> set[str]:
    """The ids of all flow logs."""
    return {each["FlowLogId"] for each in aws.clients.ec2.describe_flow_logs()["FlowLogs"]}


def of_others(aws: EmbeddedAws) -> set[str]:
    """The flow logs of another tool, made once: in a log group with its filter, one with the stack's tag."""
    if OTHERS not in groups(aws):
        make_those_of_others(aws)
    found = aws.clients.ec2.describe_flow_logs()["FlowLogs"]
    # The AWS emulator returns the log group in the member for other destinations.
    return {
        each["FlowLogId"]
        for each in found
        if OTHERS in (each.get("LogGroupName"), each.get("LogDestination"))
    }


def make_those_of_others(aws: EmbeddedAws) -> None:
    """Make what another tool has."""
    clients = aws.clients
    clients.logs.create_log_group(logGroupName=OTHERS)
    clients.logs.put_subscription_filter(
        logGroupName=OTHERS,
        filterName="archive",
        filterPattern="",
        destinationArn=f"arn:aws:firehose:{REGION}:111122223333:deliverystream/archive",
        roleArn="arn:aws:iam::111122223333:role/archive",
    )
    marked: list[Any] = [{"Key": TAG, "Value": STACK}]
    for tags in ([], marked):
        vpc = clients.ec2.create_vpc(CidrBlock="10.99.0.0/16")["Vpc"]["VpcId"]
        given: Any = {"TagSpecifications": [{"ResourceType": "vpc-flow-log", "Tags": tags}]} if tags else {}
        made = clients.ec2.create_flow_logs(
            ResourceIds=[vpc], ResourceType="VPC", TrafficType="ALL", LogGroupName=OTHERS,
            DeliverLogsPermissionArn="arn:aws:iam::111122223333:role/others", **given,
        )  # fmt: skip
        if tags:  # the emulator does not store the tags of a creation
            clients.ec2.create_tags(Resources=made["FlowLogIds"], Tags=tags)


def sweep(aws: EmbeddedAws, stack: Stack, theirs: set[str]) -> set[str]:
    """Run the enforcer; return all its flow logs, with the tags that the emulator leaves out."""
    answer = aws.clients.functions.invoke(FunctionName=stack.enforcer, Payload=SWEEP)
    assert "FunctionError" not in answer
    made = flow_logs(aws) - theirs
    assert made
    aws.clients.ec2.create_tags(Resources=sorted(made), Tags=[{"Key": TAG, "Value": STACK}])
    return made


def adopt(aws: EmbeddedAws, stack: Stack) -> None:
    """Subscribe the group of the other tool, as a sweep does: a filter beside that of the tool."""
    arn = aws.clients.functions.get_function(FunctionName=stack.monitor)["Configuration"]["FunctionArn"]
    aws.clients.functions.add_permission(
        FunctionName=stack.monitor, StatementId="adopted", Action="lambda:InvokeFunction",
        Principal="logs.amazonaws.com",
        SourceArn=f"arn:aws:logs:{REGION}:111122223333:log-group:/aws/vpc/*:*",
    )  # fmt: skip
    aws.clients.logs.put_subscription_filter(
        logGroupName=OTHERS, filterName=STACK, filterPattern="", destinationArn=arn
    )


def interrupt_removal(aws: EmbeddedAws, stack: Stack) -> None:
    """Do what an interrupted removal has done: the enforcer is stopped, and parts of the stack are gone."""
    clients = aws.clients
    clients.functions.put_function_concurrency(FunctionName=stack.enforcer, ReservedConcurrentExecutions=0)
    for each in ("SweepSchedule", "RetrySchedule"):
        clients.events.disable_rule(Name=stack.resources[each])
    clients.logs.delete_subscription_filter(logGroupName=stack.flow_log_group, filterName=STACK)
    clients.functions.delete_function(FunctionName=stack.monitor)


def test_the_account_is_as_it_was_before_the_installation(aws: EmbeddedAws, installed: Stack) -> None:
    """The records are kept."""
    theirs = of_others(aws)
    own = sweep(aws, installed, theirs)
    adopt(aws, installed)

    code, printed, errors = uninstall(aws)
    assert (code, flow_logs(aws)) == (1, theirs | own)
    assert "add --yes" in errors
    assert f"delete the subscription filter {STACK} of the log group {OTHERS}" in printed
    assert all(f"delete the flow log {each} of vpc-" in printed for each in own)
    (unproven,) = [line for line in printed.splitlines() if "without a creation record" in line]
    assert [each for each in theirs if each in unproven] != []

    code, printed, errors = uninstall(aws, "--yes")
    assert (code, errors) == (0, ""), printed
    assert (groups(aws)[OTHERS], groups(aws)[installed.flow_log_group]) == (["archive"], [])
    assert (others(aws, installed), flow_logs(aws)) == ({OTHERS}, theirs)
    assert uninstall(aws, "--yes")[0] == 0  # nothing is left to remove


def test_a_second_installation_works_and_its_removal_is_completed_after_an_interruption(
    aws: EmbeddedAws, installed: Stack
) -> None:
    """Everything of it is removed."""
    theirs = of_others(aws)
    sweep(aws, installed, theirs)
    assert uninstall(aws, "--yes")[0] == 0

    second = deploy(aws, build(), SECOND)
    sweep(aws, second, theirs)
    interrupt_removal(aws, second)
    code, printed, errors = uninstall(aws, "--yes", "--delete-log-groups")
    assert (code, errors) == (0, ""), printed
    assert (others(aws, installed), flow_logs(aws)) == ({OTHERS}, theirs)
    assert [
        each
        for each in aws.clients.cloudformation.list_stacks()["StackSummaries"]
        if each["StackStatus"] != "DELETE_COMPLETE"
    ] == []


def others(aws: EmbeddedAws, first: Stack) -> set[str]:
    """The log groups beside that of the first installation, which is kept."""
    return groups(aws).keys() - {first.flow_log_group}
