"""A replay sends what the stack would, whatever the files and the order of the lines in them."""

from __future__ import annotations

import json
from random import Random

import pytest

from flowwarden.policy.policy import Policy
from flowwarden.replay.result import ReplayResult
from flowwarden.replay.text import summary
from flowwarden.state.sets import DAY
from tests.replay.archives import (
    BEGIN,
    HOUR,
    PROBER,
    SCANNER,
    end_of,
    incidents,
    ordinary,
    replayed,
    scan,
    shown,
)
from tests.replay.test_reorder import shuffled

SEEDS = range(4)


def pages(result: ReplayResult) -> set[tuple[str, str]]:
    """Detector and subject of the incidents that were paged."""
    return {
        (detector, each.subject)
        for each in result.incidents
        if each.route == "pages"
        for detector in each.detectors
    }


def test_ordinary_traffic_pages_nothing() -> None:
    result = replayed(ordinary())
    assert (result.pages, result.incidents, result.noisiest) == (0, [], [])
    assert result.records.accepted == len(ordinary())


def test_a_scan_is_paged_with_its_host() -> None:
    result = replayed(incidents())
    assert ("scan", SCANNER) in pages(result)
    assert {subject for _, subject in pages(result)} == {SCANNER, PROBER}
    assert result.pages == sum(len(each.timeline) for each in result.incidents if each.route == "pages")


@pytest.mark.parametrize("seed", SEEDS)
def test_shuffled_within_the_buffer_it_gives_the_same_incidents(seed: int) -> None:
    lines = incidents(seed)
    assert shown(replayed(shuffled(lines, Random(seed)))) == shown(replayed(lines)) != []  # noqa: S311


@pytest.mark.parametrize("seed", SEEDS)
def test_split_into_files_it_gives_the_same_incidents(seed: int) -> None:
    lines, random = incidents(seed), Random(seed)  # noqa: S311
    cuts = sorted(random.sample(range(len(lines)), 6))
    files = [lines[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(lines)], strict=True)]
    random.shuffle(files)
    assert shown(replayed(*files)) == shown(replayed(lines)) != []


@pytest.mark.parametrize("seed", SEEDS)
def test_doubled_it_gives_the_same_incidents(seed: int) -> None:
    """As when the same folder is copied twice, or a delivery is repeated."""
    lines = incidents(seed)
    assert shown(replayed(lines, lines)) == shown(replayed(lines)) != []


def test_cut_as_delivered_it_finds_the_same_scan() -> None:
    lines = incidents()
    assert ("scan", SCANNER) in pages(replayed(lines, as_delivered=True))


def test_the_same_archive_gives_the_same_result() -> None:
    assert replayed(incidents()) == replayed(incidents())


def test_an_incident_is_resolved_when_later_records_show_that_it_is_over() -> None:
    lines = [*ordinary(hours=16), *scan(BEGIN + HOUR)]
    (scanned,) = [each for each in replayed(sorted(lines, key=end_of)).incidents if each.subject == SCANNER]
    assert [each.event for each in scanned.timeline] == ["opened", "resolved"]
    assert not scanned.is_open
    (early,) = [each for each in replayed(incidents()).incidents if each.subject == SCANNER]
    assert early.is_open


def test_what_goes_on_is_suppressed_and_counted() -> None:
    lines = sorted([*ordinary(), *scan(BEGIN + HOUR), *scan(BEGIN + HOUR + 1600)], key=end_of)
    (scanned,) = [each for each in replayed(lines).incidents if each.subject == SCANNER]
    assert scanned.repeats > 0
    assert len(scanned.timeline) == 1


def test_the_mutes_of_the_noisiest_subjects_prevent_their_pages() -> None:
    result = replayed(incidents())
    assert {each.subject for each in result.noisiest} == {SCANNER, PROBER}
    mutes = [mute for each in result.noisiest for mute in each.mutes]
    policy = Policy.from_json(json.dumps({"mutes": mutes}))
    assert pages(replayed(incidents(), policy=policy)) == set()


def test_a_report_only_detector_pages_nothing_and_is_shown_apart() -> None:
    """The incident of the other host is the same; the findings are rows of the digests."""
    result = replayed(incidents(), policy=Policy(report_only=("scan",)))
    assert pages(result) == {each for each in pages(replayed(incidents())) if each[1] == PROBER}
    (found,) = result.report_only
    assert (found.detector, found.subject) == ("scan", SCANNER)
    assert BEGIN + HOUR < found.first <= found.last
    assert found.findings >= 1
    assert SCANNER in found.summary
    assert sum(each.digest_rows for each in result.days if each.detector == "scan") >= 1
    assert "Found by report-only detectors, without a notification: 1" in summary(result)
    assert found.summary in summary(result)


def test_without_report_only_detectors_nothing_is_shown_apart() -> None:
    result = replayed(incidents())
    assert result.report_only == []
    assert "report-only" not in summary(result)


def test_the_thresholds_of_a_noisy_subject_prevent_its_pages() -> None:
    result = replayed(incidents())
    (prober,) = [each for each in result.noisiest if each.detector == "host-probing"]
    policy = Policy.from_json(json.dumps({"thresholds": prober.thresholds}))
    assert ("host-probing", PROBER) not in pages(replayed(incidents(), policy=policy))
    lower = {name: value - 1 for name, value in prober.thresholds.items()}
    policy = Policy.from_json(json.dumps({"thresholds": lower}))
    assert ("host-probing", PROBER) in pages(replayed(incidents(), policy=policy))


def test_what_could_not_be_judged_is_listed() -> None:
    result = replayed([*incidents(), "odd line", *["also odd"] * 2])
    counts = {each.what: each.count for each in result.not_judged}
    assert counts["malformed lines"] == result.records.malformed == 3
    assert counts["interfaces learned from the lines"] == result.interfaces
    assert all(each.why for each in result.not_judged)


def test_every_line_is_counted_once() -> None:
    lines = [*incidents(), "odd line"]
    records = replayed(lines).records
    assert records.all == len(lines)
    assert records.rejected == 8


def test_the_traffic_is_counted_by_time() -> None:
    result = replayed(incidents())
    assert sum(each.accepted for each in result.traffic) == result.records.accepted
    assert sum(each.rejected for each in result.traffic) == result.records.rejected
    assert [each.begin for each in result.traffic] == sorted({each.begin for each in result.traffic})


def test_a_record_decades_later_ends_neither_the_replay_nor_the_counts() -> None:
    lines = incidents()
    late = lines[0].replace(str(end_of(lines[0])), str(end_of(lines[0]) + 50 * 365 * DAY))
    result = replayed([*lines, late])
    assert ("scan", SCANNER) in pages(result)
    assert result.records.all == len(lines) + 1
