"""The SNS sink, on moto: people get the text, machines the document."""

from __future__ import annotations

import json
from typing import Any

import pytest
from moto import mock_aws

from flowwarden.aws.sns import CUT, MACHINES, MAX_BYTES, TopicSink
from flowwarden.errors import PublishFailed
from flowwarden.notify.notification import Notification
from tests.aws.clients import client


class RecordingClient:
    """Takes what would be published."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []

    def publish(self, **call: Any) -> None:
        """Keep the call."""
        self.calls.append(call)


def notification(text: str = "text for people") -> Notification:
    """A notification."""
    return Notification(
        subject="[HIGH] subject", text=text, document={"kind": "incident", "n": 1},
        attributes={"severity": "high", "detector": "host-probing"},
    )  # fmt: skip


def test_machines_get_the_document_and_the_attributes() -> None:
    """A queue receives JSON, and can filter by attributes."""
    with mock_aws():
        topic = client("sns").create_topic(Name="pages")["TopicArn"]
        sqs = client("sqs")
        queue = sqs.create_queue(QueueName="q")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        TopicSink(client("sns"), topic).send(notification())
        (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    envelope = json.loads(message["Body"])
    assert envelope["Subject"] == "[HIGH] subject"
    assert json.loads(envelope["Message"]) == {"kind": "incident", "n": 1, "text": "text for people"}
    assert envelope["MessageAttributes"]["detector"] == {"Type": "String", "Value": "host-probing"}


def test_people_get_the_text() -> None:
    """E-mail, SMS and chat have no key of their own, so they get the default."""
    recorder: Any = RecordingClient()
    TopicSink(recorder, "arn:topic").send(notification())
    (call,) = recorder.calls
    body = json.loads(call["Message"])
    assert body.pop("default") == "text for people"
    assert body.pop("sms") == "[HIGH] subject"
    assert set(body) == set(MACHINES)


@pytest.mark.parametrize("text", ["x" * 300_000, "\u0000ü\U0001f525" * 100_000])
def test_what_is_too_large_is_cut_and_says_so(text: str) -> None:
    """Better a shortened page than none."""
    recorder: Any = RecordingClient()
    TopicSink(recorder, "arn:topic").send(notification(text))
    (call,) = recorder.calls
    assert len(call["Message"].encode()) <= MAX_BYTES
    assert json.loads(call["Message"])["default"].endswith(CUT)


def test_a_topic_that_is_not_there_is_a_named_error() -> None:
    """The message names the topic and SNS's reason."""
    with (
        mock_aws(),
        pytest.raises(PublishFailed, match=r"arn:aws:sns:us-east-1:123456789012:none: .*NotFound"),
    ):
        TopicSink(client("sns"), "arn:aws:sns:us-east-1:123456789012:none").send(notification())
