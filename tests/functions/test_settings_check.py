"""The custom resource that checks the settings: every request gets an answer that CloudFormation accepts."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from email.message import Message
from http.client import RemoteDisconnected
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar
from urllib.error import HTTPError, URLError

import pytest
from hypothesis import given
from hypothesis import strategies as st

import settings_check
from flowwarden.errors import PolicyError
from flowwarden.sinks.table import SINKS
from settings_check import (
    ATTEMPTS,
    LEFT,
    PUT_SECONDS,
    RESPONSE_SECONDS,
    TOO_LATE,
    NotAnswered,
    make_handler,
)
from tests.examples import examples
from tests.template import stack

URL = "https://cloudformation-custom-resource-response.example.com/answer?X-Amz-Signature=abc"
LONGEST_ANSWER = 4096
"""Bytes (CloudFormation User Guide, Custom resource response objects)."""


class Inbox:
    """Stands in for the pre-signed URL: raises the given failures first, then stores answers."""

    def __init__(self, *failures: Exception) -> None:
        self._failures = list(failures)
        self.bodies: list[bytes] = []
        self.attempts = 0
        self.waits: list[float] = []

    def put(self, url: str, body: bytes) -> None:
        """Take an answer, or fail."""
        assert url == URL
        self.attempts += 1
        if self._failures:
            raise self._failures.pop(0)
        self.bodies.append(body)

    def wait(self, seconds: float) -> None:
        """Record a pause."""
        self.waits.append(seconds)

    @property
    def answer(self) -> dict[str, Any]:
        """The only answer."""
        (body,) = self.bodies
        assert len(body) <= LONGEST_ANSWER
        answer: dict[str, Any] = json.loads(body)
        return answer


def request(kind: str = "Create", **parameters: object) -> dict[str, Any]:
    """A request of CloudFormation with these parameters."""
    return {
        "RequestType": kind,
        "RequestId": "request-1",
        "ResponseURL": URL,
        "StackId": "arn:aws:cloudformation:eu-west-1:111122223333:stack/flow-warden/guid",
        "LogicalResourceId": "SettingsCheck",
        "ResourceType": "Custom::SettingsCheck",
        "ResourceProperties": {
            "ServiceToken": "arn:aws:lambda:eu-west-1:111122223333:function:check",
            "ServiceTimeout": "60",
            "Code": "arn:aws:lambda:eu-west-1:111122223333:layer:flowwarden:7",
            **parameters,
        },
    }


def answered(event: dict[str, Any], inbox: Inbox | None = None) -> dict[str, Any]:
    """The answer of the real check."""
    inbox = inbox or Inbox()
    make_handler(settings_check.check, inbox.put, inbox.wait)(event, None)
    return inbox.answer


def refuse(_parameters: Mapping[str, str]) -> None:
    """A check that refuses everything."""
    raise PolicyError("policy: refused")


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_valid_settings_succeed(kind: str) -> None:
    """The ids of the request come back."""
    answer = answered(request(kind, Policy="{}", SuppressionMinutes="240"))
    assert answer["Status"] == "SUCCESS"
    assert [answer[name] for name in ("StackId", "RequestId", "LogicalResourceId")] == [
        "arn:aws:cloudformation:eu-west-1:111122223333:stack/flow-warden/guid",
        "request-1",
        "SettingsCheck",
    ]


@pytest.mark.parametrize("kind", ["Create", "Update"])
@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"Policy": '{"exemt": ["10.0.9.9"]}'}, ("exemt: unknown setting", "did you mean exempt?")),
        ({"Policy": '{"exempt": ["0.0.0.0/0"]}'}, ("exempt[0]", "0.0.0.0/0", "list the hosts")),
        ({"LogFormat": "${version} ${srcadr}"}, ("LogFormat", "srcadr")),
        (
            {"SuppressionMinutes": "0"},
            ("SuppressionMinutes", "'0'", "from 1 to 525600, a year. The functions were not changed."),
        ),
    ],
)
def test_invalid_settings_fail_with_key_value_and_what_to_do(
    kind: str, parameters: dict[str, str], named: tuple[str, ...]
) -> None:
    """The reason is enough to correct them."""
    answer = answered(request(kind, **parameters))
    assert answer["Status"] == "FAILED"
    for each in (*named, "deploy again", "flowwarden policy check"):
        assert each in answer["Reason"]


@pytest.mark.parametrize(
    "properties",
    [{}, {"Policy": "{"}, {"NewParameter": "of another version"}, {"Policy": None}, None, "broken"],
)
@pytest.mark.parametrize("physical", [None, "settings", "of-another-version"])
def test_a_deletion_always_succeeds(properties: Any, physical: str | None) -> None:
    """A stack must stay deletable, whatever it was created with."""
    event = request("Delete") | {"ResourceProperties": properties}
    if physical:
        event["PhysicalResourceId"] = physical
    inbox = Inbox()
    make_handler(refuse, inbox.put, inbox.wait)(event, None)
    assert inbox.answer["Status"] == "SUCCESS"
    assert inbox.answer["PhysicalResourceId"] == (physical or "settings")


def test_the_physical_id_never_changes() -> None:
    """CloudFormation would delete the resource of the old id."""
    created = answered(request(Policy="{}"))
    refused = answered(request(Policy="{"))
    assert created["PhysicalResourceId"] == refused["PhysicalResourceId"] != ""
    updated = answered(request("Update", Policy="{") | {"PhysicalResourceId": created["PhysicalResourceId"]})
    assert updated["PhysicalResourceId"] == created["PhysicalResourceId"]


def test_an_error_of_the_check_itself_is_answered() -> None:
    """CloudFormation does not wait for its timeout."""

    def broken(_parameters: Mapping[str, str]) -> None:
        raise RuntimeError("unforeseen")

    inbox = Inbox()
    make_handler(broken, inbox.put, inbox.wait)(request(), None)
    assert inbox.answer["Status"] == "FAILED"
    assert "RuntimeError: unforeseen" in inbox.answer["Reason"]
    assert "SettingsCheck" in inbox.answer["Reason"]


@pytest.mark.parametrize("properties", [None, "text", [1]])
def test_a_request_of_another_shape_is_answered(properties: object) -> None:
    """Only a deletion needs no properties."""
    inbox = Inbox()
    make_handler(settings_check.check, inbox.put, inbox.wait)(
        request() | {"ResourceProperties": properties}, None
    )
    assert inbox.answer["Status"] == "FAILED"


def test_a_package_that_cannot_be_imported_is_answered() -> None:
    """The handler is loaded without the layers, in a separate process."""
    code = (
        "import settings_check, sys\n"
        "sent = []\n"
        "handler = settings_check.make_handler(settings_check.check, lambda url, body: sent.append(body))\n"
        f"handler({request()!r}, None)\n"
        "sys.stdout.write(sent[0].decode())"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={"PYTHONPATH": str(stack.PROJECT / "functions" / "settings_check")},
        capture_output=True,
        text=True,
        check=True,
    )
    answer = json.loads(done.stdout)
    assert answer["Status"] == "FAILED"
    assert "ModuleNotFoundError" in answer["Reason"]


def unavailable(code: int) -> HTTPError:
    """An HTTP error of the pre-signed URL."""
    return HTTPError(URL, code, "message", Message(), io.BytesIO())


@pytest.mark.parametrize(
    "failure",
    [
        URLError("unreachable"),
        TimeoutError(),
        ConnectionResetError(),
        RemoteDisconnected(""),
        unavailable(503),
    ],
    ids=repr,
)
def test_an_answer_is_repeated_while_the_network_fails(failure: Exception) -> None:
    """With a growing pause."""
    inbox = Inbox(failure, failure)
    assert answered(request(), inbox)["Status"] == "SUCCESS"
    assert inbox.waits == [1, 2]


def test_a_refused_answer_is_sent_once_and_one_to_an_unreachable_url_three_times() -> None:
    """The error leaves the URL out, because its signature is a secret."""
    for inbox, attempts in ((Inbox(unavailable(403)), 1), (Inbox(*[URLError("unreachable")] * 9), 3)):
        with pytest.raises(NotAnswered) as error:
            make_handler(settings_check.check, inbox.put, inbox.wait)(request(), None)
        assert inbox.attempts == attempts
        assert "Signature" not in str(error.value)


@examples(1)
@given(st.text(max_size=3000), st.sampled_from(["Create", "Update", "Delete", "Other"]))
def test_every_answer_fits_and_is_one_printable_line(policy: str, kind: str) -> None:
    """Whatever the policy contains."""
    answer = answered(request(kind, Policy=policy))
    assert answer["Reason"].isprintable()
    assert (answer["Status"] == "SUCCESS") is (kind == "Delete")


def test_a_request_without_properties_checks_the_defaults() -> None:
    """They are valid."""
    assert answered(request())["Status"] == "SUCCESS"


class Recorder(BaseHTTPRequestHandler):
    """Records a PUT as the service receives it, which verifies the signature."""

    seen: ClassVar[list[tuple[str, str | None, bytes]]]

    def do_PUT(self) -> None:
        """Record one request."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append((self.path, self.headers["Content-Type"], body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Print nothing."""


def test_the_answer_is_put_with_an_empty_content_type() -> None:
    """The signature of the URL includes it; another one is refused."""

    class Handler(Recorder):
        seen: ClassVar[list[tuple[str, str | None, bytes]]] = []

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        settings_check.put(
            f"http://127.0.0.1:{server.server_port}/answer?signature=a%2Fb", b'{"Status": "x"}'
        )
    assert Handler.seen == [("/answer?signature=a%2Fb", "", b'{"Status": "x"}')]


def test_the_resource_gets_every_parameter_that_is_checked() -> None:
    """Each under its own name, and something that changes with the code."""
    properties = dict(stack.properties("SettingsCheck"))
    assert properties.pop("ServiceToken") == {"Fn::GetAtt": ["SettingsCheckFunction", "Arn"]}
    assert properties.pop("ServiceTimeout") == 130
    assert properties.pop("Code") == {"Ref": "FlowwardenLayer"}
    assert set(settings_check.NOT_PARAMETERS) == {"ServiceToken", "ServiceTimeout", "Code"}
    assert all(value == {"Ref": name} for name, value in properties.items())
    read = {
        value["Ref"]
        for function in stack.FUNCTIONS
        for name, value in stack.environment(function).items()
        if isinstance(value, dict) and value.get("Ref") in stack.PARAMETERS
    }
    assert set(properties) == read | {each.parameter for each in SINKS} | {
        "FlowLogGroupName",
        "ExistingLogGroups",
        "OtherDestinations",
        "TagFields",
        "SinkRoutes",
    }


def test_both_functions_are_changed_after_the_check_and_deleted_before_it() -> None:
    """CloudFormation keeps the order of dependencies."""
    for function in stack.FUNCTIONS:
        assert stack.RESOURCES[f"{function}Function"]["DependsOn"] == "SettingsCheck"


def test_the_check_may_only_write_its_own_log() -> None:
    """And it ends before CloudFormation stops waiting."""
    (statement,) = stack.role_statements("SettingsCheckRole")
    assert statement["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert statement["Resource"] == {"Fn::GetAtt": ["SettingsCheckLogGroup", "Arn"]}
    function = stack.properties("SettingsCheckFunction")
    assert function["Timeout"] < stack.properties("SettingsCheck")["ServiceTimeout"]
    assert function["Role"] == {"Fn::GetAtt": ["SettingsCheckRole", "Arn"]}


def test_the_check_loads_neither_boto3_nor_numpy() -> None:
    """It calls nothing of AWS, and each import adds to the time that CloudFormation waits."""
    done = subprocess.run(
        [sys.executable, "-c", "import settings_check, sys; settings_check.check({}); print(*sys.modules)"],
        env={
            "PYTHONPATH": os.pathsep.join(
                str(stack.PROJECT / each) for each in ("layers/flowwarden", "functions/settings_check")
            )
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert {"flowwarden.policy.policy", "boto3", "botocore", "numpy"} & set(done.stdout.split()) == {
        "flowwarden.policy.policy"
    }


REMOVAL = {
    "ResourceType": "Custom::ExistingSubscriptions",
    "LogicalResourceId": "ExistingSubscriptions",
    "ResourceProperties": {
        "MonitorFunctionArn": "arn:monitor",
        "FilterName": "flow-warden",
        "FlowLogGroupName": "/flows",
    },
}


def removed(kind: str, result: list[str] | Exception) -> dict[str, Any]:
    """The answer to a request about subscriptions, of which this is left, or which raises this."""

    def remove(
        monitor_arn: str, filter_name: str, own_group: str, time_left: Callable[[], float]
    ) -> list[str]:
        given = monitor_arn, filter_name, own_group, time_left()
        assert given == ("arn:monitor", "flow-warden", "/flows", 120.0)
        if isinstance(result, Exception):
            raise result
        return result

    inbox = Inbox()
    handler = make_handler(refuse, inbox.put, inbox.wait, remove)
    handler(request(kind) | REMOVAL, Context())
    return inbox.answer


class Context:
    """The members of a Lambda context that the removal uses."""

    def __init__(self, milliseconds: int = 120_000) -> None:
        """Two minutes are left, unless otherwise stated."""
        self._milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        """What is left."""
        return self._milliseconds


def test_a_deletion_that_leaves_nothing_succeeds() -> None:
    """With an id of its own that never changes."""
    got = removed("Delete", [])
    assert (got["Status"], got["PhysicalResourceId"]) == ("SUCCESS", "subscriptions")


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_only_a_deletion_removes_subscriptions(kind: str) -> None:
    """The others succeed without a call."""
    assert removed(kind, AssertionError("called"))["Status"] == "SUCCESS"


def test_a_deletion_names_what_is_left_and_how_to_go_on() -> None:
    """CloudFormation shows a reason only for a failure; the answer stays short."""
    got = removed("Delete", [f"/aws/vpc/vpc-{number}: AccessDenied" for number in range(500)])
    assert got["Status"] == "FAILED"
    assert "500 subscription filters" in got["Reason"]
    assert "/aws/vpc/vpc-0: AccessDenied" in got["Reason"]
    assert "Delete the stack again" in got["Reason"]


@pytest.mark.parametrize("error", [PolicyError("known"), ImportError("no module flowwarden"), KeyError("x")])
def test_a_deletion_is_always_answered(error: Exception) -> None:
    """Whatever fails."""
    got = removed("Delete", error)
    assert got["Status"] == "FAILED"
    assert "retain the resource ExistingSubscriptions" in got["Reason"]


@pytest.mark.parametrize("seconds", [0.0, 10.0, RESPONSE_SECONDS, RESPONSE_SECONDS + 0.1])
def test_a_deletion_is_answered_before_the_function_is_stopped(seconds: float) -> None:
    """However long the removal takes, as with hundreds of log groups: else CloudFormation gets no reason."""
    goes_on = threading.Event()
    inbox = Inbox()
    handler = make_handler(refuse, inbox.put, inbox.wait, lambda *_: [str(goes_on.wait())])
    handler(request("Delete") | REMOVAL, Context(int(seconds * 1000)))
    goes_on.set()
    assert inbox.answer["Status"] == "FAILED"
    assert inbox.answer["Reason"] == f"{TOO_LATE} {LEFT}"


def test_all_attempts_to_respond_fit_into_the_time_that_is_left_for_them() -> None:
    """With the pauses, which grow by a second."""
    assert ATTEMPTS * PUT_SECONDS + sum(range(1, ATTEMPTS)) <= RESPONSE_SECONDS
