"""Stores what was reported, after it was sent: deletions, and what is reported once about a flow log."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from msgspec.structs import replace

from flowwarden.enforcer.decide.unmanaged import Topic
from flowwarden.enforcer.registry import KnownFlowLog, Registry, RegistryStore, mark_reported
from flowwarden.enforcer.reporting.report import EnforcementReport
from flowwarden.errors import StateUnavailable
from flowwarden.notify.delivery import DeliveryReport


def store(report: EnforcementReport, delivery: DeliveryReport, registry: RegistryStore) -> None:
    """Store what was sent, so that no later run reports it again; nothing if a sink did not get all of it.

    What another run is sending is left to that run: if it ends before, a later run reports it. What an
    earlier run sent, and did not store because it ended, is stored now.
    """
    sent = {*delivery.sent, *delivery.known}
    by_incident = report.deletions_by_incident.items()
    deletions = [each for incident, some in by_incident if incident in sent for each in some]
    topics = [topic for topic, incident in report.notices.items() if incident in sent]
    if not delivery.is_final or not (deletions or topics):
        return
    with suppress(StateUnavailable):  # its claim suppresses it in the next run, which stores it
        mark_reported(deletions, registry)
        stored = Registry.load(registry)
        for topic in topics:
            _mark(topic, _resources(report, topic), stored)


def _resources(report: EnforcementReport, topic: Topic) -> dict[str, str]:
    """The flow logs of a topic, with their resources."""
    if topic is Topic.DUPLICATE:
        return {name: each.vpc_id for each in report.duplicates for name in each.flow_log_ids}
    found = report.elsewhere if topic is Topic.ELSEWHERE else report.unrecorded
    return {each.flow_log_id: each.resource_id for each in found}


def _mark(topic: Topic, resources: dict[str, str], registry: Registry) -> None:
    for flow_log_id, resource_id in resources.items():
        known = registry.known.get(flow_log_id)
        if known is None:
            known = KnownFlowLog(flow_log_id=flow_log_id, resource_ids=(resource_id,))
        registry.put(replace(known, reported=_with(known.reported, topic)))


def _with(reported: Iterable[str], topic: Topic) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*reported, str(topic))))
