"""The tables in `docs/parameters.md` match the template. A failing test prints the table to paste."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from local.docs_runbook_alarms import BELOW, HOUR
from tests.template import stack

DOC = stack.PROJECT / "docs" / "parameters.md"


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines)


def parameters() -> str:
    """The parameters, in the template's order."""
    return table(
        ("Parameter", "Default", "Description", "Allowed"),
        (
            (f"`{name}`", _default(name), each["Description"], each["ConstraintDescription"])
            for name, each in stack.PARAMETERS.items()
        ),
    )


def _default(name: str) -> str:
    if name == "LogFormat":
        return "28 fields, see `template.yaml`"
    default = str(stack.PARAMETERS[name]["Default"])
    return f"`{default}`" if default else "empty"


def outputs() -> str:
    """The outputs, in the template's order."""
    return table(
        ("Output", "Description"),
        ((f"`{name}`", each["Description"]) for name, each in stack.OUTPUTS.items()),
    )


def alarms() -> str:
    """The alarms, in the template's order."""
    return table(
        ("Alarm", "Metric", "Threshold", "Description"),
        (
            (
                _linked(alarm["AlarmName"]["Fn::Sub"].removeprefix("${AWS::StackName}/")),
                f"`{alarm['Namespace']}` {alarm['MetricName']}",
                _threshold(alarm),
                alarm["AlarmDescription"]["Fn::Sub"].partition(" Runbook: ")[0],
            )
            for alarm in stack.of_type("AWS::CloudWatch::Alarm").values()
        ),
    )


def _linked(name: str) -> str:
    return f"[`<stack>/{name}`](runbooks/alarms/{name}.md)"


def _threshold(alarm: stack.Node) -> str:
    number, of, minutes = alarm["Threshold"], alarm["EvaluationPeriods"], alarm["Period"] // 60
    level = f"{number // 60_000} minutes" if alarm["MetricName"] == "AsyncEventAge" else str(number)
    if alarm["ComparisonOperator"] == BELOW:
        level = f"less than {number}"
    if of == 1:
        return level
    length = "1 hour" if minutes == HOUR else f"{minutes} minutes"
    return f"{level}, in {alarm['DatapointsToAlarm']} of {of} periods of {length}"


@pytest.mark.parametrize(
    "expected", [parameters(), outputs(), alarms()], ids=["parameters", "outputs", "alarms"]
)
def test_the_table_in_the_docs_matches_the_template(expected: str) -> None:
    assert expected in DOC.read_text(), f"paste this into {DOC.relative_to(stack.PROJECT)}:\n\n{expected}\n"


def test_the_default_log_format_has_as_many_fields_as_the_docs_state() -> None:
    assert stack.PARAMETERS["LogFormat"]["Default"].count("${") == 28
