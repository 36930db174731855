"""The functions: their environment, and the handling of events that they cannot process."""

from __future__ import annotations

from typing import Any

import pytest

from flowwarden.records.fields import BY_NAME
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT, LogFormat
from flowwarden.settings import DispatcherSettings, EnforcerSettings, MonitorSettings
from tests.template import stack

SETTINGS: dict[str, type[MonitorSettings | EnforcerSettings | DispatcherSettings]] = {
    "Monitor": MonitorSettings,
    "Enforcer": EnforcerSettings,
    "Dispatcher": DispatcherSettings,
}

FROM_LAMBDA = {"AWS_REGION", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_FUNCTION_NAME"}
"""Lambda sets these itself and rejects a template that sets them."""

NOT_OFFERED = {"CLAIM_LEASE_SECONDS"}
"""Depends on the function's timeout, so it must not be changed separately."""

OF_OTHERS = {
    "POWERTOOLS_SERVICE_NAME",
    "POWERTOOLS_METRICS_NAMESPACE",
    "POWERTOOLS_LOG_LEVEL",
    "AWS_ENDPOINT_URL",
}
"""Read by Powertools and botocore, not by the settings."""

LIMITS = ("PAGES_PER_HOUR", "PAGES_PER_DAY", "CRITICAL_PAGES_PER_HOUR")
WITH_DEFAULTS = {"POLICY", "SUPPRESSION_MINUTES", "MAX_INFLATED_MIB", "RUNBOOK_URL", "DIGESTS", *LIMITS}
"""Set by parameters, whose defaults must equal the defaults in the code."""

FIRST_RETRY = 60
"""Seconds until Lambda's first retry of an asynchronous event, approximately."""

HELPFUL = {
    "tcp-flags",
    "flow-direction",
    "pkt-srcaddr",
    "pkt-dstaddr",
    "vpc-id",
    "subnet-id",
    "instance-id",
    "traffic-path",
    "pkt-src-aws-service",
    "pkt-dst-aws-service",
    "reject-reason",
}


def resolved(function: str) -> dict[str, str]:
    """The environment with the parameters' defaults; values from other resources are invented."""
    return {name: _resolve(name, value) for name, value in stack.environment(function).items()}


def _resolve(name: str, value: Any) -> str:
    parameter = stack.PARAMETERS.get(value["Ref"]) if isinstance(value, dict) and "Ref" in value else None
    if parameter is not None:
        return str(parameter["Default"])
    if isinstance(value, dict) and "Fn::If" in value:
        return str(value["Fn::If"][2])
    return value if isinstance(value, str) else f"made-up-{name.lower()}"


@pytest.mark.parametrize("function", stack.QUEUED)
def test_log_format_is_declared_once_and_passed_unchanged(function: str) -> None:
    assert stack.environment(function)["LOG_FORMAT"] == {"Ref": "LogFormat"}
    assert stack.TEXT.count("${version}") == 1
    assert "LOG_FORMAT" not in stack.environment("Dispatcher")


def test_every_field_of_the_default_log_format_is_known_and_appears_once() -> None:
    names = LogFormat.parse(stack.PARAMETERS["LogFormat"]["Default"]).names
    assert set(names) <= set(BY_NAME)
    assert len(set(names)) == len(names)


def test_the_default_log_format_has_every_helpful_field() -> None:
    names = set(LogFormat.parse(stack.PARAMETERS["LogFormat"]["Default"]).names)
    assert names >= set(DEFAULT_LOG_FORMAT.names) | HELPFUL


@pytest.mark.parametrize("function", stack.FUNCTIONS)
def test_the_environment_is_what_the_settings_read(function: str) -> None:
    read = {name.upper() for name in SETTINGS[function].__struct_fields__}
    variables = set(stack.environment(function))
    assert read - variables == read & (FROM_LAMBDA | NOT_OFFERED)
    assert variables - read == OF_OTHERS


@pytest.mark.parametrize("function", stack.FUNCTIONS)
def test_the_settings_read_the_defaults(function: str) -> None:
    settings = SETTINGS[function].from_mapping({**resolved(function), "AWS_REGION": "us-east-1"})
    assert settings.state_table == "made-up-state_table"
    if isinstance(settings, MonitorSettings | EnforcerSettings):
        assert settings.log_format == stack.PARAMETERS["LogFormat"]["Default"]


def test_the_dispatcher_and_the_monitor_notify_alike() -> None:
    topics = ("PAGES_TOPIC_ARN", "OPERATIONS_TOPIC_ARN")
    names = (*topics, "STATE_TABLE", "SUPPRESSION_MINUTES", "RUNBOOK_URL", "DIGESTS", *LIMITS)
    monitor, dispatcher = (stack.environment(name) for name in ("Monitor", "Dispatcher"))
    assert [dispatcher[name] for name in names] == [monitor[name] for name in names]


def test_the_defaults_of_template_and_settings_are_the_same() -> None:
    variables = {**resolved("Monitor"), "AWS_REGION": "us-east-1"}
    without_defaults = {name: value for name, value in variables.items() if name not in WITH_DEFAULTS}
    assert MonitorSettings.from_mapping(variables) == MonitorSettings.from_mapping(without_defaults)


def test_the_enforcers_environment_comes_from_this_stack() -> None:
    variables = stack.environment("Enforcer")
    assert variables["FLOW_LOG_GROUP_NAME"] == {"Ref": "FlowLogGroup"}
    assert variables["DELIVERY_ROLE_ARN"] == {"Fn::GetAtt": ["DeliveryRole", "Arn"]}
    assert variables["OPERATIONS_TOPIC_ARN"] == {"Ref": "OperationsTopic"}
    assert variables["ACCOUNT_ID"] == {"Ref": "AWS::AccountId"}
    assert variables["STACK_NAME"] == {"Ref": "AWS::StackName"}
    assert variables["STATE_TABLE"] == {"Ref": "StateTable"}
    assert variables["MONITOR_FUNCTION_ARN"] == {"Fn::GetAtt": ["MonitorFunction", "Arn"]}
    assert variables["ENFORCER_ROLE_ARN"] == {"Fn::GetAtt": ["EnforcerRole", "Arn"]}
    assert variables["DRY_RUN"] == {"Fn::If": ["PlansOnly", "true", "false"]}


def test_both_functions_get_the_same_policy() -> None:
    assert stack.environment("Enforcer")["POLICY"] == stack.environment("Monitor")["POLICY"]


def test_the_monitors_environment_comes_from_this_stack() -> None:
    variables = stack.environment("Monitor")
    assert variables["PAGES_TOPIC_ARN"] == {"Ref": "PagesTopic"}
    assert variables["STATE_TABLE"] == {"Ref": "StateTable"}


def test_the_claim_of_a_failed_monitor_expires_before_the_retry() -> None:
    defaults = MonitorSettings.__struct_defaults__
    lease = dict(zip(MonitorSettings.__struct_fields__[-len(defaults) :], defaults, strict=True))[
        "claim_lease_seconds"
    ]
    assert stack.properties("MonitorFunction")["Timeout"] < lease < FIRST_RETRY


@pytest.mark.parametrize("function", stack.QUEUED)
def test_an_event_that_fails_for_good_goes_to_the_failure_queue(function: str) -> None:
    config = stack.properties(f"{function}Function")["EventInvokeConfig"]
    queue = f"{function}FailureQueue"
    assert config == {
        "MaximumRetryAttempts": 2,
        "MaximumEventAgeInSeconds": 3600,
        "DestinationConfig": {
            "OnFailure": {"Type": "SQS", "Destination": {"Fn::GetAtt": [queue, "Arn"]}},
        },
    }
    granted = stack.granting(stack.role_statements(f"{function}Role"), "sqs:SendMessage")
    assert granted["Resource"] == {"Fn::GetAtt": [queue, "Arn"]}


def test_an_event_of_the_dispatcher_is_not_retried_because_the_next_one_follows() -> None:
    function = stack.properties("DispatcherFunction")
    assert function["EventInvokeConfig"] == {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60}
    assert function["Timeout"] == 60
    assert "ReservedConcurrentExecutions" not in function


@pytest.mark.parametrize("function", stack.FUNCTIONS)
def test_a_function_writes_into_a_log_group_of_the_stack_with_retention(function: str) -> None:
    group = f"{function}LogGroup"
    assert stack.properties(f"{function}Function")["LoggingConfig"]["LogGroup"] == {"Ref": group}
    assert stack.properties(group)["RetentionInDays"] == {"Ref": "FunctionLogRetentionDays"}
