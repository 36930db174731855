"""Text from outside, in every place of a finding, stays within its line of a page."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from flowwarden.monitor.findings import Finding
from flowwarden.monitor.render import rollup
from flowwarden.monitor.render.parts import RenderContext
from flowwarden.monitor.render.text import describe
from flowwarden.notify.alert import Route
from flowwarden.notify.claims import Claim, ClaimState
from flowwarden.notify.notification import Notification
from tests.hostile import HOSTILE, is_visible, places, poisoned, texts
from tests.monitor.render.examples import EXAMPLES
from tests.monitor.render.golden import CONTEXT, first_notification

CLAIM = Claim(state=ClaimState.CLAIMED)
LONG = "?" * len(HOSTILE)
"""A harmless text of the same length, which is no part of an id either."""
NAMES_ITS_TEXT = "detector"
"""The code chooses this member and finds the texts by it."""


def page(finding: Finding, context: RenderContext = CONTEXT) -> Notification:
    """The notification about a finding."""
    return first_notification(finding, "key0", context)


def check(sent: Notification, harmless: Notification) -> None:
    """No line, no paragraph and no invisible character that the harmless notification does not have."""
    assert [not line for line in sent.text.split("\n")] == [not line for line in harmless.text.split("\n")]
    assert is_visible(sent.text)
    assert all(len(line) <= 2000 for line in sent.text.split("\n"))
    assert sent.subject.isprintable()
    assert len(sent.subject) <= 256
    assert all(each.isprintable() and len(each) <= 256 for each in sent.attributes.values())
    assert all(is_visible(each) for each in texts(sent.document))
    lines = {name: str(each).count("\n") for name, each in harmless.document.items()}
    assert {name: str(each).count("\n") for name, each in sent.document.items()} == lines


@pytest.mark.matrix(8)
@pytest.mark.parametrize("name", EXAMPLES)
def test_hostile_text_anywhere_in_a_finding_adds_no_line(name: str) -> None:
    """Each text of the finding in turn, and what the log and a roll-up show of it."""
    finding, tried = EXAMPLES[name](), 0
    for path in places(finding):
        if path[0] != NAMES_ITS_TEXT:
            bad, tried = poisoned(finding, path), tried + 1
            # A changed address or id is another host, and a long query has no link, also if it is harmless.
            check(page(bad), page(poisoned(finding, path, LONG)))
            assert describe(bad).summary.isprintable()
    assert tried


@pytest.mark.matrix(30)
@pytest.mark.parametrize("field", ["account_id", "region", "log_group", "log_stream"])
@pytest.mark.parametrize("name", EXAMPLES)
def test_hostile_text_about_the_batch_adds_no_line(name: str, field: str) -> None:
    """The names of account, Region, log group and log stream."""
    finding = EXAMPLES[name]()
    bad, harmless = ({field: text} for text in (HOSTILE, LONG))
    check(page(finding, replace(CONTEXT, **bad)), page(finding, replace(CONTEXT, **harmless)))


def test_hostile_text_in_a_roll_up_adds_no_line() -> None:
    """In a title or about the batch."""
    long = replace(CONTEXT, log_group=LONG, log_stream=LONG)
    harmless = rollup.render(["one.", "two."], 2, long, Route.PAGES)
    bad = replace(CONTEXT, log_group=HOSTILE, log_stream=HOSTILE)
    check(rollup.render([f"one {HOSTILE}", "two."], 2, bad, Route.PAGES), harmless)


def test_the_example_is_hostile() -> None:
    """Without the escape, the same text adds lines: the check can fail."""
    assert len(f"a {HOSTILE}".splitlines()) > 5
    assert not is_visible(HOSTILE.encode(errors="replace").decode())
