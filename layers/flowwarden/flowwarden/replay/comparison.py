"""Compares the results of two policies on the same archive. Pure."""

from __future__ import annotations

from collections import Counter
from typing import Final

from msgspec import Struct

from flowwarden.notify.alert import Route
from flowwarden.notify.incident import Event
from flowwarden.replay.result import IncidentHistory, ReplayResult

VERSION: Final = "1"
"""Raised when a member of the JSON document is removed or changes its meaning."""


class Difference(Struct, frozen=True, kw_only=True):
    """The pages of a detector with each policy."""

    detector: str
    pages_a: int
    """Pages, with updates, with policy A."""
    pages_b: int
    digest_rows_a: int
    digest_rows_b: int


class Comparison(Struct, frozen=True, kw_only=True):
    """What policy B changes."""

    version: str = VERSION
    policy_a: str
    """Its file."""
    policy_b: str
    added: list[str]
    """The keys of the incidents that are paged with B alone."""
    lost: list[str]
    """The keys of the incidents that are paged with A alone."""
    both: int
    """Incidents that are paged with both."""
    detectors: list[Difference]
    """The detectors that page or write into digests with A or B."""
    a: ReplayResult
    b: ReplayResult

    def added_incidents(self) -> list[IncidentHistory]:
        """The incidents that are paged with B alone."""
        return [each for each in self.b.incidents if each.incident in set(self.added)]

    def lost_incidents(self) -> list[IncidentHistory]:
        """The incidents that are paged with A alone."""
        return [each for each in self.a.incidents if each.incident in set(self.lost)]


def compared(policy_a: str, a: ReplayResult, policy_b: str, b: ReplayResult) -> Comparison:
    """The comparison of two results; policies are given by the names of their files."""
    paged_a, paged_b = _paged(a), _paged(b)
    return Comparison(
        policy_a=policy_a,
        policy_b=policy_b,
        added=[each for each in paged_b if each not in paged_a],
        lost=[each for each in paged_a if each not in paged_b],
        both=sum(each in paged_b for each in paged_a),
        detectors=_differences(a, b),
        a=a,
        b=b,
    )


def _paged(result: ReplayResult) -> dict[str, None]:
    """The keys of the incidents that were paged, in the order of their first page."""
    return dict.fromkeys(
        each.incident
        for each in result.incidents
        if each.route == Route.PAGES and any(one.event != Event.RESOLVED for one in each.timeline)
    )


def _differences(a: ReplayResult, b: ReplayResult) -> list[Difference]:
    counts = Counter[tuple[str, str]]()
    for name, result in (("a", a), ("b", b)):
        for each in result.days:
            counts[each.detector, f"pages_{name}"] += each.pages + each.updates
            counts[each.detector, f"digest_rows_{name}"] += each.digest_rows
    members = ("pages_a", "pages_b", "digest_rows_a", "digest_rows_b")
    found = (
        Difference(detector=detector, **{member: counts[detector, member] for member in members})
        for detector in sorted({detector for detector, _ in counts})
    )
    return [each for each in found if any(getattr(each, member) for member in members)]
