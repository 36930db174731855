"""The dispatcher's handler, each minute: sends what stayed pending and digests, resolves incidents.

Schedule → settings → wiring → service → result. The event says nothing: what is due is in the state table.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import cache
from typing import Any
from uuid import uuid4

from aws_lambda_powertools import Logger, Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from flowwarden.bootstrap.dispatcher import on_aws
from flowwarden.dispatcher.dispatch import Dispatcher
from flowwarden.dispatcher.report import DispatchReport
from flowwarden.https.webhook import Clock
from flowwarden.notify import refusals
from flowwarden.printable import as_json
from flowwarden.settings import DispatcherSettings
from flowwarden.unreadable import Notes, Unreadable

logger = Logger(service="dispatcher", json_serializer=as_json)
# The dimension contains the name of the stack, so that stacks do not mix their metrics.
SERVICE = os.environ.get("POWERTOOLS_SERVICE_NAME", "dispatcher")
metrics = Metrics(namespace="FlowWarden", service=SERVICE)

type Wiring = tuple[Dispatcher, Unreadable]
"""The service, and where its ports note what they cannot read."""
type Handler = Callable[[object, LambdaContext], dict[str, Any]]

METRICS = {
    "IncidentsDue": "due",
    "Resent": "resent",
    "OverBudget": "over_budget",
    "Resolved": "resolved",
    "DigestsSent": "digests",
    "IncidentsWithoutData": "without_data",
    "DispatchLeft": "left",
    "StateUnavailable": "state_unavailable",
}
"""CloudWatch metric → attribute of the report. All are emitted for each run that finds something due,
including zeros. An idle run emits none, because a metric costs money in each hour in which it has values."""


def wire() -> Wiring:
    """The service on AWS, as configured by the environment. Raises SettingsError."""
    return on_aws(
        DispatcherSettings.from_mapping(os.environ),
        Clock(monotonic=time.monotonic, wait=time.sleep, unix=time.time),
    )


def make_handler(wiring: Callable[[], Wiring], clock: Callable[[], float] = time.time) -> Handler:
    """The Lambda handler on the service that `wiring` creates at the first event and reuses while warm.

    The handler returns the counts of `METRICS`. It raises PublishFailed or StateUnavailable if something was
    not done, so that the run counts as an error. Lambda does not retry it: the next run does the rest.
    """
    wired = cache(wiring)

    @logger.inject_lambda_context(clear_state=True)
    def handle(_event: object, context: LambdaContext) -> dict[str, Any]:
        dispatcher, unreadable = wired()
        report = dispatcher.run(
            uuid4().hex, int(clock()), lambda: context.get_remaining_time_in_millis() / 1000
        )
        counts = {name: getattr(report, attribute) for name, attribute in METRICS.items()}
        notes = unreadable.take()
        report_refused(report)
        if report.due or report.digests or report.unsent or report.state_unavailable:
            count(counts)
            log(report, notes)
        elif notes.count:  # the only item that was due cannot be read
            log(report, notes)
        report.raise_if_incomplete()
        return counts

    typed: Handler = handle  # the decorator loses the type
    return typed


def count(counts: dict[str, int]) -> None:
    """Emit the metrics."""
    for name, value in counts.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
    metrics.flush_metrics()


def report_refused(report: DispatchReport) -> None:
    """Log what sinks refused, and count it for the alarm of all functions: an end once, and if given up."""
    for title in report.ends_refused_again:
        logger.info("notification of an end refused again", notification=title)
    counted = {
        refusals.FINAL: report.refused,
        refusals.END: report.ends_refused,
        refusals.GIVEN_UP: report.ends_given_up,
    }
    refusals.report(counted, SERVICE, logger.error, single_metric)


def log(report: DispatchReport, notes: Notes) -> None:
    """Log what a run did, and what it could not do."""
    if report.left:
        logger.warning("incidents left for the next run", incidents=report.left)
    if report.state_unavailable:
        logger.error("the state table did not answer", calls=report.state_unavailable)
    for title in report.held:
        logger.info("held: the budget for pages is spent", notification=title)
    for title in report.moved:
        logger.warning("its topic is not configured any more: sent to the current one", notification=title)
    for title in report.unreported:
        logger.info("resolved, and not sent: its topic is not configured any more", incident=title)
    for title in report.unsent:
        logger.error("notification not sent; the next run tries again", notification=title)
    for note in notes.named:
        logger.warning("ignored an invalid part of a state table item", what=note)
    logger.info(
        "run done", due=report.due, resent=report.resent, resolved=report.resolved, digests=report.digests
    )


handler = make_handler(wire)
