"""Failure queues of a deployed stack, in memory, for `flowwarden redrive`."""

from __future__ import annotations

import json
from typing import Final

from flowwarden.bootstrap.redrive import QUEUES, RedrivePorts
from flowwarden.errors import CallRefused
from tests.redrive.fakes import FakeFunction, MemoryQueue, record, source

EVENT: Final = json.dumps({"detail-type": "Scheduled Event", "source": "aws.events", "detail": {}})
BATCH: Final = {"awslogs": {"data": "H4sI"}}
FIRST, SECOND, THIRD, FOURTH = (
    f"{number}f0e9a4c-8f1d-4f0e-9d55-0c2d6b1a7e3{number}" for number in range(1, 5)
)
"""Ids of messages."""
DENIED: Final = (
    "ReceiveMessage: AccessDenied: give your credentials the permissions that docs/command-line.md lists; …"
)


def ports(*queues: MemoryQueue, functions: tuple[FakeFunction, ...] = ()) -> RedrivePorts:
    """The queues of a stack, in the order of the command, with their functions."""
    rows = zip(QUEUES.items(), queues, functions or (FakeFunction(),) * len(queues), strict=True)
    return RedrivePorts(
        region="eu-west-1",
        sources=tuple(source(queue, function, name, row.read) for (name, row), queue, function in rows),
    )


def failed() -> RedrivePorts:
    """Two batches, of which one fails again; a message that is no record; an event without a payload."""
    batches = MemoryQueue({FIRST: record(BATCH), SECOND: record(BATCH)})
    events = MemoryQueue({THIRD: record(None), FOURTH: '{"Message": "sent by hand"}'})
    undelivered = MemoryQueue({THIRD: EVENT}, {"ERROR_CODE": "THROTTLING", "ERROR_MESSAGE": "Rate exceeded"})
    again = "PublishFailed: SNS topic arn:aws:sns:eu-west-1:111122223333:pages: the topic does not exist"
    functions = (FakeFunction(["", again]), FakeFunction(), FakeFunction())
    return ports(batches, events, undelivered, functions=functions)


def empty() -> RedrivePorts:
    """Queues without messages."""
    return ports(MemoryQueue(), MemoryQueue(), MemoryQueue())


def denied() -> RedrivePorts:
    """A queue that the caller must not read, and others."""
    first = MemoryQueue(faults={"receive": CallRefused(DENIED)})
    return ports(first, MemoryQueue({FIRST: record(BATCH)}), MemoryQueue())
