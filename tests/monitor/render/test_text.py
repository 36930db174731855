"""Findings contain facts, and their detectors put them into words."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import asdict

from flowwarden.monitor.detectors import BY_NAME, blocked_connection, lateral_movement
from flowwarden.monitor.render.text import describe, fill, placeholders, steps
from flowwarden.monitor.traffic.contact import ContactOutcome
from flowwarden.policy.detection import Thresholds
from flowwarden.records.model import FlowDirection
from tests.flows import rejected
from tests.monitor.batches import finding_with
from tests.monitor.render.examples import EXAMPLES
from tests.monitor.render.golden import CONTEXT
from tests.monitor.render.rows import page
from tests.monitor.suspicion import contact, suspect


@pytest.mark.parametrize("name", EXAMPLES)
def test_no_fact_is_a_sentence(name: str) -> None:
    """Texts belong to `Detector.text`, where they can change without changing the finding."""
    facts = EXAMPLES[name]().facts
    texts = [each for each in asdict(facts).values() if isinstance(each, str)] if facts is not None else []
    assert not [each for each in texts if " " in each]


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_runbook_placeholder_is_defined(name: str) -> None:
    """No placeholder remains, and only a step with a word of the detector may be omitted."""
    finding = EXAMPLES[name]()
    text, runbook = describe(finding), BY_NAME[name].runbook
    left_out = {word for word, value in text.words.items() if value is None}
    shown = steps(finding, text, CONTEXT)
    assert len(shown) == sum(left_out.isdisjoint(placeholders(step)) for step in runbook)
    assert not [step for step in shown if placeholders(step)]


def test_a_step_that_does_not_apply_is_omitted() -> None:
    """Internal servers have an owner to ask; for internet servers, only the client's process can be found."""

    def first_step(server: str) -> str:
        # As a NAT gateway's interface logs it.
        ends = {"pkt_srcaddr": "10.0.1.20", "pkt_dstaddr": server}
        one = rejected("10.0.1.20:50000", "10.0.0.9:443", flow_direction=FlowDirection.INGRESS, **ends)
        (finding,) = finding_with(blocked_connection.DETECTOR)([one])
        return steps(finding, describe(finding), CONTEXT)[0]

    assert first_step("10.0.2.30").startswith("Ask the owner of 10.0.1.20")
    assert first_step("198.51.100.7").startswith("198.51.100.7 is on the internet")


def test_words_replace_placeholders() -> None:
    """Words can be texts or numbers. Braces within a word remain unchanged."""
    words = {"subject": "10.0.1.5", "limit": 12, "odd": "{subject}", "nothing": None}
    runbook = ("Ask {subject}.", "More than {limit}.", "{odd}", "If {nothing}, ask {subject}.", "Wait.")
    assert fill(runbook, words) == ("Ask 10.0.1.5.", "More than 12.", "{subject}", "Wait.")


def test_a_misspelled_placeholder_is_an_error() -> None:
    """Otherwise it would leave a gap in a page."""
    with pytest.raises(KeyError, match="subjekt"):
        fill(("Ask {subjekt}.",), {"subject": "10.0.1.5"})


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_step_asks_for_nothing_that_the_query_leaves_out(name: str) -> None:
    """Only host-probing asks for accepted connections; a query for rejections would not show them."""
    finding = EXAMPLES[name]()
    text = describe(finding)
    asked = [step for step in steps(finding, text, CONTEXT) if re.search(r"look for accepted", step.lower())]
    assert not asked or "REJECT" not in text.query_terms
    assert bool(asked) == (name == "host-probing")


def test_remote_administration_is_named_in_full() -> None:
    """All services of the batch, a bounded number of them; not only the most frequent one."""

    def named(*ports: int) -> str:
        asked = (contact(f"10.0.9.{port % 200}", port, ContactOutcome.ANSWERED) for port in ports)
        return describe(lateral_movement.inspect(suspect(*asked), Thresholds())[0]).summary

    few = named(22, 3389, 5985)
    for service in ("SSH (tcp/22)", "RDP (tcp/3389)", "WinRM (tcp/5985)"):
        assert service in few
    assert "more" not in few.partition("24 h")[2]
    assert " and 2 more." in named(22, 23, 135, 445, 3389, 5985, 5986)


@pytest.mark.parametrize("word", ["session", "log-in", "login", "logon"])
def test_flow_records_show_connections_and_no_sessions(word: str) -> None:
    """Whether a password was right is not in a flow record."""
    sent = page(EXAMPLES["brute-force"]())
    assert word not in sent.text.lower()
    assert "connections" in sent.subject
