"""EventBridge, Security Hub and Amazon Q Developer: documents fit their schemas, and what answers mean."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws
from msgspec.structs import replace

from flowwarden.aws.events import EventBus
from flowwarden.aws.security_hub import ImportedFindings
from flowwarden.aws.sns import Topic
from flowwarden.dispatcher.resolved import render
from flowwarden.errors import PublishFailed, PublishRefused, PublishUnanswered
from flowwarden.notify.incident import Event
from flowwarden.notify.notification import Notification
from flowwarden.sinks import amazon_q, eventbridge, security_hub
from flowwarden.sinks.view import CUT
from tests.aws.clients import client
from tests.schemas.validator import problems
from tests.sinks.examples import EXAMPLES, incident, page
from tests.sinks.recorded import requests_of

OCSF: Final = json.loads((Path(__file__).parent / "ocsf-2004.json").read_text())
LIVES: Final = [name for name in EXAMPLES if "digest" not in name and name != "report"]
TEXTS: Final = st.text(st.sampled_from([*'ab <>`*\n"\\', "é", "\U0001f600"]), max_size=4000)


def documents(kind: Any, notification: Notification) -> list[dict[str, Any]]:
    """What a sink sends."""
    return [each["document"] for each in requests_of(kind, notification).requests]


@pytest.mark.parametrize("example", LIVES)
def test_every_finding_fits_the_schema_of_ocsf(example: str) -> None:
    """Its activity is that of the event, and its type that of its class and activity."""
    sent = requests_of(eventbridge.KIND, EXAMPLES[example]()).requests
    assert sent
    for each in sent:
        assert (each["source"], each["kind"]) == ("flow-warden", "Detection Finding")
        found = each["document"]
        assert problems(found, OCSF) == []
        assert found["type_uid"] == 200_400 + found["activity_id"]


def test_the_activity_is_create_update_or_close() -> None:
    """With one uid for the whole life."""
    sent = [page(), page(Event.UPDATED), page(Event.REOPENED), render(incident())]
    found = [documents(eventbridge.KIND, each)[0] for each in sent]
    assert [each["activity_id"] for each in found] == [1, 2, 2, 3]
    assert [each["status_id"] for each in found] == [1, 2, 1, 4]
    assert len({each["finding_info"]["uid"] for each in found}) == 1


@pytest.mark.parametrize("member", ["class_uid", "severity_id", "time", "metadata", "finding_info"])
def test_a_finding_without_a_required_attribute_does_not_fit(member: str) -> None:
    """The check can fail."""
    (found,) = documents(eventbridge.KIND, page())
    assert problems({name: each for name, each in found.items() if name != member}, OCSF)
    assert problems(found | {member: "x"}, OCSF)
    assert problems(found | {"unknown": 1}, OCSF)


@pytest.mark.parametrize("example", ["hourly-digest", "daily-digest", "report"])
def test_other_notifications_are_our_own_document(example: str) -> None:
    """EventBridge gets them with their text; Security Hub gets none."""
    sent = EXAMPLES[example]()
    (event,) = requests_of(eventbridge.KIND, sent).requests
    assert event["kind"] == "Notification"
    assert event["document"]["kind"] == sent.attributes["kind"]
    assert event["document"]["text"] == sent.text
    assert documents(security_hub.KIND, sent) == []


def test_an_event_that_is_too_large_is_shortened_and_says_so() -> None:
    """Below the limit of EventBridge in any case."""
    for base in (page(), EXAMPLES["report"]()):
        large = replace(base, document=base.document | {"listed": ["é" * 1900] * 200})
        (event,) = requests_of(eventbridge.KIND, large).requests
        assert CUT in json.dumps(event["document"])
        assert len(json.dumps(event["document"], ensure_ascii=False).encode()) < eventbridge.MAX_BYTES


def check_asff(finding: dict[str, Any]) -> None:
    """Check a finding against botocore's model, and the limits of its texts."""
    stubbed = client("securityhub")
    with Stubber(stubbed) as stubber:
        answer = {"FailedCount": 0, "SuccessCount": 1, "FailedFindings": []}
        stubber.add_response("batch_import_findings", answer)
        stubbed.batch_import_findings(Findings=[finding])  # validates the parameters
    assert 0 < len(finding["Title"]) <= 256
    assert 0 < len(finding["Description"]) <= 1024
    assert 0 < len(finding["Remediation"]["Recommendation"]["Text"]) <= 512
    assert 0 < len(finding["Id"]) <= 512
    assert 0 < len(finding["Resources"][0]["Id"]) <= 512
    assert len(finding["ProductFields"]) <= 50
    assert all(len(each) <= 2048 for each in finding["ProductFields"].values())
    assert finding["Severity"]["Label"] in {"INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"}
    assert finding["CreatedAt"] <= finding["UpdatedAt"]
    assert len(json.dumps(finding).encode()) < 240_000


@pytest.mark.parametrize("example", LIVES)
def test_every_finding_fits_security_hubs_model(example: str) -> None:
    """Its shapes as botocore knows them, and the limits of the format."""
    found = documents(security_hub.KIND, EXAMPLES[example]())
    assert found
    for each in found:
        check_asff(each)


def test_a_finding_is_archived_when_its_incident_is_resolved_and_active_again_if_it_is_reopened() -> None:
    """The same finding, by its Id."""
    sent = [page(), page(Event.UPDATED), render(incident()), page(Event.REOPENED)]
    found = [documents(security_hub.KIND, each)[0] for each in sent]
    assert [each["RecordState"] for each in found] == ["ACTIVE", "ACTIVE", "ARCHIVED", "ACTIVE"]
    assert len({each["Id"] for each in found}) == 1
    several = documents(security_hub.KIND, EXAMPLES["several-resolved"]())
    assert [each["RecordState"] for each in several] == ["ARCHIVED"] * 3


@given(TEXTS, TEXTS)
def test_any_text_fits_all_three(text: str, summary: str) -> None:
    """Whatever its characters are."""
    document = {
        "kind": "incident", "incident": "k", "event": "opened", "severity": "high", "summary": summary,
        "because": text, "advice": [text], "subject": summary, "account": "1", "region": "eu-west-1",
    }  # fmt: skip
    sent = Notification(subject=summary, text=text, document=document, attributes={})
    (found,) = documents(security_hub.KIND, sent)
    check_limits(found)
    (event,) = documents(eventbridge.KIND, sent)
    if summary.strip():
        assert problems(event, OCSF) == []
    check_chat(documents(amazon_q.KIND, sent)[0])


def check_limits(finding: dict[str, Any]) -> None:
    """The limits, without the slow check of the model."""
    assert 0 < len(finding["Title"]) <= 256
    assert 0 < len(finding["Description"]) <= 1024
    assert finding["Resources"][0]["Id"].strip()


def check_chat(message: dict[str, Any]) -> None:
    """The format of custom notifications, and no markup from outside."""
    assert (message["version"], message["source"]) == ("1.0", "custom")
    content, metadata = message["content"], message["metadata"]
    assert content["textType"] == "client-markdown"
    assert 0 < len(content["title"]) <= amazon_q.MAX_TITLE
    assert content["description"].startswith("```\n")
    assert content["description"].endswith("\n```")
    assert "`" not in content["description"][3:-3]
    assert len(content["description"]) <= 3000
    assert metadata["threadId"]
    shown = json.dumps(message, ensure_ascii=False)
    assert "<" not in shown
    assert ">" not in shown
    steps = [
        each for each in content["nextSteps"] if not re.fullmatch(r"\[[A-Za-z ]+\]\(https:[^)]+\)", each)
    ]
    others = [content["title"], {**metadata, "threadId": ""}, content["keywords"], steps]
    assert "](" not in json.dumps(others)


def test_no_chat_message_has_a_link_of_others() -> None:
    """Names and tags may contain one in Markdown."""
    link = "[AWS console](https://evil.example)"
    document = {
        "kind": "incident",
        "incident": link,
        "event": "opened",
        "detector": link,
        "advice": [link] * 3,
    }
    sent = Notification(subject=link, text=link, document=document | {"account": link}, attributes={})
    (message,) = documents(amazon_q.KIND, sent)
    assert message["content"]["title"] == "[AWS console] (https://evil.example)"
    assert "](" not in json.dumps(message["content"]["nextSteps"])
    check_chat(message)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_chat_message_has_the_format_of_amazon_q_developer(example: str) -> None:
    """And a thread."""
    (message,) = documents(amazon_q.KIND, EXAMPLES[example]())
    check_chat(message)


def test_an_incident_is_one_thread() -> None:
    """From its first notification to its end, also after it was reopened."""
    sent = [page(), page(Event.UPDATED), render(incident()), page(Event.REOPENED)]
    threads = {documents(amazon_q.KIND, each)[0]["metadata"]["threadId"] for each in sent}
    assert threads == {page().document["incident"]}


class Client:
    """A client whose calls answer or fail, one after the other."""

    def __init__(self, *answers: object) -> None:
        self.calls: list[dict[str, Any]] = []
        self._answers = [*answers]

    def put_events(self, **call: Any) -> Any:
        """See boto3."""
        self.calls.append(call)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    batch_import_findings = put_events


def refusal(code: str, status: int = 400) -> ClientError:
    """An error of AWS."""
    answer: Any = {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "PutEvents")


def bus(answers: Client) -> Callable[[], None]:
    """Puts an event on a bus."""
    return lambda: EventBus(lambda: answers, "default", lambda _seconds: None).put("s", "k", "{}")


def findings(answers: Client) -> Callable[[], None]:
    """Imports a finding."""
    return lambda: ImportedFindings(lambda: answers, lambda _seconds: None).put([{"Id": "x"}])


BOTH = pytest.mark.parametrize("put", [bus, findings])
DONE: Final = {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}], "FailedCount": 0, "FailedFindings": []}


@BOTH
@pytest.mark.parametrize(
    ("error", "kind", "calls"),
    [
        (refusal("ThrottlingException"), PublishFailed, 2),
        (refusal("InternalException", 500), PublishFailed, 2),
        (ConnectTimeoutError(endpoint_url="https://x"), PublishFailed, 2),
        (ReadTimeoutError(endpoint_url="https://x"), PublishUnanswered, 1),
        (refusal("Strange", 502), PublishUnanswered, 1),
        (refusal("AccessDeniedException"), PublishRefused, 1),
        (refusal("ResourceNotFoundException"), PublishRefused, 1),
        (refusal("InvalidAccessException", 401), PublishRefused, 1),
    ],
)
def test_what_a_failed_call_means(put: Any, error: Exception, kind: type, calls: int) -> None:
    """Only a call that had no effect is made again at once."""
    answers = Client(error, error)
    with pytest.raises(PublishFailed) as failed:
        put(answers)()
    assert type(failed.value) is kind
    assert len(answers.calls) == calls


@BOTH
def test_a_passing_failure_is_followed_by_success(put: Any) -> None:
    """Within the same call of the sink."""
    answers = Client(refusal("ThrottlingException"), DONE)
    put(answers)()
    assert len(answers.calls) == 2


@pytest.mark.parametrize(
    ("put", "member", "text"),
    [(bus, "Entries", "ErrorMessage"), (findings, "FailedFindings", "ErrorMessage")],
)
@pytest.mark.parametrize(
    ("code", "kind"), [("InternalFailure", PublishFailed), ("InvalidInput", PublishRefused)]
)
def test_a_partial_failure_is_a_failure(put: Any, member: str, text: str, code: str, kind: type) -> None:
    """The call itself succeeded: FailedEntryCount, FailedFindings."""
    answers = Client(DONE | {member: [{"ErrorCode": code, text: "why"}]})
    with pytest.raises(PublishFailed, match="why") as failed:
        put(answers)()
    assert type(failed.value) is kind


def test_an_event_is_what_the_model_of_eventbridge_expects() -> None:
    """One entry, on the bus that is configured."""
    stubbed = client("events")
    detail = json.dumps({"a": 1})
    entry = {"Source": "flow-warden", "DetailType": "x", "Detail": detail, "EventBusName": "security"}
    with Stubber(stubbed) as stubber:
        answer = {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}
        stubber.add_response("put_events", answer, {"Entries": [entry]})
        EventBus(lambda: stubbed, "security", lambda _seconds: None).put("flow-warden", "x", detail)
        stubber.assert_no_pending_responses()


def test_an_event_is_accepted_by_an_emulator() -> None:
    """By moto, which has the default bus."""
    with mock_aws():
        events = client("events")
        target = EventBus(lambda: events, "default", lambda _seconds: None)
        eventbridge.EventBridgeSink(target, lambda: 1_800_000_000.0).send(page())


def test_a_chat_message_arrives_on_its_topic() -> None:
    """As the body of an HTTPS subscription: the document, and nothing around it."""
    with mock_aws():
        topic = client("sns").create_topic(Name="chat")["TopicArn"]
        sqs = client("sqs")
        queue = sqs.create_queue(QueueName="q")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        amazon_q.AmazonQSink(Topic(client("sns"), topic)).send(page())
        (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    check_chat(json.loads(json.loads(message["Body"])["Message"]))
