"""Slack and Teams: messages within the limits of the services, in which no text from outside is markup."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flowwarden.notify.notification import Notification
from flowwarden.sinks import slack, teams
from flowwarden.sinks.chat import details, rows, steps
from flowwarden.sinks.view import CUT, view_of
from tests.sinks.examples import EXAMPLES
from tests.sinks.recorded import ADDRESS, requests_of

HOSTILE = (
    "<!channel> <@U1> <https://evil.example|click> & &lt; ```*bold*``` ~x~ _y_ `z` [a](https://evil.example) "
    "{{DATE(2026-01-01)}} ${x} | \u202e\x07"
)
TEXTS = st.text(st.sampled_from([*'ab <>&`*\n"\\', "é", "\U0001f600"]), max_size=9000)


def notification(text: str, subject: str = "[HIGH] subject") -> Notification:
    """A page with this text."""
    document = {
        "kind": "incident", "incident": "k", "event": "opened", "severity": "high", "detector": HOSTILE,
        "account": "1", "region": "eu-west-1", "runbook": "https://x.example/a|b>c",
    }  # fmt: skip
    return Notification(subject=subject, text=text, document=document, attributes={})


def strings(value: Any) -> list[str]:
    """All texts in a JSON value."""
    if isinstance(value, dict):
        return [text for each in value.values() for text in strings(each)]
    if isinstance(value, list):
        return [text for each in value for text in strings(each)]
    return [value] if isinstance(value, str) else []


def check_slack(message: dict[str, Any]) -> None:
    """Block Kit's limits, and no control sequence but our links."""
    (attachment,) = message["attachments"]
    blocks = attachment["blocks"]
    assert len(blocks) <= slack.MAX_BLOCKS
    assert re.fullmatch("#[0-9a-f]{6}", attachment["color"])
    for block in blocks:
        assert block["type"] in {"header", "section", "context"}
        texts = [block["text"]] if "text" in block else block.get("fields", block.get("elements"))
        assert 0 < len(texts) <= 10
        for each in texts:
            most = {"header": 150, "section": 3000 if "text" in block else 2000, "context": 3000}
            assert 0 < len(each["text"]) <= most[block["type"]]
            if each["type"] == "mrkdwn":
                outside = re.sub(r"^<https://[^<>|]+\|[A-Za-z ]+>$", "", each["text"])
                assert not re.search("[<>]", outside)
                assert outside == "" or re.fullmatch(r"```[\s\S]+```", outside)
                assert "```" not in outside[3:-3]
                assert not re.search("&(?!amp;|lt;|gt;)", outside)


def check_teams(message: dict[str, Any]) -> None:
    """The size of a message, and the members that a card must have."""
    assert len(json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()) <= teams.MAX_BYTES
    (attachment,) = message["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    *facts, last = card["body"]
    lines = [*facts, *(last["items"] if last["type"] == "Container" else [last])]
    assert all(each["type"] == "RichTextBlock" for each in lines)
    assert all(run["type"] == "TextRun" and run["text"] for each in lines for run in each["inlines"])
    hides = last.get("isVisible") is False
    shows, links = card["actions"][:hides], card["actions"][hides:]
    assert all(
        (each["type"], each["targetElements"]) == ("Action.ToggleVisibility", [last["id"]]) for each in shows
    )
    assert all(each["type"] == "Action.OpenUrl" and each["url"].startswith("https://") for each in links)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_message_is_as_the_services_require(example: str) -> None:
    """Sent to the address in the secret."""
    for kind, check in ((slack.KIND, check_slack), (teams.KIND, check_teams)):
        (request,) = requests_of(kind, EXAMPLES[example]()).requests
        assert request["url"] == ADDRESS
        check(request["document"])


@given(TEXTS, st.text(max_size=400))
def test_any_text_fits_and_is_no_markup(text: str, subject: str) -> None:
    """Whatever its characters are."""
    sent = notification(text, subject)
    check_slack(slack.message(sent))
    check_teams(teams.message(sent))


def test_no_text_from_outside_is_a_mention_or_a_link() -> None:
    """In the text, the subject and the facts; Slack's own links have no other target."""
    message = slack.message(notification(f"text: {HOSTILE}", HOSTILE))
    check_slack(message)
    mrkdwn = [
        each["text"]["text"]
        for each in message["attachments"][0]["blocks"]
        if each["type"] == "section" and "text" in each
    ]
    assert "&lt;!channel&gt;" in "".join(mrkdwn)
    assert message["text"].startswith("&lt;!channel&gt;")
    runs = strings(teams.message(notification(HOSTILE))["attachments"][0]["content"]["body"])
    assert any("<!channel>" in each for each in runs)


def test_a_short_text_is_whole_and_a_long_one_says_that_it_is_not() -> None:
    """The first lines are shown."""
    lines = [f"line {number} " + "x" * 100 for number in range(1000)]
    whole = notification("\n".join(lines[:20]))
    assert "".join(slack.parts(whole.text)).count("line ") == 20
    assert sum("line " in each for each in strings(teams.message(whole))) == 20
    long = notification("\n".join(lines))
    parts = slack.parts(long.text)
    assert parts[-1] == f"```{CUT}```"
    assert parts[0].startswith("```line 0 ")
    check_teams(teams.message(long))
    assert any(CUT in each for each in strings(teams.message(long)))


def test_the_paragraph_of_links_is_shown_as_links() -> None:
    """Their addresses are long, and a title is enough."""
    sent = EXAMPLES["opened"]()
    assert "AWS console\n" in sent.text
    for message in (slack.message(sent), teams.message(sent)):
        assert not any(each.startswith("AWS console") or "\nAWS console" in each for each in strings(message))
        assert any("Query of the log group" in each for each in strings(message))


FIRST = (
    "[HIGH", "10.0.1.5 failed to connect", "2025-11-24 16:00:00 UTC", "a port scan from 10.0.1.5",
    "1. Check whether", "3. Check the targets",
)  # fmt: skip


def shown_first(message: dict[str, Any], before: str) -> str:
    """The texts of a message before one that contains `before`."""
    texts = strings(message)
    return "\n".join(texts[: next(at for at, each in enumerate(texts) if before in each)])


@pytest.mark.parametrize("example", ["opened", "updated", "reopened"])
def test_what_on_call_needs_first_comes_before_the_details(example: str) -> None:
    """Severity, what, which host, since when, the likely cause and what to do: before the evidence."""
    sent = EXAMPLES[example]()
    for message in (slack.message(sent), teams.message(sent)):
        first = shown_first(message, "Evidence  ")
        for each in FIRST:
            assert each in first, each
        assert f"high, {example}" in first
        assert "Runbook" in "".join(strings(message))
        assert sum("1. Check whether" in each for each in strings(message)) == 1


def test_an_end_says_why_and_how_long() -> None:
    """Before its text."""
    first = shown_first(slack.message(EXAMPLES["resolved"]()), "```")
    for each in ("Reason: records of 6 h", "Opened: 2025-11-24 16:05", "Last seen: 2025-11-24 22:05"):
        assert each in first


def test_steps_and_query_stay_in_the_text_if_nothing_else_shows_them() -> None:
    """A page without a console has no link to the query; other notifications have no steps."""
    sent = EXAMPLES["opened"]()
    document = sent.document | {"console": None, "advice": []}
    text = details(view_of(replace(sent, document=document)))
    assert "What to do\n  1. Check" in text
    assert "CloudWatch Logs Insights, log group" in text
    assert "CloudWatch Logs Insights" not in details(view_of(sent))


def test_a_runbook_that_is_no_address_is_a_step() -> None:
    """It cannot be a link."""
    sent = EXAMPLES["opened"]()
    document = sent.document | {"runbook": "docs/runbooks/scan.md"}
    view = view_of(replace(sent, document=document))
    assert steps(view)[-1] == "Runbook: docs/runbooks/scan.md"
    assert not any("Runbook" in each for each in steps(view_of(sent)))


@pytest.mark.parametrize(
    ("hosts", "shown"),
    [
        (
            [{"address": "10.0.1.5", "name": "web", "owners": {"Team": "shop"}}],
            "10.0.1.5 (web, Team=shop)",
        ),
        ([{"address": "10.0.1.5", "name": None, "owners": None}], "10.0.1.5"),
        ([{"address": "10.0.1.6", "name": "other"}], "10.0.1.5"),
        ("damaged", "10.0.1.5"),
    ],
)
def test_the_subject_has_the_name_and_the_owners_of_its_host(hosts: Any, shown: str) -> None:
    """As far as the page has them."""
    sent = EXAMPLES["opened"]()
    document = sent.document | {"from": {"hosts": hosts}, "to": None}
    view = view_of(replace(sent, document=document))
    assert dict(rows(view))["Subject"] == shown


def test_the_color_shows_the_severity_and_the_end() -> None:
    """Green for what is over."""
    colors = {name: slack.message(EXAMPLES[name]())["attachments"][0]["color"] for name in EXAMPLES}
    assert colors["opened"] == slack.COLORS["high"]
    assert colors["resolved"] == colors["several-resolved"] == colors["test-resolved"] == slack.RESOLVED
    assert colors["hourly-digest"] == slack.OTHER_COLOR
