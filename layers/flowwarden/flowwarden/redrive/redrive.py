"""Processes the messages of one failure queue, one after the other.

A message is deleted only after its function succeeded, so nothing is lost, whenever the process ends. What
stays is hidden until `release`, so that a run tries each message once. If the process ends between the
success and the deletion, the message is sent again later: the functions do not repeat what they did for an
event.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct

from flowwarden.errors import CallFailed, CallRefused
from flowwarden.redrive.failure import Failure
from flowwarden.redrive.ports import FailureQueue, Function, QueuedMessage


class State(StrEnum):
    """What became of a message."""

    PROCESSED = "processed"
    """The function succeeded, and the message is deleted."""
    WAITING = "waiting"
    """A dry run: it would be sent to the function."""
    STAYS = "stays"
    """It is still in the queue."""


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of one message."""

    message: QueuedMessage
    failure: Failure
    state: State
    reason: str = ""
    """Why it stays."""
    is_last: bool = False
    """Whether the reason concerns every message of the queue."""


class Source(Struct, frozen=True, kw_only=True):
    """A failure queue with its function."""

    name: str
    queue: FailureQueue
    function: Function
    read: Callable[[QueuedMessage], Failure]


class Redrive:
    """One run over one queue."""

    def __init__(self, source: Source, *, dry_run: bool = False) -> None:
        self._source = source
        self._dry_run = dry_run
        self._held: dict[str, QueuedMessage] = {}
        """What this run received and did not delete, by message id."""
        self._deleted: set[str] = set()

    def next(self) -> Outcome | None:
        """Process a message; None if there is none that this run has not seen.

        Raises CallRefused and CallFailed if the queue cannot be read.
        """
        message = self._unseen()
        return None if message is None else self._kept(self._outcome(message))

    def has_more(self) -> bool:
        """Whether there is a message that this run has not seen. Raises as `next` does."""
        message = self._unseen()
        if message is not None:
            self._held[message.message_id] = message
        return message is not None

    def release(self) -> str:
        """Make what stays visible again; return why that failed, '' if it did not."""
        reason = ""
        for message in self._held.values():
            try:
                self._source.queue.release(message)
            except CallRefused as error:
                return str(error)
            except CallFailed as error:
                reason = str(error)
        return reason

    def _unseen(self) -> QueuedMessage | None:
        """The next message that this run has not seen.

        A queue delivers at least once, and a message becomes visible again while a long run goes on.
        """
        again = 0
        while (message := self._source.queue.receive()) is not None:
            if message.message_id in self._deleted:
                self._source.queue.delete(message)
            elif message.message_id in self._held:
                self._held[message.message_id] = message
            else:
                return message
            again += 1
            if again > len(self._held) + len(self._deleted):
                break
        return None

    def _outcome(self, message: QueuedMessage) -> Outcome:
        failure = self._source.read(message)
        if failure.payload is None:
            return _stays(message, failure, failure.obstacle)
        if self._dry_run:
            return Outcome(message=message, failure=failure, state=State.WAITING)
        try:
            error = self._source.function.invoke(failure.payload)
        except CallRefused as refusal:
            return _stays(message, failure, str(refusal), is_last=True)
        except CallFailed as lost:
            return _stays(message, failure, str(lost))
        return _stays(message, failure, error) if error else self._finished(message, failure)

    def _finished(self, message: QueuedMessage, failure: Failure) -> Outcome:
        try:
            self._source.queue.delete(message)
        except (CallRefused, CallFailed) as error:
            reason = f"the function processed it, but it could not be deleted: {error}"
            return _stays(message, failure, reason, is_last=isinstance(error, CallRefused))
        return Outcome(message=message, failure=failure, state=State.PROCESSED)

    def _kept(self, outcome: Outcome) -> Outcome:
        """Note what became of a message."""
        message = outcome.message
        if outcome.state is State.PROCESSED:
            self._deleted.add(message.message_id)
        else:
            self._held[message.message_id] = message
        return outcome


def _stays(message: QueuedMessage, failure: Failure, reason: str, *, is_last: bool = False) -> Outcome:
    return Outcome(message=message, failure=failure, state=State.STAYS, reason=reason, is_last=is_last)
