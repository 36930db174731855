"""The dashboard: valid JSON in every partition, and only metrics that exist."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import pytest

from flowwarden.records.subscription import encode
from tests.functions.test_dispatcher import example
from tests.functions.test_enforcer_events import ROOT, read, run_of
from tests.functions.test_monitor_events import BLOCKED, Harness, document
from tests.template import stack
from tests.template.test_notifications import (
    ALARMS,
    count_one_of_each,
    dimension_key,
    emitted,
    service_of,
)
from tests.template.test_partitions import PARTITIONS

DASHBOARD: Final = stack.properties("StackDashboard")
OF_AWS: Final = {
    "AWS/Logs": (
        {"ForwardedLogEvents", "DeliveryErrors", "DeliveryThrottling"},
        ("LogGroupName", "DestinationType", "FilterName"),
    ),
    "AWS/SQS": ({"ApproximateAgeOfOldestMessage"}, ("QueueName",)),
    "AWS/SNS": (
        {"NumberOfMessagesPublished", "NumberOfNotificationsDelivered", "NumberOfNotificationsFailed"},
        ("TopicName",),
    ),
    "AWS/Lambda": ({"Errors", "Throttles", "AsyncEventAge"}, ("FunctionName",)),
}
"""Metrics of AWS by namespace, and their dimensions, as in the user guides of the services."""
VALUES: Final = {
    "LogGroupName": {"<FlowLogGroup>"},
    "DestinationType": {"Lambda"},
    "FilterName": {"${AWS::StackName}"},
    "QueueName": {
        f"<{name}.QueueName>"
        for name in ("MonitorFailureQueue", "EnforcerFailureQueue", "EnforcerEventQueue")
    },
    "TopicName": {"<PagesTopic.TopicName>"},
    "FunctionName": {f"<{each}Function>" for each in stack.FUNCTIONS},
}
"""Values of these dimensions, which are resources of the stack."""
SEARCH: Final = re.compile(
    r"SEARCH\('\{(\w+),(\w+),(\w+)\} MetricName=\"(\w+)\" (\w+)=\"([^\"]+)\"', '(\w+)', \d+\)"
)


def body(values: dict[str, str], *, sees_iam: bool) -> dict[str, Any]:
    """The dashboard as CloudFormation resolves it; attributes and references become names."""
    text, variables = DASHBOARD["DashboardBody"]["Fn::Sub"]
    condition, more, less = variables["DeliveryRoleAlarm"]["Fn::If"]
    assert condition == "SeesIam"
    alarm = more["Fn::Sub"] if sees_iam else less
    condition, of_sinks, none = variables["SinksAlarm"]["Fn::If"]
    assert (condition, none) == ("HasSinks", "")
    known = values | {
        name: re.sub(r"\$\{(.*?)\}", lambda found: values[found[1]], each)
        for name, each in (("DeliveryRoleAlarm", alarm), ("SinksAlarm", of_sinks["Fn::Sub"]))
    }
    filled = re.sub(r"\$\{(?!!)(.*?)\}", lambda found: known.get(found[1], f"<{found[1]}>"), text)
    resolved: dict[str, Any] = json.loads(filled.replace("${!", "${"))
    return resolved


def pseudo(partition: str = "aws", region: str = "eu-west-1") -> dict[str, str]:
    """The pseudo parameters of a deployment."""
    return {
        "AWS::Partition": partition,
        "AWS::Region": region,
        "AWS::AccountId": "111122223333",
        "AWS::StackName": "flow-warden",
    }


def raw() -> dict[str, Any]:
    """The dashboard with its references as they are written."""
    return body({name: f"${{{name}}}" for name in pseudo()}, sees_iam=True)


def rows() -> Iterator[list[Any]]:
    """The metrics of all graphs, as written."""
    for widget in raw()["widgets"]:
        yield from widget["properties"].get("metrics", [])


def parts(row: list[Any]) -> tuple[str, str, dict[str, str]]:
    """Namespace, metric and dimensions of a row."""
    namespace, metric, *rest = (each for each in row if not isinstance(each, dict))
    return namespace, metric, dict(zip(rest[::2], rest[1::2], strict=True))


def searches() -> list[str]:
    """The search expressions of all graphs."""
    return [row[0]["expression"] for row in rows() if isinstance(row[0], dict)]


@pytest.mark.parametrize(("partition", "region", "suffix"), PARTITIONS)
@pytest.mark.parametrize("sees_iam", [True, False])
def test_the_dashboard_is_json_with_arns_of_the_partition(
    partition: str, region: str, suffix: str, *, sees_iam: bool
) -> None:
    """Every graph has the Region of the stack."""
    assert suffix
    widgets = body(pseudo(partition, region), sees_iam=sees_iam)["widgets"]
    text = json.dumps(widgets)
    assert {each.split(":")[1] for each in re.findall(r"arn:[^\"]+", text)} == {partition}
    assert suffix not in text
    graphs = [each["properties"] for each in widgets if each["type"] == "metric"]
    assert {each["region"] for each in graphs} == {region}


def test_it_shows_the_status_of_every_alarm() -> None:
    """That of the delivery role's rule only where the rule exists."""
    for sees_iam in (True, False):
        (widget,) = [each for each in body(pseudo(), sees_iam=sees_iam)["widgets"] if each["type"] == "alarm"]
        shown = [
            each.partition(":alarm:")[2].replace("flow-warden/", "")
            for each in widget["properties"]["alarms"]
        ]
        conditional = {name for name, each in stack.RESOURCES.items() if each.get("Condition") == "SeesIam"}
        expected = [
            alarm["AlarmName"]["Fn::Sub"].partition("/")[2]
            for name, alarm in ALARMS.items()
            if sees_iam or name not in conditional
        ]
        assert sorted(shown) == sorted(expected)


def test_every_metric_of_aws_has_its_name_and_dimensions_and_is_of_the_stack() -> None:
    found = [parts(row) for row in rows() if isinstance(row[0], str) and row[0].startswith("AWS/")]
    assert {namespace for namespace, *_ in found} == set(OF_AWS)
    for namespace, metric, dimensions in found:
        names, keys = OF_AWS[namespace]
        assert metric in names
        assert tuple(dimensions) == keys
        assert all(value in VALUES[key] for key, value in dimensions.items())
    assert {name for names, _ in OF_AWS.values() for name in names} == {metric for _, metric, _ in found}


@pytest.mark.usefixtures("state_table")
def test_every_other_metric_is_emitted_under_exactly_this_name_and_these_dimensions(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The handlers run; what they print in CloudWatch's embedded metric format contains each row."""
    Harness().run(encode(document(BLOCKED)))
    count_one_of_each()
    example("pending").run()
    quiet = read(ROOT / "events" / "enforcer" / "sweep-no-change.json")
    run_of(quiet)(quiet["event"])
    printed = emitted(capsys.readouterr().out)
    shown = [parts(row) for row in rows() if row[0] == "FlowWarden"]
    wanted = {
        (namespace, metric, dimension_key({"service": service_of({"Fn::Sub": dimensions["service"]})}))
        for namespace, metric, dimensions in shown
    }
    assert len(wanted) > 20
    assert wanted <= printed
    (search,) = searches()
    match = SEARCH.fullmatch(search)
    assert match
    namespace, first, second, metric, key, value, _ = match.groups()
    assert first == key
    by_detector = {first: service_of({"Fn::Sub": value}), second: "blocked-connection"}
    assert (namespace, metric, dimension_key(by_detector)) in printed


def test_the_widgets_do_not_overlap_and_fill_the_width() -> None:
    """CloudWatch's grid has 24 columns."""
    cells = [
        (x, y)
        for each in raw()["widgets"]
        for x in range(each["x"], each["x"] + each["width"])
        for y in range(each["y"], each["y"] + each["height"])
    ]
    assert len(cells) == len(set(cells)) == 24 * (1 + max(y for _, y in cells))


def test_it_costs_nothing_unless_it_is_chosen() -> None:
    """The parameter is off by default, and the name contains the Region: all Regions share the names."""
    assert stack.PARAMETERS["Dashboard"]["Default"] == "no"
    assert stack.RESOURCES["StackDashboard"]["Condition"] == "ShowsDashboard"
    assert stack.TEMPLATE["Conditions"]["ShowsDashboard"] == {"Fn::Equals": [{"Ref": "Dashboard"}, "yes"]}
    assert DASHBOARD["DashboardName"] == {"Fn::Sub": "${AWS::StackName}-${AWS::Region}"}
