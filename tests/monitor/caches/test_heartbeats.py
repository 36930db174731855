"""The interfaces that a container has seen, until they are written."""

from __future__ import annotations

from flowwarden.monitor.caches.heartbeats import MOST_SEEN, GroupHeartbeats


def seen(numbers: list[int]) -> set[int]:
    """What a container remembers of interfaces that it sees in this order."""
    heartbeats = GroupHeartbeats(0)
    heartbeats.see({1: set(numbers)}, 0)
    return heartbeats.unwritten[1]


def test_which_interfaces_of_many_are_remembered_does_not_depend_on_their_order() -> None:
    """A process that goes on with stored state has the same sets in another order."""
    numbers = [4096 * number for number in range(2 * MOST_SEEN)]
    shuffled = numbers[::-1]
    assert list(set(shuffled)) != list(set(numbers))
    assert seen(shuffled) == seen(numbers)
    assert len(seen(numbers)) == MOST_SEEN


def test_later_batches_add_the_others() -> None:
    """A slice of a replay has more interfaces than a batch."""
    heartbeats, numbers = GroupHeartbeats(0), set(range(2 * MOST_SEEN + 1))
    for count in (MOST_SEEN, 2 * MOST_SEEN, len(numbers)):
        heartbeats.see({1: numbers}, 0)
        assert len(heartbeats.unwritten[1]) == count


def test_all_of_few_interfaces_are_remembered() -> None:
    """Without a limit there is nothing to choose."""
    assert seen([3, 1, 2]) == {1, 2, 3}
