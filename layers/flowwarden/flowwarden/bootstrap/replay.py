"""Builds a replay: the monitor and the dispatcher, as in production, with their state in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flowwarden.bootstrap import dispatcher_service, monitor_service
from flowwarden.dispatcher.digest_place import DigestPlace
from flowwarden.memory.claims import MemoryClaims
from flowwarden.memory.formats import MemoryFormats, MemoryFormatStore
from flowwarden.memory.incidents import MemoryIncidents
from flowwarden.memory.sets import MemoryDigests, MemoryEvidence
from flowwarden.memory.sink import MemorySink
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
    evidence, digests, formats = MemoryEvidence(), MemoryDigests(), dict[str, list[str]]()
    claims = MemoryClaims(ClaimTerms(suppression=SUPPRESSION_MINUTES * 60, lease=_LEASE_SECONDS))
    pages, operations = MemorySink("memory:pages"), MemorySink("memory:operations")
    known, incidents = LearnedInterfaces(interfaces), MemoryIncidents(claims)
    service = monitor_service.build(
        monitor_service.MonitorPorts(
            formats=MemoryFormats(formats),
            format_store=MemoryFormatStore(),
            interfaces=known,
            state=evidence,
            claims=claims,
            digests=digests,
            pages=pages,
            operations=operations,
            breadth=1 if as_delivered else _BREADTH,
        ),
        policy,
        (DEFAULT_LOG_FORMAT,),
        region=region,
        suppression_minutes=SUPPRESSION_MINUTES,
    )
    sender, _ = dispatcher_service.build(
        dispatcher_service.DispatcherPorts(
            incidents=incidents,
            claims=claims,
            evidence=evidence,
            pages=pages,
            operations=operations,
            digests=digests,
            place=DigestPlace(account, region, RUNBOOKS),
        )
    )

    def expire(now: int) -> None:
        evidence.expire(now)
        digests.expire(now)

    return Stack(
        monitor=service, dispatcher=sender, pages=pages, operations=operations, incidents=incidents,
        interfaces=known, evidence=evidence, formats=formats, expire=expire,
    )  # fmt: skip
