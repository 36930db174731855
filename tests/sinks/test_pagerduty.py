"""PagerDuty: one alert for each time that an incident is opened, which is updated and resolved by its key."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flowwarden.dispatcher.resolved import render, render_several
from flowwarden.errors import PublishRefused
from flowwarden.notify.incident import Event
from flowwarden.notify.notification import Notification
from flowwarden.sinks.pagerduty import KIND, MAX_BYTES, MAX_SUMMARY, SEVERITIES, events
from flowwarden.sinks.view import CUT
from tests.dispatcher.test_resolved import over
from tests.sinks.examples import EXAMPLES, incident, page
from tests.sinks.recorded import ADDRESS, KEY, RecordingEdges, requests_of


class Service:
    """PagerDuty's rules: a trigger opens an alert or updates the open one; a resolve closes it."""

    def __init__(self) -> None:
        self.open: dict[str, int] = {}
        self.made = 0

    def take(self, *notifications: Notification) -> Service:
        """Take all events of notifications."""
        for event in (event for each in notifications for event in events(each)):
            key = event["dedup_key"]
            if event["event_action"] == "resolve":
                self.open.pop(key, None)
            else:
                self.made += key not in self.open
                self.open[key] = self.open.get(key, 0) + 1
        return self


def test_an_incident_is_one_alert_until_it_is_resolved() -> None:
    """Updates do not open another one."""
    service = Service().take(page(), page(Event.UPDATED), page(Event.UPDATED))
    assert (service.made, [*service.open.values()]) == (1, [3])
    assert service.take(render(incident())).open == {}


def test_a_reopened_incident_is_another_alert_which_its_own_end_resolves() -> None:
    """A late end of the first one does not close it."""
    service = Service().take(page(), render(incident()), page(Event.REOPENED))
    assert service.made == 2
    assert [*service.take(render(incident())).open.values()] == [1]
    assert service.take(page(Event.UPDATED, 1), render(incident(1))).open == {}
    assert service.made == 2


def test_reopening_closes_the_earlier_alert_if_its_end_was_not_sent() -> None:
    """It would stay open for good."""
    service = Service().take(page(), page(Event.REOPENED))
    assert len(service.open) == 1
    assert service.take(render(incident(1))).open == {}


def test_several_resolved_incidents_resolve_each_alert() -> None:
    """By the same keys as singly."""
    several = [over("a"), over("b", "critical", reopened=3)]
    assert events(render_several(several, 0)) == [event for each in several for event in events(render(each))]
    assert [each["dedup_key"] for each in events(render_several(several, 0))] == ["a", "b-1", "b-2", "b-3"]


def test_the_end_also_resolves_the_earlier_alert_if_a_roll_up_was_the_reopening() -> None:
    """The end of the first alert was not sent, and a roll-up is an alert of its own."""
    service = Service().take(page(), render(incident(1)))
    assert (service.made, service.open) == (1, {})


def test_a_late_end_of_an_earlier_alert_does_not_close_the_current_one() -> None:
    """It resolves earlier ones only."""
    service = Service().take(page(), page(Event.REOPENED), render(incident()))
    assert len(service.open) == 1


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_event_is_as_pagerduty_requires(example: str) -> None:
    """Events API v2: what is required, and its limits."""
    for request in requests_of(KIND, EXAMPLES[example]()).requests:
        assert request["url"] == ADDRESS
        check(request["document"])


def check(event: dict[str, Any]) -> None:
    """Check an event."""
    assert event["routing_key"] == KEY
    assert event["event_action"] in {"trigger", "resolve"}
    assert 0 < len(event["dedup_key"]) <= 255
    assert len(json.dumps(event, ensure_ascii=False).encode()) <= MAX_BYTES
    if event["event_action"] == "trigger":
        payload = event["payload"]
        assert payload["severity"] in {"critical", "error", "warning", "info"}
        assert 0 < len(payload["summary"]) <= MAX_SUMMARY
        assert payload["source"]
        assert all(each["href"].startswith("https://") and each["text"] for each in event["links"])


def test_the_severities_are_mapped_and_unknown_ones_inform() -> None:
    """Ours and the enforcer's."""
    mapped = {
        each: severity(each) for each in ("critical", "high", "medium", "info", "error", "warning", "x")
    }
    assert mapped == {
        "critical": "critical", "high": "error", "medium": "warning", "info": "info", "error": "error",
        "warning": "warning", "x": "info",
    }  # fmt: skip
    assert {*SEVERITIES.values()} <= {"critical", "error", "warning"}


def severity(ours: str) -> str:
    """PagerDuty's severity of a page with this one of ours."""
    sent = page()
    (event,) = events(replace(sent, document=sent.document | {"severity": ours}))
    return str(event["payload"]["severity"])


@given(st.integers(1, 400), st.sampled_from(["x", "é", "\U0001f600", '"']), st.integers(0, 3000))
def test_an_event_that_is_too_large_is_shortened_and_says_so(lines: int, char: str, wide: int) -> None:
    """However many bytes a character takes, and whatever the document contains."""
    text = "\n".join([char * wide] * lines)
    document = {"summary": char * wide, "incident": "a", "event": "opened", "query": char * 300_000}
    sent = Notification(subject="s", text=text, document=document, attributes={})
    (event,) = events(sent)
    check({"routing_key": KEY, **event})
    shown = event["payload"]["custom_details"]["text"]
    assert shown == sent.text or shown.endswith(CUT)


def test_a_secret_without_a_key_is_refused_without_showing_it() -> None:
    """A JSON object with another member, for example."""
    edges = RecordingEdges()
    sink = KIND.make("x", edges)
    nested = '{"routing_key": ' + "[" * 30_000
    for secret in (
        *('{"integration": "secret-value"}', '{"routing_key": ["secret-value"]}', "{not json secret-value"),
        nested,
    ):
        edges.secret = secret
        with pytest.raises(PublishRefused) as refused:
            sink.send(page())
        assert "secret-value" not in str(refused.value)
    for secret in (f" {KEY}\n", f'{{"routing_key": " {KEY} ", "rotated": 1767225600, "url": null}}'):
        edges.secret = secret
        sink.send(page())
    assert edges.requests[-1]["document"]["routing_key"] == KEY
    assert edges.requests[-1]["url"] == "https://events.pagerduty.com/v2/enqueue"
