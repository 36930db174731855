"""How many bytes log groups receive, from CloudWatch's metrics: implements `ports.LogVolumes`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import Any, Final

from flowwarden.aws.answers import Answer, listed
from flowwarden.aws.errors import classified
from flowwarden.aws.pages import bounded

ACTIONS = ("cloudwatch:GetMetricData",)
"""The IAM actions that this file needs."""

DAYS: Final = 7
"""Complete days that are averaged: a week has quiet days."""
DAY: Final = 86_400
QUERIES: Final = 500
"""Metrics in a call (CloudWatch API reference, GetMetricData)."""


class LogVolumes:
    """The log groups of the client's account and region."""

    def __init__(self, make: Callable[[], Any]) -> None:
        """Create no client yet: only a sweep that reports a cost needs it."""
        self._make = make

    def daily_bytes(self, groups: Sequence[str], now: int) -> dict[str, float]:
        """See the port. Averages `AWS/Logs IncomingBytes` over the days on which it has a value."""
        until = datetime.fromtimestamp(now // DAY * DAY, UTC)
        found: dict[str, float] = {}
        client: Any = self._make() if groups else None
        for some in batched(groups, QUERIES, strict=False):
            by_id = {f"q{number}": group for number, group in enumerate(some)}
            asked = [_query(name, group) for name, group in by_id.items()]
            with classified("GetMetricData"):
                pages = client.get_paginator("get_metric_data").paginate(
                    MetricDataQueries=asked, StartTime=until - timedelta(days=DAYS), EndTime=until
                )
                results = [
                    Answer(each)
                    for page in bounded(pages)
                    for each in listed("GetMetricData", page, "MetricDataResults")
                ]
            for each in results:
                values = _numbers(each.value("Values") if "Values" in each else ())
                if values and each.text("Id") in by_id:
                    found[by_id[each.text("Id")]] = sum(values) / len(values)
        return found


def _query(name: str, group: str) -> dict[str, Any]:
    dimensions = [{"Name": "LogGroupName", "Value": group}]
    metric = {"Namespace": "AWS/Logs", "MetricName": "IncomingBytes", "Dimensions": dimensions}
    return {"Id": name, "MetricStat": {"Metric": metric, "Period": DAY, "Stat": "Sum"}}


def _numbers(values: object) -> list[float]:
    listed_values = values if isinstance(values, list) else []
    return [float(each) for each in listed_values if isinstance(each, int | float) and each >= 0]
