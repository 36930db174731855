"""Renders the enforcer's notification: what was done, which caller made a change, what to do.

Severity: `error` if a VPC is not covered or a dependency of the flow logs stays broken, `warning` if
something was removed, restored or not, `info` if a VPC only got its flow log.

Names, addresses, ids and messages are untrusted input. `Composed` keeps each line a line; `one_line` bounds a
part of one, so that a long name does not displace what follows it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from flowwarden.enforcer.decide.unmanaged import UnmanagedFlowLog
from flowwarden.enforcer.modes import RUN_MODES
from flowwarden.enforcer.reporting import existing, first_sweep, flow_logs
from flowwarden.enforcer.reporting.report import EnforcementReport, Remediation, Result, VpcOutcome
from flowwarden.enforcer.reporting.shortened import REASON_CHARACTERS, short
from flowwarden.enforcer.state.inventory import FlowLog
from flowwarden.enforcer.triggers.trigger import TAMPERING
from flowwarden.notify.notification import Composed, Notification
from flowwarden.notify.text import plural
from flowwarden.policy.transit_gateways import is_gateway
from flowwarden.printable import one_line

DOCUMENT_VERSION: Final = "1"
"""Raised when a member of the JSON document is removed or changes its meaning."""
LISTED_AT_MOST = 50
"""VPCs listed in each section; the rest is counted. Keeps the message far below SNS's 256 KiB."""

HEADINGS = (
    (
        Result.FAILED,
        "NOT COVERED as required: traffic that no other flow log records is invisible to the monitor",
    ),
    (Result.BROKEN, "NOT DELIVERING: the flow log exists, but its records are lost"),
    (Result.CONFLICT, "CONFLICT: another flow log blocks the required one; nothing was deleted"),
    (Result.ROLLED_BACK, "ROLLED BACK: the new flow log did not deliver; the old one stays in place"),
    (Result.CREATED, "FLOW LOG CREATED"),
    (Result.REPLACED, "FLOW LOG REPLACED: the new one delivers; the old one was deleted"),
    (Result.REMOVED, "FLOW LOG REMOVED: the policy no longer asks for it"),
)

AWAITED = "NOT COVERED YET: a flow log was deleted, and its replacement could not be created immediately"

BACKOFF = (
    "Fix the cause of the rollback. The enforcer creates the replacement again after a day, or at the next "
    "sweep after the policy was changed to require another flow log."
)
"""After a rollback, `plan` holds the configuration for `BACKOFF_SECONDS`."""


def render(report: EnforcementReport) -> Notification:
    """Render a report that must be sent. Sections that are too long are truncated and marked as truncated."""
    return Notification(
        subject=_subject(report),
        text=_text(report),
        document=_document(report),
        attributes=_attributes(report),
    )


def severity(report: EnforcementReport) -> str:
    """`error`, `warning` or `info`; see the module docstring."""
    if report.failures or report.problems:
        return "error"
    origin = report.trigger.origin
    tampered = origin is not None and origin.event_name in TAMPERING
    tampered = tampered or flow_logs.is_by_others(report)
    removed = report.of(Result.REMOVED)
    return "warning" if tampered or removed or report.remediations else "info"


def _subject(report: EnforcementReport) -> str:
    parts = []
    if report.failures:
        # After a rollback, the old flow log still covers the VPC.
        uncovered = any(each.result is not Result.ROLLED_BACK for each in report.failures)
        parts.append(f"{_named(report.failures)} NOT covered{'' if uncovered else ' as the policy requires'}")
    if report.problems:
        parts.append(f"action required for {one_line(report.problems[0].resource)}")
    parts += [f"flow log {what} {_named(found)}" for what, found in _changed(report) if found]
    if report.awaited:
        parts.append(f"flow log deleted, {_named(report.awaited)} not covered yet")
    if deleted := flow_logs.deletion_subject(report):
        parts.append(deleted)
    if restored := [each for each in report.remediations if each.applied]:
        parts.append(f"{one_line(restored[0].resource)} restored")
    parts += _once_subject(report) if not parts else ()
    if not parts and report.trigger.origin is not None:
        left = "not all VPCs checked yet" if report.continues else "nothing left to restore"
        name = one_line(report.trigger.origin.event_name)
        unknown = report.deletions and not report.continues
        parts.append(flow_logs.unknown_subject(report) if unknown else f"{name}: {left}")
    if not parts and report.trigger.deployed:
        parts.append(f"{plural(len(report.outcomes), 'VPC')} checked after a deployment, nothing to change")
    news = ", ".join(parts)
    return one_line(f"[{severity(report).upper()}] {news} in {report.account_id} {report.region}")


def _changed(report: EnforcementReport) -> Iterator[tuple[str, tuple[VpcOutcome, ...]]]:
    """What was done to flow logs, in words, each with where."""
    yield "created for", report.created
    yield "replaced for", report.of(Result.REPLACED)
    yield "removed from", report.of(Result.REMOVED)


def _once_subject(report: EnforcementReport) -> Iterator[str]:
    """The part of the subject for what is reported once, if there is nothing more urgent."""
    if report.located:
        yield flow_logs.located_subject(report)
    elif report.adopted:
        yield f"{_flow_logs(report.adopted)} recorded as managed"
    elif report.unrecorded:
        yield f"{_flow_logs(report.unrecorded)} tagged, but not recorded"
    elif found := report.duplicates:
        which = one_line(found[0].vpc_id) if len(found) == 1 else f"{len(found)} VPCs"
        yield f"duplicate flow logs in {which}"
    elif report.other_stacks:
        others = [f"stack {one_line(each.name)}" for each in report.other_stacks]
        which = others[0] if len(others) == 1 else f"{len(others)} other stacks"
        yield f"flow logs of {which} found in the same VPCs"
    elif report.elsewhere:
        ids = [each.flow_log_id for each in report.elsewhere]
        one = f"unmanaged flow log {one_line(ids[0])}"
        yield f"{one if len(ids) == 1 else f'{len(ids)} unmanaged flow logs'} found"
    elif text := existing.subject(report):
        yield text


def _flow_logs(found: Sequence[FlowLog | UnmanagedFlowLog]) -> str:
    return one_line(found[0].flow_log_id) if len(found) == 1 else f"{len(found)} flow logs"


def _text(report: EnforcementReport) -> Composed:
    title = f"Flow Warden enforcer, account {report.account_id}, region {report.region}"
    parts = [[title], _cause(report)]
    for result, heading in HEADINGS:
        found = report.of(result)
        if found:
            parts.append([f"{heading} ({len(found)})", *_lines(report, found)])
    if report.awaited:
        parts.append([f"{AWAITED} ({len(report.awaited)})", *_lines(report, report.awaited)])
    parts += [*flow_logs.sections(report), *existing.sections(report)]
    for done, heading in ((False, "ACTION REQUIRED"), (True, "RESTORED")):
        repairs = [each for each in report.remediations if each.applied is done]
        if repairs:
            parts.append([f"{heading} ({len(repairs)})", *_repairs(repairs)])
    if report.duplicates:
        parts.append(existing.duplicates(report.duplicates))
    for heading, found in first_sweep.sections(report):
        parts.append([f"{heading} ({len(found)})", *_lines(report, found)])
    if report.failures or report.awaited or report.continues:
        parts.append([_next(report)])
    if not report.trigger.deployed:
        parts.append([_others(report)])
    return Composed.of(*parts)


def _cause(report: EnforcementReport) -> list[str]:
    origin = report.trigger.origin
    if origin is None:
        return [f"Trigger: {one_line(report.trigger.reason)}"]
    actor = one_line(origin.actor) or "unknown"
    source = one_line(origin.source_ip) or "unknown address"
    event = f"(CloudTrail event {one_line(origin.event_id)})"
    cause = [
        f"Trigger: {one_line(origin.event_name)} by {actor} from {source} {event}",
        f"Credentials: {one_line(origin.credentials, REASON_CHARACTERS) or 'not recorded'}",
        f"Checked: {RUN_MODES[report.trigger.kind].scope}, because {one_line(report.trigger.reason)}",
    ]
    if report.trigger.deleted:
        cause.append(f"Flow logs deleted: {', '.join(_deleted(report))}")
    return cause


def _lines(report: EnforcementReport, outcomes: tuple[VpcOutcome, ...]) -> list[str]:
    named = [(report.named(each.vpc_id) if each.vpc_id else _name(each), each) for each in outcomes]
    lines = [f"- {name}: {short(each.reason)}" for name, each in named[:LISTED_AT_MOST]]
    if len(outcomes) > LISTED_AT_MOST:
        lines.append(f"- and {len(outcomes) - LISTED_AT_MOST} more: see the enforcer's log")
    return lines


def _repairs(repairs: Sequence[Remediation]) -> list[str]:
    return [f"- {one_line(each.resource)}: {short(each.summary)}" for each in repairs[:LISTED_AT_MOST]]


def _next(report: EnforcementReport) -> str:
    if not report.failures and not report.awaited:
        return "What happens next: this run ran out of time; the next scheduled run continues with the rest."
    if report.unfinished:
        return "What happens next: transient failures are retried within minutes, then by each sweep."
    rolled_back = report.of(Result.ROLLED_BACK)
    if rolled_back and len(rolled_back) == len(report.failures):
        return f"What happens next: the old flow log stays in place. {BACKOFF}"
    fixed = "What happens next: a retry would not help. Fix the cause; the next sweep covers the VPC."
    return f"{fixed} {BACKOFF}" if rolled_back else fixed


def _others(report: EnforcementReport) -> str:
    listed = {result for result, _ in HEADINGS}
    counts = [f"{len(report.of(each))} {each.lower()}" for each in Result if each not in listed]
    return f"Other VPCs checked: {', '.join(counts)}"


def _document(report: EnforcementReport) -> dict[str, Any]:
    listed = (*report.of(*(result for result, _ in HEADINGS)), *report.awaited)
    listed += tuple(each for _, found in first_sweep.sections(report) for each in found)
    return {
        "version": DOCUMENT_VERSION,
        "kind": "enforcement",
        "severity": severity(report),
        "account": report.account_id,
        "region": report.region,
        "trigger": _trigger(report),
        "counts": {each.lower(): len(report.of(each)) for each in Result},
        "outcomes": [
            {
                "result": each.result.lower(),
                "vpc": one_line(each.vpc_id) if each.vpc_id else None,
                "name": one_line(report.names.get(each.vpc_id or "", "")) or None,
                "flow_log": one_line(each.flow_log_id) if each.flow_log_id else None,
                "reason": short(each.reason),
                "retryable": each.retryable,
                "earlier": each.earlier,
            }
            for each in listed[:LISTED_AT_MOST]
        ],
        "repairs": [
            {"subject": one_line(each.resource), "what": short(each.summary), "done": each.applied}
            for each in report.remediations[:LISTED_AT_MOST]
        ],
        "duplicates": [
            {
                "vpc": one_line(each.vpc_id),
                "flow_logs": [one_line(name) for name in each.flow_log_ids[:LISTED_AT_MOST]],
                "monthly_dollars": each.monthly_dollars,
                "measured": each.is_measured,
            }
            for each in report.duplicates[:LISTED_AT_MOST]
        ],
        **flow_logs.document(report),
        **existing.document(report),
        "omitted": max(0, len(listed) - LISTED_AT_MOST),
    }


def _trigger(report: EnforcementReport) -> dict[str, Any]:
    origin = report.trigger.origin
    return {
        "reason": one_line(report.trigger.reason),
        "event": one_line(origin.event_name) if origin else None,
        "event_id": one_line(origin.event_id) if origin else None,
        "actor": one_line(origin.actor) if origin else None,
        "source_ip": one_line(origin.source_ip) if origin else None,
        "credentials": one_line(origin.credentials, REASON_CHARACTERS) if origin else None,
        "deleted_flow_logs": _deleted(report),
    }


def _attributes(report: EnforcementReport) -> dict[str, str]:
    """The attributes that subscribers filter by; `vpc` only if the notification is about a single VPC."""
    attributes = {
        "kind": "enforcement",
        "severity": severity(report),
        "account": report.account_id,
        "region": report.region,
    }
    outcomes = (*report.created, *report.failures, *report.awaited)
    vpcs = {each.vpc_id or "" for each in outcomes} | {each.vpc_id for each in report.deletions}
    if len(vpcs) == 1 and (vpc_id := next(iter(vpcs))):
        attributes["vpc"] = one_line(vpc_id)
    return attributes


def _named(outcomes: tuple[VpcOutcome, ...]) -> str:
    if len(outcomes) == 1:
        return _name(outcomes[0])
    gateways = sum(is_gateway(each.vpc_id or "") for each in outcomes)
    counts = (plural(len(outcomes) - gateways, "VPC"), plural(gateways, "transit gateway"))
    return " and ".join(each for each in counts if not each.startswith("0 "))


def _name(outcome: VpcOutcome) -> str:
    return one_line(outcome.vpc_id) if outcome.vpc_id else "unknown VPCs"


def _deleted(report: EnforcementReport) -> list[str]:
    return [one_line(each) for each in report.trigger.deleted[:LISTED_AT_MOST]]
