"""The monitor's handler: reads a CloudWatch Logs subscription event, and sends notifications.

Event → settings → wiring → service → result. The logic is in the package `flowwarden`.
"""

# ruff: noqa: E402 - the next lines must run before the other imports

from __future__ import annotations

import gc

gc.disable()  # imported objects are never freed; scanning them repeatedly takes a tenth of a cold start

import sys
from types import ModuleType

for _docstrings in ("numpy._core._add_newdocs", "numpy._core._add_newdocs_scalars"):
    # These modules only add docstrings to compiled functions and types, which takes another tenth.
    sys.modules.setdefault(_docstrings, ModuleType(_docstrings))

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any
from uuid import uuid4

from aws_lambda_powertools import Logger, Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from flowwarden.bootstrap.monitor import on_aws
from flowwarden.errors import NotASubscriptionEvent
from flowwarden.https.webhook import Clock
from flowwarden.monitor.pipeline import Invocation, MonitoringService
from flowwarden.monitor.render.text import describe
from flowwarden.monitor.report import BatchReport, route_of
from flowwarden.notify import refusals
from flowwarden.policy.log_groups import is_of_function
from flowwarden.printable import as_json, one_line
from flowwarden.records.subscription import ControlMessage, LogBatch, decode
from flowwarden.settings import MonitorSettings

NAMESPACE = "FlowWarden"
SERVICE = os.environ.get("POWERTOOLS_SERVICE_NAME", "monitor")
"""The dimension of all metrics. It contains the name of the stack, so that stacks do not mix theirs."""
logger = Logger(service="monitor", json_serializer=as_json)
metrics = Metrics(namespace=NAMESPACE, service=SERVICE)

type Wiring = tuple[MonitorSettings, MonitoringService]
type Handler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]

LOGGED = 100
"""Maximum number of findings of a batch that are logged individually; the others are only counted. A batch
may have thousands, and each log line costs money."""

METRICS = {
    "Flows": "flows",
    "NoData": "no_data",
    "SkipData": "skip_data",
    "Malformed": "malformed",
    "NotInspected": "not_inspected",
    "Findings": "findings",
    "FindingsSummedUp": "findings_summed_up",
    "DigestRows": "digest_rows",
    "Notifications": "notifications",
    "Suppressed": "suppressed",
    "OverBudget": "over_budget",
    "Muted": "muted",
    "Inhibited": "inhibited",
    "InternetRejects": "internet_rejects",
    "StateUnavailable": "state_unavailable",
    "UnparsedBatches": "unparsed_batches",
    "LogFormatsUnavailable": "log_formats_unavailable",
    "HostHistoryUnavailable": "host_history_unavailable",
    "InterfacesUnavailable": "interfaces_unavailable",
    "PolicyInvalid": "policy_invalid",
    "Deferred": "deferred",
    "StateUnreadable": "state_unreadable",
    "DescriptionsUnreadable": "descriptions_unreadable",
}
"""CloudWatch metric → attribute of the result. Those that are not zero are emitted for each batch: most are
zero in most batches, and the log that contains them costs more than all else."""
ALWAYS = frozenset({"Flows"})
"""Metrics that are emitted as zero, too: batches without flows are not the same as no batches."""

DELAY = "Delay"
"""Seconds from the end of the newest window to its processing; not emitted if no record shows it."""
BY_DETECTOR = "Findings"
"""The metric of this name also has values with the dimension `detector`."""


def wire() -> Wiring:
    """The service on AWS, as configured by the environment.

    Raises:
        ConfigurationError: a setting or the log format is not valid.
    """
    settings = MonitorSettings.from_mapping(os.environ)
    return settings, on_aws(
        settings, logger.warning, Clock(monotonic=time.monotonic, wait=time.sleep, unix=time.time)
    )


def make_handler(wiring: Callable[[], Wiring], clock: Callable[[], float] = time.time) -> Handler:
    """The Lambda handler on the service that `wiring` creates at the first event and reuses while warm.

    The handler returns the counts of `METRICS`. If it raises PayloadError, ConfigurationError or
    PublishFailed, Lambda retries the batch and then sends it to the failure queue.
    """
    wired = cache(wiring)

    @logger.inject_lambda_context(clear_state=True)
    @metrics.log_metrics
    def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        metrics.add_metric(name="Batches", unit=MetricUnit.Count, value=1)
        settings, service = wired()
        batch = decode(subscription_data(event), settings.max_inflated_mib * 1024 * 1024)
        if isinstance(batch, ControlMessage):
            logger.info("control message: CloudWatch Logs checks the destination")
            return {"control": True}
        if batch.log_group == settings.aws_lambda_log_group_name or is_of_function(batch.log_group):
            logger.warning("batch skipped to avoid a loop: it comes from the log group of a function")
            return {"skipped": batch.log_group}
        logger.append_keys(log_group=batch.log_group, log_stream=batch.log_stream, batch=batch.batch_id)
        invocation = Invocation(uuid4().hex, lambda: context.get_remaining_time_in_millis() / 1000)
        with collector_paused():
            result = service.process(batch, invocation, int(clock()))
        report(batch, result)
        result.raise_if_unsent()
        return {name: getattr(result, attribute) for name, attribute in METRICS.items()}

    typed: Handler = handle  # the decorators lose the type
    return typed


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause garbage collection: a batch creates many objects but no cycles, so scanning only costs time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def subscription_data(event: dict[str, Any]) -> str:
    """The encoded payload of a subscription event.

    Raises:
        NotASubscriptionEvent: the event has no payload.
    """
    try:
        data = event["awslogs"]["data"]
    except (KeyError, TypeError) as error:
        raise NotASubscriptionEvent(
            "the event has no awslogs.data; the monitor expects events of a CloudWatch Logs subscription "
            "filter (for local tests, make invoke encodes a readable event)"
        ) from error
    if not isinstance(data, str):
        raise NotASubscriptionEvent(f"awslogs.data is {type(data).__name__}, not base64 text")
    return data


def report(batch: LogBatch, result: BatchReport) -> None:
    """Emit the metrics and log lines of a batch."""
    count(result)
    for line, reason in result.malformed_samples:
        logger.warning("malformed line", line=line, reason=reason)
    for finding in result.reported[:LOGGED]:
        logger.info(
            describe(finding).summary,
            detector=finding.detector,
            route=route_of(finding).value,
            muted=one_line(finding.muted),
            inhibited_by=finding.inhibited,
            report_only=finding.report_only,
        )
    if len(result.reported) > LOGGED:
        counts = Counter(finding.detector for finding in result.reported[LOGGED:])
        logger.info("more findings that do not page, not listed", more=counts)
    log_some("suppressed: already sent, or another batch is sending it", result.delivery.suppressed)
    log_some("held: the budget for pages is spent", result.delivery.held)
    report_refused(result.delivery.refused)
    log_some("part of a roll-up", result.delivery.rolled_up)
    for summary in result.delivery.unsent:
        logger.error("notification not sent; the batch will be retried", notification=summary)
    for reason in result.reports_unsent:
        logger.error("report on learning not sent; a later batch sends it", notification=reason)
    if result.unparsed_batches:
        logger.error("too many lines cannot be parsed and are not inspected", malformed=result.malformed)
    if result.policy_invalid:
        logger.error("the policy cannot be used: the last good one or the default is used")
    if result.state_unavailable:
        logger.error(
            "the state table did not answer: pages may repeat, and host history is not used",
            calls=result.state_unavailable,
        )
    warn_of_unreadable(result)
    logger.info("batch done", events=len(batch.lines), incidents=result.delivery.sent)


def count(result: BatchReport) -> None:
    """Emit the metrics; those by detector only for detectors that found something, since each costs money."""
    for name, attribute in METRICS.items():
        if (value := getattr(result, attribute)) or name in ALWAYS:
            metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
    if result.delay is not None:
        metrics.add_metric(name=DELAY, unit=MetricUnit.Seconds, value=result.delay)
    for detector, found in sorted(result.findings_by_detector.items()):
        with single_metric(
            name=BY_DETECTOR,
            unit=MetricUnit.Count,
            value=found,
            namespace=NAMESPACE,
            default_dimensions={"service": SERVICE},
        ) as metric:
            metric.add_dimension(name="detector", value=detector)


def report_refused(refused: Sequence[str]) -> None:
    """Log what sinks refused, and count it for the alarm of all functions."""
    refusals.report({refusals.FINAL: refused}, SERVICE, logger.error, single_metric)


def warn_of_unreadable(result: BatchReport) -> None:
    """Log the parts of items and of EC2's responses that could not be read, each once per container."""
    for note in result.unreadable_items.named:
        logger.warning("ignored an invalid part of a state table item", what=note)
    for note in result.unreadable_answers.named:
        logger.warning("ignored an invalid part of an EC2 response", what=note)


def log_some(message: str, summaries: Sequence[str]) -> None:
    """Log the first summaries individually, and the number of the others in one line."""
    for summary in summaries[:LOGGED]:
        logger.info(message, notification=summary)
    if len(summaries) > LOGGED:
        logger.info(message, more=len(summaries) - LOGGED)


handler = make_handler(wire)

gc.freeze()
gc.enable()
