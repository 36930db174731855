"""Explanations say what was measured, what was sent, and what kept a finding from being sent."""

from __future__ import annotations

from random import Random

from flowwarden.policy.policy import Policy
from flowwarden.replay.explain.incident import IncidentWatch, matching, near
from flowwarden.replay.explain.model import Outcome
from tests.replay.archives import BEGIN, HOUR, PROBER, SCANNER, incidents, line, ordinary, scan
from tests.replay.explained import noise, of, one_of, replayed


def test_a_probe_is_explained_with_its_count_and_its_limit() -> None:
    said = of(one_of(incidents(), PROBER), "host-probing")
    assert said.outcome is Outcome.SENT
    assert [(each.value, each.limit, each.reached) for each in said.measured] == [(8, 5, True)]
    assert said.incident


def test_what_another_detector_reports_says_so() -> None:
    said = of(one_of(incidents(), PROBER), "blocked-connection")
    assert not said.flagged
    assert said.why_not == "host-probing reports its client"


def test_ordinary_traffic_is_not_flagged() -> None:
    said = one_of(ordinary(), "10.0.0.200")
    assert not said.flagged
    assert said.verdict.startswith("Not flagged")
    assert said.suppressed == []


def test_a_mute_is_named_with_its_reason() -> None:
    policy = Policy.from_json('{"mutes": [{"subject": "10.0.0.30", "until": "never", "reason": "a tool"}]}')
    said = one_of(incidents(), PROBER, policy)
    assert of(said, "host-probing").outcome is Outcome.MUTED
    assert (of(said, "host-probing").mute or {})["subject"] == PROBER
    assert said.suppressed == ["host-probing: mute: a tool"]


def test_an_exempt_host_is_named() -> None:
    said = one_of(incidents(), PROBER, Policy.from_json('{"exempt": ["10.0.0.30"]}'))
    assert of(said, "host-probing").outcome is Outcome.EXEMPT
    assert of(said, "scan").why_not == "the policy exempts its client"


def test_a_report_only_detector_is_named() -> None:
    said = one_of(incidents(), PROBER, Policy.from_json('{"report_only": ["host-probing"]}'))
    assert of(said, "host-probing").outcome is Outcome.REPORT_ONLY
    assert said.suppressed == [
        "host-probing: report_only: the policy lists host-probing; it is a row of the digest"
    ]
    other = one_of(incidents(), PROBER, Policy.from_json('{"report_only": ["scan"]}'))
    assert of(other, "host-probing").outcome is Outcome.SENT


def test_internet_noise_is_flagged_and_never_sent() -> None:
    lines = [*ordinary(1, 3), *noise(Random(3))]  # noqa: S311
    said = one_of(lines, next(each.split()[3] for each in lines if "203.0.113." in each))
    assert of(said, "internet-rejects").outcome is Outcome.NOISE
    assert "internet noise" in said.verdict


def test_a_repeat_names_the_incident_that_was_sent_before() -> None:
    lines = [*ordinary(), *scan(BEGIN + HOUR), *scan(BEGIN + HOUR + 1600)]
    said = of(one_of(lines, SCANNER), "scan")
    assert said.outcome is Outcome.REPEAT
    (sent,) = [each.incident for each in replayed(lines).incidents if each.subject == SCANNER]
    assert said.incident == sent


def test_an_inhibited_finding_names_the_graver_one() -> None:
    """The host scans, and one of its connections is refused long enough to be a finding."""
    at = BEGIN + HOUR
    refused = [
        line(at + 25 * number, SCANNER, SCANNER, "10.0.3.1", (52_000 + number, 8443), action="REJECT")
        for number in range(60)
    ]
    said = of(one_of([*ordinary(), *scan(at), *refused], "10.0.3.1"), "blocked-connection")
    assert said.outcome is Outcome.INHIBITED
    assert "scan explains it" in said.suppressed_by


def test_an_incident_has_the_findings_of_its_batches() -> None:
    watch = IncidentWatch("")
    result = replayed(incidents(), watch.see)
    (scanned,) = [each for each in result.incidents if each.subject == SCANNER]
    said = watch.explanation(scanned)
    assert said.timeline == scanned.timeline
    assert said.batches == 1 + scanned.repeats
    (evidence,) = said.evidence
    assert evidence.judgment.detector == "scan"
    assert evidence.example is not None
    assert evidence.example.client.address == SCANNER


def test_near_keys_are_offered() -> None:
    found = replayed(incidents()).incidents
    key = found[0].incident
    assert matching(found, key[:6]) == [found[0]]
    assert found[0] in near(found, f"{key[:5]}0{key[6:]}")
    assert near(found, "zz") == found
