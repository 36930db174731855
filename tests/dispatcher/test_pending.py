"""A notification that stayed pending is the one that the monitor would have sent."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from flowwarden.aws.dynamodb.claims import DynamoDbClaims
from flowwarden.aws.dynamodb.incidents import DynamoDbIncidents
from flowwarden.dispatcher.dispatch import Dispatcher
from flowwarden.dispatcher.ports import OpenIncident, OpenIncidents
from flowwarden.monitor.findings import Finding
from flowwarden.notify.alert import Route
from flowwarden.notify.incident import Incident
from flowwarden.notify.notification import Notification
from tests.aws.clients import make_state_table, shared
from tests.dispatcher.memory import MemoryIncidents
from tests.monitor.fakes_state import MemoryEvidence
from tests.monitor.one_host import NOW, TERMS, Monitor, guessed, left, moved, probed, scanned, sent
from tests.notify.fakes import CrashError, MemoryClaims

MAKERS = (scanned, probed, moved, guessed, sent, left)
STEP = 600
"""Seconds between two batches."""
DUE = TERMS.lease + 60
"""Seconds after which a pending notification is due."""


class Stack:
    """A monitor and a dispatcher on one table."""

    def __init__(self, claims: Any = None, incidents: OpenIncidents | None = None) -> None:
        claims = claims or MemoryClaims(TERMS)
        self.monitor = Monitor(claims=claims)
        self.incidents = incidents or MemoryIncidents(claims)
        self._dispatcher = Dispatcher(
            self.incidents, claims, MemoryEvidence(), {Route.PAGES: (self.monitor.pages,)}
        )

    def crash(self, findings: Sequence[Finding], now: int) -> None:
        """A batch whose function ends before it sends."""
        self.monitor.pages.crash_before = True
        with contextlib.suppress(CrashError):
            self.monitor.process(findings, now)
        self.monitor.pages.crash_before = False

    def dispatch(self, now: int) -> list[Notification]:
        """What a run of the dispatcher sends."""
        before = len(self.monitor.pages.sent)
        self._dispatcher.run(f"run-{now}", now, lambda: 60.0)
        return self.monitor.pages.sent[before:]

    def stored(self) -> list[Incident | None]:
        """The open incidents."""
        return [each.incident for each in self.incidents.due(NOW + 400 * 86_400, 10)]


@pytest.fixture(params=["dynamodb", "memory"])
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """On a table of either kind."""
    if request.param == "memory":
        yield Stack()
        return
    with mock_aws():
        make_state_table("state")
        client = shared("dynamodb")
        yield Stack(DynamoDbClaims(client, "state", TERMS), DynamoDbIncidents(client, "state", TERMS.lease))


def both(stack: Stack, before: Sequence[Sequence[Finding]], last: Sequence[Finding]) -> tuple[Any, Any]:
    """What the monitor sends of the last batch, and what the dispatcher sends if the monitor ends before."""
    whole, now = Stack(), NOW + STEP * len(before)
    for number, each in enumerate(before):
        for one in (whole, stack):
            one.monitor.process(each, NOW + STEP * number)
    by_monitor = whole.monitor.process(last, now)
    stack.crash(last, now)
    by_dispatcher = stack.dispatch(now + DUE)
    assert [each.severity for each in whole.stored() if each] == [
        each.severity for each in stack.stored() if each
    ]
    assert [each.title for each in whole.stored() if each] == [each.title for each in stack.stored() if each]
    return by_monitor, by_dispatcher


def test_an_escalation_that_only_the_history_shows_is_sent(stack: Stack) -> None:
    """A scan was sent; lateral movement by the same host makes the incident critical."""
    by_monitor, by_dispatcher = both(stack, [[scanned()]], [moved(at=NOW + STEP)])
    assert by_dispatcher == by_monitor
    (page,) = by_dispatcher
    assert page.subject.startswith("[CRITICAL UPDATED] 10.0.1.66: scan, then lateral-movement")
    assert (page.attributes["severity"], page.attributes["event"]) == ("critical", "updated")
    assert page.document["severity"] == "critical"
    assert len(page.document["same_host"]["events"]) == 2
    assert "Last sent at" in page.text
    assert f"Incident {page.document['incident']}, severity critical" in page.text


def test_a_first_notification_has_no_history(stack: Stack) -> None:
    """It is sent as opened, with the severity of its finding."""
    by_monitor, by_dispatcher = both(stack, [], [scanned()])
    assert by_dispatcher == by_monitor
    (page,) = by_dispatcher
    assert (page.attributes["severity"], page.attributes["event"]) == ("high", "opened")
    assert "Last sent at" not in page.text


def test_a_recurrence_after_the_end_is_sent_as_reopened(stack: Stack) -> None:
    """Also if the dispatcher sends it."""
    stack.monitor.process([scanned()], NOW)
    (one,) = stack.incidents.due(NOW + 86_400, 10)
    assert stack.incidents.resolve(one, NOW + 60)
    closed: OpenIncident
    (closed,) = stack.incidents.due(NOW + 86_400, 10)
    assert stack.incidents.close(closed)
    late = NOW + TERMS.suppression + 7200
    stack.crash([scanned(at=late)], late)
    (page,) = stack.dispatch(late + DUE)
    assert page.attributes["event"] == "reopened"
    assert page.subject.startswith("[HIGH REOPENED]")
    (incident,) = stack.stored()
    assert incident is not None
    assert incident.reopened == 1


@pytest.mark.parametrize("order", list(permutations((scanned, moved, guessed))))
def test_severity_event_and_title_do_not_depend_on_who_sends(order: Sequence[Any]) -> None:
    """Also of a batch with several findings, where only the finding that the page is about can be another."""
    first, *rest = order
    (ours,), (theirs,) = both(Stack(), [[first()]], [each(at=NOW + STEP) for each in rest])
    assert ours.subject == theirs.subject
    assert ours.attributes | {"detector": ""} == theirs.attributes | {"detector": ""}
    assert ours.document["same_host"] == theirs.document["same_host"]


@given(st.lists(st.sampled_from(MAKERS), max_size=4), st.sampled_from(MAKERS))
def test_the_dispatcher_sends_what_the_monitor_would_have_sent(before: Sequence[Any], last: Any) -> None:
    """Whatever was reported before."""
    batches = [[each(at=NOW + STEP * number)] for number, each in enumerate(before)]
    by_monitor, by_dispatcher = both(Stack(), batches, [last(at=NOW + STEP * len(before))])
    assert by_dispatcher == by_monitor
