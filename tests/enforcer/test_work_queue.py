"""The work queue within one run: read once, written only on changes."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from flowwarden.enforcer.work_queue import Cursor, WorkItem, WorkQueue
from flowwarden.unreadable import Unreadable
from tests.enforcer.fakes import FakeWorkQueue

ONE = WorkItem(vpc_id="vpc-1", due=100, reason="new")


def test_only_loading_reads_the_store() -> None:
    """Creating a queue object makes no call."""
    store = FakeWorkQueue({"vpc-1": ONE}, Cursor(after="vpc-7"))
    assert (WorkQueue(store).items, store.reads) == ({}, 0)
    queue = WorkQueue.load(store)
    assert (queue.items, queue.cursor, queue.unavailable) == ({"vpc-1": ONE}, Cursor(after="vpc-7"), False)
    assert (store.reads, store.writes) == (1, 0)


def test_an_unavailable_store_is_an_empty_queue_marked_as_unavailable() -> None:
    """The report then states that no later run knows the remaining work."""
    queue = WorkQueue.load(FakeWorkQueue(broken=True))
    assert (queue.items, queue.cursor, queue.unavailable) == ({}, None, True)
    assert queue.requeue(ONE) is False
    assert queue.items == {}


def test_a_vpc_is_due_from_the_exact_second() -> None:
    """It is not due earlier."""
    queue = WorkQueue.load(FakeWorkQueue({"vpc-1": ONE}))
    assert (queue.due(99), queue.due(100)) == ([], ["vpc-1"])


def test_unchanged_items_are_not_written() -> None:
    """Neither an equal item, nor the removal of an unqueued VPC, nor an equal cursor is written."""
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


def test_a_dry_run_requeues_only_for_itself() -> None:
    """It writes nothing and completes nothing."""
    store = FakeWorkQueue({"vpc-1": ONE})
    queue = WorkQueue.load(store, dry_run=True)
    assert queue.requeue(replace(ONE, vpc_id="vpc-2"))
    queue.complete("vpc-1")
    queue.stop_at(Cursor(after="vpc-1"), 100)
    assert set(queue.items) == {"vpc-1", "vpc-2"}
    assert (store.writes, store.items) == (0, {"vpc-1": ONE})


@pytest.mark.parametrize("what", ["requeue", "complete", "stop_at"])
def test_only_lost_writes_make_the_queue_unavailable(what: str) -> None:
    """A VPC that cannot be removed is checked once more than necessary."""
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


@pytest.mark.parametrize("after", ["zzzz", "vpc-", "\x1b[2J", "vpc-1 ", "VPC-1", "vpc-9\n"])
def test_a_sweep_continues_from_the_beginning_if_its_cursor_is_no_vpc(after: str) -> None:
    """After such a text, it could leave out every VPC. It is noted, and the next stop overwrites it."""
    store, notes = FakeWorkQueue(cursor=Cursor(after=after)), Unreadable()
    queue = WorkQueue.load(store, 100, notes)
    assert queue.cursor == Cursor(after="")
    assert notes.take().named == ("sweep cursor: is not the id of a VPC",)
    queue.stop_at(None, 100)
    assert store.cursor is None


@pytest.mark.parametrize("after", ["", "vpc-0a1b2c3d4e5f67890"])
def test_a_cursor_of_a_sweep_stays(after: str) -> None:
    """Nothing is noted."""
    notes = Unreadable()
    assert WorkQueue.load(FakeWorkQueue(cursor=Cursor(after=after)), 100, notes).cursor == Cursor(after=after)
    assert notes.take().count == 0
