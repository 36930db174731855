"""The example events of the dispatcher, through the real handler, on the state table (moto)."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import dispatcher
from flowwarden.aws.dynamodb.claims import DynamoDbClaims
from flowwarden.aws.dynamodb.digests import DynamoDbDigests
from flowwarden.aws.dynamodb.sets import DynamoDbEvidence
from flowwarden.bootstrap.dispatcher import stored
from flowwarden.bootstrap.dispatcher_service import build
from flowwarden.dispatcher.digests import CATCH_UP
from flowwarden.errors import PublishFailed, StateUnavailable
from flowwarden.settings import DispatcherSettings
from flowwarden.state import digests
from local.expected import Observed, differences
from local.inbox import Delivery
from local.incidents import TERMS, store_incidents
from local.payload import ReadableEvent, read, read_expected
from tests.aws.dynamodb.damage import TABLE, damage, dynamodb, empty, items
from tests.functions.captured import captured
from tests.notify.fakes import MemorySink
from tests.template.test_notifications import emitted

pytestmark = pytest.mark.usefixtures("state_table")

ROOT = Path(__file__).parents[2]
EVENTS = sorted((ROOT / "events" / "dispatcher").glob("*.json"))
ENVIRONMENT = {
    "AWS_REGION": "us-east-1",
    "OPERATIONS_TOPIC_ARN": "arn:aws:sns:us-east-1:111122223333:operations",
    "PAGES_TOPIC_ARN": "arn:aws:sns:us-east-1:111122223333:pages",
    "STATE_TABLE": TABLE,
}
NOTHING = dict.fromkeys(dispatcher.METRICS, 0)


@dataclass
class Context:
    """The members of a Lambda context that Powertools uses."""

    function_name: str = "dispatcher"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:111122223333:function:dispatcher"
    aws_request_id: str = "6e1c9ad0-0000-4000-8000-000000000003"
    milliseconds: int = 60_000

    def get_remaining_time_in_millis(self) -> int:
        """The remaining time, as Lambda returns it."""
        return self.milliseconds


@dataclass
class Harness:
    """The real handler on a table that contains what an event describes, with sinks in memory."""

    event: ReadableEvent
    pages: MemorySink = field(default_factory=lambda: MemorySink(name="sns:pages"))
    operations: MemorySink = field(default_factory=lambda: MemorySink(name="sns:operations"))
    table: str = TABLE
    context: Context = field(default_factory=Context)

    def __post_init__(self) -> None:
        """Store the incidents."""
        empty()
        happened = datetime.fromisoformat(self.event.event["time"]).timestamp()
        self.now = happened + self.event.seconds_later
        sinks = {"pages": self.pages.name, "operations": self.operations.name}
        claims, evidence = DynamoDbClaims(dynamodb(), TABLE, TERMS), DynamoDbEvidence(dynamodb(), TABLE)
        store_incidents(self.event.account, claims, evidence, sinks, 0)

    def run(self, after: int = 0, environment: dict[str, str] | None = None) -> dict[str, Any]:
        """A run of a cold container, some seconds after the event's own time."""
        handler = self.handler(after, environment)
        return handler(self.event.payload, self.context)  # type: ignore[arg-type]  # stands in for Lambda's

    def handler(self, after: int = 0, environment: dict[str, str] | None = None) -> dispatcher.Handler:
        """A cold container."""
        given = ENVIRONMENT | {"STATE_TABLE": self.table} | (environment or {})
        ports = stored(
            dynamodb(), DispatcherSettings.from_mapping(given), (self.pages, self.operations), lambda _: None
        )
        return dispatcher.make_handler(lambda: build(ports), lambda: self.now + after)


def example(name: str) -> Harness:
    """The handler in the account of an example event."""
    return Harness(read(ROOT / "events" / "dispatcher" / f"{name}.json"))


def deliveries(sink: MemorySink) -> list[Delivery]:
    """The notifications of a sink, as a subscriber gets them."""
    return [
        Delivery(subject=each.subject, document=each.document, attributes=each.attributes, arrived=0)
        for each in sink.sent
    ]


@contextmanager
def calls() -> Iterator[list[str]]:
    """The operations that are called on DynamoDB in this context."""
    made: list[str] = []

    def note(model: Any, **_: Any) -> None:
        made.append(model.name)

    events = dynamodb().meta.events
    events.register("before-call.dynamodb", note)
    try:
        yield made
    finally:
        events.unregister("before-call.dynamodb", note)


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_an_event_has_the_expected_result(path: Path) -> None:
    """Each example event leads to the result and the notifications in its file, and a second run to none."""
    harness, expected = example(path.stem), read_expected(path)
    assert expected is not None
    result = harness.run()
    observed = Observed(
        result=result, pages=deliveries(harness.pages), operations=deliveries(harness.operations)
    )
    assert differences(expected, observed, {}) == []
    assert harness.run(after=60) == NOTHING
    assert len(harness.pages.sent) == len(expected["pages"])


def test_an_idle_run_reads_the_index_once_and_writes_and_emits_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It has one call, no log line, and no metric, because most runs are idle.

    The first run of a container also reads what the last digests would say.
    """
    harness = example("nothing-due")
    handler = harness.handler()
    with calls() as made, captured(dispatcher.logger) as stream:
        assert handler(harness.event.payload, harness.context) == NOTHING  # type: ignore[arg-type]
    assert made == ["Query"] + ["BatchGetItem"] * (CATCH_UP + 1)
    with calls() as made:
        assert handler(harness.event.payload, harness.context) == NOTHING  # type: ignore[arg-type]
    assert made == ["Query"]
    assert stream.getvalue() == capsys.readouterr().out == ""


def test_a_digest_is_sent_counted_and_logged(capsys: pytest.CaptureFixture[str]) -> None:
    """To operations, although no incident is due; with the parameter `no`, nothing is read or sent."""
    harness = example("nothing-due")
    hour = digests.readable(int(harness.now))
    group = digests.Group("ping-sweep", "", "10.0.0.5", "own", "icmp")
    rows = {digests.GROUPS: frozenset([group.text])}
    content = digests.Content({digests.BATCHES: frozenset([group.mark("a")])}, rows)
    DynamoDbDigests(dynamodb(), TABLE).add(digests.key_of(hour), content, int(harness.now) + 86_400)
    with calls() as made:
        assert harness.run(environment={"DIGESTS": "no"}) == NOTHING
    assert made == ["Query"]
    assert harness.run()["DigestsSent"] == 1
    (sent,) = harness.operations.sent
    assert sent.attributes["kind"] == "hourly-digest"
    assert (sent.attributes["account"], sent.attributes["region"]) == ("111122223333", "us-east-1")
    assert "DigestsSent" in capsys.readouterr().out
    assert harness.pages.sent == []


def test_a_run_emits_every_metric_and_logs_what_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    """Zeros included."""
    with captured(dispatcher.logger) as stream:
        example("pending").run()
    (line,) = map(json.loads, stream.getvalue().splitlines())
    assert (line["message"], line["due"], line["resent"], line["resolved"]) == ("run done", 1, 1, 0)
    found = emitted(capsys.readouterr().out)
    assert found == {("FlowWarden", name, '{"service": "dispatcher"}') for name in dispatcher.METRICS}


@pytest.mark.parametrize("name", ["pending", "resolved"])
def test_what_cannot_be_sent_is_an_error_and_is_sent_later(name: str) -> None:
    """The run fails, so that the alarm on errors begins; a later run sends the notification once."""
    harness = example(name)
    harness.pages.away = True
    with captured(dispatcher.logger) as stream, pytest.raises(PublishFailed, match="1 notification"):
        harness.run()
    assert [json.loads(each)["level"] for each in stream.getvalue().splitlines()] == ["ERROR", "INFO"]
    harness.pages.away = False
    for after in range(60, 900, 60):
        harness.run(after)
    assert len(harness.pages.sent) == 1


def test_a_table_that_does_not_answer_is_an_error() -> None:
    """Nothing is sent; the log says why."""
    harness = example("pending")
    harness.table = "gone"
    with captured(dispatcher.logger) as stream, pytest.raises(StateUnavailable):
        harness.run()
    assert "the state table did not answer" in stream.getvalue()
    assert harness.pages.sent == []


def test_a_run_without_time_leaves_the_rest() -> None:
    """The next run does it."""
    harness = example("many-resolved")
    harness.context.milliseconds = 10_000
    assert harness.run()["DispatchLeft"] == 6
    harness.context.milliseconds = 60_000
    assert harness.run(after=60)["Resolved"] == 6


def test_a_damaged_item_is_logged_and_not_due_for_ever() -> None:
    """The others are processed; the next run does not find it."""
    harness = example("many-resolved")
    first = next(each for each in items() if "incident" in each)
    damage(first, "incident", "junk")
    with captured(dispatcher.logger) as stream:
        assert harness.run()["Resolved"] == 5
    assert "ignored an invalid part of a state table item" in stream.getvalue()


def test_a_damaged_item_that_is_the_only_due_one_is_logged() -> None:
    """The run has nothing else to do, and the item is not due again."""
    harness = example("pending")
    (stored,) = (each for each in items() if "pending" in each)
    damage(stored, "pending", "junk")
    with captured(dispatcher.logger) as stream:
        assert harness.run() == NOTHING
    assert "ignored an invalid part of a state table item" in stream.getvalue()
    assert harness.pages.sent == []
    assert harness.run(after=60) == NOTHING


def test_the_event_does_not_matter() -> None:
    """A manual invocation may pass any JSON."""
    harness = example("pending")
    handler = dispatcher.make_handler(
        lambda: build(
            stored(
                dynamodb(),
                DispatcherSettings.from_mapping(ENVIRONMENT),
                (harness.pages, harness.operations),
                lambda _: None,
            )
        ),
        lambda: harness.now,
    )
    context: Any = harness.context
    events: tuple[object, ...] = ([], None, {"detail": 1})
    assert [handler(event, context)["Resent"] for event in events] == [1, 0, 0]


def test_wiring_needs_only_the_environment() -> None:
    """`wire` creates the whole service from the function's environment, without a call to AWS."""
    environment = {
        **ENVIRONMENT,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "PYTHONPATH": f"{ROOT}/layers/flowwarden:{ROOT}/functions/dispatcher",
    }
    done = subprocess.run(
        [sys.executable, "-c", "import dispatcher; print(type(dispatcher.wire()[0]).__name__)"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "Dispatcher"
