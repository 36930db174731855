"""A message is deleted only after its function succeeded; what stays is visible again."""

from __future__ import annotations

import pytest

from flowwarden.errors import CallFailed, CallRefused
from flowwarden.redrive.ports import ANSWER_SECONDS, HIDDEN_SECONDS
from flowwarden.redrive.redrive import Outcome, Redrive, State
from tests.redrive.fakes import FakeFunction, MemoryQueue, queue_of, record, source
from tests.template import stack


def drained(redrive: Redrive) -> list[Outcome]:
    """All outcomes; then what stays is released."""
    found = list(iter(redrive.next, None))
    assert redrive.release() == ""
    return found


def states(found: list[Outcome]) -> list[tuple[str, State]]:
    """The message ids with their states."""
    return [(each.message.message_id, each.state) for each in found]


def test_every_message_is_sent_once_in_its_original_form_and_deleted() -> None:
    """One after the other."""
    queue, function = queue_of({"a": 1}, {"b": 2}), FakeFunction()
    assert states(drained(Redrive(source(queue, function)))) == [
        ("m1", State.PROCESSED),
        ("m2", State.PROCESSED),
    ]
    assert function.payloads == [b'{"a": 1}', b'{"b": 2}']
    assert queue.bodies == {}


def test_what_fails_again_stays_visible_and_is_tried_once() -> None:
    """The others are processed."""
    queue, function = queue_of(1, 2, 3), FakeFunction(["", "PublishFailed: no topic", ""])
    found = drained(Redrive(source(queue, function)))
    assert [each.reason for each in found] == ["", "PublishFailed: no topic", ""]
    assert queue.visible == [*queue.bodies] == ["m2"]
    assert len(function.payloads) == 3


def test_a_message_is_hidden_for_longer_than_its_function_can_run() -> None:
    """No other receiver gets it in that time."""
    timeouts = [stack.properties(f"{each}Function")["Timeout"] for each in ("Monitor", "Enforcer")]
    assert max(timeouts) < ANSWER_SECONDS < HIDDEN_SECONDS


def test_a_message_that_becomes_visible_again_in_a_long_run_is_not_tried_again() -> None:
    """Each invocation takes longer than the first message stays hidden."""
    queue = queue_of(1, 2, 3)
    function = FakeFunction(["E", "E", "E"])

    def pass_time() -> None:
        queue.now += HIDDEN_SECONDS - 1

    function.takes = pass_time
    found = drained(Redrive(source(queue, function)))
    assert states(found) == [(each, State.STAYS) for each in ("m1", "m2", "m3")]
    assert queue.visible == ["m1", "m2", "m3"]


def test_a_queue_that_delivers_a_deleted_message_again_runs_it_once() -> None:
    """SQS delivers at least once."""
    queue, function = queue_of(1, 2), FakeFunction()
    redrive = Redrive(source(queue, function))
    first = redrive.next()
    assert first is not None
    queue.copies.append("m1")
    assert states(drained(redrive)) == [("m2", State.PROCESSED)]
    assert len(function.payloads) == 2


def test_a_run_ends_although_a_queue_never_hides_a_message() -> None:
    """Without an endless loop."""
    queue = queue_of(1, 2)
    queue.hidden_until = type("Never", (dict,), {"get": lambda *_: 0})()
    assert states(drained(Redrive(source(queue, FakeFunction(["E"]))))) == [("m1", State.STAYS)]


def test_a_message_that_is_no_record_stays_and_the_others_are_processed() -> None:
    """It is not sent."""
    queue, function = MemoryQueue({"odd": "hello", "m1": record(1)}), FakeFunction()
    found = drained(Redrive(source(queue, function)))
    assert states(found) == [("odd", State.STAYS), ("m1", State.PROCESSED)]
    assert "not a record of Lambda" in found[0].reason
    assert function.payloads == [b"1"]
    assert queue.visible == ["odd"]


def test_a_dry_run_sends_and_deletes_nothing_and_leaves_everything_visible() -> None:
    """And shows each message once."""
    queue, function = MemoryQueue({"odd": "hello", "m1": record(1)}), FakeFunction()
    found = drained(Redrive(source(queue, function), dry_run=True))
    assert states(found) == [("odd", State.STAYS), ("m1", State.WAITING)]
    assert function.payloads == []
    assert queue.visible == ["odd", "m1"]


@pytest.mark.parametrize(
    ("error", "is_last"), [(CallFailed("no answer"), False), (CallRefused("AccessDenied"), True)]
)
def test_a_message_whose_function_was_not_invoked_stays(error: Exception, *, is_last: bool) -> None:
    """A refusal concerns every message; a lost answer only this one."""
    queue = queue_of(1)
    (outcome,) = drained(Redrive(source(queue, FakeFunction([error]))))
    assert (outcome.state, outcome.reason, outcome.is_last) == (State.STAYS, str(error), is_last)
    assert queue.visible == ["m1"]


@pytest.mark.parametrize(("error", "is_last"), [(CallFailed("slow"), False), (CallRefused("denied"), True)])
def test_a_processed_message_that_cannot_be_deleted_stays_and_says_so(
    error: Exception, *, is_last: bool
) -> None:
    """Without the permission, no further message is sent: it could not be deleted either."""
    queue = queue_of(1)
    queue.faults["delete"] = error
    (outcome,) = drained(Redrive(source(queue)))
    assert (outcome.state, outcome.is_last) == (State.STAYS, is_last)
    assert "processed it, but it could not be deleted" in outcome.reason
    assert queue.visible == ["m1"]


@pytest.mark.parametrize("error", [CallFailed("slow"), CallRefused("denied")])
def test_what_cannot_be_released_becomes_visible_later(error: Exception) -> None:
    """The reason is returned, not raised: the outcomes stand."""
    queue = queue_of(1)
    redrive = Redrive(source(queue, FakeFunction(["E"])))
    redrive.next()
    queue.faults["release"] = error
    assert redrive.release() == str(error)
    assert queue.visible == []
    queue.now += HIDDEN_SECONDS
    assert queue.visible == ["m1"]


@pytest.mark.parametrize("ends", [KeyboardInterrupt(), SystemExit(1), MemoryError()])
def test_a_message_in_process_is_not_lost_when_the_command_ends(ends: BaseException) -> None:
    """It stays hidden while its function may still run, and is then visible again; the others are at once."""
    queue = queue_of(1, 2, 3)
    redrive = Redrive(source(queue, FakeFunction(["E", ends])))
    redrive.next()
    with pytest.raises(type(ends)):
        redrive.next()
    redrive.release()
    assert queue.visible == ["m1", "m3"]
    queue.now += HIDDEN_SECONDS
    assert queue.visible == ["m1", "m2", "m3"]


def test_more_messages_are_found_without_sending_them() -> None:
    """For the limit of the command."""
    queue, function = queue_of(1, 2), FakeFunction(["E"])
    redrive = Redrive(source(queue, function))
    redrive.next()
    assert redrive.has_more()
    assert not redrive.has_more()
    redrive.release()
    assert queue.visible == ["m1", "m2"]
    assert len(function.payloads) == 1


def test_a_queue_that_cannot_be_read_raises() -> None:
    """The caller names the queue."""
    queue = queue_of(1)
    queue.faults["receive"] = CallRefused("denied")
    with pytest.raises(CallRefused):
        Redrive(source(queue)).next()
