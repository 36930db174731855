"""A batch that failed is processed again by the command, and pages once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from local.cloudtrail_events import creation
from local.sandbox import State
from local.scenario import TIMEOUT_SECONDS, Stage
from tests.e2e import command
from tests.e2e.test_batches import batch
from tests.e2e.test_coverage import CIDR, make_vpc

pytestmark = pytest.mark.e2e

MISSING: Final = "-missing"
"""What the name of a topic that does not exist ends in."""


def redrive(state: State, *options: str) -> tuple[int, list[dict[str, Any]]]:
    """Run the command on the sandbox, as a person does; the exit code, and what it printed."""
    code, printed = command.run(state, "redrive", *options)
    return code, [json.loads(line) for line in printed.splitlines()]


@contextmanager
def without_topic(stage: Stage) -> Iterator[None]:
    """The monitor publishes to a topic that does not exist, until the end of the block.

    A failed batch is not retried, because the emulator needs a new process after each failure; the test of
    unreadable batches covers the retries.
    """
    functions, name = stage.clients.functions, stage.stack.monitor
    before = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    broken = before | {"PAGES_TOPIC_ARN": before["PAGES_TOPIC_ARN"] + MISSING}
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": broken})
    retries = set_retries(stage, 0)
    try:
        yield
    finally:
        set_retries(stage, retries)
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": before})


def set_retries(stage: Stage, count: int) -> int:
    """Set how often a failed invocation of the monitor is retried; the former number."""
    functions, at = stage.clients.functions, {"FunctionName": stage.stack.monitor, "Qualifier": "$LATEST"}
    before = functions.get_function_event_invoke_config(**at)
    functions.put_function_event_invoke_config(
        MaximumRetryAttempts=count,
        MaximumEventAgeInSeconds=before["MaximumEventAgeInSeconds"],
        DestinationConfig=before["DestinationConfig"],
        **at,
    )
    return before["MaximumRetryAttempts"]


def send(stage: Stage, queue: str, body: str, **attributes: str) -> None:
    """Put a message into a queue."""
    given: Any = {name: {"DataType": "String", "StringValue": each} for name, each in attributes.items()}
    stage.clients.sqs.send_message(QueueUrl=queue, MessageBody=body, MessageAttributes=given)


def waiting_in(stage: Stage, queue: str) -> Any:
    """The message in a queue, which stays visible; waits for it."""
    answer = stage.clients.sqs.receive_message(QueueUrl=queue, VisibilityTimeout=0, WaitTimeSeconds=20)
    (message,) = answer["Messages"]
    return message


def test_a_failed_batch_pages_once_after_the_cause_is_mended(stage: Stage, state: State) -> None:
    """It fails, lands in the queue, fails again, and succeeds; a copy of it does not page."""
    event, queue = batch(stage, host=80), stage.stack.monitor_failures
    with without_topic(stage):
        payload = json.dumps(event).encode()
        stage.clients.functions.invoke(
            FunctionName=stage.stack.monitor, InvocationType="Event", Payload=payload
        )
        assert len(stage.monitor.wait(1, TIMEOUT_SECONDS)) == 1
        kept = waiting_in(stage, queue)
        code, (waiting,) = redrive(state, "--queue", "monitor", "--dry-run")
        assert (code, waiting["state"], MISSING in waiting["error"]) == (0, "waiting", True)
        code, (again,) = redrive(state, "--queue", "monitor")
        assert (code, again["state"], MISSING in again["reason"]) == (1, "stays", True)
    assert stage.pages.take() == []
    code, (done,) = redrive(state, "--queue", "monitor")
    assert (code, done["state"], done["message_id"]) == (0, "processed", again["message_id"])
    (page,) = stage.pages.take()
    assert page.document["subject"] == "10.31.0.80"
    assert redrive(state, "--queue", "monitor") == (0, [])
    send(stage, queue, kept["Body"])
    send(stage, queue, "odd")
    code, found = redrive(state, "--queue", "monitor")
    assert (code, sorted(each["state"] for each in found)) == (1, ["processed", "stays"])
    assert stage.pages.take() == []
    odd = waiting_in(stage, queue)
    assert odd["Body"] == "odd"
    stage.clients.sqs.delete_message(QueueUrl=queue, ReceiptHandle=odd["ReceiptHandle"])


def test_an_undelivered_event_covers_its_vpc(stage: Stage, state: State) -> None:
    """In the form in which EventBridge sends it to its queue."""
    vpc = make_vpc(stage)
    event = {
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.ec2",
        "id": "0e2e",
        "time": "2026-01-01T00:00:00Z",
        "detail": creation(vpc, CIDR, datetime(2026, 1, 1, tzinfo=UTC)),
    }
    queue = stage.stack.resources["EnforcerEventQueue"]
    send(stage, queue, json.dumps(event), ERROR_CODE="NO_PERMISSIONS", ERROR_MESSAGE="not authorized")
    code, (done,) = redrive(state, "--queue", "events")
    assert (code, done["state"], done["error"]) == (0, "processed", "NO_PERMISSIONS: not authorized")
    assert [group for _, group in stage.flow_logs(vpc)] == [stage.stack.flow_log_group]
