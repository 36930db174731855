"""Whether the flow logs deliver, in a format that the monitor and its detectors can use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from flowwarden.doctor.check import Check
from flowwarden.doctor.checks.coverage import needs_none
from flowwarden.doctor.fact import Fact
from flowwarden.doctor.facts import Facts
from flowwarden.doctor.line import Found, Problem, Verdict
from flowwarden.enforcer.state.inventory import FlowLog
from flowwarden.errors import LogFormatError
from flowwarden.monitor.detectors import DETECTORS
from flowwarden.records.fields import BY_NAME
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT, LogFormat

REQUIRED: Final = tuple(each for each in DEFAULT_LOG_FORMAT.names if each not in {"version", "account-id"})
"""Fields without which the monitor cannot judge traffic: interface, ends, counts, times, action and "
"status."""

MISSING: Final = Problem(
    name="flow-logs-missing",
    verdict=Verdict.FAILED,
    text="no flow log of the account writes into a log group of the stack, so nothing is inspected",
    fix="flowwarden plan --stack {stack} --region {region} shows what the enforcer will create, and what "
    "prevents it",
)
FAILED: Final = Problem(
    name="flow-log-failed",
    verdict=Verdict.FAILED,
    text="EC2 reports that the flow log of {resource} does not deliver: {reason}",
    fix="correct the cause; this report contains the fixes for a role or a log group",
)
INACTIVE: Final = Problem(
    name="flow-log-inactive",
    verdict=Verdict.FAILED,
    text="the flow log of {resource} has the status {status}",
    fix="aws ec2 describe-flow-logs --flow-log-ids {subject} --region {region}; the enforcer replaces a "
    "managed flow log in its next sweep",
)
UNREADABLE: Final = Problem(
    name="format-unreadable",
    verdict=Verdict.FAILED,
    text="the monitor cannot read the format of the flow log of {resource}: {reason}",
    fix="replace the flow log with one whose format has known fields; docs/parameters.md lists the default",
)
INSUFFICIENT: Final = Problem(
    name="format-insufficient",
    verdict=Verdict.FAILED,
    text="the format of the flow log of {resource} lacks {fields}, so its records cannot be judged",
    fix="replace the flow log with one that has these fields; docs/parameters.md lists the default format",
)
LACKING: Final = Problem(
    name="format-lacks-fields",
    verdict=Verdict.WARNING,
    text="the format of the flow log of {resource} lacks {fields}, so these detectors find less or "
    "nothing: {detectors}",
    fix="replace the flow log with one that has these fields; if the stack manages it, deploy with a "
    "LogFormat that has them",
)
NOT_ALL: Final = Problem(
    name="flow-log-partial",
    verdict=Verdict.WARNING,
    text="the flow log of {resource} records only {traffic}, so the monitor sees no other traffic",
    fix="replace the flow log with one for ALL traffic",
)


def _judge(_name: str, flow_log: FlowLog, _facts: Facts) -> Iterator[Found]:
    resource = flow_log.resource_id
    if flow_log.deliver_logs_status == "FAILED":
        reason = flow_log.deliver_logs_error_message or "EC2 gives no reason"
        yield FAILED.of(resource=resource, reason=reason)
    if flow_log.flow_log_status not in {None, "ACTIVE"}:
        yield INACTIVE.of(resource=resource, status=flow_log.flow_log_status)
    if flow_log.traffic_type not in {None, "ALL"}:
        yield NOT_ALL.of(resource=resource, traffic=flow_log.traffic_type)
    if flow_log.log_format is not None:
        yield from _format(flow_log.log_format, resource)


def _format(text: str, resource: str) -> Iterator[Found]:
    try:
        names = LogFormat.parse(text).names
    except LogFormatError as error:
        yield UNREADABLE.of(resource=resource, reason=error)
        return
    if absent := [each for each in REQUIRED if each not in names]:
        yield INSUFFICIENT.of(resource=resource, fields=", ".join(absent))
    elif lost := _lost(names):
        fields = sorted({field for fields in lost.values() for field in fields})
        yield LACKING.of(resource=resource, fields=", ".join(fields), detectors=", ".join(lost))


def _lost(names: tuple[str, ...]) -> dict[str, list[str]]:
    """The detectors that need fields which the format lacks, with these fields."""
    found = {
        each.name: [str(need) for need in each.needs if need.value in BY_NAME and need.value not in names]
        for each in DETECTORS
    }
    return {name: fields for name, fields in found.items() if fields}


def _subjects(facts: Facts) -> Mapping[str, Fact[FlowLog]]:
    """The flow logs. That there are none is right if no VPC needs one."""
    return {name: each for name, each in facts.flow_logs.items() if each is not None or not needs_none(facts)}


CHECK: Final = Check(
    name="flow-logs",
    verifies="there are flow logs, EC2 delivers them, and their format has the fields that the detectors "
    "need",
    sound="delivered, with the fields that the detectors need",
    subjects=_subjects,
    judge=_judge,
    missing=MISSING,
    problems=(MISSING, FAILED, INACTIVE, UNREADABLE, INSUFFICIENT, LACKING, NOT_ALL),
)
