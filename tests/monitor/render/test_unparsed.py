"""Notifications about unparsed lines."""

from __future__ import annotations

import json

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.monitor.findings import Severity, UnparsedFinding
from flowwarden.monitor.render.parts import RenderContext
from flowwarden.monitor.render.unparsed import FORMATS, MAX_CHARACTERS, draft
from flowwarden.notify.claims import Claim, ClaimState
from flowwarden.notify.notification import Notification
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT, LogFormat
from flowwarden.sinks.sns import fit_subject

CONTEXT = RenderContext(
    account_id="111122223333",
    region="eu-west-1",
    log_group="/flow-warden/flow-logs",
    log_stream="eni-1-all",
    suppression_minutes=240,
    runbooks="docs/runbooks",
    now=1_764_000_300,
)
LOSS = UnparsedFinding(
    detector="unparsed-lines",
    severity=Severity.MEDIUM,
    subject="/flow-warden/flow-logs",
    lines=1200,
    unreadable=1100,
    reasons=(("5 tokens where the log format has 14", 1099), ("action is 'MAYBE'", 1)),
    samples=("10.0.1.20 10.0.2.30 1 2 3",),
    formats=(DEFAULT_LOG_FORMAT,),
)
FIRST = Claim(state=ClaimState.CLAIMED)


def report(loss: UnparsedFinding = LOSS, claim: Claim = FIRST) -> Notification:
    """The notification."""
    return draft(loss, "key0", CONTEXT).completed(claim)


def test_the_subject_contains_counts_and_log_group() -> None:
    """The first thing that operations sees."""
    assert report().subject == (
        "[MEDIUM] 1,100 of 1,200 lines in /flow-warden/flow-logs cannot be parsed (eu-west-1)"
    )
    assert fit_subject(report().subject) == report().subject, "fits the SNS limit"


def test_the_text_contains_reasons_lines_formats_and_steps() -> None:
    """Everything that is needed to find the flow log."""
    text = report().text
    for piece in (
        "the absence of alerts proves nothing",
        "111122223333, eu-west-1, /flow-warden/flow-logs, stream eni-1-all",
        "5 tokens where the log format has 14 (1,099 lines)",
        "10.0.1.20 10.0.2.30 1 2 3",
        "14 fields: version account-id interface-id",
        "--filter Name=log-group-name,Values=/flow-warden/flow-logs",
        "Repeats suppressed for 4 h.",
        "Incident key0, severity medium, detector unparsed-lines",
    ):
        assert piece in text


def test_the_document_and_attributes_match_the_text() -> None:
    """The names are those of pages, so that one filter policy serves both."""
    sent = report(claim=Claim(state=ClaimState.CLAIMED, suppressed_batches=7, last_sent=1_764_000_000))
    assert json.loads(json.dumps(sent.document)) == sent.document
    assert (sent.document["kind"], sent.document["unreadable"], sent.document["suppressed_batches"]) == (
        "unparsed-lines", 1100, 7,
    )  # fmt: skip
    assert sent.document["formats"] == [DEFAULT_LOG_FORMAT.to_log_format()]
    assert sent.attributes == {
        "kind": "unparsed-lines",
        "severity": "medium",
        "detector": "unparsed-lines",
        "account": "111122223333",
        "region": "eu-west-1",
        "event": "opened",
    }
    assert "7 repeats suppressed since" in sent.text


def test_many_formats_are_counted() -> None:
    """The message remains readable."""
    formats = [LogFormat(("srcaddr", "dstaddr", f"field-{number}")) for number in range(FORMATS + 3)]
    text = report(msgspec.structs.replace(LOSS, formats=tuple(formats))).text
    assert "and 3 more" in text
    assert f"field-{FORMATS - 1}" in text
    assert f"field-{FORMATS}" not in text


@given(st.text(max_size=5000))
def test_the_message_stays_small_and_printable(line: str) -> None:
    """Other writers to the log group control the content of its lines."""
    loss = msgspec.structs.replace(LOSS, samples=(line,) * 3, reasons=((line, 1),) * 3)
    sent = report(loss)
    assert all(part.isprintable() for part in sent.text.split("\n"))
    assert len(sent.text) < 6 * (MAX_CHARACTERS + 20) + 3000
    assert len(sent.document["samples"][0]) <= MAX_CHARACTERS + 20
