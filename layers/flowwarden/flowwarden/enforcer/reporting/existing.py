"""The parts of the enforcer's notification about existing log groups, and about flow logs that cost twice.

Names and ids are untrusted input: each goes through `one_line`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from flowwarden.enforcer.decide import cost
from flowwarden.enforcer.decide.duplicates import Duplicate
from flowwarden.enforcer.decide.existing_flow_logs import NotReadFlowLog, ReadFlowLog
from flowwarden.enforcer.reporting.report import EnforcementReport
from flowwarden.enforcer.reporting.shortened import short
from flowwarden.notify.text import plural
from flowwarden.printable import one_line

LISTED_AT_MOST: Final = 50
"""Items listed in each section; the rest is counted."""
NAMED_AT_MOST: Final = 5
"""Flow logs that are named for each telemetry rule; the rest is counted."""
RULES: Final = (
    "TELEMETRY RULES: these telemetry enablement rules of CloudWatch also create VPC flow logs. They do not "
    "check whether the flow logs deliver. The enforcer changes neither the rules nor their flow logs"
)
READ: Final = (
    "READ WHERE THEY ARE: the monitor is subscribed to the log groups of these unmanaged flow logs. Each "
    "covers its VPC once records arrive, so no second flow log is created. Nothing else about the log groups "
    "was changed"
)
NOT_READ: Final = (
    "NOT READ: the monitor cannot be subscribed to the log groups of these unmanaged flow logs, so their "
    "VPCs get managed flow logs in addition. Correct the cause that each line states, or accept the second "
    "flow log with `accepted_duplicates` in the policy"
)


def sections(report: EnforcementReport) -> Iterator[list[str]]:
    """The sections as lines."""
    if report.read_in_place:
        yield [
            *_listed(READ, [_with_cost(each) for each in report.read_in_place]),
            *_losses(report.read_in_place),
        ]
    if report.rules.made:
        yield rules(report)
    if report.not_read:
        yield _listed(NOT_READ, [f"{_read(each)}: {_reason(each)}" for each in report.not_read])


def rules(report: EnforcementReport) -> list[str]:
    """The telemetry enablement rules, and their problems."""
    lines = [
        f"- {one_line(title)}: probably made {plural(len(made), 'flow log')} of this account{_some(made)}"
        for title, made in report.rules.made[:LISTED_AT_MOST]
    ]
    lines += [f"- PROBLEM: {short(each)}" for each in report.rules.problems[:LISTED_AT_MOST]]
    return [f"{RULES} ({len(report.rules.made)})", *lines]


def _some(flow_log_ids: Sequence[str]) -> str:
    shown = f" ({one_line(', '.join(flow_log_ids[:NAMED_AT_MOST]))})" if flow_log_ids else ""
    return shown.replace(")", ", …)") if len(flow_log_ids) > NAMED_AT_MOST else shown


def duplicates(found: Sequence[Duplicate]) -> list[str]:
    """Unmanaged flow logs that record the same traffic, with their cost."""
    heading = (
        "DUPLICATES: unmanaged flow logs record the same traffic to CloudWatch Logs, at extra cost; delete "
        "those that are not needed, or accept them with `accepted_duplicates` in the policy"
    )
    lines = [f"{heading} ({len(found)})"]
    for each in found[:LISTED_AT_MOST]:
        named = short(", ".join(each.flow_log_ids))
        lines.append(f"- {one_line(each.vpc_id)}: {named}{cost.about(each.monthly_dollars)}")
    if len(found) > LISTED_AT_MOST:
        lines.append(f"- and {len(found) - LISTED_AT_MOST} more: see the enforcer's log")
    shown = [each for each in found if cost.about(each.monthly_dollars)]
    bases = {cost.MEASURED if each.is_measured else cost.BASIS: None for each in shown}
    return [*lines, *(f"({each})" for each in bases)]


def subject(report: EnforcementReport) -> str:
    """The part of the subject, if there is nothing more urgent; '' if there is nothing to say."""
    for found, what in ((report.not_read, "not readable"), (report.read_in_place, "read where they are")):
        if found:
            one = f"unmanaged flow log {one_line(found[0].flow_log_id)}"
            fitting = what.replace("they are", "it is") if len(found) == 1 else what
            return f"{one if len(found) == 1 else f'{len(found)} unmanaged flow logs'} {fitting}"
    if report.rules.made:
        return f"{plural(len(report.rules.made), 'telemetry rule')} for VPC Flow Logs found"
    return ""


def document(report: EnforcementReport) -> dict[str, Any]:
    """The members of the document."""
    return {
        "telemetry_rules": {
            "rules": [
                {"rule": one_line(title), "flow_logs": [one_line(each) for each in made[:LISTED_AT_MOST]]}
                for title, made in report.rules.made[:LISTED_AT_MOST]
            ],
            "problems": [short(each) for each in report.rules.problems[:LISTED_AT_MOST]],
            "unread": one_line(report.rules.unread) or None,
        },
        "read_in_place": [
            {
                **_names(each),
                "losses": {field: list(users) for field, users in each.losses.items()},
                "monthly_dollars_more": each.dollars_more,
            }
            for each in report.read_in_place[:LISTED_AT_MOST]
        ],
        "not_read": [{**_names(each), "reason": _reason(each)} for each in report.not_read[:LISTED_AT_MOST]],
    }


def _listed(heading: str, lines: Sequence[str]) -> list[str]:
    more = len(lines) - LISTED_AT_MOST
    rest = [f"- and {more} more"] if more > 0 else []
    return [f"{heading} ({len(lines)})", *(f"- {each}" for each in lines[:LISTED_AT_MOST]), *rest]


def _with_cost(each: ReadFlowLog) -> str:
    if each.dollars_more is None or not cost.about(each.dollars_more):
        return _read(each)
    more = f"about {each.dollars_more:.2f} USD a month more"
    return f"{_read(each)}; the stack's format would cost {more} ({cost.MEASURED})"


def _read(each: ReadFlowLog | NotReadFlowLog) -> str:
    return f"{one_line(each.flow_log_id)} of {one_line(each.resource_id)} in {one_line(each.destination)}"


def _reason(each: NotReadFlowLog) -> str:
    return short(each.reason)


def _losses(found: Sequence[ReadFlowLog]) -> Iterator[str]:
    """What the formats lack, by field: which detectors find less."""
    users: dict[str, tuple[str, ...]] = {}
    flow_logs: dict[str, int] = {}
    for each in found:
        for field, detectors in each.losses.items():
            users[field] = detectors
            flow_logs[field] = flow_logs.get(field, 0) + 1
    for field, detectors in users.items():
        lacking = f"{plural(flow_logs[field], 'flow log')} without {field}"
        yield f"{lacking}; less is found by: {', '.join(detectors)}"


def _names(each: ReadFlowLog | NotReadFlowLog) -> dict[str, str]:
    return {
        "flow_log": one_line(each.flow_log_id),
        "resource": one_line(each.resource_id),
        "log_group": one_line(each.destination),
    }
