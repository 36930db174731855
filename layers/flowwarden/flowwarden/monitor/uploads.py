"""Uploads: what hosts send to the internet within an hour, held against what their roles send."""

from __future__ import annotations

from flowwarden.monitor.baseline.profile import RoleProfile
from flowwarden.monitor.caches.state import StateCache
from flowwarden.monitor.detectors import egress_volume
from flowwarden.monitor.detectors.egress_volume import Place
from flowwarden.monitor.findings import Finding
from flowwarden.network.direction import Directions
from flowwarden.network.host_set import host_set
from flowwarden.policy.policy import Policy
from flowwarden.records.columnar.tokenizer import Integers
from flowwarden.state.schema import MOST_UPLOADS
from flowwarden.state.sets import merged


def inspect(
    evidence: StateCache,
    directions: Directions,
    rows: Integers,
    familiar: RoleProfile,
    policy: Policy,
    now: int,
) -> list[Finding]:
    """A finding for each host that sends more than its role ever does.

    Args:
        evidence: what is remembered of hosts and roles.
        directions: of the batch.
        rows: the flows of one interface.
        familiar: what is known of its host. Of one that EC2 does not tell nothing is remembered: it may be a
            NAT gateway, which sends for many.
        policy: the user's.
        now: Unix seconds.
    """
    if familiar.interface is None:
        return []
    found = egress_volume.uploads(directions, rows, now)
    exempt = host_set(policy.exempt)
    most = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))[:MOST_UPLOADS]
    return [
        finding
        for place, sent in most
        if not exempt.hold(place[0])
        if (finding := _inspect(evidence, directions, place, sent, familiar, policy)) is not None
    ]


def _inspect(
    evidence: StateCache,
    directions: Directions,
    place: Place,
    rows: Integers,
    familiar: RoleProfile,
    policy: Policy,
) -> Finding | None:
    added = egress_volume.addition(place, familiar.scope, directions, rows)
    known = evidence.known(added.key)
    full = egress_volume.is_full(known)
    sent = egress_volume.volume(merged(known, added.sets) if full else evidence.add(added))
    role, megabytes = familiar.role, policy.thresholds.upload_megabytes
    if familiar.learning or sent < egress_volume.limit(0, megabytes):
        evidence.add(egress_volume.lesson(role, place, sent))
        return None
    items = evidence.recall_once(egress_volume.keys(role, place))
    if evidence.is_away:
        return None
    before = egress_volume.usual(items.values())
    limit = egress_volume.limit(before, megabytes)
    evidence.add(egress_volume.lesson(role, place, min(sent, limit)))
    return egress_volume.report(place, role, sent, before, directions, rows) if sent >= limit else None
