"""Inhibition across batches: after a severe finding about a host, less severe ones do not page.

Within a batch, `triage` decides. Both ends of a connection log it, and every interface has its own batches,
so most findings that a more severe one explains are in other batches. After the notification of a finding was
sent, the finding is therefore stored. It inhibits less severe findings while its own repeats are suppressed,
at most for `LONGEST`. If the table does not answer, nothing is inhibited.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

from flowwarden.monitor.acting_hosts import (
    HOSTS_OF_CHANGE,
    Place,
    acting_for_role,
    acting_host,
    behavior_of,
)
from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.detectors import DETECTORS
from flowwarden.monitor.detectors.base import Detector
from flowwarden.monitor.findings import Finding, TrafficFinding, gravity
from flowwarden.monitor.report_only import would_notify
from flowwarden.monitor.reported import DETECTED, LONGEST, MOST_READ, Reported, mark_of, marks_of
from flowwarden.monitor.traffic.hosts import Hosts
from flowwarden.monitor.triage import inhibited_by
from flowwarden.state.schema import REPORTED
from flowwarden.state.sets import DAY, HOUR, Addition, Sets, fingerprint, together


def _graver(lesser: Detector) -> tuple[str, ...]:
    """The detectors that inhibit this one in later batches.

    These are the ones that list it in `inhibits`, and those of the same incident that it lists itself. Within
    an incident, the claim prevents a second notification; but the incident has another key in a batch that
    does not show the role of the host.
    """
    same = [each.name for each in DETECTORS if each.incident == lesser.incident and lesser.incident]
    return tuple(
        each.name
        for each in DETECTORS
        if lesser.name in each.inhibits or (each.name in same and each.name in lesser.inhibits)
    )


_GRAVER: Final = {each.name: _graver(each) for each in DETECTORS}
"""Detector → the detectors that inhibit it."""


class Inhibition(Reported, frozen=True):
    """How long, and in which account, a reported finding inhibits less severe ones."""

    def of(self, findings: Sequence[Finding], state: StateView) -> list[Finding]:
        """The findings; those that a reported finding of another batch inhibits no longer page.

        Reads at most `MOST_READ` items, those about the most severe findings first. Findings that were not
        looked up page, and the state counts them. A finding of a report-only detector can be inhibited, too.
        """
        keys = self._chosen(findings, state)
        if not keys:
            return [*findings]
        items = state.read(dict.fromkeys(key for some in keys.values() for key in some))
        after = [*findings]
        for at, some in keys.items():
            by = self._inhibitor_of(findings[at], [items[key] for key in some if key in items])
            if by:
                after[at] = inhibited_by(by, findings[at])
        return after

    def store(
        self,
        findings: Sequence[Finding],
        state: StateView,
        own: Collection[Place],
        hosts: Hosts,
    ) -> None:
        """Store what was reported, for later batches; call it once the notifications are out.

        `own` are the acting hosts with an incident of their own; `hosts` is what is known of all hosts.

        The subjects of the most severe findings come first. A subject that is stored already costs no further
        write, so the next batches of an incident store the subjects that exceed this batch's limit.
        """
        day, hour = self.now // DAY, self.now // HOUR
        found: defaultdict[str, set[int]] = defaultdict(set)
        for finding in sorted(filter(_pages, findings), key=gravity):
            for subject, marks in marks_of(finding, own, self.owner).items():
                key = self.key(day, finding, subject)
                found[key].update(fingerprint(each, hour) for each in marks)
        until = REPORTED.kept_until(day * DAY)
        additions = [Addition(key, {DETECTED: frozenset(each)}, until) for key, each in found.items()]
        for added in together([*additions, *self._of_roles(findings, state, own, hosts)]):
            state.add(added)

    def _of_roles(
        self, findings: Iterable[Finding], state: StateView, own: Collection[Place], hosts: Hosts
    ) -> Iterator[Addition]:
        """What hosts do as part of their role's incidents, by role and kind of behavior.

        No further hosts are added once a change of the role is known. A role can have thousands of hosts, and
        each write is charged for the whole item.
        """
        day = self.now // DAY
        traffic = (each for each in findings if isinstance(each, TrafficFinding))
        for finding, role in acting_for_role(traffic, own, hosts, self.owner):
            key, behavior = self.key(day, finding, role), behavior_of(finding)
            if behavior and len(state.known(key).get(behavior, ())) < HOSTS_OF_CHANGE:
                host = frozenset({fingerprint(acting_host(finding))})
                yield Addition(key, {behavior.value: host}, REPORTED.kept_until(day * DAY))

    def _chosen(self, findings: Sequence[Finding], state: StateView) -> dict[int, list[str]]:
        """The items to read for the findings that can be explained, by their positions."""
        # Those of report-only detectors come last: a read must not be missing for one that pages.
        lesser = [at for at, each in enumerate(findings) if _is_asked(each) and _GRAVER[each.detector]]
        asked: set[str] = set()
        chosen: dict[int, list[str]] = {}
        for at in sorted(lesser, key=lambda at: gravity(findings[at])):
            keys = self._keys(findings[at])
            if len(asked.union(keys)) <= MOST_READ * state.breadth:
                asked.update(keys)
                chosen[at] = keys
        state.unread += len(lesser) - len(chosen)
        return chosen

    def _inhibitor_of(self, finding: Finding, items: Sequence[Sets]) -> str | None:
        """The detector whose stored finding inhibits this one."""
        stored = {number for item in items for number in item.get(DETECTED, ())}
        if not stored:
            return None
        # One hour more, because the clock of the container that stored the finding may be ahead.
        hours = range(self._begin // HOUR, self.now // HOUR + 2)
        marks = ((name, mark_of(name, finding)) for name in _GRAVER[finding.detector])
        named = (name for name, mark in marks for hour in hours if fingerprint(mark, hour) in stored)
        return next(named, None)

    def _keys(self, finding: Finding) -> list[str]:
        """The keys of the items about the finding's subject, and about the subnet that logged it."""
        subnet = finding.example.flow.subnet_id if isinstance(finding, TrafficFinding) else None
        subjects = dict.fromkeys(filter(None, (finding.subject, subnet)))
        return self.keys(finding, self._begin, subjects)

    @property
    def _begin(self) -> int:
        return self.now - min(self.suppression_minutes * 60, LONGEST)


def _is_asked(finding: Finding) -> bool:
    """Whether a graver finding may explain it. What it is about is then part of that incident."""
    return would_notify(finding) and bool(finding.subject)


def _pages(finding: Finding) -> bool:
    """Whether it notifies about a subject. A finding that only counts others has none."""
    return finding.severity.pages and bool(finding.subject)
