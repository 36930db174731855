"""The SNS sink, on moto: people get the text, machines the document."""

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
        SnsSink(Topic(client("sns"), topic)).send(notification())
        (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    envelope = json.loads(message["Body"])
    assert envelope["Subject"] == "[HIGH] subject"
    assert json.loads(envelope["Message"]) == {"kind": "incident", "n": 1, "text": "text for people"}
    assert envelope["MessageAttributes"]["detector"] == {"Type": "String", "Value": "host-probing"}


def test_people_get_the_text() -> None:
    """E-mail, SMS and chat have no key of their own, so they get the default."""
    recorder: Any = RecordingClient()
    SnsSink(Topic(recorder, "arn:topic")).send(notification())
    (call,) = recorder.calls
    body = json.loads(call["Message"])
    assert body.pop("default") == "text for people"
    assert body.pop("sms") == "[HIGH] subject"
    assert set(body) == set(MACHINES)


@pytest.mark.parametrize("text", ["x" * 300_000, "\u0000ü\U0001f525" * 100_000])
def test_what_is_too_large_is_cut_and_says_so(text: str) -> None:
    """Better a shortened page than none."""
    recorder: Any = RecordingClient()
    SnsSink(Topic(recorder, "arn:topic")).send(notification(text))
    (call,) = recorder.calls
    assert len(call["Message"].encode()) <= MAX_BYTES
    assert json.loads(call["Message"])["default"].endswith(CUT)


def test_a_topic_that_is_not_there_is_a_named_error() -> None:
    """The message names the topic and SNS's reason."""
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
def test_a_subject_is_printable_ascii_of_one_line(text: str, expected: str) -> None:
    """What SNS would refuse is replaced, and a cut is marked."""
    assert fit_subject(text) == expected


@given(st.text())
def test_any_text_gives_a_subject_that_sns_takes(text: str) -> None:
    """At most 99 printable ASCII characters, never none."""
    assert re.fullmatch(r"[ -~]{1,99}", fit_subject(text))


def test_the_sink_fits_subject_and_text_message_to_its_service() -> None:
    """A notification's subject is any line; SNS refuses more than 99 characters of ASCII."""
    recorder: Any = RecordingClient()
    long = replace(notification(), subject="Grüße " + "x" * 300)
    SnsSink(Topic(recorder, "arn:topic")).send(long)
    (call,) = recorder.calls
    assert call["Subject"] == "Gr??e " + "x" * 90 + "..."
    assert json.loads(call["Message"])["sms"] == call["Subject"]


def test_a_sink_is_named_by_its_topic() -> None:
    """Claims are stored under the name, so two topics have two names."""
    unused: Any = None
    names = [SnsSink(Topic(unused, f"arn:aws:sns:eu-west-1:111122223333:{each}")).name for each in ("a", "b")]
    assert names == ["sns:a", "sns:b"]
