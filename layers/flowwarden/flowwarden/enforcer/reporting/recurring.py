"""Recurring incidents: found by each sweep, reported once per suppression window. Pure.

Each of these is a separate incident: a silent log group, flow logs that stay unverified, refused listings,
possible problems of the delivery role (which may be intended), and duplicates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.enforcer.decide import (
    existing_flow_logs,
    silent_log_groups,
    unmanaged,
    unverified_flow_logs,
)
from flowwarden.enforcer.decide.coverage import CoverageVerdict
from flowwarden.enforcer.decide.duplicates import Duplicate, count, duplicates_of
from flowwarden.enforcer.decide.existing_flow_logs import NotReadFlowLog, ReadFlowLog
from flowwarden.enforcer.decide.other_stacks import STACKS_AT_MOST, OtherStack, other_stacks
from flowwarden.enforcer.decide.subscriptions import Reading
from flowwarden.enforcer.decide.telemetry_rules import RuleReport
from flowwarden.enforcer.decide.unmanaged import Topic, UnmanagedFlowLog
from flowwarden.enforcer.decide.vpc_state import VpcState
from flowwarden.enforcer.modes import RUN_MODES
from flowwarden.enforcer.registry import Registry
from flowwarden.enforcer.reporting.report import Remediation, VpcOutcome
from flowwarden.enforcer.state.inventory import FlowLog
from flowwarden.enforcer.state.stack import Stack
from flowwarden.enforcer.triggers.tampering import ROLE_CALLS
from flowwarden.enforcer.triggers.trigger import Trigger
from flowwarden.notify.claims import digest

REPORTED_AT_MOST: Final = 100
"""Flow logs of each topic that one report contains: each is marked as reported, with a write. The next sweep
reports more."""

type Verdicts = Sequence[tuple[VpcState, CoverageVerdict]]
"""VPCs, each with its verdict."""

UNLISTED: Final = digest("unlisted-vpcs")
"""The incident for an EC2 listing of VPCs or flow logs that fails."""
UNVERIFIED: Final = digest("unverified-flow-logs")
"""The incident for flow logs whose delivery stays unverified."""


class Scope(Struct, frozen=True, kw_only=True):
    """The stack, what its policy accepts, the existing log groups, and the time (Unix seconds)."""

    stack: Stack
    accepted_duplicates: tuple[str, ...]
    reading: Reading = Reading()
    now: int


class Notices(Struct, frozen=True, kw_only=True):
    """What to report once about unmanaged flow logs, by the names in an `EnforcementReport`."""

    duplicates: tuple[Duplicate, ...] = ()
    elsewhere: tuple[UnmanagedFlowLog, ...] = ()
    unrecorded: tuple[UnmanagedFlowLog, ...] = ()
    other_stacks: tuple[OtherStack, ...] = ()
    read_in_place: tuple[ReadFlowLog, ...] = ()
    not_read: tuple[NotReadFlowLog, ...] = ()
    rules: RuleReport = RuleReport()
    notices_later: int = 0
    """Flow logs, and stacks, that later sweeps report."""


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


def silences(judged: Verdicts, trigger: Trigger, stack: Stack) -> list[Remediation]:
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


def notices(
    judged: Verdicts, listed: Sequence[FlowLog], trigger: Trigger, registry: Registry, scope: Scope
) -> Notices:
    """What a sweep found about unmanaged flow logs, except what was reported before.

    Without the state table, nothing is reported: each sweep would repeat it.
    """
    if not RUN_MODES[trigger.kind].checks_silence or registry.unavailable:
        return Notices()
    reported = {topic: _reported(registry, topic) for topic in Topic}
    args = (judged, scope.accepted_duplicates, reported[Topic.DUPLICATE])
    duplicates = count(duplicates_of(*args))
    elsewhere = [
        each for each in unmanaged.elsewhere(judged) if each.flow_log_id not in reported[Topic.ELSEWHERE]
    ]
    tagged = unmanaged.unrecorded(listed, scope.stack, scope.now)
    new = [each for each in tagged if _is_new(each, reported[Topic.UNRECORDED], trigger, registry)]
    stacks = other_stacks((verdict for _, verdict in judged), _marks(registry))
    read, refused = _existing(judged, reported, scope)
    counted = (duplicates, len(elsewhere), len(new), len(read), len(refused))
    later = [max(0, number - REPORTED_AT_MOST) for number in counted]
    return Notices(
        duplicates=duplicates_of(*args, most=REPORTED_AT_MOST),
        elsewhere=tuple(elsewhere[:REPORTED_AT_MOST]),
        unrecorded=tuple(new[:REPORTED_AT_MOST]),
        other_stacks=stacks[:STACKS_AT_MOST],
        read_in_place=tuple(read[:REPORTED_AT_MOST]),
        not_read=tuple(refused[:REPORTED_AT_MOST]),
        notices_later=sum(later) + len(stacks[STACKS_AT_MOST:]),
    )


def _existing(
    judged: Verdicts, reported: Mapping[Topic, frozenset[str]], scope: Scope
) -> tuple[list[ReadFlowLog], list[NotReadFlowLog]]:
    """The flow logs in existing log groups that were not reported yet: those that are read, and others."""
    states = [vpc_state for vpc_state, _ in judged]
    read = existing_flow_logs.read_where_they_are(states)
    refused = existing_flow_logs.not_read(states, scope.reading.impossible, scope.accepted_duplicates)
    return (
        [each for each in read if each.flow_log_id not in reported[Topic.READ]],
        [each for each in refused if each.flow_log_id not in reported[Topic.NOT_READ]],
    )


def _marks(registry: Registry) -> frozenset[str]:
    return frozenset(mark for each in registry.known.values() for mark in each.reported)


def _reported(registry: Registry, topic: Topic) -> frozenset[str]:
    return frozenset(each.flow_log_id for each in registry.known.values() if topic in each.reported)


def _is_new(
    flow_log: UnmanagedFlowLog, reported: frozenset[str], trigger: Trigger, registry: Registry
) -> bool:
    gone = flow_log.flow_log_id in trigger.deleted or flow_log.flow_log_id in registry.deleted
    return not gone and flow_log.flow_log_id not in reported


def _once(incident: str, subject: str, text: str) -> Remediation:
    return Remediation(resource=subject, summary=text, applied=False, incident=incident, every_run=False)
