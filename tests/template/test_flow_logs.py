"""The flow-log group, its subscription to the monitor, and the role that writes to it."""

from __future__ import annotations

import re

import pytest

from flowwarden.policy.log_groups import FUNCTIONS
from tests.template import stack

BESIDE = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:${FlowLogGroupName}-*"
"""The log groups that the enforcer may create."""


def test_the_group_supports_subscriptions_and_keeps_its_records() -> None:
    group = stack.RESOURCES["FlowLogGroup"]
    assert group["Properties"] == {
        "LogGroupName": {"Ref": "FlowLogGroupName"},
        "RetentionInDays": {"Ref": "FlowLogRetentionDays"},
        "KmsKeyId": {"Fn::If": ["HasLogKey", {"Ref": "LogKmsKeyArn"}, {"Ref": "AWS::NoValue"}]},
    }
    assert group["DeletionPolicy"] == "RetainExceptOnCreate"
    assert group["UpdateReplacePolicy"] == "Retain"


def test_every_log_group_has_a_retention_and_the_key() -> None:
    groups = stack.of_type("AWS::Logs::LogGroup")
    functions = (*stack.FUNCTIONS, "SettingsCheck")
    assert set(groups) == {"FlowLogGroup", *(f"{each}LogGroup" for each in functions)}
    for each in groups.values():
        assert each["RetentionInDays"]["Ref"] in stack.PARAMETERS
        assert stack.mentions(each["KmsKeyId"], "LogKmsKeyArn")


def test_the_subscription_delivers_every_line() -> None:
    assert stack.properties("FlowLogSubscription") == {
        "FilterName": {"Ref": "AWS::StackName"},
        "LogGroupName": {"Ref": "FlowLogGroup"},
        "DestinationArn": {"Fn::GetAtt": ["MonitorFunction", "Arn"]},
        "FilterPattern": "",
    }
    assert stack.RESOURCES["FlowLogSubscription"]["DependsOn"] == "MonitorInvokePermission"


def test_the_flow_log_group_cannot_be_the_monitors_own() -> None:
    own = stack.properties("MonitorLogGroup")["LogGroupName"]["Fn::Sub"]
    for stack_name in ("flow-warden", "a", "Z" * 128):
        name = own.replace("${AWS::StackName}", stack_name)
        assert not re.fullmatch(stack.PARAMETERS["FlowLogGroupName"]["AllowedPattern"], name)


@pytest.mark.parametrize("prefix", FUNCTIONS)
def test_the_flow_log_group_is_none_that_the_monitor_never_reads(prefix: str) -> None:
    """Else the monitor would drop every batch of it, and the enforcer could not repair its subscription."""
    allowed = stack.PARAMETERS["FlowLogGroupName"]["AllowedPattern"]
    assert not re.fullmatch(allowed, f"{prefix}flow-logs")
    assert re.fullmatch(allowed, f"/flow-warden/{prefix}flow-logs")


def test_cloudwatch_logs_may_invoke_the_monitor_for_the_flow_log_groups_only() -> None:
    invokers = {
        name: each
        for name, each in stack.of_type("AWS::Lambda::Permission").items()
        if stack.mentions(each["FunctionName"], "MonitorFunction")
    }
    assert invokers == {
        "MonitorInvokePermission": {
            "FunctionName": {"Fn::GetAtt": ["MonitorFunction", "Arn"]},
            "Action": "lambda:InvokeFunction",
            "Principal": {"Fn::Sub": "logs.${AWS::URLSuffix}"},
            "SourceAccount": {"Ref": "AWS::AccountId"},
            "SourceArn": {"Fn::GetAtt": ["FlowLogGroup", "Arn"]},
        },
        "MonitorInvokeBesidePermission": {
            "FunctionName": {"Fn::GetAtt": ["MonitorFunction", "Arn"]},
            "Action": "lambda:InvokeFunction",
            "Principal": {"Fn::Sub": "logs.${AWS::URLSuffix}"},
            "SourceAccount": {"Ref": "AWS::AccountId"},
            "SourceArn": {"Fn::Sub": f"{BESIDE}:*"},
        },
    }


def test_nothing_else_is_subscribed_to_the_monitor() -> None:
    assert set(stack.of_type("AWS::Logs::SubscriptionFilter")) == {"FlowLogSubscription"}
    assert "Events" not in stack.properties("MonitorFunction")


def test_only_flow_logs_of_this_account_and_region_may_use_the_delivery_role() -> None:
    (statement,) = stack.properties("DeliveryRole")["AssumeRolePolicyDocument"]["Statement"]
    assert statement == {
        "Effect": "Allow",
        "Principal": {"Service": "vpc-flow-logs.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}},
            "ArnLike": {
                "aws:SourceArn": {
                    "Fn::Sub": "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:vpc-flow-log/*"
                }
            },
        },
    }


def test_the_delivery_role_writes_to_the_group_and_creates_none() -> None:
    statements = stack.role_statements("DeliveryRole")
    assert stack.actions(statements) == {
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "logs:DescribeLogStreams",
        "logs:DescribeLogGroups",
    }
    for action in ("logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"):
        assert stack.granting(statements, action)["Resource"] == [
            {"Fn::GetAtt": ["FlowLogGroup", "Arn"]},
            {"Fn::Sub": f"{BESIDE}:*"},
        ]


def test_only_the_enforcer_may_create_a_log_group_and_only_for_flow_logs() -> None:
    for role in stack.of_type("AWS::IAM::Role"):
        allowed = stack.actions(stack.role_statements(role))
        assert not {"logs:*", "logs:Create*", "*"} & allowed, role
        assert ("logs:CreateLogGroup" in allowed) is (role == "EnforcerRole")
    granted = stack.granting(stack.role_statements("EnforcerRole"), "logs:CreateLogGroup")
    own = BESIDE.removesuffix("-*")
    assert granted["Resource"] == [{"Fn::Sub": own}, {"Fn::Sub": f"{own}:*"}, {"Fn::Sub": BESIDE}]
