"""Explain flags exactly the records that are behind a finding, by the amounts that decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Final

import pytest
from msgspec import Struct

from flowwarden.monitor.detectors import BY_NAME
from flowwarden.monitor.findings import TrafficFinding
from flowwarden.monitor.measures import MEASURES
from flowwarden.monitor.report import BatchReport
from flowwarden.monitor.view import BatchView
from flowwarden.replay.explain.model import RecordExplanation
from flowwarden.replay.explain.record import RecordWatch, Wanted
from tests.replay.archives import LAYOUT
from tests.replay.explained import HOSTS, Ends, concerns, replayed, traffic, weeks

DECIDED_BY_AMOUNTS: Final = {
    "scan", "lateral-movement", "brute-force", "host-probing", "blocked-connection", "service-blocked",
    "egress-denied", "nacl-blocks-replies", "ping-sweep",
}  # fmt: skip
"""Detectors for which any amount that is reached means a finding, if nothing else is said against it."""


class Explained(Struct, frozen=True):
    """An archive whose records are all explained, and what its batches found."""

    said: dict[str, RecordExplanation]
    found: dict[str, set[str]]
    """By line: the detectors with a finding that a reader of the line would relate to it."""
    counts: Counter[str]
    """The records behind the findings of each detector."""


@cache
def explained(make: Callable[[int], list[str]], seed: int) -> Explained:
    """Explain each record of a random archive."""
    lines, hosts = make(seed), HOSTS if make is weeks else ()
    watches = {each: RecordWatch(Wanted(each, (LAYOUT,), "the record")) for each in dict.fromkeys(lines)}
    found: dict[str, set[str]] = {}
    counts = Counter[str]()

    def see(report: BatchReport, view: BatchView) -> None:
        for each in view.batch.lines:
            ends = Ends.of(each)
            found[each] = {finding.detector for finding in report.found if concerns(finding, ends)}
        for one in report.found:
            counts[one.detector] += one.tally.records if isinstance(one, TrafficFinding) else 0

    replayed([*watches], *(watch.see for watch in watches.values()), see, hosts=hosts)
    said = {each: watch.found for each, watch in watches.items() if watch.found is not None}
    return Explained(said, found, +counts)


ARCHIVES: Final = [(make, seed) for make in (traffic, weeks) for seed in range(4)]


@pytest.fixture(params=ARCHIVES)
def one(request: pytest.FixtureRequest) -> Explained:
    """A random archive: of one day, or with a learned role."""
    made: Explained = explained(*request.param)
    return made


@pytest.mark.matrix(4)
def test_exactly_the_records_whose_subject_is_in_a_finding_are_flagged(one: Explained) -> None:
    """By the same detectors, in the same batch."""
    flagged = {
        each: {judged.detector for judged in what.judgments if judged.flagged}
        for each, what in one.said.items()
    }
    assert flagged == one.found
    assert all(what.flagged == bool(one.found[each]) for each, what in one.said.items())
    assert any(one.found.values())
    assert not all(one.found.values())


def test_as_many_records_are_flagged_as_the_findings_count(one: Explained) -> None:
    """Ends and services alone could match records that are not behind a finding.

    Except for `egress-volume`, which counts what is sent: the replies belong to the same connection.
    """
    judged = (each for what in one.said.values() for each in what.judgments)
    flagged = Counter(each.detector for each in judged if each.flagged)
    assert flagged.pop("egress-volume", 0) >= one.counts["egress-volume"]
    assert flagged == {name: count for name, count in one.counts.items() if name != "egress-volume"}


def test_a_detector_that_only_amounts_decide_has_a_finding_if_one_is_reached(one: Explained) -> None:
    judged = [each for what in one.said.values() for each in what.judgments if each.measured]
    for each in [each for each in judged if each.detector in DECIDED_BY_AMOUNTS]:
        reached = any(amount.reached for amount in each.measured)
        assert reached or not each.flagged, each
        assert each.flagged or each.why_not or not reached, each


def test_the_archives_have_findings_of_many_detectors() -> None:
    """Otherwise the tests above show little."""
    every = [explained(make, seed) for make, seed in ARCHIVES]
    together = {name for each in every for name in each.counts}
    assert together >= {
        "lateral-movement", "brute-force", "new-egress-port", "egress-volume", "scanner-connected",
        "blocked-connection", "internet-rejects", "scan", "host-probing", "service-blocked",
    }  # fmt: skip


def test_every_detector_can_be_asked() -> None:
    assert [*MEASURES] == [*BY_NAME]
