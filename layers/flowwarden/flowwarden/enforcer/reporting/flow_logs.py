"""The parts of the enforcer's notification about single flow logs: deletions, and what is reported once.

Names, addresses and ids are untrusted input: each goes through `one_line`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from flowwarden.enforcer.decide.other_stacks import ADVICE, OtherStack
from flowwarden.enforcer.decide.unmanaged import UnmanagedFlowLog
from flowwarden.enforcer.registry import DeletedFlowLog
from flowwarden.enforcer.reporting.report import EnforcementReport, Result, VpcOutcome
from flowwarden.enforcer.state.inventory import kind_of
from flowwarden.notify.text import plural
from flowwarden.printable import one_line

LISTED_AT_MOST = 50
"""Items listed in each section; the rest is counted. Keeps the message far below SNS's 256 KiB."""
CREDENTIALS_CHARACTERS = 700
UNCOVERED = (Result.PENDING, Result.FAILED, Result.BROKEN, Result.CONFLICT, Result.CREATED)
"""Results of VPCs that may have lost the flow log whose VPC is not known."""


def sections(report: EnforcementReport) -> Iterator[list[str]]:
    """The sections about flow logs as lines, the most urgent first."""
    if report.deletions:
        lines = _listed("FLOW LOGS DELETED", report.deletions, lambda each: _deletion(each, report))
        yield [*lines, *_later(report.deletions_later, "deletion")]
    if report.located:
        yield _listed(LOCATED, report.located, _located)
    if report.adopted:
        recorded = "RECORDED AS MANAGED: the enforcer may now replace and delete these flow logs"
        yield _listed(recorded, report.adopted, lambda each: f"{each.flow_log_id} of {each.resource_id}")
    if report.unrecorded:
        yield [*_listed(UNRECORDED, report.unrecorded, _destination), f"$ {report.record_command}"]
    if report.elsewhere:
        yield _listed(ELSEWHERE, report.elsewhere, _destination)
    if report.other_stacks:
        yield _listed(OTHER_STACKS, report.other_stacks, _other_stack)
    if report.notices and report.notices_later:
        yield ["LATER: more findings than fit into one report", *_later(report.notices_later)]


LOCATED = (
    "VPC OF A DELETED FLOW LOG NOW KNOWN: an earlier notification reported the deletion without the VPC, "
    "because the event of the creation arrived later"
)
UNRECORDED = (
    "TAGGED, BUT NOT RECORDED: these flow logs have this stack's tag, but the state table has no record that "
    "this stack created them. They count as coverage, and are never changed or deleted. If an earlier "
    "deployment of this stack created them, record them as managed; otherwise ignore this"
)
ELSEWHERE = (
    "RECORDED ELSEWHERE TOO: these unmanaged flow logs deliver to a destination that the monitor does not "
    "read. No action is required"
)
OTHER_STACKS = (
    "ANOTHER FLOW WARDEN STACK: flow logs in these VPCs have the tag of another stack. If that stack exists, "
    f"both stacks record these VPCs, and you pay twice: {ADVICE}. If it does not exist, its flow logs were "
    "not deleted with it, or another principal set the tag. The tag does not affect coverage"
)


def deletion_subject(report: EnforcementReport) -> str:
    """The part of the subject about deletions in VPCs that no other part names; '' if there are none.

    Where the VPC is not known, nothing else says which flow log it was.
    """
    named = {each.vpc_id for each in (*report.created, *report.awaited, *report.failures)}
    others = [each for each in report.deletions if each.resource_ids and each.vpc_id not in named]
    resources = dict.fromkeys(_resource(each) for each in others)
    if not resources:
        return ""
    if len(resources) > 1:
        return f"{len(others)} flow logs deleted"
    return f"flow log of {next(iter(resources))} deleted"


def unknown_subject(report: EnforcementReport) -> str:
    """The part of the subject about deletions in unknown VPCs."""
    found = report.deletions
    return f"{one_line(found[0].flow_log_id) if len(found) == 1 else f'{len(found)} flow logs'} deleted"


def located_subject(report: EnforcementReport) -> str:
    """The part of the subject about deletions whose VPC is known only now."""
    found = report.located
    if len(found) == 1:
        return f"VPC of deleted flow log {one_line(found[0].flow_log_id)} now known"
    return f"VPCs of {len(found)} deleted flow logs now known"


def is_by_others(report: EnforcementReport) -> bool:
    """Whether another party than the enforcer deleted a flow log."""
    return any(not each.is_own for each in report.deletions)


def document(report: EnforcementReport) -> dict[str, Any]:
    """The members of the document about flow logs."""
    return {
        "deletions": [_deletion_document(each) for each in report.deletions[:LISTED_AT_MOST]],
        "deletions_later": report.deletions_later,
        "located": [_deletion_document(each) for each in report.located[:LISTED_AT_MOST]],
        "reported_later": report.notices_later,
        "recorded_as_managed": [
            {"flow_log": one_line(each.flow_log_id), "vpc": one_line(each.resource_id)}
            for each in report.adopted[:LISTED_AT_MOST]
        ],
        "not_recorded": [_unmanaged(each) for each in report.unrecorded],
        "other_stacks": [_other_stack_document(each) for each in report.other_stacks],
        "recorded_elsewhere": [_unmanaged(each) for each in report.elsewhere[:LISTED_AT_MOST]],
    }


def _listed[T](heading: str, found: Sequence[T], line: Callable[[T], str]) -> list[str]:
    lines = [f"{heading} ({len(found)})", *(f"- {line(each)}" for each in found[:LISTED_AT_MOST])]
    if len(found) > LISTED_AT_MOST:
        lines.append(f"- and {len(found) - LISTED_AT_MOST} more")
    return lines


def _later(number: int, what: str = "item") -> list[str]:
    """How many remain for the next runs; nothing if none do."""
    return [f"- {plural(number, what)} more: the next runs report them"] if number else []


def _deletion(entry: DeletedFlowLog, report: EnforcementReport) -> str:
    managed = " (managed by this stack)" if entry.managed else " (unmanaged)" if entry.resource_ids else ""
    subject = f"{one_line(entry.flow_log_id)} of {_resource(entry)}{managed}"
    return f"{subject}: {_by(entry, report)}; {_after(entry, report)}"


def _located(entry: DeletedFlowLog) -> str:
    caller = entry.caller
    by = one_line(caller.actor) if caller is not None else ""
    return f"{one_line(entry.flow_log_id)} of {_resource(entry)}: deleted by {by or 'an unknown principal'}"


def _by(entry: DeletedFlowLog, report: EnforcementReport) -> str:
    """Who deleted it. The credentials are omitted if the cause of the run contains them."""
    caller = entry.caller
    if caller is None:
        return "it no longer exists; no CloudTrail event shows who deleted it"
    if entry.is_own:
        return "deleted by the enforcer as its plan required, in a run that did not finish"
    actor, address = one_line(caller.actor) or "unknown", one_line(caller.source_ip) or "unknown address"
    by = f"deleted by {actor} from {address}"
    origin = report.trigger.origin
    if origin is not None and origin.event_id == caller.event_id:
        return by
    credentials = one_line(caller.credentials, CREDENTIALS_CHARACTERS) or "credentials not recorded"
    return f"{by} (CloudTrail event {one_line(caller.event_id) or 'unknown'}; {credentials})"


def _after(entry: DeletedFlowLog, report: EnforcementReport) -> str:
    """What became of the VPC. If it is unknown, the VPCs that may have lost the flow log."""
    if entry.vpc_id:
        outcome = next((each for each in report.outcomes if each.vpc_id == entry.vpc_id), None)
        unknown = f"{kind_of(entry.vpc_id)} was not checked in this run"
        return f"now {_state(outcome)}" if outcome is not None else unknown
    uncovered = [one_line(each.vpc_id) for each in report.of(*UNCOVERED) if each.vpc_id]
    if not uncovered:
        checked = bool(report.outcomes) and not report.continues
        return "every VPC has its flow log" if checked else "not all VPCs were checked in this run"
    more = f" and {len(uncovered) - LISTED_AT_MOST} more" if len(uncovered) > LISTED_AT_MOST else ""
    return f"VPCs that may have lost it: {', '.join(uncovered[:LISTED_AT_MOST])}{more}"


def _state(outcome: VpcOutcome) -> str:
    return f"{outcome.result.lower().replace('_', ' ')}: {one_line(outcome.reason, CREDENTIALS_CHARACTERS)}"


def _resource(entry: DeletedFlowLog) -> str:
    """The VPC, or the subnet or interface."""
    known = entry.resource_ids or ((entry.vpc_id,) if entry.vpc_id else ())
    if not known:
        return "an unknown VPC"
    named = " or ".join(one_line(each) for each in known[:LISTED_AT_MOST])
    inside = f" in {one_line(entry.vpc_id)}" if entry.vpc_id and entry.vpc_id not in known else ""
    return f"{named}{inside}"


def _destination(flow_log: UnmanagedFlowLog) -> str:
    names = (flow_log.flow_log_id, flow_log.resource_id, flow_log.destination)
    flow_log_id, resource_id, destination = (one_line(each) for each in names)
    return f"{flow_log_id} of {resource_id} to {destination}"


def _other_stack(stack: OtherStack) -> str:
    vpcs = one_line(", ".join(stack.vpc_ids), CREDENTIALS_CHARACTERS)
    flow_logs = one_line(", ".join(each for each, _ in stack.flow_logs), CREDENTIALS_CHARACTERS)
    return f"{one_line(stack.name)} in {plural(len(stack.vpc_ids), 'VPC')} ({vpcs}): {flow_logs}"


def _other_stack_document(stack: OtherStack) -> dict[str, Any]:
    return {
        "stack": one_line(stack.name),
        "vpcs": [one_line(each) for each in stack.vpc_ids[:LISTED_AT_MOST]],
        "flow_logs": [one_line(each) for each, _ in stack.flow_logs[:LISTED_AT_MOST]],
    }


def _deletion_document(entry: DeletedFlowLog) -> dict[str, Any]:
    caller = entry.caller
    return {
        "flow_log": one_line(entry.flow_log_id),
        "vpc": one_line(entry.vpc_id) or None,
        "resources": [one_line(each) for each in entry.resource_ids[:LISTED_AT_MOST]],
        "managed": entry.managed,
        "actor": one_line(caller.actor) if caller is not None else None,
        "source_ip": one_line(caller.source_ip) if caller is not None else None,
        "event_id": one_line(caller.event_id) if caller is not None else None,
    }


def _unmanaged(flow_log: UnmanagedFlowLog) -> dict[str, Any]:
    return {
        "flow_log": one_line(flow_log.flow_log_id),
        "resource": one_line(flow_log.resource_id),
        "destination": one_line(flow_log.destination),
    }
