"""A batch that fails and is processed again pages once, also if the command ends after the invocation."""

from __future__ import annotations

import json

import pytest

from flowwarden.errors import PublishFailed
from flowwarden.records.subscription import LogBatch
from flowwarden.redrive.redrive import Redrive, State
from tests.monitor.test_pipeline import BLOCKED, NOW, Account, batch
from tests.redrive.fakes import FakeFunction, MemoryQueue, queue_of, source

QUEUE_DAYS = 14
"""How long a queue keeps a message."""


class Monitor(FakeFunction):
    """A function that runs the monitor's pipeline on the batch whose name is the payload."""

    def __init__(self, account: Account, at: int = NOW) -> None:
        super().__init__()
        self.account = account
        self.at = at
        self.ends: BaseException | None = None
        """What ends the command after the function succeeded."""

    def invoke(self, payload: bytes) -> str:
        """See the port."""
        self.payloads.append(payload)
        try:
            self.account.process(_batch(payload), f"redrive-{len(self.payloads)}", self.at).raise_if_unsent()
        except PublishFailed as error:
            return f"PublishFailed: {error}"
        if self.ends is not None:
            raise self.ends
        return ""


def _batch(payload: bytes) -> LogBatch:
    return batch(BLOCKED, name=json.loads(payload))


def run(queue: MemoryQueue, monitor: Monitor) -> list[State]:
    """The states of the messages after a run of the command."""
    redrive = Redrive(source(queue, monitor))
    try:
        return [each.state for each in iter(redrive.next, None)]
    finally:
        redrive.release()


def test_a_batch_that_failed_pages_once_when_it_is_processed_again() -> None:
    """And not again if the queue contains it twice, or again later."""
    account = Account()
    account.sink.away = True
    queue, monitor = queue_of("a", "a"), Monitor(account)
    assert run(queue, monitor) == [State.STAYS, State.STAYS]
    assert account.sink.sent == []
    account.sink.away = False
    assert run(queue, monitor) == [State.PROCESSED, State.PROCESSED]
    assert len(account.sink.sent) == 1
    later = Monitor(account, NOW + QUEUE_DAYS * 86400)
    assert run(queue_of("a"), later) == [State.PROCESSED]
    assert len(account.sink.sent) == 1


@pytest.mark.parametrize("ends", [KeyboardInterrupt(), SystemExit(1), MemoryError()])
def test_a_command_that_ends_after_the_invocation_neither_loses_the_batch_nor_pages_twice(
    ends: BaseException,
) -> None:
    """The message was not deleted, so the next run sends it again; its claim is there."""
    account = Account()
    queue, monitor = queue_of("a", "b"), Monitor(account)
    monitor.ends = ends
    with pytest.raises(type(ends)):
        run(queue, monitor)
    assert len(account.sink.sent) == 1
    assert len(queue.bodies) == 2
    queue.now += 3600
    monitor.ends = None
    assert run(queue, monitor) == [State.PROCESSED, State.PROCESSED]
    assert queue.bodies == {}
    assert len(account.sink.sent) == 1, "b has the same incident, within the suppression window"
