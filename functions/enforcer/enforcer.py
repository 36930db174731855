"""The enforcer's handler: event → trigger → service → log, metrics, operations topic → result.

Only this module reads the environment and the clock.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import uuid4

from aws_lambda_powertools import Logger, Metrics, single_metric
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.data_classes import EventBridgeEvent
from aws_lambda_powertools.utilities.typing import LambdaContext

from flowwarden.bootstrap.enforcer import build, more_sinks_on_aws, on_aws, policy_recorder_on_aws
from flowwarden.enforcer.reconcile import Enforcer
from flowwarden.enforcer.reporting import plan_output
from flowwarden.enforcer.reporting.report import EnforcementReport, Result
from flowwarden.enforcer.triggers import trigger
from flowwarden.enforcer.triggers.rule_changes import changes_of
from flowwarden.notify import refusals
from flowwarden.notify.delivery import DeliveryReport
from flowwarden.policy.last_good import PolicyInUse
from flowwarden.printable import as_json, safe
from flowwarden.settings import EnforcerSettings
from flowwarden.state.rule_changes import RuleChange
from flowwarden.unreadable import Notes

type Handler = Callable[[object, LambdaContext], dict[str, Any]]

EC2_ATTEMPTS = 5
"""Attempts per call of EC2, with a total backoff of at most 15 s. After that, the service itself waits while
time remains."""

logger = Logger(service="enforcer", json_serializer=as_json)
# The dimension contains the name of the stack, so that stacks do not mix their metrics.
SERVICE = os.environ.get("POWERTOOLS_SERVICE_NAME", "enforcer")
metrics = Metrics(namespace="FlowWarden", service=SERVICE)


class Clock:
    """The remaining time of the current invocation, as a `RunClock`."""

    def __init__(self) -> None:
        self.context: LambdaContext | None = None

    def remaining(self) -> float:
        """Seconds until Lambda ends the function."""
        return 0 if self.context is None else self.context.get_remaining_time_in_millis() / 1000

    def wait(self, seconds: float) -> None:
        """Sleep for some seconds."""
        time.sleep(seconds)


def wire(clock: Clock) -> Enforcer:
    """The service on AWS, configured by the environment. Raises SettingsError."""
    settings = EnforcerSettings.from_mapping(os.environ)
    more = more_sinks_on_aws(settings, clock, time.time)
    ports = on_aws(settings, clock, ec2_attempts=EC2_ATTEMPTS, more_sinks=more)
    return build(settings, ports, policy_recorder=policy_recorder_on_aws(settings, ports.unreadable_items))


def make_handler(wired: Callable[[Clock], Enforcer], now: Callable[[], float] = time.time) -> Handler:
    """A Lambda handler on the service that `wired` creates at the first event and reuses while warm.

    The handler returns the result of `summarize`. If it raises EnforcementIncomplete or PublishFailed, Lambda
    retries the event and then sends it to the failure queue.
    """
    clock = Clock()
    service = rewired(lambda: wired(clock))

    @metrics.log_metrics  # it warns of an invocation without metrics, such as one that stores a change
    def run(event: object, _context: LambdaContext) -> dict[str, Any]:
        enforcer = service(int(now()))
        report = enforcer.reconcile(trigger.read(event, enforcer.stack), int(now()))
        log(report)
        count(report)
        report_policy(enforcer.policy_in_use)
        delivery = enforcer.notify(report, uuid4().hex, int(now()))
        report_late_notes(enforcer.take_notes())
        log_delivery(delivery)
        delivery.raise_if_unsent()
        report.raise_if_incomplete()
        return summarize(report)

    @logger.inject_lambda_context(correlation_id_path=correlation_paths.EVENT_BRIDGE, clear_state=True)
    def handle(event: object, context: LambdaContext) -> dict[str, Any]:
        clock.context = context
        # A manual invocation may pass any JSON.
        known = EventBridgeEvent(event) if isinstance(event, dict) else event
        enforcer = service(int(now()))
        if changes := changes_of(known, enforcer.stack, int(now())):
            return remember(changes, enforcer)
        result: dict[str, Any] = run(known, context)
        return result

    return handle


def remember(changes: Sequence[RuleChange], enforcer: Enforcer) -> dict[str, Any]:
    """Store changes of rules, for the monitor's pages. Raises StateUnavailable, and Lambda retries."""
    enforcer.remember(changes)
    for each in changes:
        logger.info("a change of rules was stored", call=each.call, resource=each.resource, actor=each.actor)
    calls = ", ".join(sorted({each.call for each in changes}))
    changed = [each.resource for each in changes]
    result: dict[str, Any] = safe({"kind": "change", "reason": f"{calls} changed rules", "changed": changed})
    return result


def rewired(wire: Callable[[], Enforcer]) -> Callable[[int], Enforcer]:
    """A function that returns the service at a time (Unix seconds).

    It creates the service at the first event, and again when the policy has changed.
    """
    made: list[Enforcer] = []

    def wired(now: int) -> Enforcer:
        if not made or made[0].renew_policy(now):
            made[:] = [wire()]
            made[0].renew_policy(now)  # the first call only notes the time
        return made[0]

    return wired


def report_policy(in_use: PolicyInUse) -> None:
    """Log and count a policy that is not valid. The alarm uses the monitor's metric."""
    if in_use.problem:
        metrics.add_metric(name="PolicyInvalid", unit=MetricUnit.Count, value=1)
        logger.error("the policy cannot be used", reason=in_use.problem, used=in_use.origin)


def log(report: EnforcementReport) -> None:
    """Log the VPCs that needed or need work, repairs, duplicates and a plan; then a summary of the run.

    After a deployment every VPC is logged, because the notification lists only the first ones.
    """
    for each in report.outcomes:
        if each.result is not Result.COVERED or report.trigger.deployed:
            write = logger.error if each in report.failures else logger.info
            write(each.reason, result=each.result, vpc=each.vpc_id, flow_log=each.flow_log_id)
    for remediation in report.remediations:
        write = logger.info if remediation.applied else logger.error
        write(remediation.summary, subject=remediation.resource, done=remediation.applied)
    for duplicate in report.duplicates:
        logger.info(
            "unmanaged flow logs record the same traffic",
            vpc=duplicate.vpc_id,
            flow_logs=duplicate.flow_log_ids,
            monthly_dollars=duplicate.monthly_dollars,
        )
    log_notes(report.unreadable_items)
    log_flow_logs(report)
    log_existing(report)
    if report.plans or report.log_group_steps:
        logger.info(plan_output.as_text(report), plan=plan_output.as_document(report))
    origin = report.trigger.origin
    logger.info(
        report.trigger.reason,
        kind=report.trigger.kind,
        cause=origin.event_name if origin else None,
        actor=origin.actor if origin else None,
        source_ip=origin.source_ip if origin else None,
        credentials=origin.credentials if origin else None,
        continues=report.continues,
        later=report.deletions_later + report.notices_later,
        counts=count_results(report),
    )


def log_notes(notes: Notes) -> None:
    """Log the parts of items of the state table that could not be read, each once per container."""
    for note in notes.named:
        logger.warning("ignored an invalid part of a state table item", what=note)


def report_late_notes(notes: Notes) -> None:
    """Log and count items that could not be read while the report was sent: claims, and unsent reports."""
    log_notes(notes)
    if notes.count:
        metrics.add_metric(name="EnforcerStateUnreadable", unit=MetricUnit.Count, value=notes.count)


def log_flow_logs(report: EnforcementReport) -> None:
    """Log deletions, flow logs recorded as managed, and flow logs of others that are reported only once."""
    for deletion in report.deletions:
        caller = deletion.caller
        logger.warning(
            "a flow log was deleted",
            flow_log=deletion.flow_log_id,
            vpc=deletion.vpc_id or None,
            managed=deletion.managed,
            actor=caller.actor if caller is not None else None,
        )
    for adopted in report.adopted:
        logger.info("recorded as managed", flow_log=adopted.flow_log_id, vpc=adopted.resource_id)
    for stack in report.other_stacks:
        logger.info("another stack has flow logs in the same VPCs", stack=stack.name, vpcs=stack.vpc_ids)
    for reason, found in (
        ("tagged, but not recorded as managed", report.unrecorded),
        ("unmanaged, recorded elsewhere", report.elsewhere),
    ):
        for each in found:
            logger.info(
                reason, flow_log=each.flow_log_id, resource=each.resource_id, destination=each.destination
            )


def log_existing(report: EnforcementReport) -> None:
    """Log the flow logs that are read in existing log groups, those that are not, and telemetry rules."""
    for read in report.read_in_place:
        logger.info("read in an existing log group", flow_log=read.flow_log_id, log_group=read.destination)
    for each in report.not_read:
        logger.warning("not read", flow_log=each.flow_log_id, log_group=each.destination, reason=each.reason)
    for problem in report.rules.problems:
        logger.warning("a telemetry rule has a problem", problem=problem)
    if report.rules.unread:
        logger.info("telemetry rules are not read", reason=report.rules.unread)


def log_delivery(delivery: DeliveryReport) -> None:
    """Log the notifications that were not sent: repeats, those that a retry must send, and refused ones."""
    for title in delivery.suppressed:
        logger.info("suppressed: already sent, or another run is sending it", notification=title)
    for title in delivery.unsent:
        logger.warning("notification not sent; the event will be retried", notification=title)
    refusals.report({refusals.FINAL: delivery.refused}, SERVICE, logger.error, single_metric)


def count(report: EnforcementReport) -> None:
    """Emit the metrics of the run, including zeros, so that an alarm can distinguish zero from no data."""
    numbers = {
        "FlowLogsCreated": sum(each.flow_logs for each in report.made),
        "VpcsCovered": len(report.of(Result.COVERED)) + len(report.created) - len(report.made),
        "VpcsNotCovered": len(report.failures),
        "VpcsSkipped": len(report.of(Result.SKIPPED)),
        "VpcsPending": len(report.of(Result.PENDING)),
        "FlowLogsReplaced": sum(each.flow_logs for each in report.of(Result.REPLACED)),
        "LogGroupsRestored": len([each for each in report.remediations if each.applied]),
        "EnforcementFailures": len(report.failures) + len(report.problems),
        "EnforcerStateUnreadable": report.unreadable_items.count,
    }
    for name, number in numbers.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=number)


def count_results(report: EnforcementReport) -> dict[str, int]:
    """The number of VPCs by result."""
    return {result.lower(): len(report.of(result)) for result in Result}


def summarize(report: EnforcementReport) -> dict[str, Any]:
    """The function's response: kind of run, reason, VPCs by result, repairs, plan."""
    named: Mapping[str, list[str]] = {
        result.lower(): [each.vpc_id or "unknown" for each in report.of(result)] for result in Result
    }
    summary: dict[str, Any] = {"kind": report.trigger.kind.lower(), "reason": report.trigger.reason, **named}
    if report.remediations:
        summary["repairs"] = [f"{each.resource}: {each.summary}" for each in report.remediations]
    if report.trigger.to_record:
        summary["recorded_as_managed"] = [each.flow_log_id for each in report.adopted]
    if report.plans or report.log_group_steps:
        summary["plan"] = plan_output.as_document(report)
    answer: dict[str, Any] = safe(summary)
    return answer


handler = make_handler(wire)
