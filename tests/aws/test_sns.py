"""Publishing to SNS: what is tried again, and what may have been sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectionClosedError, ConnectTimeoutError, ReadTimeoutError

from flowwarden.aws.clients import QUICK_SECONDS, make_client
from flowwarden.aws.sns import ATTEMPTS, BOTOCORE_ATTEMPTS, Topic
from flowwarden.errors import PublishFailed, PublishRefused, PublishUnanswered
from tests.aws.clients import REGION, session

ENDPOINT = "https://sns.example"
READ_TIMEOUT = ReadTimeoutError(endpoint_url=ENDPOINT)
REFUSED = ConnectTimeoutError(endpoint_url=ENDPOINT)


def answered(status: int, code: str) -> AWSResponse:
    """An error response of SNS."""
    body = f"<ErrorResponse><Error><Code>{code}</Code><Message>m</Message></Error></ErrorResponse>"

    class Raw:
        """The body."""

        def stream(self, **_given: Any) -> list[bytes]:
            """All of it."""
            return [body.encode()]

    return AWSResponse(ENDPOINT, status, HTTPHeaders(), Raw())


@dataclass
class Wire:
    """The network between botocore and SNS: each request has the next outcome."""

    outcomes: list[Any]
    requests: int = 0
    waits: list[float] = field(default_factory=list)

    def publish(self, *, may_refuse: bool = False) -> None:
        """Publish a message through a client like that of the functions."""
        made = make_client(
            "sns", REGION, attempts=BOTOCORE_ATTEMPTS, read_timeout=QUICK_SECONDS, session=session()
        )
        made.meta.events.register_first("before-send.sns", self._send)
        arn = "arn:aws:sns:us-east-1:111122223333:pages"
        Topic(made, arn, self.waits.append, may_refuse=may_refuse).publish("s", "{}", {})

    def _send(self, request: AWSRequest, **_given: Any) -> Any:
        assert request is not None
        self.requests += 1
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


@pytest.mark.parametrize(
    "outcome",
    [READ_TIMEOUT, ConnectionClosedError(endpoint_url=ENDPOINT), answered(500, "InternalFailure"),
     answered(504, "GatewayTimeout"), answered(200, "not SNS's XML")],
    ids=["read timeout", "connection closed", "500", "504", "unreadable"],
)  # fmt: skip
def test_a_message_that_may_have_been_sent_is_not_sent_again(outcome: Any) -> None:
    """Neither by botocore nor by the topic; the error says so."""
    if isinstance(outcome, AWSResponse) and outcome.status_code == 200:
        outcome.raw.stream = lambda **_given: [b"<html>"]
    wire = Wire([outcome] * 4)
    with pytest.raises(PublishUnanswered, match="SNS topic arn:aws:sns"):
        wire.publish()
    assert (wire.requests, wire.waits) == (1, [])


@pytest.mark.parametrize(
    "outcome",
    [REFUSED, answered(400, "Throttling"), answered(503, "ServiceUnavailable")],
    ids=["connect timeout", "throttled", "503"],
)
def test_a_message_that_certainly_was_not_sent_is_tried_again(outcome: Any) -> None:
    """After a pause; the error is not one of a lost answer."""
    wire = Wire([outcome] * 4)
    with pytest.raises(PublishFailed) as raised:
        wire.publish()
    assert not isinstance(raised.value, PublishUnanswered)
    assert (wire.requests, len(wire.waits)) == (ATTEMPTS, ATTEMPTS - 1)


def test_a_lost_answer_to_the_second_attempt_is_a_lost_answer() -> None:
    """The first attempt was throttled."""
    with pytest.raises(PublishUnanswered):
        Wire([answered(400, "Throttling"), READ_TIMEOUT]).publish()


@pytest.mark.parametrize("code", ["AuthorizationError", "InvalidParameter", "NotFound", "KMSAccessDenied"])
def test_a_refused_message_is_not_tried_again(code: str) -> None:
    """It would be refused again."""
    wire = Wire([answered(403, code)] * 4)
    with pytest.raises(PublishFailed, match=code) as raised:
        wire.publish()
    assert not isinstance(raised.value, PublishUnanswered)
    assert wire.requests == 1


def test_a_throttled_message_is_sent_by_the_second_attempt() -> None:
    """SNS's own code for it is `Throttled`."""
    accepted = answered(200, "none")
    accepted.raw.stream = lambda **_given: [b"<PublishResponse><PublishResult/></PublishResponse>"]
    wire = Wire([answered(429, "Throttled"), accepted])
    wire.publish()
    assert (wire.requests, wire.outcomes) == (2, [])


@pytest.mark.parametrize("code", ["NotFound", "AuthorizationError", "KMSAccessDenied", "InvalidParameter"])
def test_what_the_topic_of_a_service_refuses_is_final(code: str) -> None:
    """A deleted topic for chat fails no batch; the topics of pages and operations do."""
    with pytest.raises(PublishRefused, match=code):
        Wire([answered(400, code)]).publish(may_refuse=True)
    with pytest.raises(PublishFailed, match=code) as raised:
        Wire([answered(400, code)]).publish()
    assert type(raised.value) is PublishFailed


@pytest.mark.parametrize(
    "outcome", [REFUSED, answered(400, "Throttling"), answered(503, "ServiceUnavailable")]
)
def test_what_the_topic_of_a_service_may_accept_later_is_not_refused(outcome: Any) -> None:
    """Throttled, or out of reach: the retry of the batch sends it."""
    with pytest.raises(PublishFailed) as raised:
        Wire([outcome] * ATTEMPTS).publish(may_refuse=True)
    assert type(raised.value) is PublishFailed
