"""The roll-up: what to do, a query, and an incident, as on any page."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from flowwarden.monitor.alerts import Deployment, Seen, alerts, roll_up
from flowwarden.monitor.detectors import DETECTORS
from flowwarden.monitor.detectors.base import Detector
from flowwarden.monitor.findings import Severity, SurplusFinding
from flowwarden.monitor.render import rollup
from flowwarden.notify.alert import Route
from flowwarden.notify.claims import Claim, ClaimState
from flowwarden.notify.text import duration
from tests.monitor.batches import GROUP
from tests.monitor.render.golden import CONTEXT
from tests.monitor.render.rows import page, query


@pytest.mark.parametrize("route", [Route.PAGES, Route.OPERATIONS])
def test_a_roll_up_has_steps_a_query_and_an_incident(route: Route) -> None:
    """In the text and in the document; the query covers the time of the batch."""
    sent = rollup.render(["one.", "two."], 40, CONTEXT, route)
    key = rollup.rollup_key(CONTEXT)
    assert sent.document["incident"] == key
    identity = f"Incident {key}, severity {rollup.SEVERITY[route]}, detector alert-rollup"
    assert f"\n{identity}\n\nAWS console\n  query of the log group: https://" in sent.text
    assert sent.document["advice"] == list(rollup.RUNBOOK[route])
    for number, step in enumerate(rollup.RUNBOOK[route], start=1):
        assert f"  {number}. {step}\n" in sent.text
    assert sent.document["query"] in sent.text
    assert query(sent) == r"| filter @logStream like /^eni\-1\-all$/"
    assert "/flow-warden/flow-logs, 2025-11-24 15:50:00 UTC to 2025-11-24 16:10:58 UTC\n" in sent.text
    assert sent.document["query_range"] == {"begin": 1_764_000_000 - 600, "end": 1_764_000_058 + 600}


def test_a_batch_without_times_has_no_time_range() -> None:
    """No time is invented."""
    sent = rollup.render(["one."], 1, replace(CONTEXT, batch_span=None), Route.PAGES)
    assert sent.document["query_range"] is None
    assert "log group /flow-warden/flow-logs\nfields" in sent.text


def test_findings_that_are_only_counted_have_the_incident_of_their_detector() -> None:
    """In a loud batch, a detector's other findings are one alert; `page` gives it the key `key0`."""
    sent = page(SurplusFinding(detector="scan", severity=Severity.HIGH, count=9000))
    assert sent.document["incident"] == "key0"
    assert "Incident key0, " in sent.text


@pytest.mark.parametrize(
    ("quiet", "stated"),
    [
        ((None,), "4 h"),
        ((30 * 86_400,), "30 days"),
        ((None, 30 * 86_400), "4 h to 30 days"),
        ((None, 4 * 3600), "4 h"),
        ((90 * 60, None, 86_400), "90 min to 24 h"),
    ],
)
def test_a_roll_up_states_how_long_repeats_of_its_alerts_are_suppressed(
    quiet: tuple[int | None, ...], stated: str
) -> None:
    """The stack's setting, or the detector's own time."""
    sent = rollup.render(["one."], 1, CONTEXT, Route.PAGES, quiet=quiet)
    assert f"\nRepeats of each alert suppressed for {stated}.\n" in sent.text


@pytest.mark.parametrize(
    "detector", [each for each in DETECTORS if each.route in rollup.RUNBOOK], ids=lambda each: each.name
)
def test_alerts_are_rolled_up_with_the_times_of_their_detectors(detector: Detector) -> None:
    """As single pages and as findings that are only counted."""
    counted = SurplusFinding(detector=detector.name, severity=Severity.HIGH, count=3)
    seen = Seen(
        batch=GROUP,
        deployment=Deployment(region="eu-west-1", suppression_minutes=240, runbooks="docs/runbooks"),
        now=1_700_000_000,
    )
    claim = Claim(state=ClaimState.CLAIMED)
    (alert,) = alerts([counted], seen)
    stated = duration(detector.quiet // 60) if detector.quiet else "4 h"
    for each in (alert, roll_up([alert], seen)):
        assert f"suppressed for {stated}.\n" in each.notification(claim).text
    scan = SurplusFinding(detector="scan", severity=Severity.HIGH, count=3)
    if detector.quiet:
        both = roll_up([alert, *alerts([scan], seen)], seen)
        assert f"suppressed for 4 h to {stated}.\n" in both.notification(claim).text


def test_the_subject_says_how_many() -> None:
    """Whatever the name of the log stream, which can have 512 characters."""
    sent = rollup.render(["one."], 12_345, replace(CONTEXT, log_stream="x" * 512), Route.PAGES)
    assert sent.subject == "[HIGH] 12,345 more findings in one batch of a log stream (eu-west-1)"


def test_the_query_finds_the_stream_and_no_similar_one() -> None:
    """Its name is literal text."""
    sent = rollup.render(["one."], 1, replace(CONTEXT, log_stream="a/b.c"), Route.PAGES)
    (pattern,) = re.findall(r"like /(.+)/$", query(sent))
    found = [each for each in ("a/b.c", "a/bxc", "xa/b.c", "a/b.cx") if re.search(pattern, each)]
    assert found == ["a/b.c"]
