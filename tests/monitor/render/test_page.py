"""Pages: the text for on-call and the JSON document."""

from __future__ import annotations

import re
from typing import Any

import pytest
from msgspec.structs import replace

from flowwarden.monitor.alerts import Deployment, Seen, alerts
from flowwarden.monitor.detectors import DETECTORS, host_probing
from flowwarden.monitor.findings import Severity, TrafficFinding, Window
from flowwarden.monitor.render.ends import TOP
from flowwarden.monitor.render.page import draft
from flowwarden.monitor.render.parts import RenderContext
from flowwarden.monitor.render.query import log_query
from flowwarden.monitor.render.text import describe
from flowwarden.notify.alert import Route
from flowwarden.notify.claims import Claim, ClaimState
from flowwarden.notify.notification import Notification
from flowwarden.notify.text import duration, moment
from flowwarden.policy.policy import Policy
from flowwarden.records.model import FlowDirection
from flowwarden.records.subscription import LogBatch
from flowwarden.sinks.sns import fit_subject
from flowwarden.state.sets import DAY, HOUR
from tests.flows import rejected
from tests.monitor.batches import finding_with, triaged
from tests.monitor.render.examples import EXAMPLES

CONTEXT = RenderContext(
    account_id="111122223333", region="eu-west-1", log_group="/flow-warden/flow-logs",
    log_stream="eni-1-all", suppression_minutes=240, runbooks="docs/runbooks", now=1_764_000_300,
)  # fmt: skip
NEW = Claim(state=ClaimState.CLAIMED)
POLICY = Policy(private_subnets=("10.0.2.0/24",), listener_only=("10.0.2.30",))


def find(*flows: Any) -> TrafficFinding:
    """The first finding about some flows."""
    return triaged(flows, POLICY)[0]


def blocked(**given: Any) -> TrafficFinding:
    """A blocked connection."""
    return find(rejected("10.0.1.20:50000", "10.0.2.30:5432", tcp_flags=2, **given))


def page(finding: TrafficFinding, claim: Claim = NEW) -> Notification:
    """The notification about it."""
    return draft(finding, "key0", CONTEXT).completed(claim)


def test_the_text_contains_what_on_call_needs() -> None:
    """Source, place, time, amount, evidence, steps, and a log query."""
    text = page(blocked(vpc_id="vpc-1", subnet_id="subnet-1", flow_direction=FlowDirection.INGRESS)).text
    assert text.startswith("10.0.1.20 is blocked from PostgreSQL (tcp/5432) at 10.0.2.30.\n")
    for expected in (
        "From         10.0.1.20 (internal)",
        "To           10.0.2.30 (internal)\n             eni-1, subnet-1\n",
        "Where        111122223333, eu-west-1, vpc-1, logged by eni-1 (ingress)",
        "Since        2025-11-24 16:00:00 UTC (58 s of traffic in this batch)",
        "Traffic      1 connection, 6 packets, 360 bytes, 1 record",
        "Service      PostgreSQL (tcp/5432)",
        "confidence 0.99",
        "Likely cause the inbound rules at 10.0.2.30",
        "  1. Ask the owner of 10.0.1.20",
        "log group /flow-warden/flow-logs, 2025-11-24 15:50:00 UTC to 2025-11-24 16:10:58 UTC",
        "| filter @message like",
        "Repeats suppressed for 4 h.",
        "Incident key0, severity medium, detector blocked-connection",
    ):
        assert expected in text


def test_the_page_says_how_long_its_repeats_are_suppressed() -> None:
    """The time with which the alert is claimed: a day longer if it counts over a day."""
    batch = LogBatch("111122223333", CONTEXT.log_group, CONTEXT.log_stream, (), "batch")
    seen, stated = (
        Seen(
            batch=batch,
            deployment=Deployment(region="eu-west-1", suppression_minutes=240, runbooks="docs/runbooks"),
            now=1_764_000_300,
        ),
        set[str](),
    )
    hour, day = Window(0, HOUR), Window(0, DAY)
    for detector in DETECTORS:
        if isinstance(given := EXAMPLES[detector.name](), TrafficFinding):
            for window in (None, hour, day):
                finding = replace(given, window=window, severity=Severity.HIGH)
                (alert,) = alerts([finding], seen)
                time = duration((alert.quiet or 4 * HOUR) // 60)
                assert f"Repeats suppressed for {time}." in alert.notification(NEW).text
                stated.add(time)
    assert {"4 h", "28 h", "24 h", "2 days"} <= stated


def test_the_attributes_support_filters() -> None:
    """Severity, detector, account, region and VPC."""
    assert page(blocked(vpc_id="vpc-1")).attributes == {
        "kind": "incident", "severity": "medium", "detector": "blocked-connection", "account": "111122223333",
        "region": "eu-west-1", "event": "opened", "vpc": "vpc-1",
    }  # fmt: skip


def test_an_unknown_vpc_is_omitted_from_the_attributes() -> None:
    """SNS rejects a message with an empty attribute."""
    assert "vpc" not in page(blocked()).attributes


@pytest.mark.parametrize("detector", [each.name for each in DETECTORS if each.route is not Route.OPERATIONS])
def test_every_detector_renders(detector: str) -> None:
    """Subject, text, document and query of each traffic detector are complete."""
    finding = EXAMPLES[detector]()
    assert isinstance(finding, TrafficFinding)
    sent = page(finding)
    assert sent.subject.isprintable()
    assert re.fullmatch(r"[ -~]{1,99}", fit_subject(sent.subject))
    assert sent.subject.startswith(f"[{finding.severity.upper()}] ")
    assert sent.document["summary"] == describe(finding).summary
    assert describe(finding).because in sent.text
    assert sent.document["query"] in sent.text


def test_long_lists_are_truncated_and_counted() -> None:
    """A scan of a thousand hosts remains a readable page."""
    flows = [rejected("10.0.1.66:50000", f"10.0.{i // 250}.{i % 250 + 1}:22") for i in range(1000)]
    (finding,) = finding_with(host_probing.DETECTOR)(flows)
    sent = page(finding)
    assert f"and {1000 - TOP} more" in sent.text
    assert sent.document["servers"]["distinct"] == 1000
    assert len(sent.document["servers"]["top"]) == TOP


def test_the_query_finds_the_lines_and_no_similar_ones() -> None:
    """Addresses match as whole tokens; dots match only dots."""
    query = log_query(describe(blocked()).query_terms)
    patterns = [re.compile(p) for p in re.findall(r"like /(.+?)/(?: and|\n)", query)]
    assert len(patterns) == 4

    def found(line: str) -> bool:
        return all(pattern.search(line) for pattern in patterns)

    assert found("2 1 eni-1 10.0.1.20 10.0.2.30 50000 5432 6 6 360 1 2 REJECT OK")
    assert found("REJECT 10.0.2.30 5432 10.0.1.20")
    assert not found("2 1 eni-1 10.0.1.205 10.0.2.30 50000 5432 6 6 360 1 2 REJECT OK")
    assert not found("2 1 eni-1 10.0.1.20 10.0.2.30 50000 5432 6 6 360 1 2 ACCEPT OK")
    assert not found("2 1 eni-1 10.0.1.20 10.0.2.30 50000 54321 6 6 360 1 2 REJECT OK")
    assert not found("2 1 eni-1 10a0.1.20 10.0.2.30 50000 5432 6 6 360 1 2 REJECT OK")


def test_suppressed_repeats_are_counted() -> None:
    """The number of suppressed repeats is always shown."""
    sent = page(blocked(), Claim(state=ClaimState.CLAIMED, suppressed_batches=12, last_sent=1_764_000_000))
    assert "Last sent at 2025-11-24 16:00:00 UTC; 12 repeats suppressed since." in sent.text
    assert (sent.document["suppressed_batches"], sent.document["last_sent"]) == (12, 1_764_000_000)


def test_missing_times_are_marked_as_unknown() -> None:
    """No invented times."""
    sent = page(blocked(start=None, end=None))
    assert "Since        unknown: the records contain no start time" in sent.text
    assert sent.document["first"] is None


@pytest.mark.parametrize("seconds", [10**18, -(10**18)])
def test_an_impossible_time_stays_a_number(seconds: int) -> None:
    """A line may contain any time, and none may fail the page."""
    assert moment(seconds) == str(seconds)
