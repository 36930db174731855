"""How often something was found is counted in batches, whatever a batch has of it."""

from __future__ import annotations

from msgspec.structs import replace

from flowwarden.monitor.findings import Finding
from flowwarden.monitor.report_only import only_reported
from flowwarden.monitor.traffic.hosts import Hosts
from flowwarden.policy.detection import Thresholds
from flowwarden.replay.noise import Noise
from flowwarden.replay.report_only import ReportedOnly
from tests.monitor.render.examples import EXAMPLES

SCAN = EXAMPLES["scan"]()
OTHER = replace(SCAN, aspect="other")
ELSEWHERE = replace(SCAN, subject="10.9.9.9")
BATCHES: list[list[Finding]] = [[SCAN, OTHER], [OTHER], [ELSEWHERE], []]
COUNTS = {SCAN.subject: 2, ELSEWHERE.subject: 1}


def test_several_findings_of_a_batch_about_a_subject_are_one_batch_of_the_noise() -> None:
    """The subject that was found in most batches comes first."""
    noise = Noise()
    for batch in BATCHES:
        noise.see(batch, Hosts({}), Thresholds())
    assert {each.subject: each.findings for each in noise.noisiest({})} == COUNTS
    assert [each.subject for each in noise.noisiest({})] == [*COUNTS]


def test_several_findings_of_a_batch_are_one_batch_of_a_report_only_detector() -> None:
    """With the times of its first and last batch; one that notifies does not count."""
    reported = ReportedOnly()
    for at, batch in enumerate(BATCHES, start=1):
        reported.see([*only_reported(batch, ["scan"]), SCAN], at)
    rows = reported.rows()
    assert {each.subject: each.findings for each in rows} == COUNTS
    assert [(each.first, each.last) for each in rows] == [(1, 2), (3, 3)]
