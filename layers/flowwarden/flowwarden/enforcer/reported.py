"""Stores what was reported, after it was sent: deletions, and what is reported once about a flow log.

A report contains a limited number of both, so a run makes a limited number of writes. The report says how
many remain; the next run reports them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Final

from msgspec.structs import replace

from flowwarden.enforcer.decide.unmanaged import Topic
from flowwarden.enforcer.deletion_call import DeletionCall
from flowwarden.enforcer.marking import mark_reported
from flowwarden.enforcer.registry import DeletedFlowLog, Entry, KnownFlowLog, Registry, RegistryStore
from flowwarden.enforcer.reporting.report import EnforcementReport
from flowwarden.errors import StateUnavailable
from flowwarden.notify.delivery import DeliveryReport

MARKED_AT_MOST: Final = 5
"""Flow logs of another stack that are marked, a write each: the stack stays reported while one exists."""


def store(report: EnforcementReport, delivery: DeliveryReport, registry: RegistryStore) -> None:
    """Store what was sent, so that no later run reports it again; nothing if a sink did not get all of it.

    Does not store what another run is sending: that run stores it, or a later run reports it. Also stores
    what an earlier run sent without storing it, because it ended.
    """
    sent = {*delivery.sent, *delivery.known}
    by_incident = report.deletions_by_incident.items()
    deletions = [each for incident, some in by_incident if incident in sent for each in some]
    topics = [topic for topic, incident in report.notices.items() if incident in sent]
    if not delivery.is_final or not (deletions or topics):
        return
    with suppress(StateUnavailable):  # its claim suppresses it in the next run, which stores it
        stored = Registry.load(registry, kind=_needed(deletions, topics))
        mark_reported(deletions, registry, stored.calls.values())
        for topic in topics:
            for flow_log_id, resource_id, mark in _marks(report, topic):
                _mark(flow_log_id, resource_id, mark, stored)


def _needed(deletions: Sequence[DeletedFlowLog], topics: Sequence[Topic]) -> type[Entry] | None:
    """The kind of entry to read; None for all in one call, which is faster than two calls of a slow table."""
    if deletions and topics:
        return None
    return DeletionCall if deletions else KnownFlowLog


def _marks(report: EnforcementReport, topic: Topic) -> Iterator[tuple[str, str, str]]:
    """The flow logs of a topic, each with its resource and what to store with it."""
    match topic:
        case Topic.OTHER_STACK:
            for stack in report.other_stacks:
                yield from ((*each, stack.mark) for each in stack.flow_logs[:MARKED_AT_MOST])
        case Topic.DUPLICATE:
            for each in report.duplicates:
                yield from ((name, each.vpc_id, topic) for name in each.flow_log_ids)
        case Topic.ELSEWHERE | Topic.UNRECORDED:
            found = report.elsewhere if topic is Topic.ELSEWHERE else report.unrecorded
            yield from ((each.flow_log_id, each.resource_id, topic) for each in found)
        case Topic.READ | Topic.NOT_READ:
            existing = report.read_in_place if topic is Topic.READ else report.not_read
            yield from ((each.flow_log_id, each.resource_id, topic) for each in existing)


def _mark(flow_log_id: str, resource_id: str, mark: str, registry: Registry) -> None:
    known = registry.known.get(flow_log_id)
    if known is None:
        known = KnownFlowLog(flow_log_id=flow_log_id, resource_ids=(resource_id,))
    registry.put(replace(known, reported=_with(known.reported, mark)))


def _with(reported: Iterable[str], mark: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*reported, str(mark))))
