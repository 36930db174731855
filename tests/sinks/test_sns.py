"""The SNS sink, on moto: people receive the text, machines the document."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws
from msgspec.structs import replace

from flowwarden.aws.sns import Topic
from flowwarden.errors import PublishFailed
from flowwarden.notify.notification import Notification
from flowwarden.sinks.sns import CUT, MACHINES, MAX_BYTES, SnsSink, fit_subject
from tests.aws.clients import client


class RecordingClient:
    """Records what would be published."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []

    def publish(self, **call: Any) -> None:
        """Record the call."""
        self.calls.append(call)


def notification(text: str = "text for people") -> Notification:
    """A notification."""
    return Notification(
        subject="[HIGH] subject", text=text, document={"kind": "incident", "n": 1},
        attributes={"severity": "high", "detector": "host-probing"},
    )  # fmt: skip


def test_machines_receive_the_document_and_the_attributes() -> None:
    """A queue receives JSON and can filter by attributes."""
    with mock_aws():
        topic = client("sns").create_topic(Name="pages")["TopicArn"]
        sqs = client("sqs")
        queue = sqs.create_queue(QueueName="q")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        SnsSink(Topic(client("sns"), topic)).send(notification())
        (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    envelope = json.loads(message["Body"])
    assert envelope["Subject"] == "[HIGH] subject"
    assert json.loads(envelope["Message"]) == {"kind": "incident", "n": 1, "text": "text for people"}
    assert envelope["MessageAttributes"]["detector"] == {"Type": "String", "Value": "host-probing"}


def test_people_receive_the_text() -> None:
    """Email and chat have no key in the message, so they receive the default; SMS has a short text."""
    recorder: Any = RecordingClient()
    SnsSink(Topic(recorder, "arn:topic")).send(notification())
    (call,) = recorder.calls
    body = json.loads(call["Message"])
    assert body.pop("default") == "text for people"
    assert body.pop("sms") == "[HIGH] subject"
    assert set(body) == set(MACHINES)


@pytest.mark.parametrize("line", ["x" * 300, "\u0000ü\U0001f525" * 100])
def test_a_notification_that_is_too_large_is_truncated_and_marked(line: str) -> None:
    """A truncated page is better than none."""
    recorder: Any = RecordingClient()
    SnsSink(Topic(recorder, "arn:topic")).send(notification("\n".join([line] * 1000)))
    (call,) = recorder.calls
    assert len(call["Message"].encode()) <= MAX_BYTES
    assert json.loads(call["Message"])["default"].endswith(CUT)


def test_a_missing_topic_is_a_publish_error() -> None:
    """The message contains the topic and SNS's reason."""
    with (
        mock_aws(),
        pytest.raises(PublishFailed, match=r"arn:aws:sns:us-east-1:123456789012:none: .*NotFound"),
    ):
        SnsSink(Topic(client("sns"), "arn:aws:sns:us-east-1:123456789012:none")).send(notification())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("as it is", "as it is"),
        ("two\nlines\tand  blanks ", "two lines and blanks"),
        ("Grüße \x00", "Gr??e ?"),
        ("", "(no subject)"),
        ("x" * 99, "x" * 99),
        ("x" * 100, "x" * 96 + "..."),
    ],
)
def test_a_subject_is_one_line_of_printable_ascii(text: str, expected: str) -> None:
    """Characters that SNS would reject are replaced, and truncation is marked."""
    assert fit_subject(text) == expected


@given(st.text())
def test_any_text_becomes_a_subject_that_sns_accepts(text: str) -> None:
    """A subject has 1 to 99 printable ASCII characters."""
    assert re.fullmatch(r"[ -~]{1,99}", fit_subject(text))


def test_the_sink_fits_subject_and_sms_to_the_limits_of_sns() -> None:
    """The subject of a notification is any line; SNS rejects more than 99 ASCII characters."""
    recorder: Any = RecordingClient()
    long = replace(notification(), subject="Grüße " + "x" * 300)
    SnsSink(Topic(recorder, "arn:topic")).send(long)
    (call,) = recorder.calls
    assert call["Subject"] == "Gr??e " + "x" * 90 + "..."
    assert json.loads(call["Message"])["sms"] == call["Subject"]


def test_a_sink_is_named_after_its_topic() -> None:
    """Claims are stored under the name, so two topics have different names."""
    unused: Any = None
    names = [SnsSink(Topic(unused, f"arn:aws:sns:eu-west-1:111122223333:{each}")).name for each in ("a", "b")]
    assert names == ["sns:a", "sns:b"]
