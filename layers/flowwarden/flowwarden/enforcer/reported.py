"""Stores what was reported, after it was sent: deletions, and what is reported once about a flow log."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from flowwarden.enforcer.decide.unmanaged import Topic
from flowwarden.enforcer.registry import KnownFlowLog, Registry, RegistryStore
from flowwarden.enforcer.reporting.report import EnforcementReport
from flowwarden.notify.delivery import DeliveryReport


def store(report: EnforcementReport, delivery: DeliveryReport, registry: RegistryStore) -> None:
    """Store what was sent, so that no later run reports it again; nothing if a sink did not get all of it.

    What another run is sending is left to that run: if it ends before, a later run reports it.
    """
    sent = set(delivery.sent)
    deletions = report.deletions if report.deletions_incident in sent else ()
    replaced = report.replaced if sent else ()
    topics = [topic for topic, incident in report.notices.items() if incident in sent]
    if delivery.unsent or not (deletions or replaced or topics):
        return
    stored = Registry.load(registry)
    stored.mark_reported([*deletions, *replaced])
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
