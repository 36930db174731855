"""How much log groups receive, on a stub: moto has no such metrics. None was seen on a live account."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from flowwarden.aws.log_volumes import DAY, DAYS, QUERIES, LogVolumes
from flowwarden.errors import CallRefused
from tests.aws.clients import client

NOW = 1_793_611_800
MIDNIGHT = NOW // DAY * DAY


def result(number: int, *values: float) -> dict[str, Any]:
    """The values of a query."""
    return {"Id": f"q{number}", "Values": list(values), "StatusCode": "Complete"}


def measured(groups: list[str], *pages: dict[str, Any]) -> dict[str, float]:
    """The volumes according to these pages."""
    metrics = client("cloudwatch")
    with Stubber(metrics) as stub:
        for each in pages:
            stub.add_response("get_metric_data", each)
        found = LogVolumes(lambda: metrics).daily_bytes(groups, NOW)
        stub.assert_no_pending_responses()
    return found


def test_the_volume_is_the_average_of_the_days_with_data() -> None:
    """Over several pages; a group without data, or that was not asked for, is left out."""
    page = {"MetricDataResults": [result(0, 100, 300), result(1), result(9, 1)]}
    assert measured(["/a", "/b"], page) == {"/a": 200}


def test_complete_days_of_the_bytes_received_are_asked_for() -> None:
    """One query for each group."""
    metrics = client("cloudwatch")
    dimensions = [{"Name": "LogGroupName", "Value": "/a"}]
    metric = {"Namespace": "AWS/Logs", "MetricName": "IncomingBytes", "Dimensions": dimensions}
    asked = {
        "MetricDataQueries": [{"Id": "q0", "MetricStat": {"Metric": metric, "Period": DAY, "Stat": "Sum"}}],
        "StartTime": datetime.fromtimestamp(MIDNIGHT - DAYS * DAY, UTC),
        "EndTime": datetime.fromtimestamp(MIDNIGHT, UTC),
    }
    with Stubber(metrics) as stub:
        stub.add_response("get_metric_data", {"MetricDataResults": []}, asked)
        assert LogVolumes(lambda: metrics).daily_bytes(["/a"], NOW) == {}


def test_five_hundred_groups_are_one_call() -> None:
    """The next ones are another call."""
    groups = [f"/{number}" for number in range(QUERIES + 1)]
    first, second = ({"MetricDataResults": [result(0, 8)]} for _ in range(2))
    assert measured(groups, first, second) == {"/0": 8, f"/{QUERIES}": 8}


def test_without_groups_no_client_is_made() -> None:
    """A sweep that reports no cost makes no call."""
    assert LogVolumes(lambda: pytest.fail("made")).daily_bytes([], NOW) == {}


def test_a_refused_call_raises_its_error() -> None:
    """The caller then keeps the estimate."""
    metrics = client("cloudwatch")
    with Stubber(metrics) as stub:
        stub.add_client_error("get_metric_data", "AccessDenied", expected_params={
            "MetricDataQueries": ANY, "StartTime": ANY, "EndTime": ANY,
        })  # fmt: skip
        with pytest.raises(CallRefused):
            LogVolumes(lambda: metrics).daily_bytes(["/a"], NOW)
