"""The work queue in one run: read once, written where something changes."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from flowwarden.enforcer.work_queue import Cursor, WorkItem, WorkQueue
from tests.enforcer.fakes import FakeWorkQueue

ONE = WorkItem(vpc_id="vpc-1", due=100, reason="new")


def test_only_loading_reads_the_store() -> None:
    """Making a queue makes no call."""
    store = FakeWorkQueue({"vpc-1": ONE}, Cursor(after="vpc-7"))
    assert (WorkQueue(store).items, store.reads) == ({}, 0)
    queue = WorkQueue.load(store)
    assert (queue.items, queue.cursor, queue.unavailable) == ({"vpc-1": ONE}, Cursor(after="vpc-7"), False)
    assert (store.reads, store.writes) == (1, 0)


def test_a_store_that_does_not_answer_is_an_empty_queue_that_says_so() -> None:
    """The report says that no later run knows what is left."""
    queue = WorkQueue.load(FakeWorkQueue(broken=True))
    assert (queue.items, queue.cursor, queue.unavailable) == ({}, None, True)
    assert queue.requeue(ONE) is False
    assert queue.items == {}


def test_a_vpc_is_due_from_its_second_on() -> None:
    """Not before."""
    queue = WorkQueue.load(FakeWorkQueue({"vpc-1": ONE}))
    assert (queue.due(99), queue.due(100)) == ([], ["vpc-1"])


def test_what_does_not_change_is_not_written() -> None:
    """The same item again, a VPC that is not queued, the cursor as it was."""
    store = FakeWorkQueue({"vpc-1": ONE})
    queue = WorkQueue.load(store)
    assert queue.requeue(ONE)
    queue.complete("vpc-2")
    queue.stop_at(None, 100)
    assert store.writes == 0
    assert queue.requeue(replace(ONE, due=200))
    queue.stop_at(Cursor(after="vpc-1"), 100)
    queue.complete("vpc-1")
    assert (store.writes, store.items, store.cursor) == (3, {}, Cursor(after="vpc-1"))


def test_a_dry_run_requeues_for_itself_alone() -> None:
    """It writes nothing, and completes nothing."""
    store = FakeWorkQueue({"vpc-1": ONE})
    queue = WorkQueue.load(store, dry_run=True)
    assert queue.requeue(replace(ONE, vpc_id="vpc-2"))
    queue.complete("vpc-1")
    queue.stop_at(Cursor(after="vpc-1"), 100)
    assert set(queue.items) == {"vpc-1", "vpc-2"}
    assert (store.writes, store.items) == (0, {"vpc-1": ONE})


@pytest.mark.parametrize("what", ["requeue", "complete", "stop_at"])
def test_only_what_would_be_lost_makes_the_queue_unavailable(what: str) -> None:
    """A VPC that cannot be removed is looked at once more than it needs."""
    store = FakeWorkQueue({"vpc-1": ONE})
    queue = WorkQueue.load(store)
    store.broken = True
    match what:
        case "requeue":
            queue.requeue(replace(ONE, due=200))
        case "complete":
            queue.complete("vpc-1")
        case _:
            queue.stop_at(Cursor(after="vpc-1"), 100)
    assert queue.unavailable is (what != "complete")
    assert queue.items == {"vpc-1": ONE}
