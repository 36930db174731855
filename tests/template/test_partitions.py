"""Every partition: the template, the policy and the enforcer's decisions, in each of AWS's partitions."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.loaders import Loader
from msgspec.structs import replace

from flowwarden.enforcer.decide.delivery_role import NEEDED, SERVICE, DeliveryRole, role_problems
from flowwarden.enforcer.decide.iam_policy import Statement
from flowwarden.enforcer.reporting.report import Result
from flowwarden.enforcer.state.inventory import Subscription, Vpc
from flowwarden.enforcer.state.stack import Stack
from flowwarden.enforcer.triggers import trigger
from flowwarden.policy.policy import Policy
from tests.architecture import source
from tests.enforcer.fakes import ACCOUNT, GROUP, FakeRoles, Fakes, sound
from tests.enforcer.fakes import STACK as COMMERCIAL
from tests.enforcer.fakes_ec2 import FakeEc2
from tests.enforcer.runs import BORN, SWEEP
from tests.template import stack

PARTITIONS = [
    (each["partition"], min(each["regions"]), each["dnsSuffix"])
    for each in Loader().load_data("endpoints")["partitions"]
]
"""Name, a Region and the DNS suffix of each partition that the SDK knows."""
WRITTEN_OUT = re.compile(r"arn:aws:(?!(s3::|firehose|kms):[A-Z])")
"""The partition `aws` in anything but an example such as `arn:aws:s3:::BUCKET`."""
EVERYWHERE = pytest.mark.parametrize(("partition", "region", "suffix"), PARTITIONS)


def test_the_sdk_knows_the_partitions() -> None:
    """Otherwise the tests below would check nothing."""
    assert {"aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b"} <= {each for each, _, _ in PARTITIONS}


def resolved(node: Any, values: dict[str, str]) -> Any:
    """The node with its pseudo parameters in `Fn::Sub` replaced; other references become `x`."""
    if isinstance(node, list):
        return [resolved(each, values) for each in node]
    if not isinstance(node, dict):
        return node
    if isinstance(text := node.get("Fn::Sub"), str):
        return re.sub(r"\$\{([^}]+)\}", lambda found: values.get(found[1], "x"), text)
    if isinstance(name := node.get("Ref"), str) and name in values:
        return values[name]
    return {key: resolved(value, values) for key, value in node.items()}


def texts(node: Any) -> Iterator[str]:
    """Every text in a node."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, list):
        for each in node:
            yield from texts(each)
    elif isinstance(node, dict):
        for each in node.values():
            yield from texts(each)


def resources(partition: str, region: str, suffix: str) -> dict[str, Any]:
    """The template's resources as CloudFormation resolves them in a partition."""
    values = {
        "AWS::Partition": partition,
        "AWS::Region": region,
        "AWS::URLSuffix": suffix,
        "AWS::AccountId": ACCOUNT,
    }
    found: dict[str, Any] = resolved(stack.RESOURCES, values)
    return found


@EVERYWHERE
def test_every_arn_and_endpoint_of_the_template_is_of_the_partition(
    partition: str, region: str, suffix: str
) -> None:
    """Including those in conditions of statements and in event patterns."""
    found = resources(partition, region, suffix)
    arns = [each for each in texts(found) if each.startswith("arn:")]
    assert len(arns) > 20
    assert {each.split(":")[1] for each in arns} == {partition}
    services = [each for each in texts(found) if each.startswith(("sns.", "sqs."))]
    assert set(services) == {f"sns.{region}.{suffix}"}


@EVERYWHERE
def test_cloudwatch_logs_invokes_the_monitor_under_its_name_in_the_partition(
    partition: str, region: str, suffix: str
) -> None:
    """In China, Lambda refuses `logs.amazonaws.com` as a principal."""
    found = resources(partition, region, suffix)
    for name in ("MonitorInvokePermission", "MonitorInvokeBesidePermission"):
        assert found[name]["Properties"]["Principal"] == f"logs.{suffix}"


def test_no_template_text_has_the_partition_written_out() -> None:
    """Not even in a value that no other test resolves."""
    assert [each for each in texts(stack.TEMPLATE) if "arn:aws:" in each] == []


def test_no_log_group_class_is_named() -> None:
    """Some Regions refuse any; without one, a group has the class STANDARD."""
    assert [each for each in stack.of_type("AWS::Logs::LogGroup").values() if "LogGroupClass" in each] == []


def test_the_product_has_no_text_with_the_partition_written_out() -> None:
    """Neither to construct an ARN nor to compare with one.

    A pattern may begin with `arn:aws[a-z-]*:`, and a message may show an example with placeholders.
    """
    products = ("layers/flowwarden/flowwarden", "functions", "cli")
    files = [each for each in source.files() if source.name(each).startswith(products)]
    found = [
        f"{source.name(path)}:{node.lineno}"
        for path in files
        if path.suffix == ".py"
        for node in ast.walk(ast.parse(source.text(path)))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and WRITTEN_OUT.search(node.value)
    ]
    assert len(files) > 100
    assert found == []


def placed(partition: str, region: str) -> Stack:
    """A stack in a partition."""
    return replace(
        COMMERCIAL,
        region=region,
        delivery_role_arn=f"arn:{partition}:iam::{ACCOUNT}:role/delivery",
        monitor_arn=f"arn:{partition}:lambda:{region}:{ACCOUNT}:function:monitor",
        enforcer_role_arn=f"arn:{partition}:iam::{ACCOUNT}:role/enforcer",
        kms_key_arn=f"arn:{partition}:kms:{region}:{ACCOUNT}:key/1234abcd",
    )


class AnyRole(FakeRoles):
    """A fake that returns the role for any ARN."""

    def describe(self, role_arn: str) -> DeliveryRole | None:
        """The role."""
        assert role_arn
        return self.role


@EVERYWHERE
def test_a_vpc_is_covered_and_recognized_as_covered(partition: str, region: str, suffix: str) -> None:
    """The flow log is created once, and counts when EC2 describes its destination by ARN."""
    assert suffix
    here = placed(partition, region)
    ec2 = FakeEc2([Vpc(vpc_id="vpc-1", owner_id=ACCOUNT)], clock=BORN - 60)
    fakes = Fakes(ec2=ec2, roles=AnyRole())
    first = fakes.service(Policy().flow_logs, here).reconcile(SWEEP, BORN + 10)
    assert [each.result for each in first.outcomes] == [Result.CREATED]
    assert first.problems == ()
    (created,) = ec2.existing
    group = f"arn:{partition}:logs:{region}:{ACCOUNT}:log-group:{GROUP}:*"
    ec2.existing = [replace(created, log_group_name=None, log_destination=group)]
    later = fakes.service(Policy().flow_logs, here).reconcile(SWEEP, BORN + 3600)
    assert [each.result for each in later.outcomes] == [Result.COVERED]
    subscription = Subscription(name=here.stack_name, destination_arn=here.monitor_arn)
    wanted = replace(sound(), subscriptions=(subscription,), kms_key_arn=here.kms_key_arn)
    assert fakes.groups.there[GROUP] == wanted


@EVERYWHERE
def test_the_delivery_role_is_judged_by_arns_of_the_partition(
    partition: str, region: str, suffix: str
) -> None:
    """A policy about log groups of another partition allows nothing here."""
    assert suffix
    here = placed(partition, region)

    def problems(of: str) -> list[str]:
        allowed = f"arn:{of}:logs:{region}:{ACCOUNT}:log-group:{GROUP}:*"
        statement = Statement(allows=True, actions=NEEDED, resources=(allowed,))
        return list(role_problems(DeliveryRole(trusted=(SERVICE,), statements=(statement,)), here))

    assert problems(partition) == []
    other = "aws-cn" if partition != "aws-cn" else "aws"
    assert "no longer allows" in problems(other)[0]


@EVERYWHERE
def test_a_policy_may_name_destinations_keys_and_regions_of_the_partition(
    partition: str, region: str, suffix: str
) -> None:
    """The settings are the same in every partition."""
    assert suffix
    destinations = {
        "s3": f"arn:{partition}:s3:::flows/here",
        "kinesis-data-firehose": f"arn:{partition}:firehose:{region}:{ACCOUNT}:deliverystream/flows",
    }
    rules: list[dict[str, Any]] = [
        {"where": {"regions": [region]}, "flow_log": {"destination_type": kind, "destination": arn}}
        for kind, arn in destinations.items()
    ]
    key = {"kms_key_arn": f"arn:{partition}:kms:{region}:{ACCOUNT}:key/1234abcd"}
    policy = Policy.from_json(json.dumps({"flow_logs": {"rules": rules, "default": key}}))
    assert len(policy.flow_logs.rules) == len(rules)


@EVERYWHERE
def test_the_enforcers_own_calls_are_recognized(partition: str, region: str, suffix: str) -> None:
    """Otherwise each deletion would start another sweep."""
    assert suffix
    here = placed(partition, region)
    issuer = {"type": "Role", "arn": here.enforcer_role_arn, "userName": "enforcer"}
    detail = {
        "eventSource": "ec2.amazonaws.com",
        "eventName": "DeleteFlowLogs",
        "awsRegion": region,
        "recipientAccountId": ACCOUNT,
        "eventTime": "2026-11-24T03:00:00Z",
        "eventID": "8f6d",
        "userIdentity": {
            "type": "AssumedRole",
            "arn": f"arn:{partition}:sts::{ACCOUNT}:assumed-role/enforcer/x",
            "sessionContext": {"sessionIssuer": issuer},
        },
        "requestParameters": {"DeleteFlowLogsRequest": {"FlowLogId": {"tag": 1, "content": "fl-1"}}},
    }
    event = {"detail-type": "AWS API Call via CloudTrail", "time": "2026-11-24T03:00:00Z", "detail": detail}
    assert trigger.read(event, here).kind is trigger.RunKind.IGNORED
    issuer["arn"] = f"arn:{partition}:iam::{ACCOUNT}:role/someone"
    assert trigger.read(event, here).kind is trigger.RunKind.SWEEP
