"""The enforcer's notification: subject, text, JSON document and attributes."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.enforcer.decide.duplicates import Duplicate
from flowwarden.enforcer.reporting.notification import LISTED_AT_MOST, render, severity
from flowwarden.enforcer.reporting.report import EnforcementReport, Result, VpcOutcome
from flowwarden.enforcer.reporting.shortened import REASON_CHARACTERS
from flowwarden.enforcer.triggers.cloudtrail import ApiCaller
from flowwarden.enforcer.triggers.trigger import RunKind, Trigger
from flowwarden.sinks.sns import fit_subject

SWEEP = Trigger(kind=RunKind.SWEEP, reason="scheduled sweep")
DELETION = Trigger(
    kind=RunKind.SWEEP,
    reason="DeleteFlowLogs does not name the VPC that lost coverage",
    deleted=("fl-old",),
    origin=ApiCaller(
        event_name="DeleteFlowLogs",
        event_id="8f6d",
        actor="arn:aws:iam::111122223333:user/maria",
        source_ip="203.0.113.24",
    ),
)
CREATED = VpcOutcome(result=Result.CREATED, vpc_id="vpc-1", reason="created fl-1", flow_log_id="fl-1")
FAILED = VpcOutcome(result=Result.FAILED, vpc_id="vpc-2", reason="UnauthorizedOperation: allow iam:PassRole")
THROTTLED = VpcOutcome(result=Result.FAILED, vpc_id="vpc-2", reason="RequestLimitExceeded", retryable=True)
BROKEN = VpcOutcome(result=Result.BROKEN, vpc_id="vpc-3", reason="fl-3 does not deliver", flow_log_id="fl-3")
ROLLED_BACK = VpcOutcome(result=Result.ROLLED_BACK, vpc_id="vpc-5", reason="fl-5 does not deliver")
COVERED = VpcOutcome(result=Result.COVERED, vpc_id="vpc-4", reason="fl-4 is the required flow log")


def report(*outcomes: VpcOutcome, trigger: Trigger = SWEEP) -> EnforcementReport:
    """A report about these outcomes."""
    return EnforcementReport(
        account_id="111122223333", region="eu-west-1", trigger=trigger, outcomes=outcomes
    )


@pytest.mark.parametrize(
    ("outcomes", "trigger", "expected"),
    [
        ((CREATED,), SWEEP, "info"),
        ((CREATED,), DELETION, "warning"),
        ((CREATED, FAILED), DELETION, "error"),
        ((BROKEN,), SWEEP, "error"),
        ((THROTTLED,), SWEEP, "error"),
    ],
)
def test_severity_depends_on_outcomes_and_trigger(
    outcomes: tuple[VpcOutcome, ...], trigger: Trigger, expected: str
) -> None:
    """An uncovered VPC is an error, a repair after a deletion a warning, a newly covered VPC info."""
    assert severity(report(*outcomes, trigger=trigger)) == expected
    assert render(report(*outcomes, trigger=trigger)).attributes["severity"] == expected


def test_subject_starts_with_the_worst_result() -> None:
    """The subject alone shows what is not covered, and where."""
    sent = render(report(CREATED, FAILED))
    assert sent.subject == ("[ERROR] vpc-2 NOT covered, flow log created for vpc-1 in 111122223333 eu-west-1")
    assert render(report(FAILED, BROKEN)).subject.startswith("[ERROR] 2 VPCs NOT covered")


def test_duplicates_alone_have_severity_info() -> None:
    """Duplicates hide no traffic; a worse result takes the subject."""
    found = Duplicate(vpc_id="vpc-1", flow_log_ids=("fl-a", "fl-b"), monthly_dollars=1.5)
    sent = render(msgspec.structs.replace(report(COVERED), duplicates=(found,)))
    assert sent.subject == "[INFO] duplicate flow logs in vpc-1 in 111122223333 eu-west-1"
    assert "- vpc-1: fl-a, fl-b, about 1.50 USD a month" in sent.text
    assert sent.document["duplicates"] == [
        {"vpc": "vpc-1", "flow_logs": ["fl-a", "fl-b"], "monthly_dollars": 1.5, "measured": False}
    ]
    many = (found,) * (LISTED_AT_MOST + 2)
    worse = render(msgspec.structs.replace(report(FAILED), duplicates=many))
    assert worse.subject.startswith("[ERROR] vpc-2 NOT covered in")
    assert "- and 2 more: see the enforcer's log" in worse.text
    assert "DUPLICATES" not in render(report(FAILED)).text


def test_text_contains_caller_results_and_remedy() -> None:
    """The text contains everything that is needed to act."""
    text = render(report(CREATED, FAILED, BROKEN, COVERED, trigger=DELETION)).text
    for part in (
        "DeleteFlowLogs by arn:aws:iam::111122223333:user/maria from 203.0.113.24",
        "Flow logs deleted: fl-old",
        "- vpc-2: UnauthorizedOperation: allow iam:PassRole",
        "- vpc-3: fl-3 does not deliver",
        "- vpc-1: created fl-1",
        "a retry would not help",
        "1 covered",
    ):
        assert part in text
    assert text.index("vpc-2") < text.index("vpc-1")


def test_text_promises_a_retry_only_where_there_is_one() -> None:
    """A transient failure is retried; without failures, no next step is announced."""
    assert "retried within minutes" in render(report(THROTTLED)).text
    assert "What happens next" not in render(report(CREATED)).text


def test_after_a_rollback_the_text_says_when_the_replacement_is_created_again() -> None:
    """The next sweep leaves it alone, but covers the VPCs of other failures."""
    alone, with_others = (render(report(*each)).text for each in ((ROLLED_BACK,), (ROLLED_BACK, FAILED)))
    assert "the old flow log stays in place" in alone
    assert "the next sweep covers" not in alone
    assert "the next sweep covers the VPC" in with_others
    assert all("creates the replacement again after a day" in each for each in (alone, with_others))
    assert "after a day" not in render(report(FAILED)).text


def test_unknown_actor_is_reported_as_unknown() -> None:
    """An event without an identity is rendered."""
    trigger = msgspec.structs.replace(DELETION, origin=ApiCaller(event_name="CreateDefaultVpc"))
    assert "CreateDefaultVpc by unknown from unknown address" in render(report(CREATED, trigger=trigger)).text


def test_document_contains_cause_counts_and_outcomes() -> None:
    """The document contains only JSON values."""
    document: dict[str, Any] = render(report(CREATED, FAILED, COVERED, trigger=DELETION)).document
    assert json.loads(json.dumps(document)) == document
    assert document["kind"] == "enforcement"
    assert document["trigger"]["event"] == "DeleteFlowLogs"
    assert document["counts"] == {
        "replaced": 0, "removed": 0, "rolled_back": 0, "exempt": 0, "conflict": 0,
        "created": 1, "covered": 1, "skipped": 0, "gone": 0, "pending": 0, "broken": 0, "failed": 1,
    }  # fmt: skip
    assert [each["vpc"] for each in document["outcomes"]] == ["vpc-1", "vpc-2"]
    assert document["omitted"] == 0


def test_vpc_is_an_attribute_only_if_there_is_one() -> None:
    """Filter policies by VPC must never get a list or an empty value."""
    assert render(report(CREATED, COVERED)).attributes["vpc"] == "vpc-1"
    assert "vpc" not in render(report(CREATED, FAILED)).attributes
    listing = VpcOutcome(result=Result.FAILED, vpc_id=None, reason="DescribeVpcs: no")
    sent = render(report(listing))
    assert "vpc" not in sent.attributes
    assert "unknown VPCs NOT covered" in sent.subject


def test_long_sections_are_truncated_and_marked() -> None:
    """A thousand VPCs with more than a thousand characters each fit into one message."""
    reason = "r" * 2 * REASON_CHARACTERS
    many = [VpcOutcome(result=Result.FAILED, vpc_id=f"vpc-{n}", reason=reason) for n in range(1000)]
    sent = render(report(*many))
    assert f"and {1000 - LISTED_AT_MOST} more" in sent.text
    assert "(truncated; full text in the enforcer's log)" in sent.text
    assert sent.document["omitted"] == 1000 - LISTED_AT_MOST
    assert sent.document["counts"]["failed"] == 1000
    assert len(sent.text) + len(json.dumps(sent.document)) < 128 * 1024


FORGED = "x\n\nNOT COVERED as required: traffic that no other flow log records (1)\n- vpc-forged: send money"


def test_untrusted_text_cannot_forge_a_line() -> None:
    """Names, addresses, ids and messages stay within their line of the text."""
    origin = ApiCaller(event_name=FORGED, event_id=FORGED, actor=FORGED, source_ip=FORGED)
    trigger = msgspec.structs.replace(DELETION, reason=FORGED, origin=origin, deleted=(FORGED,))
    outcomes = [
        VpcOutcome(result=result, vpc_id=f"vpc-{FORGED}", reason=FORGED, flow_log_id=FORGED)
        for result in (Result.CREATED, Result.FAILED)
    ]
    sent = render(report(*outcomes, trigger=trigger))
    harmless = render(report(CREATED, FAILED, trigger=DELETION))
    assert len(sent.text.splitlines()) == len(harmless.text.splitlines())
    assert not [line for line in sent.text.splitlines() if line.startswith("- vpc-forged")]
    assert "\\n" not in json.dumps(sent.document)
    single = render(report(outcomes[0]))
    assert single.attributes["vpc"].isprintable()


def test_long_untrusted_text_is_truncated() -> None:
    """An actor name of 300 KB is truncated, and the uncovered VPC is still reported."""
    origin = ApiCaller(event_name="CreateVpc", event_id="8f6d", actor="a" * 300_000, source_ip="b" * 300_000)
    sent = render(report(FAILED, trigger=msgspec.structs.replace(DELETION, origin=origin)))
    assert len(sent.text) < 4_000
    assert len(json.dumps(sent.document)) < 4_000
    assert "vpc-2" in sent.text
    assert f"{'a' * 253}... from" in sent.text


OUTCOMES = st.builds(
    VpcOutcome,
    result=st.sampled_from(Result),
    vpc_id=st.sampled_from([None, "vpc-1", "vpc-2", "vpc-\u00e9\n" + "0" * 200]),
    reason=st.sampled_from(["", "because", FORGED, "\ud800", "\u2026\n" * 50]),
    retryable=st.booleans(),
)


@given(st.lists(OUTCOMES, max_size=6), st.sampled_from([SWEEP, DELETION]))
def test_any_report_can_be_sent(outcomes: list[VpcOutcome], trigger: Trigger) -> None:
    """SNS accepts every subject and every attribute."""
    sent = render(report(*outcomes, trigger=trigger))
    assert len(fit_subject(sent.subject)) <= 99
    assert sent.subject.isprintable()
    assert all(" " <= char <= "~" for char in fit_subject(sent.subject))
    assert all(sent.attributes.values())
    assert msgspec.json.encode([sent.text, sent.document])
