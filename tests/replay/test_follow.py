"""Following a log group: each event once, whatever arrives when, and whatever fails."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

import pytest
from msgspec import Struct

from flowwarden.errors import DamagedSource, SourceError, SourceNotOpened
from flowwarden.replay.follow import MOST_FAILURES, OVERLAP, PAUSE, Follower, Live, LogEvent
from tests.replay.archives import BEGIN, LAYOUT, line

NOW = BEGIN + 7200


class Arriving(Struct, frozen=True):
    """An event, and when it arrives (Unix seconds)."""

    event: LogEvent
    arrives: float


def arriving(name: str, at: float, arrives: float) -> Arriving:
    """An event at a time (Unix seconds). Its message is a record of that time, of an account of that name."""
    text = line(int(at), "10.0.0.5", "10.0.0.5", "10.0.0.9", (40_000, 443))
    return Arriving(LogEvent(name, int(at * 1000), text.replace("111122223333", name)), arrives)


class Group:
    """A log group whose events arrive while time passes."""

    def __init__(self, events: Sequence[Arriving], *, looks: int = 3, page: int = 3) -> None:
        """The user ends it after some looks."""
        self.now = float(NOW)
        self.looks: list[tuple[int, int]] = []
        self.fails_after: dict[int, int] = {}
        """By the number of the look: the pages that it reads before it fails."""
        self.refuses = 0
        """The number of the look whose first call is refused."""
        self.errors: list[tuple[str, bool]] = []
        self.waited: list[float] = []
        self._events = sorted(events, key=lambda each: each.event.at)
        self._most, self._page = looks, page

    def read(self, begin: int, end: int) -> Iterator[list[LogEvent]]:
        """As FilterLogEvents: by time, those that have arrived."""
        self.looks.append((begin, end))
        if len(self.looks) == self.refuses:
            raise SourceNotOpened("no such group")
        fails = self.fails_after.get(len(self.looks))
        there = [each for each in self._events if each.arrives <= self.now]
        found = [each.event for each in there if begin * 1000 <= each.event.at < end * 1000]
        for number, at in enumerate(range(0, len(found), self._page)):
            if number == fails:
                break
            yield found[at : at + self._page]
        if fails is not None:
            raise DamagedSource("throttled")

    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.waited.append(seconds)
        self.now += seconds

    def failed(self, error: SourceError, again: bool) -> None:  # noqa: FBT001 - as the port
        """Note an error."""
        self.errors.append((str(error), again))

    def follower(self, since: int = 7200, most_ids: int = 1000) -> Follower:
        """Follows it from some seconds ago on."""
        live = Live(
            read=self.read,
            clock=lambda: self.now,
            wait=self.wait,
            is_ended=lambda: len(self.waited) >= self._most,
            failed=self.failed,
        )
        return Follower(live, NOW - since, most_ids)

    def names(self, **given: int) -> list[str]:
        """The names of the events as they are read."""
        pieces = self.follower(**given).pieces((LAYOUT,))
        return [each.split()[1] for piece in pieces for each in piece.timed.lines]


def test_the_past_comes_first_and_then_what_arrives() -> None:
    past = [arriving(f"past{number}", NOW - 7000 + number, NOW - 6000) for number in range(7)]
    later = arriving("later", NOW + 10, NOW + 20)
    assert Group([later, *past]).names() == [*(f"past{number}" for number in range(7)), "later"]


def test_an_event_at_the_seam_is_read_once() -> None:
    """Its time is before the first look, and it arrives after it; others with that time were there."""
    events = [arriving(name, NOW - 1, NOW - 1) for name in "abc"]
    assert Group([*events, arriving("d", NOW - 1, NOW + 5)]).names() == ["a", "b", "c", "d"]


def test_an_event_with_the_time_of_a_look_is_read_by_the_next_one() -> None:
    assert Group([arriving("a", NOW, NOW - 1), arriving("b", NOW + PAUSE, NOW)]).names() == ["a", "b"]


def test_a_late_event_is_read_if_it_is_within_the_overlap_and_not_otherwise() -> None:
    late = arriving("late", NOW - OVERLAP + 61, NOW + 1)
    too_late = arriving("toolate", NOW - OVERLAP - 61, NOW + 1)
    assert Group([late, too_late]).names() == ["late"]


def test_what_is_older_than_the_past_is_never_read() -> None:
    group = Group([arriving("old", NOW - 700, NOW - 600)])
    assert group.names(since=600) == []
    assert all(begin >= NOW - 600 for begin, _ in group.looks)


def test_there_is_a_pause_between_two_looks_and_each_reads_the_overlap_again() -> None:
    group = Group([])
    group.names()
    assert group.waited == [PAUSE] * 3
    first, *others = group.looks
    assert first == (NOW - 7200, NOW)
    assert others == [(NOW - OVERLAP, NOW + 60), (NOW + 60 - OVERLAP, NOW + 120)]


def test_time_goes_on_although_nothing_arrives() -> None:
    """So a slice is judged when it is complete, not when the next record comes."""
    pieces = [*Group([arriving("a", NOW - 100, NOW - 50)]).follower().pieces((LAYOUT,))]
    assert [each.read_until for each in pieces] == [NOW - 100, NOW, NOW + 60, NOW + 120]


def test_a_look_that_fails_is_made_again_without_loss_or_repetition() -> None:
    """Within the past, too: the next one goes on where it failed."""
    events = [arriving(f"e{number}", NOW - 7000 + 60 * number, NOW - 1) for number in range(100)]
    group = Group(events, looks=4)
    group.fails_after = {1: 20, 2: 0}
    assert group.names() == [f"e{number}" for number in range(100)]
    assert group.errors == [("throttled", True)] * 2
    assert group.looks[1][0] > NOW - 7200


def test_too_many_failures_end_it() -> None:
    group = Group([arriving("a", NOW - 5, NOW - 1)], looks=99)
    group.fails_after = dict.fromkeys(range(2, 99), 0)
    assert group.names() == ["a"]
    assert [again for _, again in group.errors] == [*[True] * (MOST_FAILURES - 1), False]


def test_a_group_that_refuses_the_first_look_is_not_looked_at_again() -> None:
    """Such as one that does not exist. A group that was read once is."""
    group = Group([], looks=99)
    group.refuses = 1
    assert group.names() == []
    assert group.errors == [("no such group", False)]
    later = Group([arriving("a", NOW - 5, NOW - 1)])
    later.refuses = 2
    assert later.names() == ["a"]
    assert later.errors == [("no such group", True)]


def test_the_ids_are_bounded_and_nothing_is_doubled_then() -> None:
    """Events that are older than the known ids are left out, even if they arrive only now."""
    events = [arriving(f"e{number}", NOW - 100 + number, NOW - 1) for number in range(90)]
    late = [arriving("old", NOW - 99, NOW + 1), arriving("new", NOW - 1, NOW + 1)]
    names = Group([*events, *late]).names(most_ids=20)
    assert names == [*(f"e{number}" for number in range(90)), "new"]


@pytest.mark.parametrize("seed", range(20))
def test_whatever_arrives_when_each_event_is_read_once(seed: int) -> None:
    random = Random(seed)  # noqa: S311
    times = [NOW - 7000 + random.randrange(7600) for _ in range(150)]
    events = [
        arriving(f"e{number}", at, at + random.choice((0, 1, 60, random.randrange(OVERLAP - 120))))
        for number, at in enumerate(times)
    ]
    group = Group(events, looks=60, page=random.randrange(1, 40))
    group.fails_after = {random.randrange(1, 50): random.randrange(3) for _ in range(8)}
    names = group.names()
    assert sorted(names) == sorted(each.event.id for each in events)
