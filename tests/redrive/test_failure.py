"""What a message of a failure queue contains."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.redrive.failure import LEFT_OUT, NO_EVENT, NO_RECORD, error_of, of_event_bridge, of_lambda
from flowwarden.redrive.ports import QueuedMessage
from tests.examples import examples
from tests.redrive.fakes import record

EVENT = {"detail-type": "Scheduled Event", "source": "aws.events", "id": "1", "detail": {"run": "retry"}}
ERROR = {"ERROR_CODE": "NO_PERMISSIONS", "ERROR_MESSAGE": "not authorized", "RULE_ARN": "arn:aws:events:x"}


def message(body: str, attributes: dict[str, str] | None = None) -> QueuedMessage:
    """A received message."""
    return QueuedMessage(message_id="m1", receipt="r1", body=body, attributes=attributes or {})


def test_the_payload_of_a_record_is_taken_out_byte_for_byte() -> None:
    """With its order, spaces and escapes: the monitor identifies a batch by what it contains."""
    payload = '{ "b": 1.0,"a":"\\u00e4\\/" ,"a":2 }'
    found = of_lambda(message(record("HERE").replace('"HERE"', payload)))
    assert found.payload == payload.encode()
    assert found.obstacle == ""
    assert found.request_id == "e4b46cbf-b738-4880-8e5f-8d2d3d1b3a3d"
    assert found.error == "RetriesExhausted: PublishFailed: SNS: no such topic"


@pytest.mark.parametrize("response", [None, "text", {"errorType": 7}, [], {"errorMessage": None}])
def test_a_record_with_any_response_can_be_sent(response: object) -> None:
    """A function that was never invoked (the event was too old) has none."""
    found = of_lambda(message(record({"a": 1}, responsePayload=response)))
    assert (found.payload, found.error) == (b'{"a": 1}', "RetriesExhausted")


def test_a_record_without_payload_says_what_to_do() -> None:
    """Lambda leaves out what does not fit; null is not the payload of any event of this stack."""
    whole = json.loads(record({"a": 1}))
    del whole["requestPayload"]
    for body in (json.dumps(whole), record(None)):
        found = of_lambda(message(body))
        assert (found.payload, found.obstacle) == (None, LEFT_OUT)
        assert found.error
        assert found.request_id


@pytest.mark.parametrize(
    "body", ["", "text", "7", "[]", "{}", '{"requestPayload": {"a": 1}}', '{"requestContext": 1}', "\ud800"]
)
def test_another_message_is_not_a_record(body: str) -> None:
    """It is named, and never sent."""
    found = of_lambda(message(body))
    assert found.payload is None
    assert found.obstacle.startswith(NO_RECORD)


def test_the_body_of_a_message_of_eventbridge_is_the_event() -> None:
    """Its attributes contain the error."""
    body = json.dumps(EVENT, indent=1)
    found = of_event_bridge(message(body, ERROR))
    assert (found.payload, found.error) == (body.encode(), "NO_PERMISSIONS: not authorized")


@pytest.mark.parametrize("body", ["", "text", "[]", "{}", '{"record_as_managed": ["fl-1"]}', "\ud800"])
def test_a_message_that_is_not_an_event_is_never_sent_to_the_enforcer(body: str) -> None:
    """A request to record flow logs as managed decides what the enforcer may delete."""
    found = of_event_bridge(message(body, ERROR))
    assert found.payload is None
    assert found.obstacle.startswith(NO_EVENT)


@pytest.mark.parametrize("read", [of_lambda, of_event_bridge])
def test_deep_nesting_is_no_error(read: object) -> None:
    """A body of 1 MiB can contain half a million levels."""
    deep = "[" * 500_000
    assert callable(read)
    assert read(message(deep)).payload is None
    assert read(message(f'{{"requestContext": {{}}, "requestPayload": {deep}')).payload is None


@examples(1)
@given(
    st.text() | st.recursive(st.none() | st.text(), lambda each: st.dictionaries(st.text(), each)).map(str)
)
def test_no_message_raises(body: str) -> None:
    """Whatever its body is."""
    for read in (of_lambda, of_event_bridge):
        found = read(message(body))
        assert (found.payload is None) is bool(found.obstacle)


def test_the_error_of_an_answer_is_never_empty() -> None:
    """An error without a known form is an error."""
    assert error_of(b'{"errorType": "E", "errorMessage": "m"}') == "E: m"
    assert error_of(b'{"errorMessage": "Task timed out"}') == "Task timed out"
    assert error_of(b"null") == error_of(b"") == "the function failed without an error message"
