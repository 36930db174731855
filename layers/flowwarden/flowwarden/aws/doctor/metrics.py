"""Sums of metrics, and alarms, as CloudWatch describes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import batched
from typing import Any, Final

from msgspec import Struct

from flowwarden.aws.answers import Answer, Malformed
from flowwarden.aws.doctor.reading import fact, items
from flowwarden.doctor.fact import Fact, Unread
from flowwarden.doctor.facts import Alarm

CALLER_ACTIONS: Final = ("cloudwatch:GetMetricData", "cloudwatch:DescribeAlarms")
"""The IAM actions that the credentials of the caller need for this file."""
PERIOD: Final = 300
QUERIES_PER_CALL: Final = 500
"""CloudWatch's limit."""
MOST: Final = 2**53
"""Larger values, and those that are no number, are not counts."""
_COMPLETE: Final = frozenset({"", "Complete"})


class Metric(Struct, frozen=True, kw_only=True):
    """One metric, to be summed over a window that ends now."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    seconds: int
    """The length of the window."""


class MetricReader:
    """Metrics and alarms of the client's account and Region."""

    def __init__(self, client: Any, now: int) -> None:  # noqa: ANN401 - the environment has no stubs of CloudWatch
        self._client = client
        self._now = now

    def sums(self, metrics: Sequence[Metric]) -> dict[Metric, Fact[int]]:
        """The sum of each metric; 0 if it has no data. Costs a call for 500 metrics."""
        found: dict[Metric, Fact[int]] = {}
        for some in batched(metrics, QUERIES_PER_CALL, strict=False):
            answer = fact("GetMetricData", lambda asked=some: self._sums(asked))  # type: ignore[misc]  # bound early
            found |= dict.fromkeys(some, answer) if answer is None or isinstance(answer, Unread) else answer
        return found

    def _sums(self, metrics: Sequence[Metric]) -> dict[Metric, Fact[int]]:
        longest = max(each.seconds for each in metrics)
        pages = self._client.get_paginator("get_metric_data").paginate(
            StartTime=datetime.fromtimestamp(self._now - longest, UTC),
            EndTime=datetime.fromtimestamp(self._now + PERIOD, UTC),
            MetricDataQueries=[_query(f"m{number}", each) for number, each in enumerate(metrics)],
        )
        by_id: dict[str, list[Answer]] = {}
        for each in items(pages, "MetricDataResults"):
            by_id.setdefault(each.text("Id"), []).append(each)
        return {each: self._sum(each, by_id.get(f"m{number}")) for number, each in enumerate(metrics)}

    def _sum(self, metric: Metric, parts: list[Answer] | None) -> Fact[int]:
        if not parts or any(each.text("StatusCode") not in {*_COMPLETE, "PartialData"} for each in parts):
            return Unread(f"GetMetricData: CloudWatch did not return {metric.name}")
        since = self._now - metric.seconds - PERIOD
        return sum(round(value) for part in parts for at, value in _points(part) if at >= since)

    def alarms(self, prefix: str) -> Fact[dict[str, Alarm]]:
        """The alarms whose names begin with a prefix, by name."""
        return fact("DescribeAlarms", lambda: self._alarms(prefix))

    def _alarms(self, prefix: str) -> dict[str, Alarm]:
        pages = self._client.get_paginator("describe_alarms").paginate(AlarmNamePrefix=prefix)
        return {
            each.text("AlarmName"): Alarm(
                state=each.text("StateValue"),
                reason=each.text("StateReason"),
                notifies=each.truth("ActionsEnabled") is not False and bool(each.texts("AlarmActions")),
            )
            for each in items(pages, "MetricAlarms")
        }


def _query(query_id: str, metric: Metric) -> Mapping[str, Any]:
    dimensions = [{"Name": name, "Value": value} for name, value in metric.dimensions]
    named = {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions}
    return {"Id": query_id, "MetricStat": {"Metric": named, "Period": PERIOD, "Stat": "Sum"}}


def _points(part: Answer) -> list[tuple[int, float]]:
    """The values with their times; those that are no numbers or have no time are left out."""
    times, values = part.value("Timestamps"), part.value("Values")
    if not isinstance(times, list) or not isinstance(values, list):
        raise Malformed("a metric has no values")
    return [
        (int(at.timestamp()), value)
        for at, value in zip(times, values, strict=False)
        if isinstance(at, datetime) and isinstance(value, int | float) and abs(value) < MOST
    ]
