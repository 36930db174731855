"""The deployed resources, read back."""

from __future__ import annotations

import json
import re

import pytest

from local.scenario import Stage

pytestmark = pytest.mark.e2e


def test_the_monitor_is_subscribed_to_every_line_of_the_flow_logs(stage: Stage) -> None:
    """An empty pattern: ACCEPTs show unusual directions, NODATA and SKIPDATA show gaps."""
    (subscription,) = subscriptions(stage, stage.stack.flow_log_group)
    assert subscription["filterPattern"] == ""
    assert subscription["destinationArn"].endswith(f":function:{stage.stack.monitor}")


def test_nothing_is_subscribed_to_the_functions_own_logs(stage: Stage) -> None:
    """A monitor that reads its own log would be an endless loop."""
    assert stage.monitor.log_group != stage.stack.flow_log_group
    for group in (stage.monitor.log_group, stage.enforcer.log_group):
        assert subscriptions(stage, group) == []


@pytest.mark.parametrize("function", ["Monitor", "Enforcer"])
def test_a_failed_event_is_retried_and_then_queued(stage: Stage, function: str) -> None:
    """Two retries, a maximum age, and a failure queue."""
    name = stage.stack.resources[f"{function}Function"]
    configuration = stage.clients.functions.get_function_event_invoke_config(
        FunctionName=name, Qualifier="$LATEST"
    )
    assert configuration["MaximumRetryAttempts"] == 2
    assert 60 <= configuration["MaximumEventAgeInSeconds"] <= 21_600
    destination = configuration["DestinationConfig"]["OnFailure"]["Destination"]
    assert destination == queue_arn(stage, stage.stack.resources[f"{function}FailureQueue"])


def test_both_functions_get_the_same_log_format(stage: Stage) -> None:
    """The enforcer creates flow logs in the format that the monitor reads."""
    formats = {
        stage.clients.functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"][
            "LOG_FORMAT"
        ]
        for name in (stage.stack.monitor, stage.stack.enforcer)
    }
    assert formats == {stage.stack.log_format}


def test_the_dashboard_is_deployed_with_metrics_and_alarms_of_the_stack(stage: Stage) -> None:
    """CloudFormation accepts its text, with the names of the resources filled in."""
    name = stage.stack.resources["StackDashboard"]
    body = stage.clients.metrics.get_dashboard(DashboardName=name)["DashboardBody"]
    widgets = json.loads(body)["widgets"]
    names = {
        value
        for widget in widgets
        for row in widget["properties"].get("metrics", [])
        for value in row
        if isinstance(value, str)
    }
    assert {stage.stack.flow_log_group, stage.stack.monitor, stage.stack.enforcer} <= names
    assert stage.stack.pages_topic.rpartition(":")[2] in names
    assert stage.stack.monitor_failures.rpartition("/")[2] in names
    (search,) = [
        row[0]
        for widget in widgets
        for row in widget["properties"].get("metrics", [])
        if isinstance(row[0], dict)
    ]
    assert search["label"] == "${PROP('Dim.detector')}"
    assert not re.findall(r"\$\{(?!PROP)", body)
    described = stage.clients.metrics.describe_alarms()["MetricAlarms"]
    (alarms,) = [each["properties"]["alarms"] for each in widgets if each["type"] == "alarm"]
    assert sorted(alarms) == sorted(each["AlarmArn"] for each in described)


def subscriptions(stage: Stage, group: str) -> list[dict[str, str]]:
    """The subscription filters of a log group."""
    found = stage.clients.logs.describe_subscription_filters(logGroupName=group)["subscriptionFilters"]
    return [
        {"filterPattern": each["filterPattern"], "destinationArn": each["destinationArn"]} for each in found
    ]


def queue_arn(stage: Stage, url: str) -> str:
    """The ARN of a queue."""
    answer = stage.clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return answer["Attributes"]["QueueArn"]
