"""Parameters and outputs: they are described and used, and they reject invalid values."""

from __future__ import annotations

import re

import pytest

from flowwarden.policy.policy import Policy
from tests.template import stack

CONSTRAINTS = {"AllowedPattern", "AllowedValues", "MinValue", "MaxValue", "MinLength", "MaxLength"}


def test_every_parameter_has_a_description_and_its_allowed_values() -> None:
    for name, each in stack.PARAMETERS.items():
        assert each["Description"], name
        if CONSTRAINTS & set(each):
            assert each["ConstraintDescription"], name


def test_every_parameter_has_a_default_that_it_allows() -> None:
    for name, each in stack.PARAMETERS.items():
        assert "Default" in each, name
        default = each["Default"]
        assert re.fullmatch(each.get("AllowedPattern", r"[\s\S]*"), str(default)), name
        assert default in each.get("AllowedValues", [default]), name
        assert len(str(default)) <= each.get("MaxLength", 4096), name


def test_every_parameter_is_used() -> None:
    body = [stack.TEMPLATE[part] for part in ("Conditions", "Globals", "Resources")]
    assert set(stack.PARAMETERS) - set(stack.references(body)) == set()


def test_every_parameter_is_in_one_group_of_the_console() -> None:
    groups = stack.TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    assert sorted(grouped) == sorted(stack.PARAMETERS)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("FlowLogGroupName", "/flow-warden/flow-logs"),
        ("FlowLogGroupName", "vpc_flows.all#1"),
        ("LogFormat", "${version} ${srcaddr}"),
        ("LogKmsKeyArn", "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"),
        ("PagesEmail", "oncall@example.com"),
        ("OperationsEmail", ""),
        ("Policy", '{"private_subnets": ["10.0.1.0/24"]}'),
        ("Policy", '{\n  "own_cidrs": []\n}\n'),
        ("SweepRate", "rate(30 minutes)"),
        ("SweepRate", "cron(0 6 * * ? *)"),
        ("AwsEndpointUrl", "http://127.0.0.1:4566"),
    ],
)
def test_a_valid_value_is_accepted(parameter: str, value: str) -> None:
    assert re.fullmatch(stack.PARAMETERS[parameter]["AllowedPattern"], value)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("FlowLogGroupName", ""),
        ("FlowLogGroupName", "/aws/lambda/flow-warden-monitor"),
        ("FlowLogGroupName", "aws/lambda/flow-warden-monitor"),
        ("FlowLogGroupName", "/aws/vendedlogs/flows"),
        ("FlowLogGroupName", "flow logs"),
        ("FlowLogGroupName", "x" * 513),
        ("LogFormat", "version srcaddr"),
        ("LogFormat", "${version}  ${srcaddr}"),
        ("LogFormat", "${version} "),
        ("LogKmsKeyArn", "alias/aws/logs"),
        ("PagesEmail", "oncall"),
        ("OperationsEmail", "two@example.com three@example.com"),
        ("Policy", "[]"),
        ("Policy", ""),
        ("SweepRate", "1 hour"),
        ("SweepRate", "rate(1 hours)"),
        ("SweepRate", "rate(0 hours)"),
        ("AwsEndpointUrl", "localhost:4566"),
    ],
)
def test_an_invalid_value_is_rejected(parameter: str, value: str) -> None:
    assert not re.fullmatch(stack.PARAMETERS[parameter]["AllowedPattern"], value)


def test_the_description_of_the_policy_names_exactly_its_settings() -> None:
    named = re.search(r"as JSON: ([a-z_, ]+)\.", stack.PARAMETERS["Policy"]["Description"])
    assert named is not None
    assert tuple(named[1].split(", ")) == Policy.__struct_fields__


def test_the_default_policy_is_a_policy() -> None:
    assert Policy.from_json(stack.PARAMETERS["Policy"]["Default"]) == Policy()


def test_the_documented_outputs_exist_and_have_descriptions() -> None:
    assert {name: each["Value"] for name, each in stack.OUTPUTS.items()} == {
        "FlowLogGroupName": {"Ref": "FlowLogGroup"},
        "PagesTopicArn": {"Ref": "PagesTopic"},
        "OperationsTopicArn": {"Ref": "OperationsTopic"},
        "StateTableName": {"Ref": "StateTable"},
        "MonitorFunctionName": {"Ref": "MonitorFunction"},
        "EnforcerFunctionName": {"Ref": "EnforcerFunction"},
        "DispatcherFunctionName": {"Ref": "DispatcherFunction"},
        "MonitorFailureQueueUrl": {"Ref": "MonitorFailureQueue"},
        "EnforcerFailureQueueUrl": {"Ref": "EnforcerFailureQueue"},
        "EnforcerEventQueueUrl": {"Ref": "EnforcerEventQueue"},
        "DeliveryRoleArn": {"Fn::GetAtt": ["DeliveryRole", "Arn"]},
        "ChatTopicArn": {"Ref": "ChatTopic"},
        "Sinks": stack.environment("Monitor")["SINKS"],
    }
    assert all(each["Description"] for each in stack.OUTPUTS.values())


def test_reserved_concurrency_and_e_mail_are_off_by_default() -> None:
    conditions = stack.TEMPLATE["Conditions"]
    for name in stack.QUEUED:
        parameter = f"{name}ReservedConcurrency"
        assert stack.PARAMETERS[parameter]["Default"] == -1
        assert conditions[f"Reserves{name}"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": parameter}, -1]}]}
        assert stack.properties(f"{name}Function")["ReservedConcurrentExecutions"] == {
            "Fn::If": [f"Reserves{name}", {"Ref": parameter}, {"Ref": "AWS::NoValue"}]
        }
    for topic in ("Pages", "Operations"):
        assert stack.PARAMETERS[f"{topic}Email"]["Default"] == ""
        assert stack.RESOURCES[f"{topic}Subscription"]["Condition"] == f"Has{topic}Email"
        assert stack.properties(f"{topic}Subscription") == {
            "TopicArn": {"Ref": f"{topic}Topic"},
            "Protocol": "email",
            "Endpoint": {"Ref": f"{topic}Email"},
        }
