"""Notifications about missing records."""

from __future__ import annotations

import json

from msgspec.structs import replace

from flowwarden.monitor.detectors import records_skipped
from flowwarden.monitor.findings import InterfaceFinding, Severity
from flowwarden.monitor.render.parts import RenderContext
from flowwarden.monitor.render.telemetry import LISTED, draft
from flowwarden.monitor.render.text import describe
from flowwarden.notify.claims import Claim, ClaimState
from flowwarden.records.columnar.flow_table import FlowTable, Table
from flowwarden.records.model import Gap, GapKind
from tests.monitor.batches import NOW, Container

CONTEXT = RenderContext(
    account_id="111122223333",
    region="eu-west-1",
    log_group="/flow-warden/flow-logs",
    log_stream="eni-9-all",
    suppression_minutes=240,
    runbooks="docs/runbooks",
    now=1_764_000_300,
)
SPOT = InterfaceFinding(
    detector="interface-silent",
    severity=Severity.MEDIUM,
    subject="eni-0a",
    interfaces=("eni-0a",),
    first=1_764_000_000,
    last=1_764_005_400,
    facts=None,
)
FIRST = Claim(state=ClaimState.CLAIMED)


def test_the_text_contains_interfaces_time_evidence_and_steps() -> None:
    """And that missing alerts prove nothing."""
    sent = draft(SPOT, "key0", CONTEXT).completed(FIRST)
    assert sent.subject == ("[MEDIUM] No flow records from eni-0a for 90 min, not even NODATA (eu-west-1)")
    for piece in (
        "the absence of alerts proves nothing",
        "Interfaces   eni-0a\n",
        "2025-11-24 16:00:00 UTC to 2025-11-24 17:30:00 UTC or later",
        "Evidence     records in at least 5 of 6 half-hour slots, then none in the next 3",
        "  2. Check that the flow log exists and delivers: aws ec2 describe-flow-logs",
        "Repeats suppressed for 4 h.",
        "Incident key0, severity medium",
    ):
        assert piece in sent.text


def test_the_document_and_attributes_match_the_text() -> None:
    """The kind is the detector's name, as for unparsed lines."""
    claim = Claim(state=ClaimState.CLAIMED, suppressed_batches=3, last_sent=1_764_000_000)
    sent = draft(SPOT, "key0", CONTEXT).completed(claim)
    assert json.loads(json.dumps(sent.document)) == sent.document
    (host,) = sent.document["interfaces"].pop("hosts")
    assert sent.document["interfaces"] == {"distinct": 1, "top": ["eni-0a"]}
    assert (host["interface"], host["name"]) == ("eni-0a", None)
    assert sent.attributes == {
        "kind": "interface-silent",
        "severity": "medium",
        "detector": "interface-silent",
        "account": "111122223333",
        "region": "eu-west-1",
        "event": "opened",
    }
    assert "3 repeats suppressed since" in sent.text


def test_the_technique_is_shown_if_the_detector_has_one() -> None:
    """A silent interface can be an attack; records that AWS skips are not a technique."""
    sent = draft(SPOT, "key0", CONTEXT).completed(FIRST)
    assert "detector interface-silent, ATT&CK T1562.008\n" in sent.text
    assert sent.document["technique"] == "T1562.008"
    (finding,) = skipped("eni-0a")
    sent = draft(finding, "key0", CONTEXT).completed(FIRST)
    assert "detector records-skipped\n" in sent.text
    assert sent.document["technique"] == ""


def skipped(interface: str) -> list[InterfaceFinding]:
    """The findings about skipped records of an interface."""
    gaps = [Gap(kind=GapKind.SKIPDATA, interface_id=interface, start=NOW - 60 * n) for n in range(5)]
    found = Container().detect(records_skipped.DETECTOR, Table(FlowTable.of([]), gaps, []), NOW)
    return [each for each in found if isinstance(each, InterfaceFinding)]


def test_many_interfaces_are_counted() -> None:
    """The message remains readable."""
    ids = tuple(f"eni-{number}" for number in range(LISTED + 3))
    sent = draft(replace(SPOT, interfaces=ids), "key0", CONTEXT).completed(FIRST)
    assert "and 3 more" in sent.text
    assert sent.document["interfaces"]["distinct"] == LISTED + 3
    assert len(sent.document["interfaces"]["top"]) == LISTED


def test_an_invalid_id_cannot_forge_text() -> None:
    """Other writers to the log group control the content of its lines."""
    (finding,) = skipped("eni-\x1b[2J\nIncident")
    assert describe(finding).summary.isprintable()
    sent = draft(finding, "key0", CONTEXT).completed(FIRST)
    assert all(part.isprintable() for part in sent.text.split("\n"))
    assert "\nIncident\n" not in sent.text
