"""Builds a replay: the monitor and the dispatcher, as in production, with their state in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flowwarden.bootstrap import dispatcher_service, monitor_service
from flowwarden.dispatcher.digest_place import DigestPlace
from flowwarden.dispatcher.dispatch import Dispatcher
from flowwarden.memory.claims import MemoryClaims
from flowwarden.memory.formats import MemoryFormats, MemoryFormatStore
from flowwarden.memory.incidents import MemoryIncidents
from flowwarden.memory.sets import MemoryDigests, MemoryEvidence
from flowwarden.memory.sink import MemorySink
from flowwarden.monitor.pipeline import MonitoringService
from flowwarden.network.interface import NetworkInterface
from flowwarden.notify.claims import ClaimTerms
from flowwarden.parameters import RUNBOOKS
from flowwarden.policy.policy import Policy
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT
from flowwarden.replay.interfaces import LearnedInterfaces
from flowwarden.replay.ports import Stack

SUPPRESSION_MINUTES: Final = 240
"""The template's default of SuppressionMinutes."""
_LEASE_SECONDS: Final = 50
_BREADTH: Final = 64
"""A slice has the records of all interfaces, and so the limits of so many batches."""


class _Memory:
    """Everything that AWS keeps in production."""

    def __init__(self) -> None:
        self.evidence, self.digests = MemoryEvidence(), MemoryDigests()
        self.claims = MemoryClaims(ClaimTerms(suppression=SUPPRESSION_MINUTES * 60, lease=_LEASE_SECONDS))
        self.incidents = MemoryIncidents(self.claims)
        self.pages, self.operations = MemorySink("memory:pages"), MemorySink("memory:operations")
        self.formats: dict[str, list[str]] = {}

    def expire(self, now: int) -> None:
        """Delete what the state table would have deleted by then (Unix seconds)."""
        self.evidence.expire(now)
        self.digests.expire(now)


def stack(
    policy: Policy,
    interfaces: Mapping[str, NetworkInterface],
    region: str = "",
    account: str = "",
    *,
    as_delivered: bool = False,
) -> Stack:
    """The stack for one replay.

    Args:
        policy: the policy under test.
        interfaces: the described interfaces by id; others are learned from the lines.
        region: the Region, for notifications.
        account: the account, for notifications.
        as_delivered: whether batches are as small as in production, and have the same limits.
    """
    memory, known = _Memory(), LearnedInterfaces(interfaces)
    return Stack(
        monitor=_monitor(memory, known, policy, region, breadth=1 if as_delivered else _BREADTH),
        dispatcher=_dispatcher(memory, DigestPlace(account, region, RUNBOOKS)),
        pages=memory.pages,
        operations=memory.operations,
        incidents=memory.incidents,
        interfaces=known,
        evidence=memory.evidence,
        formats=memory.formats,
        expire=memory.expire,
    )


def _monitor(
    memory: _Memory, known: LearnedInterfaces, policy: Policy, region: str, *, breadth: int
) -> MonitoringService:
    ports = monitor_service.MonitorPorts(
        formats=MemoryFormats(memory.formats),
        format_store=MemoryFormatStore(),
        interfaces=known,
        state=memory.evidence,
        claims=memory.claims,
        digests=memory.digests,
        pages=memory.pages,
        operations=memory.operations,
        breadth=breadth,
    )
    return monitor_service.build(
        ports, policy, (DEFAULT_LOG_FORMAT,), region=region, suppression_minutes=SUPPRESSION_MINUTES
    )


def _dispatcher(memory: _Memory, place: DigestPlace) -> Dispatcher:
    dispatcher, _ = dispatcher_service.build(
        dispatcher_service.DispatcherPorts(
            incidents=memory.incidents,
            claims=memory.claims,
            evidence=memory.evidence,
            pages=memory.pages,
            operations=memory.operations,
            digests=memory.digests,
            place=place,
        )
    )
    return dispatcher
