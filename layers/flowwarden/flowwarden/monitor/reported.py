"""What was reported about hosts: the items "reported findings", their marks and keys.

An item is a set of (mark, hour) for a day and a subject, so the order and repetition of deliveries do not
matter. Marks are names of detectors, what an acting host was reported for, and whether it has an incident of
its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from msgspec import Struct

from flowwarden.monitor.acting_hosts import (
    HOSTS_OF_CHANGE,
    Act,
    Past,
    Place,
    act_of,
    behavior_of,
    denies_one_way,
    place_of,
    side_of,
)
from flowwarden.monitor.behavior import Behavior
from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.causes import role_of
from flowwarden.monitor.detectors import BY_NAME, DETECTORS
from flowwarden.monitor.findings import Finding, TrafficFinding, gravity, vpc_of
from flowwarden.monitor.quiet import quiet_of_host
from flowwarden.monitor.render.incident_key import account_of
from flowwarden.monitor.traffic.hosts import Hosts
from flowwarden.monitor.traffic.row_groups import MOST_FINDINGS
from flowwarden.state.schema import REPORTED
from flowwarden.state.sets import DAY, HOUR, Sets, fingerprint, merged

DETECTED: Final = REPORTED.sets[0]  # the others are named after kinds of behavior
MOST_READ: Final = MOST_FINDINGS
"""Items that a batch reads, in six calls: those about 85 hosts and their roles at least, or in most cases one
for each finding that a detector creates."""
LONGEST: Final = 2 * DAY
"""Seconds for which a reported finding counts at most: repeats may be suppressed for a year."""

_INHIBITS: Final = frozenset(each.name for each in DETECTORS if each.inhibits)
_OWN: Final = "own incident"
_ACTS: Final = [Act(each.name, kind) for each in DETECTORS if each.behavior for kind in Behavior]


class Reported(Struct, frozen=True):
    """Where and when a batch reports."""

    owner: str
    """The account of the batch."""
    suppression_minutes: int
    now: int
    """Unix seconds."""

    def key(self, day: int, finding: Finding, subject: str) -> str:
        """The key of an item about the finding, in whose scope subjects are unique, as in incident keys."""
        return REPORTED.key_of(day, f"{account_of(finding) or self.owner}/{vpc_of(finding)}", subject)

    def keys(self, finding: Finding, begin: int, subjects: Collection[str]) -> list[str]:
        """The keys of the items about these subjects since `begin` (Unix seconds)."""
        days = range(begin // DAY, self.now // DAY + 1)
        return [self.key(day, finding, each) for day in days for each in subjects]


class HostHistory(Reported, frozen=True):
    """How long what was reported about acting hosts counts: as long as their incidents suppress repeats."""

    def of(self, findings: Iterable[Finding], hosts: Hosts, state: StateView) -> dict[Place, Past]:
        """What earlier batches reported about the acting hosts of these findings, and about their roles.

        Reads at most `MOST_READ` items, those about the most severe findings first. If the table does not
        answer, nothing was reported: a host can then have a second incident.
        """
        keys: dict[Place, _Keys] = {}
        for finding in sorted(findings, key=gravity):
            place = place_of(finding, self.owner)
            if place and place not in keys and isinstance(finding, TrafficFinding):
                role = role_of(finding, hosts)
                of_role = self.keys(finding, self.begin, (role,)) if role else []
                keys[place] = _Keys(self.keys(finding, self.begin, (place.host,)), of_role)
        most = MOST_READ * state.breadth // max((len(each.all) for each in keys.values()), default=1)
        state.unread += max(0, len(keys) - most)
        chosen = dict([*keys.items()][:most])
        wanted = dict.fromkeys(key for some in chosen.values() for key in some.all)
        items = state.read(wanted) if wanted else {}
        return {place: self._past(items, some) for place, some in chosen.items()}

    @property
    def begin(self) -> int:
        """Since when what was reported counts, in Unix seconds."""
        return self.now - min(quiet_of_host(self.suppression_minutes), LONGEST)

    def _past(self, items: Mapping[str, Sets], keys: _Keys) -> Past:
        stored = {number for key in keys.of_host for number in items.get(key, {}).get(DETECTED, ())}
        if not stored:
            return Past()
        # One hour more, because the clock of the container that stored the finding may be ahead.
        hours = range(self.begin // HOUR, self.now // HOUR + 2)
        acts: dict[Act, int] = {}
        for act in _ACTS:
            first = next((hour for hour in hours if fingerprint(_mark(act), hour) in stored), None)
            if first is not None:
                acts[act] = first * HOUR
        own = any(fingerprint(_OWN, hour) in stored for hour in hours)
        of_role = merged(*(items[key] for key in keys.of_role if key in items))
        many = (each for each in Behavior if len(of_role.get(each, ())) >= HOSTS_OF_CHANGE)
        return Past(acts, own=own, of_role=frozenset(many))


class _Keys(Struct, frozen=True):
    """The items about an acting host and its role."""

    of_host: list[str]
    of_role: list[str]

    @property
    def all(self) -> list[str]:
        return [*self.of_host, *self.of_role]


def mark_of(inhibitor: str, finding: Finding) -> str:
    """The mark of a finding of a detector that may inhibit this one; see `acting_hosts.may_explain`."""
    if denies_one_way(inhibitor):
        return _denial(inhibitor, finding)
    behavior = behavior_of(finding)
    shows = behavior is not None and BY_NAME[inhibitor].behavior is not None
    return _mark(Act(inhibitor, behavior)) if shows and behavior else inhibitor


def marks_of(finding: Finding, own: Collection[Place], owner: str) -> Mapping[str, list[str]]:
    """The marks that a finding leaves, by subject.

    Args:
        finding: one that was reported.
        own: the acting hosts with an incident of their own.
        owner: the account of the batch.
    """
    marks: defaultdict[str, list[str]] = defaultdict(list)
    if finding.detector in _INHIBITS:
        one_way = denies_one_way(finding.detector)
        marks[finding.subject].append(_denial(finding.detector, finding) if one_way else finding.detector)
    place, act = place_of(finding, owner), act_of(finding)
    if place and act:
        marks[place.host] += [_mark(act), *([_OWN] if place in own else [])]
    return marks


def _denial(detector: str, finding: Finding) -> str:
    return f"{detector} {side_of(finding)}"


def _mark(act: Act) -> str:
    return f"{act.detector} {act.behavior}"
