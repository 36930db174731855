"""The runbook of each alarm, from the template and what is written by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from local.docs_detectors import wrapped
from local.docs_runbook_page import FOLDER, SHELL, STACK, Written, sections, table
from tests.template import stack

ALARMS: Final = FOLDER / "alarms"
VALUES: Final = {
    "FunctionName": "$(resource {})",
    "RuleName": "$(resource {})",
    "QueueName": '$(basename "$(resource {})")',  # the physical id of a queue is its URL
    "TopicName": "$(resource {} | cut -d: -f6)",  # that of a topic is its ARN
    "LogGroupName": "$(resource {})",
}
"""How a command gets the value of a dimension that is a resource of the stack."""
SILENCE: Final = """\
During planned work, stop its notifications, and start them again afterward:

```sh
aws cloudwatch disable-alarm-actions --alarm-names {name}
aws cloudwatch enable-alarm-actions --alarm-names {name}
```"""
LOUD: Final = """\
Do not silence this alarm: what it reports is lost for good, and it ends by itself when the cause is gone."""
HOUR: Final = 60
"""Minutes."""
BELOW: Final = "LessThanThreshold"
"""How an alarm compares if it reports that a function does not run."""
LOST: Final = "InvocationsFailedToBeSentToDlq", "DestinationDeliveryFailures", "NumberOfNotificationsFailed"
"""Metrics that count what is lost: their alarms are not silenced."""


def name_of(alarm: stack.Node) -> str:
    """The name of an alarm, without that of the stack."""
    name: str = alarm["AlarmName"]["Fn::Sub"].partition("/")[2]
    return name


def description_of(alarm: stack.Node) -> str:
    """What an alarm says, without the address of its runbook."""
    text: str = alarm["AlarmDescription"]["Fn::Sub"].partition(" Runbook: ")[0]
    return text


def alarms() -> list[stack.Node]:
    """All alarms of the template, in its order."""
    return [*stack.of_type("AWS::CloudWatch::Alarm").values()]


def pages() -> Iterator[tuple[Path, str]]:
    """Every runbook of an alarm."""
    for alarm in alarms():
        path = ALARMS / f"{name_of(alarm)}.md"
        yield path, _page(alarm, path)


def _page(alarm: stack.Node, path: Path) -> str:
    written, name = Written.of(path), name_of(alarm)
    full = f"{STACK}/{name}"
    silence = LOUD if alarm["MetricName"] in LOST else SILENCE.format(name=full)
    text = sections(
        f"Runbook: alarm `{name}`",
        wrapped(description_of(alarm)),
        table(_facts(alarm)),
        {
            "What it means": (written.block("meaning"),),
            "How to check": (SHELL, _history(alarm, full), written.block("check")),
            "What to do": (written.block("do"),),
            "How to silence": (silence,),
        },
    )
    written.check(path)
    return text


def _facts(alarm: stack.Node) -> Iterator[tuple[str, str]]:
    periods, minutes = alarm["EvaluationPeriods"], alarm["Period"] // 60
    some = f"{alarm.get('DatapointsToAlarm', 1)} of {periods} periods" if periods > 1 else "a period"
    length = "1 hour" if minutes == HOUR else f"{minutes} minutes"
    yield "Metric", f"`{alarm['Namespace']}` `{alarm['MetricName']}`, {alarm['Statistic'].lower()}"
    yield "Threshold", f"{threshold(alarm)} in {some} of {length}"
    yield "Notifies", "the operations topic, when it begins and when it ends"


def threshold(alarm: stack.Node) -> str:
    """The threshold; ages are in milliseconds in the template."""
    number = alarm["Threshold"]
    if alarm["ComparisonOperator"] == BELOW:
        return f"less than {number}"
    return f"{number // 60_000} minutes" if alarm["MetricName"] == "AsyncEventAge" else f"{number} or more"


def _history(alarm: stack.Node, full: str) -> str:
    """Commands that show since when the alarm has been on, and the metric."""
    dimensions = " ".join(f'"Name={each["Name"]},Value={_value(each)}"' for each in alarm["Dimensions"])
    return f"""\
```sh
# When it began and ended, and the metric of the last three hours
aws cloudwatch describe-alarm-history --alarm-name {full} --history-item-type StateUpdate \\
  --max-items 5 --query 'AlarmHistoryItems[].[Timestamp,HistorySummary]' --output text
aws cloudwatch get-metric-statistics --namespace {alarm["Namespace"]} --metric-name {alarm["MetricName"]} \\
  --dimensions {dimensions} \\
  --start-time "$(date -u -d '3 hours ago' +%FT%TZ)" --end-time "$(date -u +%FT%TZ)" \\
  --period 300 --statistics {alarm["Statistic"]} --query 'sort_by(Datapoints,&Timestamp)' --output table
```"""


def _value(dimension: dict[str, Any]) -> str:
    value = dimension["Value"]
    if isinstance(value, str):
        return value
    if value == {"Ref": "AWS::StackName"}:
        return STACK
    if "Fn::Sub" in value:
        return str(value["Fn::Sub"]).replace("${AWS::StackName}", STACK)
    (reference,) = value.values()
    resource = reference if isinstance(reference, str) else reference[0]
    return VALUES[dimension["Name"]].format(resource)
