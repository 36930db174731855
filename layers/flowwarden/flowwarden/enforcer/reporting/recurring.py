"""Recurring incidents: found by each sweep, reported once per suppression window. Pure.

Each of these is a separate incident: a silent log group, flow logs that stay unverified, refused listings,
possible problems of the delivery role (which may be intended), and duplicates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from flowwarden.enforcer.decide import silent_log_groups, unverified_flow_logs
from flowwarden.enforcer.decide.coverage import CoverageVerdict, VpcState
from flowwarden.enforcer.decide.duplicates import Duplicate, duplicates_of
from flowwarden.enforcer.modes import RUN_MODES
from flowwarden.enforcer.reporting.report import Remediation, VpcOutcome
from flowwarden.enforcer.state.stack import Stack
from flowwarden.enforcer.triggers.tampering import ROLE_CALLS
from flowwarden.enforcer.triggers.trigger import Trigger
from flowwarden.notify.claims import digest

type Judged = Sequence[tuple[VpcState, CoverageVerdict]]
"""VPCs, each with its verdict."""

UNLISTED: Final = digest("unlisted-vpcs")
"""The incident for an EC2 listing of VPCs or flow logs that fails."""
UNVERIFIED: Final = digest("unverified-flow-logs")
"""The incident for flow logs whose delivery stays unverified."""


def silent_group(group: str) -> str:
    """The incident for a log group from which the monitor sees no records."""
    return digest("silent-log-group", group)


def unlisted(outcomes: Sequence[VpcOutcome], trigger: Trigger) -> list[VpcOutcome]:
    """Failed listings: each sweep and event reports them; a retry does so once per suppression window.

    A retry does not report a transient failure, so that is not an incident: a later lasting failure is then
    reported as new.
    """
    each_run = RUN_MODES[trigger.kind].reports_lasting
    if not each_run and all(each.retryable for each in outcomes):
        return list(outcomes)
    return [replace(each, incident=UNLISTED, every_run=each_run) for each in outcomes]


def silences(judged: Judged, trigger: Trigger, stack: Stack) -> list[Remediation]:
    """Silent log groups, then unverified flow logs. None right after a deployment: the monitor is too new."""
    if not RUN_MODES[trigger.kind].checks_silence or trigger.deployed:
        return []
    silent = list(silent_log_groups.silent_groups(vpc_state for vpc_state, _ in judged))
    found = [
        _once(silent_group(each.group), each.group, silent_log_groups.describe(each, stack))
        for each in silent
    ]
    named = {each.flow_log_id for group in silent for each in group.flow_logs}
    overdue = [each for each in unverified_flow_logs.long_unproven(judged) if each.flow_log_id not in named]
    if overdue:
        subject, text = unverified_flow_logs.subject_of(overdue), unverified_flow_logs.describe(overdue)
        found.append(_once(UNVERIFIED, subject, text))
    return found


def doubts(remediations: Sequence[Remediation], trigger: Trigger) -> list[Remediation]:
    """Incidents are reported once per suppression window, and after each API call about the delivery role."""
    touched = trigger.origin is not None and trigger.origin.event_name in ROLE_CALLS
    return [replace(each, every_run=touched or not each.incident) for each in remediations]


def duplicates(judged: Judged, trigger: Trigger) -> tuple[Duplicate, ...]:
    """The duplicates that a sweep found."""
    if not RUN_MODES[trigger.kind].checks_silence:
        return ()
    return duplicates_of(judged)


def _once(incident: str, subject: str, text: str) -> Remediation:
    return Remediation(resource=subject, summary=text, applied=False, incident=incident, every_run=False)
