"""Learning: what a batch adds to the baselines of its hosts' roles.

Only answered contacts are learned. New behavior, and administration that is not usual yet, is not learned
from a batch with a finding, since it may be part of the incident, nor while a host of the batch is above the
limits of `scan`, in whichever batch it exceeded them. A detector whose findings are based on novelty alone
(`teaches_baseline`) does not prevent learning: the behavior is reported on two days and then counts as usual.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import compress
from typing import Final

from msgspec import Struct

from flowwarden.monitor.baseline.baseline import PRESENT, Edge, shows_presence
from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.detectors import DETECTORS
from flowwarden.monitor.detectors.scan import exceeded
from flowwarden.monitor.findings import Finding, TrafficFinding
from flowwarden.monitor.view import BatchView
from flowwarden.network.host_set import any_held
from flowwarden.network.roles import vpc_role
from flowwarden.state.sets import fingerprint

_TEACH_BASELINE: Final = frozenset(detector.name for detector in DETECTORS if detector.teaches_baseline)


class BaselineUpdate(Struct, frozen=True):
    """Answered edges of a role on a day."""

    role: str
    day: int
    """Since 1970."""
    edges: frozenset[Edge]


def learn(view: BatchView, findings: Sequence[Finding], state: StateView) -> None:
    """Add the edges that the batch adds to the baselines.

    A batch with many roles stores only some, so each batch has another order.
    """
    updates = baseline_updates(view, usual_alone=_is_suspicious(view, findings))
    for update in sorted(updates, key=lambda each: fingerprint(view.batch.batch_id, each.role, each.day)):
        state.learn(update.role, update.day, update.edges)


def baseline_updates(view: BatchView, *, usual_alone: bool) -> list[BaselineUpdate]:
    """The edges to learn from the answered contacts of a batch.

    Args:
        view: the batch.
        usual_alone: whether to exclude new edges.
    """
    edges, exempt = view.contacts.edges, view.policy.exempt
    answered = edges.any(view.contacts.answered).tolist()
    found: defaultdict[tuple[str, int], set[Edge]] = defaultdict(set)
    for place, profile in view.profiles.items():
        if profile.baseline is None:
            continue
        here = edges.at(place)
        learned = set(compress(edges.keys[here], answered[here]))
        if usual_alone:
            learned.difference_update(view.new_contacts.get(place, ()))
            # What is as old as the role was when it was learned may be a job that runs each week.
            learned = {
                edge for edge in learned if not profile.administers_lately(edge) or profile.is_old(edge)
            }
        if profile.interface and any_held(exempt, profile.interface.addresses):
            # An exempt host may do anything, so its connections say nothing about the others of its role.
            learned = {edge for edge in learned if edge.direction == "in"}
        if learned:
            found[profile.role, profile.day] |= learned
            vpc = vpc_role(profile.interface) if profile.interface else ""
            if vpc and shows_presence(profile.day):
                found[vpc, profile.day].add(PRESENT)
    return [BaselineUpdate(role, day, frozenset(each)) for (role, day), each in found.items()]


def _is_suspicious(view: BatchView, findings: Sequence[Finding]) -> bool:
    """Whether new behavior in the batch may be an incident."""
    if any(_counts(finding) for finding in findings):
        return True
    return any(exceeded(host, view.policy.thresholds) is not None for host in view.active_hosts.inspected)


def _counts(finding: Finding) -> bool:
    traffic = isinstance(finding, TrafficFinding)
    return traffic and finding.severity.pages and finding.detector not in _TEACH_BASELINE
