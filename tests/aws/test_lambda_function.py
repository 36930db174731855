"""Invoking a function: its outcome, and that no call is repeated that may have run."""

from __future__ import annotations

import io
from typing import Any

import pytest
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    IncompleteReadError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError
from botocore.response import StreamingBody
from botocore.stub import Stubber

from flowwarden.aws import caller_errors
from flowwarden.aws.clients import make_client
from flowwarden.aws.lambda_function import BOTOCORE_ATTEMPTS, PAUSES, LambdaFunction
from flowwarden.errors import CallFailed, CallRefused, CallThrottled
from flowwarden.redrive.ports import ANSWER_SECONDS
from tests.aws.clients import REGION, client, session

NAME = "flow-warden-MonitorFunction"


def answer(payload: bytes, *, failed: bool = False) -> dict[str, Any]:
    """The response of Invoke."""
    body = StreamingBody(io.BytesIO(payload), len(payload))
    return {"StatusCode": 200, "Payload": body} | ({"FunctionError": "Unhandled"} if failed else {})


def invoked(*answers: dict[str, Any] | str) -> tuple[str | Exception, list[float]]:
    """The result with these responses or error codes, and the pauses."""
    calls, waited = client("lambda"), list[float]()
    with Stubber(calls) as stub:
        for each in answers:
            asked = {"FunctionName": NAME, "InvocationType": "RequestResponse", "Payload": b"{}"}
            if isinstance(each, str):
                stub.add_client_error("invoke", each, "the message", expected_params=asked)
            else:
                stub.add_response("invoke", each, asked)
        try:
            found: str | Exception = LambdaFunction(calls, NAME, waited.append).invoke(b"{}")
        except (CallFailed, CallRefused) as error:
            found = error
        stub.assert_no_pending_responses()
    return found, waited


def test_a_function_that_succeeds_has_no_error() -> None:
    """Whatever it returns."""
    for payload in (b"null", b'{"Notifications": 1}', b'{"errorMessage": "only a member"}', b""):
        assert invoked(answer(payload)) == ("", [])


def test_a_function_that_fails_has_its_error() -> None:
    """Lambda responds with 200; only `FunctionError` shows it."""
    failed = b'{"errorMessage": "SNS: no such topic", "errorType": "PublishFailed", "stackTrace": []}'
    assert invoked(answer(failed, failed=True)) == ("PublishFailed: SNS: no such topic", [])
    assert invoked(answer(b"", failed=True)) == ("the function failed without an error message", [])


@pytest.mark.parametrize("code", ["RequestTooLargeException", "InvalidRequestContentException"])
def test_a_payload_that_lambda_refuses_concerns_only_its_message(code: str) -> None:
    """So the other messages are still sent."""
    found, _ = invoked(code)
    assert isinstance(found, str)
    assert code in found


def test_without_the_permission_no_payload_is_sent() -> None:
    """The refusal says what to do."""
    found, _ = invoked("AccessDeniedException")
    assert isinstance(found, CallRefused)
    assert caller_errors.DENIED in str(found)


def test_a_throttled_call_is_repeated_after_pauses() -> None:
    """Lambda did not run the function."""
    assert invoked("TooManyRequestsException", answer(b"")) == ("", [*PAUSES[:1]])
    found, waited = invoked(*["TooManyRequestsException"] * (len(PAUSES) + 1))
    assert isinstance(found, CallThrottled)
    assert waited == [*PAUSES]


@pytest.mark.parametrize("code", ["ServiceException", "EC2ThrottledException", "ResourceNotReadyException"])
def test_an_outage_concerns_only_its_message(code: str) -> None:
    """It stays, and the reason has the code."""
    calls = client("lambda")
    with Stubber(calls) as stub:
        for _ in range(len(PAUSES) + 1):
            stub.add_client_error("invoke", code, http_status_code=502)
        with pytest.raises(CallFailed, match=code):
            LambdaFunction(calls, NAME, lambda _: None).invoke(b"{}")


class Broken:
    """A client whose calls raise an error."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.calls = 0

    def invoke(self, **_: object) -> object:
        """Fail."""
        self.calls += 1
        raise self.error


@pytest.mark.parametrize(
    ("error", "may_have_run"),
    [
        (ReadTimeoutError(endpoint_url="x"), True),
        (ConnectionClosedError(endpoint_url="x"), True),
        (IncompleteReadError(actual_bytes=1, expected_bytes=2), True),
        (ResponseParserError("not JSON"), True),
        (ConnectTimeoutError(endpoint_url="x"), False),
        (EndpointConnectionError(endpoint_url="x"), False),
    ],
)
def test_a_call_without_an_answer_is_never_repeated(error: Exception, *, may_have_run: bool) -> None:
    """The message says whether the function may have run."""
    broken: Any = Broken(error)
    with pytest.raises(CallFailed) as failed:
        LambdaFunction(broken, NAME, lambda _: None).invoke(b"{}")
    assert ("may have run" in str(failed.value)) is may_have_run
    assert broken.calls == 1


def test_the_client_makes_one_attempt_and_waits_longer_than_a_function_runs() -> None:
    """Botocore would repeat an invocation whose answer is lost."""
    made = make_client(
        "lambda", REGION, attempts=BOTOCORE_ATTEMPTS, read_timeout=ANSWER_SECONDS, session=session()
    )
    config: Any = made.meta.config
    assert config.retries["total_max_attempts"] == 1
    assert config.read_timeout == ANSWER_SECONDS
