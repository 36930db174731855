"""Stores the incidents of an event of `events/`, as the monitor does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from flowwarden.notify.claim_request import ClaimRequest
from flowwarden.notify.claims import ClaimKey, ClaimTerms, Owner
from flowwarden.notify.incident import Event, Incident
from flowwarden.notify.ports import Claims
from flowwarden.settings import MonitorSettings
from flowwarden.state.ports import EvidenceStore
from flowwarden.state.watermarks import addition, slot_of
from local.payload import AccountState, ExistingIncident

_DEFAULTS: Final = dict(
    zip(
        MonitorSettings.__struct_fields__[-len(MonitorSettings.__struct_defaults__) :],
        MonitorSettings.__struct_defaults__,
        strict=True,
    )
)
TERMS: Final = ClaimTerms(
    suppression=_DEFAULTS["suppression_minutes"] * 60, lease=_DEFAULTS["claim_lease_seconds"]
)
"""The template's defaults."""


def store_incidents(
    account: AccountState, claims: Claims, evidence: EvidenceStore, sinks: Mapping[str, str], later: int
) -> None:
    """Store the incidents and the watermarks of an account.

    Args:
        account: what the event describes.
        claims: the stored claims.
        evidence: the stored watermarks.
        sinks: the name of the sink of each topic.
        later: seconds by which all times are moved.
    """
    for each in account.incidents:
        _store(each, claims, ClaimKey(sinks[each.topic], each.key), later)
    for log_group, until in account.watermarks.items():
        evidence.add(addition(log_group, slot_of(until + later)))


def _store(each: ExistingIncident, claims: Claims, key: ClaimKey, later: int) -> None:
    owner, at, incident = Owner(f"batch-{each.key}", "attempt"), each.claimed_at + later, _moved(each, later)
    if each.pending is not None:
        claims.claim(ClaimRequest(key, owner, at, incident=incident, notification=each.pending))
        return
    claims.claim(ClaimRequest(key, owner, at))
    claims.confirm(ClaimRequest(key, owner, at, incident=incident.after(None, Event.OPENED, at)))


def _moved(each: ExistingIncident, later: int) -> Incident:
    return replace(each.incident, last_seen=each.incident.last_seen + later)
