"""A blind spot, as operations reads it."""

from __future__ import annotations

import json

from msgspec.structs import replace

from flowwarden.monitor.detectors import records_skipped
from flowwarden.monitor.findings import InterfaceFinding, Severity
from flowwarden.monitor.render.page import Occasion
from flowwarden.monitor.render.telemetry import LISTED, render
from flowwarden.notify.claims import Claim, ClaimState
from flowwarden.records.columnar.flow_table import FlowTable, Table
from flowwarden.records.model import Gap, GapKind
from tests.monitor.batches import NOW, Container

OCCASION = Occasion(
    account_id="111122223333",
    region="eu-west-1",
    log_group="/flow-warden/flow-logs",
    log_stream="eni-9-all",
    quiet_minutes=240,
)
SPOT = InterfaceFinding(
    detector="interface-silent",
    severity=Severity.MEDIUM,
    subject="eni-0a",
    interfaces=("eni-0a",),
    first=1_764_000_000,
    last=1_764_005_400,
    summary="Silent: eni-0a wrote nothing.",
    because="it always did",
    advice=("Look at it.", "Mend it."),
)
FIRST = Claim(state=ClaimState.CLAIMED)


def test_the_text_says_who_since_when_why_and_what_to_do() -> None:
    """All that is needed, and that silence means nothing meanwhile."""
    sent = render(SPOT, "key0", FIRST, OCCASION)
    assert sent.subject == "[MEDIUM] Silent: eni-0a wrote nothing (eu-west-1)"
    for piece in (
        "silence means nothing here",
        "Unseen    eni-0a\n",
        "2025-11-24 16:00:00 UTC, until 2025-11-24 17:30:00 UTC at least",
        "Why       it always did",
        "  2. Mend it.",
        "Repeats stay quiet for 240 minutes.",
        "Incident key0, severity medium",
    ):
        assert piece in sent.text


def test_machines_get_the_same_as_json_and_attributes_to_route_by() -> None:
    """The kind is the detector's name, as it is for lost sight."""
    sent = render(
        SPOT, "key0", Claim(state=ClaimState.CLAIMED, held_back=3, last_sent=1_764_000_000), OCCASION
    )
    assert json.loads(json.dumps(sent.document)) == sent.document
    assert sent.document["interfaces"] == {"distinct": 1, "top": ["eni-0a"]}
    assert sent.attributes == {
        "kind": "interface-silent",
        "severity": "medium",
        "detector": "interface-silent",
        "account": "111122223333",
        "region": "eu-west-1",
    }
    assert "3 repeats held back since" in sent.text


def test_many_interfaces_are_counted() -> None:
    """The message stays readable."""
    ids = tuple(f"eni-{number}" for number in range(LISTED + 3))
    sent = render(replace(SPOT, interfaces=ids), "key0", FIRST, OCCASION)
    assert "and 3 more" in sent.text
    assert sent.document["interfaces"]["distinct"] == LISTED + 3
    assert len(sent.document["interfaces"]["top"]) == LISTED


def test_an_id_that_is_none_can_forge_nothing() -> None:
    """Whoever writes into the log group decides what stands in the lines."""
    bad = "eni-\x1b[2J\nIncident"
    skipped = [Gap(kind=GapKind.SKIPDATA, interface_id=bad, start=NOW - 60 * n) for n in range(5)]
    (finding,) = Container().detect(records_skipped.DETECTOR, Table(FlowTable.of([]), skipped, []), NOW)
    assert isinstance(finding, InterfaceFinding)
    assert finding.summary.isprintable()
    sent = render(finding, "key0", FIRST, OCCASION)
    assert all(part.isprintable() for part in sent.text.split("\n"))
    assert "\nIncident\n" not in sent.text
