"""The test page: the whole way on the table (moto), and what is reported if a part of it fails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest
from moto import mock_aws

from flowwarden.aws.dynamodb.claims import DynamoDbClaims
from flowwarden.aws.dynamodb.desk import DynamoDbDesk
from flowwarden.dispatcher.trial_page import Outcome, Place, send_test
from flowwarden.errors import PublishFailed, StateUnavailable
from flowwarden.notify.claims import ClaimKey, ClaimTerms
from flowwarden.notify.notification import Notification
from tests.aws.clients import make_state_table, shared
from tests.dispatcher.fakes_desk import MemoryDesk
from tests.notify.fakes import MemoryClaims, MemorySink

TERMS: Final = ClaimTerms(suppression=3600, lease=60)
NOW: Final = 1_764_000_000
PLACE: Final = Place(stack="flow-warden", account="111122223333", region="eu-west-1", log_group="/flows")


@pytest.fixture
def sink() -> Iterator[MemorySink]:
    """A sink, and a table."""
    with mock_aws():
        make_state_table("state")
        yield MemorySink()


def sent_to(sink: MemorySink, attempt: str = "one") -> Outcome:
    """A test on the table."""
    client = shared("dynamodb")
    return send_test(
        sink, DynamoDbClaims(client, "state", TERMS), DynamoDbDesk(client, "state"), PLACE, NOW, attempt
    )


def test_both_notifications_are_sent_and_the_incident_is_closed(sink: MemorySink) -> None:
    """Marked as a test in subject and attributes; each test is an incident of its own."""
    for attempt in ("one", "two"):
        done = sent_to(sink, attempt)
        assert (done.sent, done.resolved, done.problems) == (True, True, ())
        assert DynamoDbDesk(shared("dynamodb"), "state").listed(NOW) == []
    page, resolved, *_ = sink.sent
    assert len(sink.sent) == 4
    assert page.subject == "[TEST] Test page of stack flow-warden: nothing has happened"
    assert resolved.subject == f"[RESOLVED] {page.subject}"
    events = [(each.attributes["kind"], each.attributes["event"]) for each in (page, resolved)]
    assert events == [("test", "opened"), ("test", "resolved")]
    assert page.document["incident"] == resolved.document["incident"] == sent_to(sink, "one").key


def test_a_sink_that_refuses_is_reported(sink: MemorySink) -> None:
    """Nothing stays open but its claim, which ends."""
    sink.away = True
    done = sent_to(sink)
    assert (done.sent, done.resolved) == (False, False)
    assert "refused by the test" in done.problems[0]


class Once(MemorySink):
    """Accepts one notification."""

    def send(self, notification: Notification) -> None:
        """See the port."""
        if self.sent:
            raise PublishFailed("once, by the test")
        super().send(notification)


def test_a_sink_that_refuses_the_second_is_reported(sink: MemorySink) -> None:
    """The dispatcher sends it later: the incident waits for that."""
    assert not sink.sent
    done = sent_to(Once())
    assert (done.sent, done.resolved) == (True, False)
    (one,) = DynamoDbDesk(shared("dynamodb"), "state").listed(NOW)
    assert one.resolved_at == NOW


def test_a_table_that_cannot_be_read_is_an_error_before_anything_is_sent() -> None:
    """So that no page goes out that is never resolved."""
    sink = MemorySink()
    with pytest.raises(StateUnavailable):
        send_test(sink, MemoryClaims(TERMS), MemoryDesk(is_away=True), PLACE, NOW, "one")
    assert sink.sent == []


def test_a_table_that_cannot_be_written_is_reported() -> None:
    """The page is sent, as all pages are; but not the whole way works."""
    sink = MemorySink()
    done = send_test(sink, MemoryClaims(TERMS, away={"claim"}), MemoryDesk(), PLACE, NOW, "one")
    assert (done.sent, done.resolved, len(sink.sent)) == (True, False, 1)
    assert "state table did not answer" in done.problems[0]
    assert ClaimKey(sink.name, done.key).incident == done.key
