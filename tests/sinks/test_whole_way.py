"""The whole way of a page to three receivers: claims, sinks, secrets, and HTTPS servers that misbehave.

The servers are on loopback. What the stack would not allow there, the address and the authority of their
certificate, is injected; everything else is what `bootstrap/sinks.py` builds.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any, Final

import pytest
from moto import mock_aws

from flowwarden.bootstrap.sinks import AwsEdges, build
from flowwarden.https.transport import Https
from flowwarden.https.webhook import Clock
from flowwarden.notify.alert import Alert, Route
from flowwarden.notify.claims import UNANSWERED_SECONDS, ClaimTerms, Owner
from flowwarden.notify.delivery import DeliveryReport
from flowwarden.notify.notifier import notify
from flowwarden.notify.ports import Sink
from flowwarden.notify.run import Run
from tests.aws.clients import REGION, client
from tests.dispatcher.lives.scenario import alert_of
from tests.https.server import OK, Answer, Server, serving, status, to_loopback
from tests.notify.fakes import MemoryClaims, MemorySink

NOW: Final = 1_764_000_000
KEY: Final = "0123456789abcdef0123456789abcdef"
SETTING: Final = "pagerduty=pager;slack=chat;routes="


class Stack:
    """A topic, PagerDuty and Slack, with the state of claims in memory."""

    def __init__(self, pager: Server, chat: Server, transport: Https | None = None) -> None:
        self.secrets = client("secretsmanager")
        self.secrets.create_secret(Name="pager", SecretString=secret(pager))
        self.secrets.create_secret(Name="chat", SecretString=chat.url)
        self.pager, self.chat, self.topic = pager, chat, MemorySink(name="sns:pages")
        clock = Clock(monotonic=time.monotonic, wait=lambda _seconds: None, unix=lambda: float(NOW))
        more = build(SETTING, AwsEdges(REGION, clock, transport or to_loopback()))
        self.sinks: Sequence[Sink] = more.routes(pages=self.topic)[Route.PAGES]
        self.claims = MemoryClaims(ClaimTerms(suppression=3600, lease=50))
        self.attempts = 0

    def send(self, *alerts: Alert, batch: str = "first", at: int = 0) -> DeliveryReport:
        """An attempt at a batch, `at` seconds after the first one."""
        self.attempts += 1
        run = Run(owner=Owner(batch, str(self.attempts)), at=NOW + at, time_left=lambda: 60.0)
        mine = alerts or (alert_of("a", "high", 2, NOW),)
        return notify(mine, run, self.claims, {Route.PAGES: self.sinks}, lambda rest: rest[0])

    @property
    def arrived(self) -> tuple[int, int, int]:
        """Notifications that the topic got, and requests that PagerDuty and Slack got."""
        return len(self.topic.sent), len(self.pager.received), len(self.chat.received)


def secret(server: Server) -> str:
    """PagerDuty's secret, with the address of a server."""
    return json.dumps({"routing_key": KEY, "url": server.url})


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Starts stacks whose services give these answers."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws(), ExitStack() as running:

        def start(pager: Sequence[Answer] = (OK,), chat: Sequence[Answer] = (OK,), **named: Any) -> Stack:
            first, second = (running.enter_context(serving(*each)) for each in (pager, chat))
            return Stack(first, second, **named)

        yield start


def test_all_three_get_a_page_once(servers: Any) -> None:
    """A retry of the batch, and a repeat in another one, send nothing."""
    stack = servers()
    assert stack.send().published == 3
    stack.send(at=60)
    stack.send(batch="second", at=120)
    assert stack.arrived == (1, 1, 1)
    (event,) = (json.loads(each) for each in stack.pager.bodies())
    assert (event["routing_key"], event["dedup_key"], event["event_action"]) == (KEY, "a", "trigger")
    (message,) = (json.loads(each) for each in stack.chat.bodies())
    assert message["text"] == "a@None"


TRANSIENT: Final = {
    "too many requests": status(429, "Retry-After: 1"),
    "too many requests for a minute": status(429, "Retry-After: 60"),
    "not available": status(503),
}


@pytest.mark.parametrize("answer", TRANSIENT.values(), ids=TRANSIENT)
def test_a_service_that_is_busy_gets_it_with_the_retry(servers: Any, answer: bytes) -> None:
    """The others got theirs, and get no copy."""
    stack = servers(chat=[answer, answer, answer, OK])
    first = stack.send()
    while first.unsent:
        first = stack.send(at=60 * stack.attempts)
    assert stack.attempts <= 4
    assert stack.arrived[:2] == (1, 1)
    assert stack.send(batch="later", at=600).published == 0


def test_a_service_that_hangs_or_answers_late_gets_at_most_two_copies(servers: Any) -> None:
    """However often the batch is retried within an hour; the others got theirs once."""
    stack = servers(chat=[lambda _connected: time.sleep(4.3)])
    for attempt in range(4):
        assert stack.send(at=70 * attempt).unsent
    assert stack.arrived == (1, 1, 2)
    # Another batch with the same incident tries again after ten minutes.
    stack.send(batch="second", at=210 + UNANSWERED_SECONDS + 60)
    assert stack.arrived == (1, 1, 3)


def test_an_error_of_the_server_is_repeated_only_where_that_does_no_harm(servers: Any) -> None:
    """PagerDuty knows copies by their key; a second message in Slack would be one."""
    stack = servers(pager=[status(500), OK], chat=[status(500), status(500), OK])
    assert len(stack.send().unsent) == 1
    assert stack.arrived == (1, 2, 1)
    stack.send(at=70)
    stack.send(at=140)
    assert stack.arrived == (1, 2, 2)


REFUSED: Final = {
    "an unknown webhook": status(404, body="no_service"),
    "a document that it does not accept": status(400, body="invalid_payload"),
    "a redirect": status(302, "Location: https://other.example.test/"),
    "too large": status(413),
}


@pytest.mark.parametrize("answer", REFUSED.values(), ids=REFUSED)
def test_what_a_service_refuses_is_reported_once_and_not_retried(servers: Any, answer: bytes) -> None:
    """The batch does not fail because of it."""
    stack = servers(chat=[answer])
    done = stack.send()
    assert (len(done.refused), done.unsent, done.published) == (1, (), 2)
    assert "Slack answered with status" in done.refused[0]
    assert not stack.send(at=60).refused
    assert not stack.send(batch="second", at=120).refused
    assert stack.arrived == (1, 1, 1)


def test_an_answer_without_end_is_read_in_part(servers: Any) -> None:
    """Its status counts."""
    stack = servers(chat=[b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1_000_000])
    assert stack.send().published == 3


def test_a_private_address_gets_nothing(servers: Any) -> None:
    """With the check of addresses that the stack uses."""
    transport = Https(
        authorities=to_loopback().authorities, resolve=lambda *_: ["127.0.0.1"], clock=time.monotonic
    )
    stack = servers(transport=transport)
    done = stack.send()
    assert len(done.refused) == 2
    assert all("not public" in each for each in done.refused)
    assert stack.arrived == (1, 0, 0)


def test_a_missing_secret_is_reported_and_the_others_get_theirs(servers: Any) -> None:
    """Once it exists, the next update is sent."""
    stack = servers()
    stack.secrets.delete_secret(SecretId="chat", ForceDeleteWithoutRecovery=True)
    done = stack.send()
    assert "secret chat: ResourceNotFoundException" in done.refused[0]
    assert stack.arrived == (1, 1, 0)
    stack.secrets.create_secret(Name="chat", SecretString=stack.chat.url)
    stack.send(alert_of("a", "high", 3, NOW + 60), batch="worse", at=60)
    assert stack.arrived == (2, 2, 1)


def test_a_rotated_secret_is_used_at_once(servers: Any) -> None:
    """The service refuses the old one; the notification is sent with the new one."""
    stack = servers(pager=[OK, status(401), OK, OK])
    stack.send()
    new = "f" * 32
    rotated = json.dumps({"routing_key": new, "url": stack.pager.url})
    stack.secrets.put_secret_value(SecretId="pager", SecretString=rotated)
    assert stack.send(alert_of("b", "high", 2, NOW), batch="second", at=60).published == 3
    keys = [json.loads(each)["routing_key"] for each in stack.pager.bodies()]
    assert keys == [KEY, KEY, new]


def test_a_service_that_is_gone_affects_no_other(servers: Any) -> None:
    """It cannot be reached: nothing was sent there."""
    stack = servers()
    stack.chat.stop()
    for attempt in range(3):
        assert len(stack.send(at=60 * attempt).unsent) == 1
    assert stack.arrived == (1, 1, 0)
