"""The tally: the pages of a system under test in a scenario, and their scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from msgspec import Struct, field

from benchmarks.evaluation.accuracy import SURE
from benchmarks.evaluation.expected_detections import about, blames_another, finds
from benchmarks.evaluation.figures import Rate, per_day_and_thousand, quantile
from benchmarks.evaluation.generator.model import DAY, Incident
from benchmarks.evaluation.refusals import Refused
from benchmarks.evaluation.subject import Page

QUIET_SECONDS: Final = 240 * 60
"""The suppression window: the template's default."""


class Tally(Struct):
    """Pages and findings of scored days."""

    pages: list[Page] = field(default_factory=list)
    while_learning: list[Page] = field(default_factory=list)
    """Pages on learning days."""
    resolved: list[Page] = field(default_factory=list)
    """Notifications of scored days that incidents are resolved."""
    overdue: set[str] = field(default_factory=set)
    """Keys of incidents that were open for too long."""
    refused: Counter[Refused] = field(default_factory=Counter)
    """Pages on all days about permanently rejected traffic, by VPC, role and service; see `refusals`."""
    records: int = 0
    """Lines, including gaps, on scored days."""
    batches: int = 0
    write_units: Counter[str] = field(default_factory=Counter)
    """Write units on scored days, by kind of item."""

    @property
    def paged(self) -> list[Page]:
        """The pages."""
        return [page for page in self.pages if page.paged]

    @property
    def reported(self) -> list[Page]:
        """The findings that never page."""
        return [page for page in self.pages if not (page.paged or page.joined)]

    @property
    def low_confidence(self) -> int:
        """Pages that name an initiator with too low confidence: there must be none."""
        return sum(page.confidence is not None and page.confidence < SURE for page in self.paged)

    def repeats(self) -> int:
        """Pages about an incident that was paged less than `QUIET_SECONDS` before."""
        last: dict[str, int] = {}
        count = 0
        for page in self.paged:
            count += page.key in last and page.arrived - last[page.key] < QUIET_SECONDS
            last[page.key] = page.arrived
        return count

    def rate(self, interfaces: int, days: int) -> Rate:
        """Pages per day and 1,000 interfaces."""
        return per_day_and_thousand(len(self.paged), interfaces, days * DAY)

    def rate_while_learning(self, interfaces: int, days: int) -> Rate:
        """Pages on learning days, per day and 1,000 interfaces."""
        return per_day_and_thousand(len(self.while_learning), interfaces, days * DAY)

    def writes_per_thousand(self) -> float:
        """Write units per 1,000 records."""
        return sum(self.writes_by_kind().values())

    def writes_by_kind(self) -> dict[str, float]:
        """The same by kind of item, most first."""
        return {kind: count / max(self.records, 1) * 1000 for kind, count in self.write_units.most_common()}

    def writes_per_batch(self) -> float:
        """Write units per batch. Most batches are small and from one interface."""
        return self.write_units.total() / max(self.batches, 1)


class Found(Struct, frozen=True):
    """The results for the incidents of a kind."""

    incidents: int
    delays: tuple[int, ...]
    """Seconds from the first packet to the arrival of the delivery with the page, of each that has one."""
    joined: int = 0
    """Incidents without a page of their own, whose finding belongs to an incident that was paged before."""

    @property
    def recall(self) -> float:
        """The share of incidents found."""
        return (len(self.delays) + self.joined) / self.incidents if self.incidents else 0.0

    def delay(self, share: float) -> float | None:
        """A quantile of the delays, in seconds."""
        return quantile(self.delays, share)


def found(tally: Tally, incidents: Sequence[Incident]) -> dict[str, Found]:
    """The incidents that a page or finding is about, by kind."""
    delays: dict[str, list[int]] = {}
    counts, joined = Counter(incident.kind for incident in incidents), Counter[str]()
    for incident in incidents:
        about_it = [page for page in tally.pages if finds(page, incident)]
        times = [page.arrived for page in about_it if not page.joined]
        delays.setdefault(incident.kind, []).extend([min(times) - incident.begin] if times else [])
        joined[incident.kind] += bool(about_it and not times)
    return {kind: Found(counts[kind], tuple(each), joined[kind]) for kind, each in delays.items()}


def together(kinds: dict[str, Found]) -> Found:
    """The sum over all kinds."""
    return Found(
        sum(each.incidents for each in kinds.values()),
        tuple(delay for each in kinds.values() for delay in each.delays),
        sum(each.joined for each in kinds.values()),
    )


def pages_per_incident(tally: Tally, incidents: Sequence[Incident]) -> list[int]:
    """The number of pages about each incident, in their order.

    A page about several incidents counts for the latest of them that its detector is expected for, or else
    for the latest; any detector counts. A page after the end of an incident, such as one that it is reopened,
    counts for it if an earlier page had the same key.
    """
    counts, of_key = Counter[int](), dict[str, int]()
    for page in tally.paged:
        about_it = [at for at, incident in enumerate(incidents) if about(page, incident)]
        if about_it:
            expected = [at for at in about_it if finds(page, incidents[at])]
            of_key[page.key] = max(expected or about_it, key=lambda at: incidents[at].begin)
        elif page.key not in of_key or not page.key:
            continue
        counts[of_key[page.key]] += 1
    return [counts[at] for at in range(len(incidents))]


def wrong_subjects(tally: Tally, incidents: Sequence[Incident]) -> list[Page]:
    """The pages whose subject is a host that did nothing: a target of an incident, or an uninvolved host."""
    return [page for page in tally.paged if blames_another(page, incidents)]


def by_detector(pages: Sequence[Page]) -> Counter[str]:
    """Number of pages by detector."""
    return Counter(page.detector for page in pages)


def precision(tally: Tally, incidents: Sequence[Incident]) -> float | None:
    """The share of the pages that are about an incident; None if there is no page."""
    paged = tally.paged
    true = sum(any(about(page, incident) for incident in incidents) for page in paged)
    return true / len(paged) if paged else None
