"""What lines are read by: learned once for all, renewed when lines stop fitting, never a failure."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from flowwarden.errors import LogFormatError
from flowwarden.monitor.caches.log_formats import SOON_SECONDS, VALID_SECONDS, WAIT_SECONDS, LogFormatCache
from flowwarden.records.format_choice import Learned
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT, LogFormat
from tests.monitor.fakes_log_formats import FakeFormats, MemoryLogFormats

NOW = 1_764_000_000
GROUP = "/flow-warden/flow-logs"
CONFIGURED = LogFormat.parse("${srcaddr} ${dstaddr} ${action} ${log-status}")
SHORT = LogFormat.parse("${srcaddr} ${dstaddr}")
ADDED = LogFormat.parse("${srcaddr} ${dstaddr} ${action}")
FALLBACK = (CONFIGURED, DEFAULT_LOG_FORMAT)


@dataclass
class World:
    """EC2, the state table, and what was told; each container has a book of its own."""

    formats: FakeFormats = field(default_factory=lambda: FakeFormats({GROUP: [SHORT.to_log_format()]}))
    memory: MemoryLogFormats = field(default_factory=MemoryLogFormats)
    told: list[str] = field(default_factory=list)

    def container(self) -> LogFormatCache:
        """A new container's book."""
        return LogFormatCache(self.formats, self.memory, FALLBACK, self.told.append)


def test_formats_are_learned_before_the_first_line_is_read() -> None:
    """A line that fits the configured format by accident would be read wrong, and nobody would notice."""
    world = World()
    entry = world.container().entry(GROUP, NOW)
    assert entry.candidates.layouts == (SHORT, *FALLBACK)
    assert not entry.unavailable
    assert world.memory.learned[GROUP] == Learned((SHORT.to_log_format(),), untold=False, at=NOW)


def test_the_second_batch_of_a_container_costs_nothing() -> None:
    """And is read by the same reader, which remembers tokens."""
    world = World()
    book = world.container()
    first = book.entry(GROUP, NOW)
    assert book.entry(GROUP, NOW + VALID_SECONDS - 1) is first
    assert (len(world.formats.asked), world.memory.reads) == (1, 1)


def test_another_container_learns_from_the_state_table() -> None:
    """One read, no call to EC2."""
    world = World()
    world.container().entry(GROUP, NOW)
    entry = world.container().entry(GROUP, NOW + 900)
    assert entry.candidates.layouts == (SHORT, *FALLBACK)
    assert (world.formats.asked, world.memory.reads) == ([GROUP], 2)


def test_what_was_learned_is_trusted_for_its_time_wherever_it_is_kept() -> None:
    """A container that reads it late trusts it no longer than the one that learned it."""
    world = World()
    world.container().entry(GROUP, NOW)
    late = world.container()
    late.entry(GROUP, NOW + VALID_SECONDS - 1)
    assert len(world.formats.asked) == 1
    late.entry(GROUP, NOW + VALID_SECONDS)
    assert len(world.formats.asked) == 2


def test_the_same_formats_again_keep_the_reader() -> None:
    """A new one would have to remember its tokens anew."""
    world = World()
    book = world.container()
    first = book.entry(GROUP, NOW)
    again = book.entry(GROUP, NOW + VALID_SECONDS)
    assert again is not first
    assert again.reader is first.reader


def test_log_groups_are_learned_apart() -> None:
    """Each has its flow logs."""
    world = World()
    book = world.container()
    assert book.entry(GROUP, NOW).candidates.layouts[0] == SHORT
    assert book.entry("/other", NOW).candidates.layouts == FALLBACK
    assert world.formats.asked == [GROUP, "/other"]


# ---- lines stop fitting


def test_lines_that_stop_fitting_are_read_by_what_is_learned_anew() -> None:
    """A flow log with another format was made."""
    world = World()
    book = world.container()
    first = book.entry(GROUP, NOW)
    world.formats.groups[GROUP].append(ADDED.to_log_format())
    renewed = book.renewed(GROUP, NOW + WAIT_SECONDS)
    assert renewed.reader is not first.reader
    assert ADDED in renewed.candidates.layouts
    assert book.entry(GROUP, NOW + WAIT_SECONDS + 1) is renewed


def test_news_that_another_container_learned_are_taken_without_asking_ec2() -> None:
    """The state table has them."""
    world = World()
    one, other = world.container(), world.container()
    one.entry(GROUP, NOW)
    other.entry(GROUP, NOW)
    world.formats.groups[GROUP].append(ADDED.to_log_format())
    one.renewed(GROUP, NOW + WAIT_SECONDS)
    assert ADDED in other.renewed(GROUP, NOW + WAIT_SECONDS + 1).candidates.layouts
    assert len(world.formats.asked) == 2


def test_lines_that_never_fit_do_not_make_every_batch_ask() -> None:
    """Neither in one container nor in many: EC2 is asked once in `WAIT_SECONDS`."""
    world = World()
    warm = world.container()
    for second in range(0, 3 * WAIT_SECONDS, 10):
        for book in (warm, world.container()):
            book.renewed(GROUP, NOW + second)
    assert len(world.formats.asked) == 3


def test_lines_that_never_fit_cost_a_warm_container_little() -> None:
    """It does not even look into the state table before there can be news."""
    world = World()
    book = world.container()
    for second in range(WAIT_SECONDS):
        book.renewed(GROUP, NOW + second)
    assert world.memory.reads == 1


def test_no_news_keep_the_reader() -> None:
    """So that nobody reads a batch again for nothing."""
    world = World()
    book = world.container()
    first = book.entry(GROUP, NOW)
    assert book.renewed(GROUP, NOW + WAIT_SECONDS).reader is first.reader


# ---- what fails


def test_ec2_that_does_not_answer_fails_nothing() -> None:
    """The fallback reads; it is told, and counted for as long as it lasts."""
    world = World(FakeFormats(throttled=True))
    book = world.container()
    entry = book.entry(GROUP, NOW)
    assert entry.candidates.layouts == FALLBACK
    assert entry.unavailable
    assert "RequestLimitExceeded" in world.told[0]
    assert book.entry(GROUP, NOW + WAIT_SECONDS - 1) is entry


def test_ec2_is_asked_again_later_and_then_heals() -> None:
    """Not before, by no container."""
    world = World(FakeFormats({GROUP: [SHORT.to_log_format()]}, throttled=True))
    book = world.container()
    book.entry(GROUP, NOW)
    world.formats.throttled = False
    assert world.container().entry(GROUP, NOW + 5).candidates.layouts == FALLBACK
    assert len(world.formats.asked) == 1
    healed = book.entry(GROUP, NOW + WAIT_SECONDS)
    assert (healed.candidates.layouts[0], healed.unavailable) == (SHORT, False)


def test_what_was_learned_long_ago_is_better_than_the_fallback() -> None:
    """Formats seldom change; EC2 throttles often."""
    world = World()
    world.container().entry(GROUP, NOW)
    world.formats.throttled = True
    entry = world.container().entry(GROUP, NOW + 24 * VALID_SECONDS)
    assert entry.candidates.layouts[0] == SHORT
    assert entry.unavailable


def test_a_renewal_that_fails_keeps_what_is_known() -> None:
    """The lines that fit go on fitting."""
    world = World()
    book = world.container()
    first = book.entry(GROUP, NOW)
    world.formats.throttled = True
    renewed = book.renewed(GROUP, NOW + WAIT_SECONDS)
    assert renewed.reader is first.reader
    assert renewed.unavailable


@pytest.mark.parametrize("operation", ["recall", "take_turn"])
def test_without_the_state_table_ec2_is_not_asked(operation: str) -> None:
    """Nobody could hold the containers back."""
    world = World(memory=MemoryLogFormats(away={operation}))
    entry = world.container().entry(GROUP, NOW)
    assert entry.candidates.layouts == FALLBACK
    assert entry.unavailable
    assert world.formats.asked == []


def test_a_table_that_does_not_keep_serves_this_container_all_the_same() -> None:
    """What it learned it knows, also when the table remembers something older."""
    world = World()
    world.container().entry(GROUP, NOW)
    world.memory.away = {"keep"}
    world.formats.groups[GROUP] = [ADDED.to_log_format()]
    book = world.container()
    later = NOW + VALID_SECONDS
    assert book.entry(GROUP, later).candidates.layouts[0] == ADDED
    assert any("could not be stored" in note for note in world.told)
    assert book.renewed(GROUP, later + 1).candidates.layouts[0] == ADDED
    world.formats.throttled = True
    assert book.entry(GROUP, later + VALID_SECONDS).candidates.layouts[0] == ADDED


def test_while_another_container_asks_nobody_waits() -> None:
    """Lines are read by what is known, and soon after by what the other learned."""
    world = World()
    world.memory.asked_at[GROUP] = NOW - 1  # it asked, and has no answer yet
    book = world.container()
    entry = book.entry(GROUP, NOW)
    assert (entry.candidates.layouts, entry.unavailable) == (FALLBACK, False)
    assert world.formats.asked == []
    world.memory.learned[GROUP] = Learned((SHORT.to_log_format(),), untold=False, at=NOW)
    assert book.entry(GROUP, NOW + SOON_SECONDS).candidates.layouts[0] == SHORT


def test_a_container_that_died_with_its_turn_holds_nobody_up_for_long() -> None:
    """The turn passes with time."""
    world = World()
    world.memory.asked_at[GROUP] = NOW - WAIT_SECONDS
    assert world.container().entry(GROUP, NOW).candidates.layouts[0] == SHORT


def test_what_a_person_should_know_is_told_once() -> None:
    """Not with every batch, nor with every look that brings nothing new."""
    world = World(FakeFormats({GROUP: ["${srcaddr} ${dstaddr} ${brand-new}", "${bytes}"]}))
    book = world.container()
    for second in (0, 1, VALID_SECONDS):
        book.entry(GROUP, NOW + second)
    assert len(world.told) == 2
    assert any("brand-new" in note for note in world.told)
    assert any("lacks" in note for note in world.told)


def test_a_configured_format_that_cannot_be_read_shows_at_once() -> None:
    """It is a setting, and somebody has to change it."""
    with pytest.raises(LogFormatError, match="lacks"):
        LogFormatCache(FakeFormats(), MemoryLogFormats(), (LogFormat.parse("${bytes}"),), print)
