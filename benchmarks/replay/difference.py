"""What a replay finds less or more than the evaluation in the same records, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct

from benchmarks.evaluation.expected_detections import about, finds
from benchmarks.evaluation.generator.model import Incident
from benchmarks.evaluation.subject import Page
from benchmarks.evaluation.tally import Found, Tally, found
from benchmarks.replay.evaluated import Both

WITHIN_BATCHES: Final = frozenset(
    {
        *("scan", "host-probing", "egress-denied", "blocked-connection", "service-blocked"),
        *("nacl-blocks-replies", "unparsed-lines"),
    }
)
"""Detectors with thresholds that count within a batch; `docs/replay.md` lists them."""


class Reason(StrEnum):
    """Why an incident is found by one of the two alone."""

    ANOTHER = "the same host, in an incident that another detector opened"
    CUT = "its detector counts within a batch"
    REMOVED = "its interface was removed, which a file of interfaces does not show"
    UNKNOWN = "no reason that is documented"


class Alone(Struct, frozen=True):
    """An incident that is paged by one of the two alone."""

    by_replay: bool
    detector: str
    subject: str
    reason: Reason


class Kind(Struct, frozen=True):
    """The incidents of a kind: how many there are, and how many each of the two found."""

    name: str
    incidents: int
    evaluation: int
    replay: int
    is_cut: bool
    """Whether only detectors that count within a batch find it in the evaluation."""

    @property
    def is_lost(self) -> bool:
        """Whether the replay finds less, and the cut is no reason for it."""
        return self.replay < self.evaluation and not self.is_cut


class Difference(Struct, frozen=True):
    """The comparison."""

    records: int
    kinds: list[Kind]
    both: int
    """Incidents that both paged."""
    alone: list[Alone]
    false_pages: tuple[int, int]
    """Pages about no incident on scored days: of the evaluation, and of the replay."""

    @property
    def failures(self) -> list[str]:
        """What the replay must find, and does not."""
        lost = [f"{each.name}: {each.replay} of {each.evaluation}" for each in self.kinds if each.is_lost]
        missed = [each for each in self.alone if not each.by_replay and each.reason is Reason.UNKNOWN]
        return [*lost, *(f"{each.detector}: {each.subject}" for each in missed)]


def difference(both: Both) -> Difference:
    """Compare what both found."""
    labels, tallies = both.labels, (both.evaluation, both.replay)
    evaluated, replayed = (found(each, labels) for each in tallies)
    keys = [{page.key for page in each.paged} for each in tallies]
    return Difference(
        records=both.records,
        kinds=[
            Kind(name, each.incidents, _count(each), _count(replayed[name]), _is_cut(both, name))
            for name, each in sorted(evaluated.items())
        ],
        both=len(keys[0] & keys[1]),
        alone=[*_alone(both, both.evaluation, both.replay), *_alone(both, both.replay, both.evaluation)],
        false_pages=(_false(both.evaluation, labels), _false(both.replay, labels)),
    )


def _count(one: Found) -> int:
    return len(one.delays) + one.joined


def _is_cut(both: Both, kind: str) -> bool:
    labels = [each for each in both.labels if each.kind == kind]
    return _finders(both.evaluation, labels) <= WITHIN_BATCHES


def _finders(tally: Tally, labels: Sequence[Incident]) -> set[str]:
    """The detectors whose pages find the incidents."""
    return {page.detector for page in tally.pages for each in labels if finds(page, each)}


def _alone(both: Both, here: Tally, there: Tally) -> Iterator[Alone]:
    """The incidents that are paged here alone, each once."""
    others = {page.key for page in there.paged}
    subjects = {page.subject for page in there.paged}
    first = {page.key: page for page in reversed(here.paged) if page.key not in others}
    for page in reversed(first.values()):
        yield Alone(here is both.replay, page.detector, page.subject, _reason(page, both, subjects))


def _reason(page: Page, both: Both, subjects: set[str]) -> Reason:
    if page.subject in subjects:
        return Reason.ANOTHER
    if page.subject in both.removed:
        return Reason.REMOVED
    return Reason.CUT if WITHIN_BATCHES.intersection((page.detector, *page.also)) else Reason.UNKNOWN


def _false(tally: Tally, labels: Sequence[Incident]) -> int:
    return sum(not any(about(page, each) for each in labels) for page in tally.paged)


def report(found: Difference) -> str:
    """The comparison as Markdown."""
    return "\n".join(_lines(found)).rstrip()


def _lines(found: Difference) -> Iterator[str]:
    yield f"{found.records:,} records, {sum(each.incidents for each in found.kinds)} labeled incidents."
    yield ""
    yield "| Kind of incident | Incidents | Found by the evaluation | Found by the replay |"
    yield "|:--|--:|--:|--:|"
    for each in found.kinds:
        note = " (counts within a batch)" if each.replay < each.evaluation and each.is_cut else ""
        yield f"| {each.name}{note} | {each.incidents} | {each.evaluation} | {each.replay} |"
    sums = [sum(getattr(each, name) for each in found.kinds) for name in Kind.__struct_fields__[1:4]]
    yield f"| **all** | {sums[0]} | {sums[1]} | {sums[2]} |"
    yield ""
    evaluation, replay = found.false_pages
    yield f"Pages about no incident: {evaluation} of the evaluation, {replay} of the replay."
    yield f"Incidents that both page: {found.both}."
    for by_replay, name in ((False, "the evaluation"), (True, "the replay")):
        alone = [each for each in found.alone if each.by_replay is by_replay]
        yield f"Incidents that {name} alone pages: {len(alone)}{':' if alone else '.'}"
        yield ""
        yield from (f"- `{each.detector}` {each.subject}: {each.reason}" for each in alone)
        yield ""
