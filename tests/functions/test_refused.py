"""What a sink refuses is logged and counted in the same way by each function, as the runbook expects."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from aws_lambda_powertools import Logger

import dispatcher
import enforcer
import monitor
from flowwarden.dispatcher.report import DispatchReport
from flowwarden.notify.delivery import DeliveryReport
from tests.functions.captured import captured

RUNBOOK = Path(__file__).parents[2] / "docs" / "runbooks" / "alarms" / "notifications-refused.md"
REFUSED = ("a scan: Slack answered with status 404", "a scan: PagerDuty answered with status 400")


WAYS: dict[str, tuple[Logger, Callable[[], None]]] = {
    "monitor": (monitor.logger, lambda: monitor.report_refused(REFUSED)),
    "enforcer": (enforcer.logger, lambda: enforcer.log_delivery(DeliveryReport(refused=REFUSED))),
    "dispatcher": (
        dispatcher.logger,
        lambda: dispatcher.report_refused(DispatchReport(refused=REFUSED)),
    ),
    "dispatcher, ends": (
        dispatcher.logger,
        lambda: dispatcher.report_refused(
            DispatchReport(ends_refused=REFUSED[:1], ends_refused_again=("b",), ends_given_up=REFUSED[1:])
        ),
    ),
}


@pytest.mark.parametrize("function", WAYS)
def test_each_refusal_is_a_line_that_the_query_of_the_runbook_finds(function: str) -> None:
    """One for each notification, and one metric of all functions."""
    logger, report = WAYS[function]
    with captured(logger, metrics=True) as stream:
        report()
    lines = [json.loads(each) for each in stream.getvalue().splitlines()]
    runbook = RUNBOOK.read_text()
    found = [each for each in lines if f'"{each.get("message")}"' in runbook]
    assert [each["notification"] for each in found] == [*REFUSED]
    (metric,) = [each for each in lines if "NotificationsRefused" in each]
    assert metric["NotificationsRefused"] == [2]
    assert metric["service"] == "sinks"
