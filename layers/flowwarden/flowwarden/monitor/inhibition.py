"""Inhibition across batches: a host that was reported for something graver does not page for less.

Within a batch, `triage` decides. Both ends of a connection log it, and every interface has its own batches,
so most findings that a graver one explains are in other batches. What was reported about a host is therefore
stored, once its notification is out, and suppresses lesser findings for as long as repeats of the graver one
are suppressed, at most `LONGEST`. If the table does not answer, nothing is suppressed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.detectors import DETECTORS
from flowwarden.monitor.findings import Finding, Severity, TrafficFinding, identity
from flowwarden.monitor.render.incident_key import account_of
from flowwarden.state.schema import MOST_REPORTED, REPORTED
from flowwarden.state.sets import DAY, HOUR, Addition, Sets, fingerprint

(DETECTED,) = REPORTED.sets

_GRAVER: Final = {
    lesser.name: tuple(each.name for each in DETECTORS if lesser.name in each.inhibits)
    for lesser in DETECTORS
}
"""Detector → the detectors that inhibit it."""
_GRAVE: Final = frozenset(each.name for each in DETECTORS if each.inhibits)


LONGEST: Final = 2 * DAY
"""Seconds for which a reported finding inhibits others at most: repeats may be suppressed for a year."""


class Inhibition(Struct, frozen=True):
    """For how long, and for whom, a reported finding suppresses lesser ones."""

    owner: str
    """The account of the batch."""
    suppression_minutes: int
    now: int
    """Unix seconds."""

    def of(self, findings: Sequence[Finding], state: StateView) -> list[Finding]:
        """The findings; those that a reported one of another batch explains no longer page."""
        named = (each for each in findings if each.severity.pages and each.subject)
        lesser = [each for each in named if _GRAVER[each.detector]]
        if not lesser:
            return [*findings]
        keys = {identity(each): self._keys(each) for each in lesser}
        items = state.read(dict.fromkeys(key for some in keys.values() for key in some))
        explained = {
            identity(each)
            for each in lesser
            if self._is_explained(each, [items[key] for key in keys[identity(each)] if key in items])
        }
        return [
            replace(each, severity=Severity.INFO, silenced=True) if identity(each) in explained else each
            for each in findings
        ]

    def store(self, findings: Iterable[Finding], state: StateView) -> None:
        """Store what was reported, for later batches; call it once the notifications are out."""
        named = (each for each in findings if each.severity.pages and each.subject)
        grave = [each for each in named if each.detector in _GRAVE]
        for finding in grave[:MOST_REPORTED]:
            day, hour = self.now // DAY, self.now // HOUR
            key = REPORTED.key_of(day, self._scope(finding), finding.subject)
            numbers = frozenset({fingerprint(finding.detector, hour)})
            state.add(Addition(key, {DETECTED: numbers}, REPORTED.kept_until(day * DAY)))

    def _is_explained(self, finding: Finding, items: Sequence[Sets]) -> bool:
        stored = {number for item in items for number in item.get(DETECTED, ())}
        if not stored:
            return False
        # Clocks of containers can differ.
        hours = range(self._begin // HOUR, self.now // HOUR + 2)
        return any(fingerprint(name, hour) in stored for name in _GRAVER[finding.detector] for hour in hours)

    def _keys(self, finding: Finding) -> list[str]:
        """The items about the finding's subject, and about the subnet that logged it."""
        subnet = finding.example.flow.subnet_id if isinstance(finding, TrafficFinding) else None
        subjects = dict.fromkeys(filter(None, (finding.subject, subnet)))
        days = range(self._begin // DAY, self.now // DAY + 1)
        return [REPORTED.key_of(day, self._scope(finding), each) for day in days for each in subjects]

    @property
    def _begin(self) -> int:
        return self.now - min(self.suppression_minutes * 60, LONGEST)

    def _scope(self, finding: Finding) -> str:
        """Where a subject is unique, as in incident keys."""
        vpc = finding.example.flow.vpc_id if isinstance(finding, TrafficFinding) else None
        return f"{account_of(finding) or self.owner}/{vpc or ''}"
