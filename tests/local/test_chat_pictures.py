"""The pictures of chat messages: the page shows every golden message, and no text of it is markup."""

from __future__ import annotations

from html import escape, unescape
from pathlib import Path

import pytest

from local.chat_pictures import HEIGHTS, PICTURES, ROOT, SERVICES, page
from tests.sinks.examples import EXAMPLES


@pytest.mark.parametrize("example", EXAMPLES)
@pytest.mark.parametrize("service", SERVICES)
def test_a_page_shows_the_title_of_every_message(service: str, example: str) -> None:
    """With the steps of a page."""
    sent, shown = EXAMPLES[example](), page(service, [example])
    assert sent.subject.replace("`", "'") in unescape(shown)
    for step in sent.document.get("advice", ()):
        assert step.replace("`", "'") in unescape(shown).replace("`", "'")


def test_teams_shows_the_evidence_only_on_demand() -> None:
    """The text of other notifications is shown."""
    assert "Evidence" not in page("teams", ["opened"])
    assert "Last sent" in page("teams", ["resolved"])
    assert "Evidence" in page("slack", ["opened"])


def test_texts_are_escaped() -> None:
    """The query of a digest or a name could contain markup."""
    message = {"attachments": [{"color": "#000000", "blocks": [
        {"type": "header", "text": {"type": "plain_text", "text": "<script>"}},
        {"type": "section", "text": {"type": "mrkdwn", "text": "```&lt;script&gt;```"}},
    ]}]}  # fmt: skip
    shown = SERVICES["slack"](message)
    assert (shown.count(escape("<script>")), "<script>" in shown) == (2, False)


def test_the_docs_show_a_picture_of_each_chat() -> None:
    """Small ones."""
    text = (ROOT / "docs" / "notifications.md").read_text()
    for service in HEIGHTS:
        picture = PICTURES / f"chat-{service}.png"
        assert f"](pictures/{picture.name})" in text
        assert 10_000 < Path(picture).stat().st_size < 200_000
