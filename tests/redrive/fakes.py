"""A failure queue and a function in memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flowwarden.redrive.failure import Failure, of_lambda
from flowwarden.redrive.ports import HIDDEN_SECONDS, QueuedMessage
from flowwarden.redrive.redrive import Source

SENT_AT = 1_793_611_000


def record(payload: object, **members: Any) -> str:
    """What Lambda sends to an OnFailure destination."""
    return json.dumps(
        {
            "version": "1.0",
            "timestamp": "2026-11-02T09:30:05.123Z",
            "requestContext": {
                "requestId": "e4b46cbf-b738-4880-8e5f-8d2d3d1b3a3d",
                "functionArn": "arn:aws:lambda:eu-west-1:111122223333:function:monitor:$LATEST",
                "condition": "RetriesExhausted",
                "approximateInvokeCount": 3,
            },
            "requestPayload": payload,
            "responseContext": {
                "statusCode": 200,
                "executedVersion": "$LATEST",
                "functionError": "Unhandled",
            },
            "responsePayload": {"errorType": "PublishFailed", "errorMessage": "SNS: no such topic"},
            **members,
        }
    )


@dataclass
class MemoryQueue:
    """A queue whose clock is set by hand; a message that is received is hidden for `HIDDEN_SECONDS`."""

    bodies: dict[str, str] = field(default_factory=dict)
    """By message id, in the order of delivery."""
    attributes: dict[str, str] = field(default_factory=dict)
    now: float = 0
    hidden_until: dict[str, float] = field(default_factory=dict)
    receipts: dict[str, str] = field(default_factory=dict)
    faults: dict[str, Exception] = field(default_factory=dict)
    """The error that a method raises, by its name."""
    copies: list[str] = field(default_factory=list)
    """Ids of messages that are delivered once more, although they are deleted or hidden."""
    received: int = 0

    @property
    def visible(self) -> list[str]:
        """The ids of the messages that another receiver would get."""
        return [each for each in self.bodies if self.hidden_until.get(each, 0) <= self.now]

    def receive(self) -> QueuedMessage | None:
        """See the port."""
        self._check("receive")
        if self.copies:
            return self._message(self.copies.pop(), "{}")
        for each in self.visible:
            return self._message(each, self.bodies[each])
        return None

    def delete(self, message: QueuedMessage) -> None:
        """See the port. Only the last receipt of a message deletes it."""
        self._check("delete")
        if self.receipts[message.message_id] == message.receipt:
            self.bodies.pop(message.message_id, None)

    def release(self, message: QueuedMessage) -> None:
        """See the port."""
        self._check("release")
        assert self.receipts[message.message_id] == message.receipt
        self.hidden_until[message.message_id] = self.now

    def _message(self, message_id: str, body: str) -> QueuedMessage:
        self.received += 1
        self.hidden_until[message_id] = self.now + HIDDEN_SECONDS
        receipt = self.receipts[message_id] = f"receipt {self.received}"
        return QueuedMessage(
            message_id=message_id, receipt=receipt, body=body, attributes=self.attributes, sent_at=SENT_AT
        )

    def _check(self, method: str) -> None:
        if method in self.faults:
            raise self.faults[method]


@dataclass
class FakeFunction:
    """A function that succeeds, or answers with the errors of `answers`, one for each call."""

    answers: list[str | BaseException] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)
    takes: Callable[[], None] = lambda: None
    """Runs during each call."""

    def invoke(self, payload: bytes) -> str:
        """See the port."""
        self.payloads.append(payload)
        self.takes()
        answer = self.answers.pop(0) if self.answers else ""
        if isinstance(answer, BaseException):
            raise answer
        return answer


def source(
    queue: MemoryQueue,
    function: FakeFunction | None = None,
    name: str = "monitor",
    read: Callable[[QueuedMessage], Failure] = of_lambda,
) -> Source:
    """A queue with its function."""
    return Source(name=name, queue=queue, function=function or FakeFunction(), read=read)


def queue_of(*payloads: object) -> MemoryQueue:
    """A queue with a record for each payload; the ids are m1, m2 and so on."""
    return MemoryQueue({f"m{number}": record(each) for number, each in enumerate(payloads, 1)})
