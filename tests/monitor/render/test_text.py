"""Findings contain facts, and their detectors put them into words."""

from __future__ import annotations

import pytest
from msgspec.structs import asdict

from flowwarden.monitor.detectors import BY_NAME, blocked_connection
from flowwarden.monitor.render.text import describe, fill, placeholders, steps
from tests.flows import rejected
from tests.monitor.batches import finding_with
from tests.monitor.render.examples import EXAMPLES
from tests.monitor.render.golden import CONTEXT


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
        (finding,) = finding_with(blocked_connection.DETECTOR)([rejected("10.0.1.20:50000", server)])
        return steps(finding, describe(finding), CONTEXT)[0]

    assert first_step("10.0.2.30:5432").startswith("Ask the owner of 10.0.1.20")
    assert first_step("198.51.100.7:443").startswith("198.51.100.7 is on the internet")


def test_words_replace_placeholders() -> None:
    """Facts, too. Braces within a word remain unchanged."""
    words = {"subject": "10.0.1.5", "limit": 12, "odd": "{subject}", "nothing": None}
    runbook = ("Ask {subject}.", "More than {limit}.", "{odd}", "If {nothing}, ask {subject}.", "Wait.")
    assert fill(runbook, words) == ("Ask 10.0.1.5.", "More than 12.", "{subject}", "Wait.")


def test_a_misspelled_placeholder_is_an_error() -> None:
    """Otherwise it would leave a gap in a page."""
    with pytest.raises(KeyError, match="subjekt"):
        fill(("Ask {subjekt}.",), {"subject": "10.0.1.5"})
