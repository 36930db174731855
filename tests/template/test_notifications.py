"""Topics, their key, and the alarms that publish to them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

import monitor
from flowwarden.notify import refusals
from flowwarden.records.subscription import encode
from tests.functions.test_enforcer_events import ROOT, read, run_of
from tests.functions.test_monitor_events import BLOCKED, Harness, document
from tests.template import stack

TOPICS = {
    "PagesTopic": ("MonitorRole", "DispatcherRole"),
    "OperationsTopic": ("MonitorRole", "EnforcerRole", "DispatcherRole"),
    "ChatTopic": ("MonitorRole", "EnforcerRole", "DispatcherRole"),
}

THIS_STACKS_ALARMS = {
    "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}},
    "ArnLike": {
        "aws:SourceArn": {
            "Fn::Sub": "arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}"
            ":alarm:${AWS::StackName}/*"
        }
    },
}


def topic_statements(topic: str, effect: str) -> list[stack.Node]:
    """The statements of a topic's policy that have this effect."""
    policy = stack.properties(f"{topic}Policy")
    assert policy["Topics"] == [{"Ref": topic}]
    return [each for each in policy["PolicyDocument"]["Statement"] if each["Effect"] == effect]


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_accepts_only_tls(topic: str) -> None:
    (denied,) = topic_statements(topic, "Deny")
    assert denied["Principal"] == "*"
    assert denied["Resource"] == {"Ref": topic}
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert {"sns:Publish", "sns:Subscribe", "sns:SetTopicAttributes"} <= set(denied["Action"])
    assert "sns:*" not in denied["Action"], "SNS refuses this as out of service scope"


@pytest.mark.parametrize(("topic", "roles"), TOPICS.items())
def test_only_its_functions_may_publish_to_a_topic(topic: str, roles: tuple[str, ...]) -> None:
    allowed = [each for each in topic_statements(topic, "Allow") if "AWS" in each["Principal"]]
    assert [each["Principal"] for each in allowed] == [
        {"AWS": {"Fn::GetAtt": [role, "Arn"]}} for role in roles
    ]
    for each in allowed:
        assert (each["Action"], each["Resource"]) == ("sns:Publish", {"Ref": topic})


def test_alarms_of_this_stack_publish_to_the_operations_topic_only() -> None:
    services = {
        topic: [each for each in topic_statements(topic, "Allow") if "Service" in each["Principal"]]
        for topic in TOPICS
    }
    assert services["PagesTopic"] == services["ChatTopic"] == []
    (alarms,) = services["OperationsTopic"]
    assert alarms["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert alarms["Action"] == "sns:Publish"
    assert alarms["Condition"] == THIS_STACKS_ALARMS


def test_every_topic_has_a_policy_and_the_key() -> None:
    topics = stack.of_type("AWS::SNS::Topic")
    assert set(topics) == set(TOPICS)
    for each in topics.values():
        assert each["KmsMasterKeyId"] == {"Ref": "NotificationKey"}


def test_the_key_is_rotated_and_lets_the_publishers_use_it() -> None:
    key = stack.properties("NotificationKey")
    assert key["EnableKeyRotation"] is True
    by_sid: dict[str, Any] = {each["Sid"]: each for each in key["KeyPolicy"]["Statement"]}
    assert set(by_sid) == {"AsIamPoliciesAllow", "AlarmsOfThisStack"}
    # This statement delegates to the functions' roles; test_permissions checks those.
    iam = by_sid["AsIamPoliciesAllow"]
    assert iam["Principal"] == {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}
    assert (iam["Effect"], iam["Action"]) == ("Allow", "kms:*")
    alarms = by_sid["AlarmsOfThisStack"]
    assert alarms["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert set(alarms["Action"]) == {"kms:GenerateDataKey*", "kms:Decrypt"}
    assert alarms["Condition"] == THIS_STACKS_ALARMS


ALARMS = stack.of_type("AWS::CloudWatch::Alarm")

WATCHED = {
    *(
        ("AWS/Lambda", metric, "FunctionName", f"{function}Function")
        for function in stack.QUEUED
        for metric in ("Errors", "AsyncEventsDropped", "AsyncEventAge", "DestinationDeliveryFailures")
    ),
    ("AWS/Lambda", "Errors", "FunctionName", "DispatcherFunction"),
    *(("AWS/Lambda", "Invocations", "FunctionName", f"{function}Function") for function in stack.FUNCTIONS),
    ("AWS/Events", "FailedInvocations", "RuleName", "DispatchSchedule"),
    *(
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue)
        for queue in ("MonitorFailureQueue", "EnforcerFailureQueue", "EnforcerEventQueue")
    ),
    *(
        ("AWS/Events", "InvocationsFailedToBeSentToDlq", "RuleName", rule)
        for rule in (
            "VpcCreatedRule",
            "FlowLogDeletedRule",
            "SweepSchedule",
            "StackDeployedRule",
            "RetrySchedule",
            "LogGroupChangedRule",
            "RulesChangedRule",
            "DeliveryRoleChangedRule",
        )
    ),
    *(
        ("AWS/Logs", metric, "FilterName", "AWS::StackName")
        for metric in ("DeliveryErrors", "DeliveryThrottling")
    ),
    *(
        ("FlowWarden", metric, "service", "monitor")
        for metric in (
            "StateUnavailable",
            "StateUnreadable",
            "DescriptionsUnreadable",
            "InterfacesUnavailable",
            "UnparsedBatches",
            "SkipData",
            "PolicyInvalid",
        )
    ),
    ("FlowWarden", "NotificationsRefused", "service", "sinks"),
    ("FlowWarden", "EnforcerStateUnreadable", "service", "enforcer"),
    ("AWS/SNS", "NumberOfNotificationsFailed", "TopicName", "PagesTopic"),
}

NOT_LOST = {
    "Batches": "counts work",
    "Flows": "counts work",
    "NoData": "counts work: AWS had nothing to record",
    "Findings": "counts work",
    "Delay": "flow logs and queues are late now and then; events that wait have an alarm",
    "FindingsSummedUp": "the roll-up contains their number",
    "DigestRows": "counts work",
    "Notifications": "counts work",
    "Suppressed": "counts repeats of what was sent",
    "OverBudget": "a roll-up pages once an hour, and the incidents are open",
    "Inhibited": "counts what a page of another finding explains",
    "Muted": "counts what the policy asks not to send",
    "InternetRejects": "counts work",
    "FlowLogsCreated": "counts work",
    "FlowLogsReplaced": "counts work",
    "VpcsCovered": "counts work",
    "VpcsSkipped": "another account covers them",
    "LogGroupsRestored": "counts work",
    "IncidentsDue": "counts work",
    "Resent": "counts work",
    "Resolved": "counts work",
    "DigestsSent": "counts work",
}
"""Metrics that do not indicate a loss, with the reason."""

WITHOUT_ALARM = {
    "Malformed": "many of them are UnparsedBatches",
    "LogFormatsUnavailable": "lines that the formats learned before do not fit are UnparsedBatches",
    "NotInspected": "unjudged-records notifies operations",
    "HostHistoryUnavailable": "the table that fails is StateUnavailable",
    "Deferred": "the next batch does it",
    "IncidentsWithoutData": "interface-silent notifies operations; the incident stays open",
    "DispatchLeft": "the next run does it",
    "VpcsPending": "the next run does it, and counts a failure that lasts",
    "VpcsNotCovered": "each sweep notifies operations",
    "EnforcementFailures": "each sweep notifies operations",
}
"""Metrics that indicate a loss or a delay, with the reason why they have no alarm. docs/operating.md states
the reasons, too."""

BY_NAME_OF_ATTRIBUTE = {"QueueName", "TopicName"}
"""Dimensions whose value is an attribute, not the result of `Ref` (a URL, an ARN)."""

SEVERAL_PERIODS = {
    "MonitorErrorsAlarm": (2, 3),
    "EnforcerErrorsAlarm": (3, 3),
    "DispatcherErrorsAlarm": (3, 3),
    "DispatchScheduleLostAlarm": (3, 3),
    "SubscriptionThrottledAlarm": (3, 3),
    "InterfacesUnavailableAlarm": (3, 3),
    "StateUnreadableAlarm": (3, 3),
    "SkipDataAlarm": (3, 6),
    "MonitorSilentAlarm": (3, 3),
    "EnforcerSilentAlarm": (3, 3),
    "DispatcherSilentAlarm": (3, 3),
}
"""Alarms that need several periods: datapoints to alarm, evaluation periods."""

SILENT = {"MonitorSilentAlarm": 3600, "EnforcerSilentAlarm": 3600, "DispatcherSilentAlarm": 300}
"""Alarms that report a function that does not run, and their periods in seconds."""


def watched(alarm: stack.Node) -> tuple[str, str, str, str]:
    """Namespace, metric, the last dimension's name, and the resource (or text) of its value."""
    dimension = alarm["Dimensions"][-1]
    name, value = dimension["Name"], dimension["Value"]
    if name in BY_NAME_OF_ATTRIBUTE:
        resource, attribute = value["Fn::GetAtt"]
        assert attribute == name
    elif name == "service":
        resource = service_of(value)
    else:
        resource = value if isinstance(value, str) else value["Ref"]
    return alarm["Namespace"], alarm["MetricName"], name, resource


def service_of(value: Any) -> str:
    """The function that a value of the dimension `service` names. It contains the stack, too."""
    stack_name, dash, function = value["Fn::Sub"].rpartition("-")
    assert (stack_name, dash) == ("${AWS::StackName}", "-")
    return str(function)


def test_every_possible_loss_has_one_alarm() -> None:
    assert sorted(map(watched, ALARMS.values())) == sorted(WATCHED)


def test_every_metric_has_an_alarm_or_a_reason_why_not() -> None:
    with_alarm = {
        metric for namespace, metric, *_ in map(watched, ALARMS.values()) if namespace == "FlowWarden"
    }
    assert names_of_metrics() == with_alarm | NOT_LOST.keys() | WITHOUT_ALARM.keys()
    assert not with_alarm & (NOT_LOST.keys() | WITHOUT_ALARM.keys()) | (
        NOT_LOST.keys() & WITHOUT_ALARM.keys()
    )


def test_the_docs_name_every_loss_without_an_alarm() -> None:
    (paragraph,) = [
        each
        for each in (ROOT / "docs" / "operating.md").read_text().split("\n\n")
        if "no alarm of their own" in each
    ]
    assert [name for name in WITHOUT_ALARM if f"`{name}`" not in paragraph] == []


def test_the_docs_state_the_number_of_metrics_because_each_costs_money() -> None:
    of_each = sum(len(metrics_of(function)) for function in stack.FUNCTIONS)
    number = of_each + 1  # that of refused notifications, which all functions share
    assert f": {number} of the functions" in (ROOT / "docs" / "operating.md").read_text()


def names_of_metrics() -> set[str]:
    """The names of the metrics of all functions."""
    return {refusals.METRIC, *(name for function in stack.FUNCTIONS for name in metrics_of(function))}


def metrics_of(function: str) -> set[str]:
    """The names of the metrics of a function; the same name in another function is another metric."""
    name = function.lower()
    text = (ROOT / "functions" / name / f"{name}.py").read_text()
    return {*re.findall(r'(?:name=|^ +|^DELAY = )"([A-Z][A-Za-z]+)"(?:[:,]|$)', text, re.MULTILINE)}


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_notifies_operations_when_it_begins_and_when_it_ends(name: str) -> None:
    alarm = ALARMS[name]
    assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "OperationsTopic"}]
    # A function that does not run has no data, so only there missing data is the fault.
    above = ("notBreaching", "GreaterThanOrEqualToThreshold")
    wanted = ("breaching", "LessThanThreshold") if name in SILENT else above
    assert (alarm["TreatMissingData"], alarm["ComparisonOperator"]) == wanted
    assert alarm.get("ActionsEnabled", True) is True
    needed = alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"])
    assert (needed, alarm["EvaluationPeriods"]) == SEVERAL_PERIODS.get(name, (1, 1))
    assert alarm["Period"] == SILENT.get(name, 300)
    assert alarm["AlarmDescription"]


def test_the_functions_run_more_often_than_their_alarms_about_silence_expect() -> None:
    """The dispatcher each minute; the enforcer at least every 99 minutes, which is the slowest allowed."""
    assert stack.properties("DispatchSchedule")["ScheduleExpression"] == "rate(1 minute)"
    allowed = re.compile(stack.PARAMETERS["RetryRate"]["AllowedPattern"])
    assert allowed.fullmatch("rate(99 minutes)")
    assert not allowed.fullmatch("rate(100 minutes)")
    for name, period in SILENT.items():
        alarm = ALARMS[name]
        assert alarm["MetricName"] == "Invocations"
        assert alarm["Statistic"] == "Sum"
        assert alarm["EvaluationPeriods"] * period >= 15 * 60
    assert 3 * SILENT["EnforcerSilentAlarm"] > 99 * 60
    # The schedule exists first; otherwise the alarm begins before the first run.
    assert "DispatchSchedule" in stack.RESOURCES["DispatcherSilentAlarm"]["DependsOn"]
    assert "RetrySchedule" in stack.RESOURCES["EnforcerSilentAlarm"]["DependsOn"]
    assert "FlowLogSubscription" in stack.RESOURCES["MonitorSilentAlarm"]["DependsOn"]


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarms_name_has_the_prefix_that_topic_and_key_expect(name: str) -> None:
    prefix, _, rest = ALARMS[name]["AlarmName"]["Fn::Sub"].partition("/")
    assert prefix == "${AWS::StackName}"
    assert rest


def test_alarm_names_are_unique() -> None:
    names = [alarm["AlarmName"]["Fn::Sub"] for alarm in ALARMS.values()]
    assert len(set(names)) == len(names)


def test_one_failure_raises_an_alarm_and_the_age_limit_exceeds_the_retries() -> None:
    for alarm in ALARMS.values():
        if alarm["MetricName"] != "AsyncEventAge":
            assert alarm["Threshold"] == 1
    for function in stack.QUEUED:
        timeout = stack.properties(f"{function}Function")["Timeout"]
        retries = 3 * timeout + 60 + 120
        threshold = ALARMS[f"{function}AgeAlarm"]["Threshold"] / 1000
        assert retries < threshold < 3600
        assert ALARMS[f"{function}AgeAlarm"]["Statistic"] == "Maximum"


def test_delivery_alarms_use_the_dimensions_of_cloudwatch_logs() -> None:
    alarms = [each for each in ALARMS.values() if each["Namespace"] == "AWS/Logs"]
    filter_name = stack.properties("FlowLogSubscription")["FilterName"]
    # Ref and GetAtt of a filter do not return a reliable name: its identifier has two parts.
    assert not set(stack.references(filter_name)) & set(stack.RESOURCES)
    for alarm in alarms:
        assert alarm["Dimensions"] == [
            {"Name": "LogGroupName", "Value": {"Ref": "FlowLogGroup"}},
            {"Name": "DestinationType", "Value": "Lambda"},
            {"Name": "FilterName", "Value": filter_name},
        ]


def emitted(output: str) -> set[tuple[str, str, str]]:
    """Namespace, metric and dimensions of every metric in CloudWatch's embedded format."""
    documents = [json.loads(line) for line in output.splitlines() if '"CloudWatchMetrics"' in line]
    return {
        (each["Namespace"], metric["Name"], dimension_key({name: document[name] for name in names}))
        for document in documents
        for each in document["_aws"]["CloudWatchMetrics"]
        for names in each["Dimensions"]
        for metric in each["Metrics"]
    }


def dimension_key(dimensions: dict[str, str]) -> str:
    """Dimensions as one text, independent of their order."""
    return json.dumps(dimensions, sort_keys=True)


def count_one_of_each() -> None:
    """The monitor emits all its metrics, as for a batch in which none is zero."""
    ones = dict.fromkeys(monitor.METRICS.values(), 1)
    report: Any = SimpleNamespace(**ones, delay=1, findings_by_detector={})
    monitor.count(report)
    monitor.report_refused(["a page"])
    monitor.metrics.flush_metrics()


def test_alarms_on_custom_metrics_match_what_the_functions_emit(capsys: pytest.CaptureFixture[str]) -> None:
    """In a deployed stack, the value of the dimension is the variable `POWERTOOLS_SERVICE_NAME`."""
    Harness().run(encode(document(BLOCKED)))
    count_one_of_each()
    quiet = read(ROOT / "events" / "enforcer" / "sweep-no-change.json")
    run_of(quiet)(quiet["event"])
    watched_here = {
        (
            alarm["Namespace"],
            alarm["MetricName"],
            dimension_key({each["Name"]: service_of(each["Value"]) for each in alarm["Dimensions"]}),
        )
        for alarm in ALARMS.values()
        if not alarm["Namespace"].startswith("AWS/")
    }
    assert watched_here
    assert watched_here <= emitted(capsys.readouterr().out)
    for name in stack.FUNCTIONS:
        shared = stack.environment(name)
        assert shared["POWERTOOLS_METRICS_NAMESPACE"] == "FlowWarden"
        assert service_of(shared["POWERTOOLS_SERVICE_NAME"]) == name.lower()


@pytest.mark.parametrize("function", stack.FUNCTIONS)
def test_the_dimension_of_all_metrics_is_what_the_environment_says(function: str) -> None:
    """So two stacks in one account and Region have metrics of their own."""
    name = function.lower()
    program = f"import {name}; {name}.metrics.add_metric('Some', 'Count', 1); {name}.metrics.flush_metrics()"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "POWERTOOLS_SERVICE_NAME": f"blue-{name}",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    dimensions = dimension_key({"service": f"blue-{name}"})
    assert emitted(done.stdout) == {("FlowWarden", "Some", dimensions)}
