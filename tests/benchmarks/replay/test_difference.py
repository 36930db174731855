"""The comparison of a replay with the evaluation: the same scoring, each difference counted with a reason."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from benchmarks.evaluation.generator.model import Incident, Network
from benchmarks.evaluation.subject import Page
from benchmarks.evaluation.tally import Tally
from benchmarks.replay.difference import WITHIN_BATCHES, Reason, difference, report
from benchmarks.replay.evaluated import Both, found_by_both, tally
from tests.benchmarks.evaluation.networks import network

BEGIN = 1_767_300_000
NETWORK = network(
    "template", learning_days=0, judged_days=1, incidents_of_each_kind=1, judged_rate=0.005, window=86_400
)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Both:
    """A small network with an incident of each kind, found twice."""
    folder = tmp_path_factory.mktemp("both") / "archive"
    return found_by_both(NETWORK, folder, NETWORK.end + 86_400, lambda _: None)


def page(subject: str = "10.0.0.1", detector: str = "scan", key: str = "k", at: int = BEGIN) -> Page:
    """A page, by default about the incident."""
    return Page(
        at=at, arrived=at, detector=detector, subject=subject, key=key, confidence=1.0,
        names=frozenset({subject}),
    )  # fmt: skip


SCAN = Incident("slow-scan", "10.0.0.1", "eni-1", (), BEGIN - 60, BEGIN + 60)
GUESSES = Incident("ssh-brute-force", "10.0.0.2", "eni-2", (), BEGIN - 60, BEGIN + 60)


def made(evaluation: list[Page], replay: list[Page], *labels: Incident, gone: str = "") -> Both:
    """What both found about some incidents."""
    tallies = Tally(pages=evaluation), Tally(pages=replay)
    return Both(10, [*labels], *tallies, frozenset({gone} - {""}))


def test_pages_are_counted_as_the_evaluation_counts_them() -> None:
    """Those of learning days apart; none that is late about these days; no resolution."""
    learned = replace(NETWORK, learning_days=1)
    moment = learned.judged_from
    pages = [
        page(key="scored", at=moment + 1),
        page(key="while learning", at=moment - 1),
        replace(page(key="late", at=moment + 1), at=moment - 1),
        replace(page(key="resolved", at=moment + 1), event="resolved"),
        replace(page(key="unpaged", at=moment - 1), paged=False),
    ]
    counted = tally(pages, learned, {})
    assert [each.key for each in counted.pages] == ["scored"]
    assert [each.key for each in counted.while_learning] == ["while learning"]


def test_the_replay_finds_what_the_evaluation_finds(both: Both) -> None:
    result = difference(both)
    assert result.failures == []
    assert sum(each.replay for each in result.kinds) >= 10
    assert result.both > 0


def test_what_the_replay_lacks_fails() -> None:
    guesses = page("10.0.0.2", "brute-force", "g")
    result = difference(made([page(), guesses], [page()], SCAN, GUESSES))
    assert result.failures == ["ssh-brute-force: 0 of 1", "brute-force: 10.0.0.2"]
    assert difference(made([page(), guesses], [page(), guesses], SCAN, GUESSES)).failures == []


def test_what_it_finds_more_does_not_fail_and_is_counted() -> None:
    result = difference(made([page()], [page(), page("10.0.0.9", key="other")], SCAN))
    assert result.failures == []
    assert [(each.by_replay, each.subject) for each in result.alone] == [(True, "10.0.0.9")]
    assert result.false_pages == (0, 1)


@pytest.mark.parametrize(
    ("alone", "replay", "reason"),
    [
        (page(key="a"), [page(detector="host-probing", key="b")], Reason.ANOTHER),
        (page(key="a"), [], Reason.CUT),
        (page("10.0.0.7", "interface-silent", "a"), [], Reason.REMOVED),
        (page(detector="egress-volume", key="a"), [], Reason.UNKNOWN),
    ],
)
def test_a_difference_has_a_reason(alone: Page, replay: list[Page], reason: Reason) -> None:
    result = difference(made([alone], replay, gone="10.0.0.7"))
    assert [each.reason for each in result.alone if not each.by_replay] == [reason]
    assert bool(result.failures) is (reason is Reason.UNKNOWN)


def test_a_kind_that_only_counts_within_a_batch_may_be_lost() -> None:
    result = difference(made([page()], [], SCAN))
    assert [(each.replay, each.is_lost) for each in result.kinds] == [(0, False)]
    assert "counts within a batch" in report(result)


def test_the_detectors_that_count_within_a_batch_are_those_of_the_documentation() -> None:
    text = (Path(__file__).parents[3] / "docs" / "replay.md").read_text()
    section = text.split("## What is the same")[1].split("\n## ")[0]
    rows = [each for each in section.splitlines() if each.startswith("| ")][1:]
    assert {name for row in rows for name in re.findall(r"`([a-z-]+)`", row.split("|")[2])} == WITHIN_BATCHES


def test_the_report_has_a_row_for_each_kind(both: Both) -> None:
    text = report(difference(both))
    assert all(f"| {each.kind}" in text for each in both.labels)
    assert "**all**" in text


def test_incidents_that_end_after_the_archive_are_left_out(tmp_path: Path) -> None:
    short: Network = replace(NETWORK, incidents_of_each_kind=0)
    result = found_by_both(short, tmp_path / "archive", short.judged_from + 3600, lambda _: None)
    assert result.labels == []
