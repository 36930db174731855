"""A failure queue on moto, and refused calls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.stub import Stubber
from moto import mock_aws

from flowwarden.aws import caller_errors
from flowwarden.aws.caller import SIGN_IN
from flowwarden.aws.sqs import SqsQueue
from flowwarden.errors import CallFailed, CallRefused
from flowwarden.redrive.failure import of_event_bridge, of_lambda
from flowwarden.redrive.redrive import Redrive, Source, State
from tests.aws.clients import client
from tests.redrive.fakes import FakeFunction, record

URL = "https://sqs.us-east-1.amazonaws.com/123456789012/failures"


class Failures:
    """A queue on moto."""

    def __init__(self) -> None:
        self.client = client("sqs")
        self.client.meta.events.register("before-parameter-build.sqs.ReceiveMessage", _without_wait)
        self.url = self.client.create_queue(QueueName="failures")["QueueUrl"]
        self.queue = SqsQueue(self.client, self.url)

    def send(self, body: str, **attributes: str) -> None:
        """Send a message with text attributes."""
        given: Any = {name: {"DataType": "String", "StringValue": each} for name, each in attributes.items()}
        self.client.send_message(QueueUrl=self.url, MessageBody=body, MessageAttributes=given)

    @property
    def visible(self) -> int:
        """The number of messages that another receiver would get."""
        names: Any = ["ApproximateNumberOfMessages"]
        found = self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)
        return int(found["Attributes"]["ApproximateNumberOfMessages"])


def _without_wait(params: dict[str, Any], **_: object) -> None:
    """Moto's empty queue makes the test wait."""
    params["WaitTimeSeconds"] = 0


@pytest.fixture
def failures() -> Iterator[Failures]:
    """An empty queue."""
    with mock_aws():
        yield Failures()


def test_messages_are_processed_through_the_real_client(failures: Failures) -> None:
    """One succeeds and is deleted; one fails, and one is no record: both stay, and are visible again."""
    for body in (record({"a": 1}), record({"b": 2}), "odd"):
        failures.send(body)
    function = FakeFunction(["", "E"])
    redrive = Redrive(Source(name="monitor", queue=failures.queue, function=function, read=of_lambda))
    found = list(iter(redrive.next, None))
    assert sorted(each.state for each in found) == [State.PROCESSED, State.STAYS, State.STAYS]
    assert failures.visible == 0
    assert redrive.release() == ""
    assert failures.visible == 2
    assert sorted(function.payloads) == [b'{"a": 1}', b'{"b": 2}']
    assert all(each.message.sent_at and each.message.sent_at > 1_600_000_000 for each in found)


def test_the_attributes_of_eventbridge_are_read(failures: Failures) -> None:
    """They contain the error."""
    failures.send('{"detail-type": "x"}', ERROR_CODE="NO_PERMISSIONS", ERROR_MESSAGE="denied")
    message = failures.queue.receive()
    assert message is not None
    assert of_event_bridge(message).error == "NO_PERMISSIONS: denied"


def test_a_whole_record_of_the_maximum_size_is_read(failures: Failures) -> None:
    """SQS allows 1 MiB since 2025; an invocation allows 6 MB."""
    body = record("x")
    body = record("x" * (1_048_576 - len(body) + 1))
    assert len(body) == 1_048_576
    with Stubber(failures.client) as stub:
        stub.add_response(
            "receive_message", {"Messages": [{"MessageId": "1", "ReceiptHandle": "r", "Body": body}]}
        )
        message = failures.queue.receive()
    assert message is not None
    payload = of_lambda(message).payload
    assert payload is not None
    assert 1_000_000 < len(payload) < 6_000_000


@pytest.mark.parametrize(
    ("code", "message", "advice"),
    [
        ("AccessDenied", "not authorized to perform: sqs:receivemessage", caller_errors.DENIED),
        ("AccessDeniedException", "no", caller_errors.DENIED),
        ("AWS.SimpleQueueService.NonExistentQueue", "no such queue", caller_errors.GONE),
        ("ExpiredToken", "expired", SIGN_IN),
        ("KMS.AccessDeniedException", "no", caller_errors.KEY),
        ("AccessDenied", "not authorized to perform: kms:Decrypt", caller_errors.KEY),
    ],
)
def test_a_refusal_has_advice_for_the_caller(code: str, message: str, advice: str) -> None:
    """Not about the enforcer's role."""
    calls = client("sqs")
    with Stubber(calls) as stub:
        stub.add_client_error("receive_message", code, message)
        with pytest.raises(CallRefused) as refused:
            SqsQueue(calls, URL).receive()
    assert str(refused.value) == f"ReceiveMessage: {code}: {advice}. AWS says: {message}"


def test_an_unknown_refusal_has_the_message_of_aws() -> None:
    """Without advice, which would be a guess."""
    calls = client("sqs")
    with Stubber(calls) as stub:
        stub.add_client_error("receive_message", "OverLimit", "too many in flight")
        with pytest.raises(CallRefused, match=r"^ReceiveMessage: OverLimit: too many in flight$"):
            SqsQueue(calls, URL).receive()


def test_an_outage_is_no_refusal() -> None:
    """The queue can be read later."""
    calls = client("sqs")
    with Stubber(calls) as stub:
        stub.add_client_error("receive_message", "InternalError", "later", http_status_code=500)
        stub.add_response("receive_message", {"Messages": [{"Body": "no id"}]})
        stub.add_response("receive_message", {})
        queue = SqsQueue(calls, URL)
        for _ in range(2):
            with pytest.raises(CallFailed):
                queue.receive()
        assert queue.receive() is None
