"""The wiring of the commands about incidents: from the outputs of a stack to SNS and the table (moto)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from flowwarden.aws.cloudformation import StackOutputs
from flowwarden.bootstrap.incidents import LOG_GROUP, PERMISSIONS, TABLE, TOPICS, HintingSink, on_aws
from flowwarden.bootstrap.incidents import SINKS as OTHERS
from flowwarden.dispatcher.trial_page import Place, send_test
from flowwarden.errors import PublishFailed, PublishUnanswered, SettingsError
from flowwarden.https.webhook import Clock
from flowwarden.notify.notification import Notification
from flowwarden_cli.commands.test_page import SINKS
from tests.aws.clients import REGION, make_state_table, shared
from tests.template import stack

NOW: Final = 1_764_000_000
NAMES: Final = (TABLE, LOG_GROUP, *TOPICS.values())


@pytest.fixture
def outputs(monkeypatch: pytest.MonkeyPatch) -> Iterator[StackOutputs]:
    """A stack with its table and topics."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        make_state_table("state")
        topics = {
            output: shared("sns").create_topic(Name=f"x-{name}")["TopicArn"]
            for name, output in TOPICS.items()
        }
        yield StackOutputs(REGION, {TABLE: "state", LOG_GROUP: "/flows", **topics})


def test_the_outputs_are_those_of_the_template() -> None:
    """And the sinks those that the command offers."""
    assert {*NAMES} <= stack.OUTPUTS.keys()
    assert {*TOPICS} <= {*SINKS}
    assert OTHERS in stack.OUTPUTS


@pytest.mark.parametrize("sink", TOPICS)
def test_a_test_page_goes_to_sns(outputs: StackOutputs, sink: str) -> None:
    """SNS accepts both notifications, and nothing stays open."""
    ports = on_aws("x", None, lambda _: None, lambda *_: outputs)
    assert ports.sinks[sink].name == f"sns:x-{sink}"
    place = Place(stack="x", account=ports.account, region=ports.region, log_group=ports.log_group)
    done = send_test(ports.sinks[sink], ports.claims, ports.desk, place, NOW, "one")
    assert (done.sent, done.resolved, done.problems) == (True, True, ())
    assert (ports.desk.listed(NOW), ports.account) == ([], "123456789012")


def test_the_configured_services_are_sinks_too(outputs: StackOutputs) -> None:
    """With a clock, which only the command that sends to them has."""
    clock = Clock(monotonic=lambda: 0.0, wait=lambda _seconds: None, unix=lambda: 0.0)
    more = StackOutputs(outputs.region, {**outputs.values, OTHERS: "pagerduty=name;slack="})
    assert {*on_aws("x", None, lambda _: None, lambda *_: more).sinks} == {*TOPICS}
    ports = on_aws("x", None, lambda _: None, lambda *_: more, clock)
    assert {*ports.sinks} == {*TOPICS, "pagerduty"}
    place = Place(stack="x", account=ports.account, region=ports.region, log_group=ports.log_group)
    done = send_test(ports.sinks["pagerduty"], ports.claims, ports.desk, place, NOW, "one")
    assert not done.sent
    assert "secret name: ResourceNotFoundException" in done.problems[0]


@pytest.mark.parametrize("name", NAMES)
def test_a_stack_of_an_earlier_version_is_an_error(name: str) -> None:
    """It names the output."""
    values = dict.fromkeys(NAMES, "value") | {name: ""}
    with pytest.raises(SettingsError, match=f"no output {name}"):
        on_aws("x", None, lambda _: None, lambda *_: StackOutputs(REGION, values))


class Failing:
    """A sink whose service answers with an error."""

    name = "sns:x"

    def __init__(self, code: str, kind: type[PublishFailed] = PublishFailed) -> None:
        self._code, self._kind = code, kind

    def send(self, _notification: Notification) -> None:
        """See the port."""
        answer: Any = {"Error": {"Code": self._code, "Message": "no"}}
        raise self._kind("failed") from ClientError(answer, "Publish")


@pytest.mark.parametrize(
    ("code", "hints"),
    [
        ("AuthorizationError", True),
        ("KMSAccessDenied", True),
        ("AccessDenied", True),
        ("NotFound", False),
        ("InternalError", False),
    ],
)
def test_a_missing_permission_is_named(code: str, *, hints: bool) -> None:
    """On the topic, or on its key."""
    page = Notification(subject="s", text="t\n", document={}, attributes={})
    with pytest.raises(PublishFailed) as failed:
        HintingSink(Failing(code)).send(page)
    assert (PERMISSIONS in str(failed.value)) is hints
    with pytest.raises(PublishUnanswered):
        HintingSink(Failing("InternalError", PublishUnanswered)).send(page)
