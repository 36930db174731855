"""The noisiest subjects, and what in the policy would have kept them from paging. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import floor
from typing import Any, Final

import msgspec
from msgspec import Struct, field

from flowwarden.monitor.findings import Finding, TrafficFinding
from flowwarden.monitor.mutes import TO_EDIT, suggested_match
from flowwarden.monitor.traffic.hosts import Hosts
from flowwarden.policy.detection import Thresholds
from flowwarden.policy.mutes import NEVER
from flowwarden.replay.result import Noisy

LISTED: Final = 20
"""Subjects in the result."""
MOST_MUTES: Final = 3
"""Mutes for one subject. If more would be needed, one without service and peer replaces them."""
_MEASURED: Final = {
    "brute-force": ("sessions", "brute_force_sessions"),
    "host-probing": ("pairs", "probing_destinations"),
    "lateral-movement": ("servers", "lateral_hosts"),
    "new-egress-port": ("slots", "new_egress_slots"),
}
"""Detector → the member of its facts that is compared with a limit, and the threshold of that limit. Not
`scan`: a host that stays below one of its three limits may exceed another."""


class _Subject(Struct):
    """What was found about a subject by a detector."""

    batches: int = 0
    matches: dict[tuple[tuple[str, str], ...], None] = field(default_factory=dict)
    """What the mutes of its findings match."""
    needed: dict[str, int] = field(default_factory=dict)
    """The least value of each threshold with which none of the findings would exist."""
    is_measured: bool = True
    """Whether that is known of all findings."""


class Noise:
    """Collects the findings that notify."""

    def __init__(self) -> None:
        self._subjects: dict[tuple[str, str], _Subject] = {}

    def see(self, findings: Iterable[Finding], hosts: Hosts, thresholds: Thresholds) -> None:
        """Count those of a batch; one that does not page, or has no subject, does not count.

        A detector can find several things about a subject in a batch, such as one for each service.
        """
        seen: set[tuple[str, str]] = set()
        for finding in findings:
            if finding.severity.pages and finding.subject:
                seen.add((finding.detector, finding.subject))
                self._see(finding, hosts, thresholds)
        for key in seen:
            self._subjects[key].batches += 1

    def _see(self, finding: Finding, hosts: Hosts, thresholds: Thresholds) -> None:
        known = self._subjects.setdefault((finding.detector, finding.subject), _Subject())
        known.matches[tuple(suggested_match(finding, hosts).items())] = None
        need = least_threshold(finding, thresholds)
        if need is None:
            known.is_measured = False
        else:
            name, value = need
            known.needed[name] = max(value, known.needed.get(name, 0))

    def noisiest(self, pages: dict[tuple[str, str], int]) -> list[Noisy]:
        """The subjects that were found in most batches.

        Args:
            pages: the pages and updates by detector and subject.
        """
        ordered = sorted(self._subjects.items(), key=lambda each: (-each[1].batches, each[0]))
        return [_noisy(*key, known, pages.get(key, 0)) for key, known in ordered[:LISTED]]


def _noisy(detector: str, subject: str, known: _Subject, pages: int) -> Noisy:
    matches: Sequence[dict[str, str]] = [dict(each) for each in known.matches]
    if len(matches) > MOST_MUTES:
        matches = [{"detector": detector, "subject": subject}]
    mutes: list[dict[str, Any]] = [{**each, "until": NEVER, "reason": TO_EDIT} for each in matches]
    return Noisy(
        detector=detector,
        subject=subject,
        findings=known.batches,
        pages=pages,
        mutes=mutes,
        thresholds=known.needed if known.is_measured and _are_allowed(known.needed) else {},
    )


def least_threshold(finding: Finding, thresholds: Thresholds) -> tuple[str, int] | None:
    """A threshold and its least value with which the finding would not exist; None if it is not known.

    While a role is learned, the limit is a multiple of the threshold.
    """
    measure, name = _MEASURED.get(finding.detector, ("", ""))
    facts = finding.facts if isinstance(finding, TrafficFinding) else None
    amount, limit = getattr(facts, measure, None), getattr(facts, "limit", None)
    if amount is None or not limit:
        return None
    return name, floor(amount / (limit / getattr(thresholds, name))) + 1


def _are_allowed(values: dict[str, int]) -> bool:
    try:
        msgspec.convert(values, Thresholds)
    except msgspec.ValidationError:
        return False
    return True
