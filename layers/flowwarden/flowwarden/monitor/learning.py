"""Learning: what a batch adds to the baselines of its hosts' roles.

Answered contacts are learned as usual, and rejected connections as usually refused. New behavior, and
administration that is not usual yet, is not learned from a batch with a finding, since it may be part of the
incident, nor while a host of the batch is above the limits of `scan`, in whichever batch it exceeded them. A
detector whose findings are based on novelty alone (`teaches_baseline`) does not prevent learning: the
behavior is reported on two days and then counts as usual.

Where records have flags, only the first records of a long connection show the initiator; from the later ones
it can only be guessed. Traffic that was never reported must not become usual because of a guess. After a role
is learned, later records therefore teach an edge only if an earlier day taught it.

Rejections are learned as usual even while they are reported; otherwise, a permanent misconfiguration would be
reported forever. They are not learned from a batch with any other finding, nor from a host that many services
refuse. Rejections at ports that an intruder tries first are learned only while they are reported.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final

from msgspec import Struct

from flowwarden.monitor.baseline.baseline import (
    MEASURED,
    PINGS,
    PRESENT,
    Baseline,
    Edge,
    bursts_of,
    guessed_at,
    refused,
    shows_presence,
)
from flowwarden.monitor.baseline.profile import RoleProfile
from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.detectors import DETECTORS, internet_brute_force, ping_sweep
from flowwarden.monitor.detectors.scan import exceeded
from flowwarden.monitor.findings import Finding, TrafficFinding, vpc_of
from flowwarden.monitor.report_only import would_notify
from flowwarden.monitor.traffic.refused_edges import is_grave
from flowwarden.monitor.view import BatchView
from flowwarden.network.host_set import any_held
from flowwarden.network.roles import vpc_role
from flowwarden.state.sets import fingerprint

_ABOUT_REFUSALS: Final = frozenset({"blocked-connection", "service-blocked", "egress-denied"})
"""Detectors that report what rules refuse."""
_TEACH_BASELINE: Final = frozenset(detector.name for detector in DETECTORS if detector.teaches_baseline)


class BaselineUpdate(Struct, frozen=True):
    """Edges of a role on a day."""

    role: str
    day: int
    """Since 1970."""
    edges: frozenset[Edge]


def learn(
    view: BatchView, findings: Sequence[Finding], state: StateView, *, is_explained: bool = False
) -> None:
    """Add the edges that the batch adds to the baselines.

    A batch stores a limited number of roles. Their order depends on the batch, so that each role is stored by
    some batch.

    Args:
        view: the batch.
        findings: of the batch.
        state: where the baselines are.
        is_explained: whether a page of another batch explains some of the findings, so that they do not page;
            what they are about is part of that incident.
    """
    if not len(view.records.flows):
        return
    suspicious = is_explained or _exceeds_limits(view)
    updates = baseline_updates(view, usual_alone=suspicious or any(map(_counts, findings)))
    if not suspicious and not any(
        _counts(each) and each.detector not in _ABOUT_REFUSALS for each in findings
    ):
        updates += refused_updates(view, findings)
    updates += standing_updates(findings)
    for update in sorted(updates, key=lambda each: fingerprint(view.batch.batch_id, each.role, each.day)):
        state.learn(update.role, update.day, update.edges)


def baseline_updates(view: BatchView, *, usual_alone: bool) -> list[BaselineUpdate]:
    """The edges to learn from the answered contacts of a batch.

    Args:
        view: the batch.
        usual_alone: whether to exclude new edges.
    """
    edges = view.contacts.edges
    answered = edges.any(view.contacts.answered).tolist()
    shown = edges.any(view.contacts.answered & ~view.contacts.lasts).tolist()
    # Bursts of a batch with a finding may be guesses.
    sudden = [] if usual_alone or view.are_bursts is None else edges.any(view.are_bursts).tolist()
    found: defaultdict[tuple[str, int], set[Edge]] = defaultdict(set)
    for teachers in _teachers(view):
        profile = teachers.profile
        here = [*chain.from_iterable(map(edges.numbers_at, teachers.places))]
        learned = edges.distinct(number for number in here if answered[number])
        if not profile.learning_all:
            guessed = learned - edges.distinct(number for number in here if shown[number])
            learned -= _never_learned(teachers.baseline, [*guessed])
        if usual_alone:
            # An administrative edge that was first seen `LEARNING_DAYS` ago may be a weekly job.
            learned = {
                edge
                for edge in profile.usual_among([*learned])
                if not profile.administers_lately(edge) or profile.is_old(edge)
            }
        if teachers.is_exempt:
            # An exempt host may do anything, so its connections say nothing about the others of its role.
            learned = {edge for edge in learned if edge.direction == "in"}
        if learned:
            bursts = edges.distinct(number for number in here if sudden[number]) & learned if sudden else ()
            found[profile.role, profile.day] |= {*learned, *map(bursts_of, bursts), MEASURED}
            if teachers.vpc and shows_presence(profile.day):
                found[teachers.vpc, profile.day].add(PRESENT)
    return [BaselineUpdate(role, day, frozenset(each)) for (role, day), each in found.items()]


class _Teachers(Struct, frozen=True):
    """Interfaces of one role and VPC, whose contacts are learned together."""

    profile: RoleProfile
    """The profile of the first interface; the others have the same baseline."""
    baseline: Baseline
    vpc: str
    """The key of the VPC's baseline, see `vpc_role`; '' if the VPC is unknown."""
    is_exempt: bool
    places: list[int]
    """The indexes of the interfaces."""


def _teachers(view: BatchView) -> Iterable[_Teachers]:
    """The interfaces with contacts whose roles have baselines, by role, day, VPC and exemption."""
    found: dict[tuple[str, int, str, bool], _Teachers] = {}
    for place, profile in view.profiles.items():
        interface, baseline = profile.interface, profile.baseline
        if interface is None or baseline is None:
            continue
        vpc, is_exempt = vpc_role(interface), any_held(view.policy.exempt, interface.addresses)
        key = profile.role, profile.day, vpc, is_exempt
        if key not in found:
            found[key] = _Teachers(profile, baseline, vpc, is_exempt, [])
        found[key].places.append(place)
    return found.values()


def standing_updates(findings: Sequence[Finding]) -> list[BaselineUpdate]:
    """The edges that only findings show: passwords guessed from the internet, and pings without replies.

    They are learned even while they are reported. Otherwise they would be reported forever, because an open
    port never stops attracting guesses, and monitoring never stops sending pings.
    """
    found = []
    for each in findings:
        if isinstance(each, TrafficFinding) and isinstance(each.facts, internet_brute_force.Facts):
            port = (each.service.port if each.service else None) or 0
            guesses = frozenset({guessed_at(port), guessed_at(port, each.subject)})
            found += [BaselineUpdate(each.facts.role, each.facts.day, guesses)]
        if isinstance(each, TrafficFinding) and isinstance(each.facts, ping_sweep.Facts):
            found += [BaselineUpdate(each.facts.role, each.facts.day, frozenset({PINGS}))]
    return found


def _never_learned(baseline: Baseline, edges: Sequence[Edge]) -> set[Edge]:
    """The edges among these that no earlier day has learned."""
    days = baseline.days_of_all(edges) if edges else []
    return {edge for edge, each in zip(edges, days, strict=True) if not each}


def refused_updates(view: BatchView, findings: Sequence[Finding]) -> list[BaselineUpdate]:
    """The refused edges to learn from the rejected connections of a batch.

    Args:
        view: the batch.
        findings: of the batch, none about anything but refusals.
    """
    if not len(view.rejections):
        return []
    found: defaultdict[tuple[str, int], set[Edge]] = defaultdict(set)
    reported, exempt = _reported(findings), view.policy.exempt
    for profile, edge, clients in view.refused_edges.taught():
        is_exempt = profile.interface and any_held(exempt, profile.interface.addresses)
        if profile.baseline is None or is_exempt:
            continue
        services = ((vpc, each, edge.protocol, edge.port) for vpc in ("", profile.scope) for each in clients)
        if not is_grave(edge) or not reported.isdisjoint(services):
            found[profile.role, profile.day].add(refused(edge))
    return [BaselineUpdate(role, day, frozenset(each)) for (role, day), each in found.items()]


def _reported(findings: Sequence[Finding]) -> set[tuple[str, str, int | None, int | None]]:
    """VPC, client, protocol and port of the rejected connections that the batch's pages are about."""
    return {
        (vpc_of(each), client, *service)
        for each in findings
        if isinstance(each, TrafficFinding) and would_notify(each) and each.detector in _ABOUT_REFUSALS
        for client, _ in each.tally.clients
        for service, _ in each.tally.services
    }


def _exceeds_limits(view: BatchView) -> bool:
    """Whether a host of the batch is above the limits of `scan`, in whichever batch it exceeded them."""
    return any(exceeded(host, view.policy.thresholds) is not None for host in view.active_hosts.inspected)


def _counts(finding: Finding) -> bool:
    traffic = isinstance(finding, TrafficFinding)
    return traffic and would_notify(finding) and finding.detector not in _TEACH_BASELINE
