"""The enforcer's edge: event → trigger → service → log, metrics, operations topic → result.

What is read from the environment and the clock is read here, and nowhere further in.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.data_classes import EventBridgeEvent
from aws_lambda_powertools.utilities.typing import LambdaContext

from flowwarden.aws.clients import make_client
from flowwarden.aws.ec2 import Ec2FlowLogs
from flowwarden.aws.sns import TopicSink
from flowwarden.compliance import triggers
from flowwarden.compliance.desired import DesiredFlowLog, managed_tags
from flowwarden.compliance.report import EnforcementReport, Result
from flowwarden.ports import FlowLogService, Sink
from flowwarden.services.enforcing import EnforcingService
from flowwarden.settings import EnforcerSettings

type Handler = Callable[[object, LambdaContext], dict[str, Any]]

EC2_ATTEMPTS = 5
"""Backs off for at most 15 s a call. botocore's retry quota ends all retries after some 25 calls that are
throttled throughout, so that even such a sweep ends, and reports, within the function's 300 s as a rule."""

logger = Logger(service="enforcer")
metrics = Metrics(service="enforcer", namespace="FlowWarden")


def build(settings: EnforcerSettings, flow_logs: FlowLogService, reports: Sink) -> EnforcingService:
    """The service that the settings describe, on the given ports."""
    desired = DesiredFlowLog(
        log_group_name=settings.flow_log_group_name,
        delivery_role_arn=settings.delivery_role_arn,
        log_format=settings.log_format,
        tags=managed_tags(settings.stack_name),
    )
    return EnforcingService(
        flow_logs, reports, desired, account_id=settings.account_id, region=settings.aws_region
    )


def wire() -> EnforcingService:
    """The service on AWS, as the environment says. Raises SettingsError."""
    settings = EnforcerSettings.from_mapping(os.environ)
    region = settings.aws_region
    return build(
        settings,
        Ec2FlowLogs(make_client("ec2", region, attempts=EC2_ATTEMPTS)),
        TopicSink(make_client("sns", region), settings.operations_topic_arn),
    )


def make_handler(wired: Callable[[], EnforcingService], clock: Callable[[], float] = time.time) -> Handler:
    """A Lambda handler on the service that `wired` makes at the first event and keeps while warm.

    The handler returns `summarize`'s summary. It raises EnforcementIncomplete and PublishFailed, on which
    Lambda retries the event and then puts it into the failure queue.
    """
    service = cache(wired)

    @logger.inject_lambda_context(correlation_id_path=correlation_paths.EVENT_BRIDGE, clear_state=True)
    @metrics.log_metrics
    def handle(event: object, _context: LambdaContext) -> dict[str, Any]:
        # Anybody may invoke a function by hand with any JSON.
        known = EventBridgeEvent(event) if isinstance(event, dict) else event
        trigger = triggers.read(known, service().region)
        report = service().enforce(trigger, int(clock()))
        log(report)
        count(report)
        service().tell(report)
        return summarize(report)

    return handle


def log(report: EnforcementReport) -> None:
    """Log every VPC that is not simply covered, then the run as a whole."""
    for each in report.outcomes:
        if each.result is not Result.COVERED:
            write = logger.error if each in report.failures else logger.info
            write(each.reason, result=each.result, vpc=each.vpc_id, flow_log=each.flow_log_id)
    origin = report.trigger.origin
    logger.info(
        report.trigger.reason,
        scope=report.trigger.scope,
        cause=origin.event_name if origin else None,
        actor=origin.actor if origin else None,
        source_ip=origin.source_ip if origin else None,
        counts=count_results(report),
    )


def count(report: EnforcementReport) -> None:
    """Put the run into metrics; zeros too, so that an alarm can tell silence from peace."""
    numbers = {
        "FlowLogsCreated": len(report.made),
        "VpcsCovered": len(report.of(Result.COVERED)) + len(report.created) - len(report.made),
        "VpcsSkipped": len(report.of(Result.SKIPPED)),
        "EnforcementFailures": len(report.failures),
    }
    for name, number in numbers.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=number)


def count_results(report: EnforcementReport) -> dict[str, int]:
    """How many VPCs ended how."""
    return {result.lower(): len(report.of(result)) for result in Result}


def summarize(report: EnforcementReport) -> dict[str, Any]:
    """What the function answers: scope, reason, and the VPCs by how it ended for them."""
    named: Mapping[str, list[str]] = {
        result.lower(): [each.vpc_id or "unknown" for each in report.of(result)] for result in Result
    }
    return {"scope": report.trigger.scope.lower(), "reason": report.trigger.reason, **named}


handler = make_handler(wire)
