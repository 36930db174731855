"""Log formats: learned once for all containers, relearned when lines no longer match."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from flowwarden.errors import LogFormatError
from flowwarden.monitor.caches.log_formats import SOON_SECONDS, VALID_SECONDS, WAIT_SECONDS, LogFormatCache
from flowwarden.records.format_choice import LearnedFormats
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT, LogFormat
from tests.monitor.fakes_log_formats import FakeFormats, MemoryLogFormats

NOW = 1_764_000_000
GROUP = "/flow-warden/flow-logs"
CONFIGURED = LogFormat.parse("${srcaddr} ${dstaddr} ${action} ${log-status}")
SHORT = LogFormat.parse("${srcaddr} ${dstaddr}")
ADDED = LogFormat.parse("${srcaddr} ${dstaddr} ${action}")
FALLBACK = (CONFIGURED, DEFAULT_LOG_FORMAT)


@dataclass
class Account:
    """EC2, the state table, and the warnings; each container has its own cache."""

    formats: FakeFormats = field(default_factory=lambda: FakeFormats({GROUP: [SHORT.to_log_format()]}))
    memory: MemoryLogFormats = field(default_factory=MemoryLogFormats)
    warnings: list[str] = field(default_factory=list)

    def container(self) -> LogFormatCache:
        """A new container's cache."""
        return LogFormatCache(self.formats, self.memory, FALLBACK, self.warnings.append)


def test_formats_are_learned_before_the_first_line_is_parsed() -> None:
    """A line that accidentally matches the configured format would be misread unnoticed."""
    account = Account()
    entry = account.container().entry(GROUP, NOW)
    assert entry.candidates.layouts == (SHORT, *FALLBACK)
    assert not entry.unavailable
    assert account.memory.learned[GROUP] == LearnedFormats((SHORT.to_log_format(),), unreported=False, at=NOW)


def test_the_second_batch_of_a_container_costs_nothing() -> None:
    """The same reader parses it, with its cached tokens."""
    account = Account()
    cache = account.container()
    first = cache.entry(GROUP, NOW)
    assert cache.entry(GROUP, NOW + VALID_SECONDS - 1) is first
    assert (len(account.formats.asked), account.memory.reads) == (1, 1)


def test_another_container_learns_from_the_state_table() -> None:
    """One read, no call to EC2."""
    account = Account()
    account.container().entry(GROUP, NOW)
    entry = account.container().entry(GROUP, NOW + 900)
    assert entry.candidates.layouts == (SHORT, *FALLBACK)
    assert (account.formats.asked, account.memory.reads) == ([GROUP], 2)


def test_learned_formats_expire_everywhere_at_the_same_time() -> None:
    """A container that reads them late uses them no longer than the one that learned them."""
    account = Account()
    account.container().entry(GROUP, NOW)
    late = account.container()
    late.entry(GROUP, NOW + VALID_SECONDS - 1)
    assert len(account.formats.asked) == 1
    late.entry(GROUP, NOW + VALID_SECONDS)
    assert len(account.formats.asked) == 2


def test_the_same_formats_again_keep_the_reader() -> None:
    """A new one would lose its cached tokens."""
    account = Account()
    cache = account.container()
    first = cache.entry(GROUP, NOW)
    again = cache.entry(GROUP, NOW + VALID_SECONDS)
    assert again is not first
    assert again.reader is first.reader


def test_log_groups_are_learned_separately() -> None:
    """Each has its own flow logs."""
    account = Account()
    cache = account.container()
    assert cache.entry(GROUP, NOW).candidates.layouts[0] == SHORT
    assert cache.entry("/other", NOW).candidates.layouts == FALLBACK
    assert account.formats.asked == [GROUP, "/other"]


# ---- lines no longer match


def test_unmatched_lines_are_parsed_with_relearned_formats() -> None:
    """A flow log with another format was created."""
    account = Account()
    cache = account.container()
    first = cache.entry(GROUP, NOW)
    account.formats.groups[GROUP].append(ADDED.to_log_format())
    renewed = cache.renewed(GROUP, NOW + WAIT_SECONDS)
    assert renewed.reader is not first.reader
    assert ADDED in renewed.candidates.layouts
    assert cache.entry(GROUP, NOW + WAIT_SECONDS + 1) is renewed


def test_formats_learned_by_another_container_need_no_ec2_query() -> None:
    """The state table contains them."""
    account = Account()
    one, other = account.container(), account.container()
    one.entry(GROUP, NOW)
    other.entry(GROUP, NOW)
    account.formats.groups[GROUP].append(ADDED.to_log_format())
    one.renewed(GROUP, NOW + WAIT_SECONDS)
    assert ADDED in other.renewed(GROUP, NOW + WAIT_SECONDS + 1).candidates.layouts
    assert len(account.formats.asked) == 2


def test_lines_that_never_match_do_not_cause_a_query_per_batch() -> None:
    """Neither in one container nor in many: EC2 is queried once in `WAIT_SECONDS`."""
    account = Account()
    warm = account.container()
    for second in range(0, 3 * WAIT_SECONDS, 10):
        for cache in (warm, account.container()):
            cache.renewed(GROUP, NOW + second)
    assert len(account.formats.asked) == 3


def test_lines_that_never_match_cost_a_warm_container_little() -> None:
    """It does not even read the state table before a change is possible."""
    account = Account()
    cache = account.container()
    for second in range(WAIT_SECONDS):
        cache.renewed(GROUP, NOW + second)
    assert account.memory.reads == 1


def test_unchanged_formats_keep_the_reader() -> None:
    """So no batch is parsed again without reason."""
    account = Account()
    cache = account.container()
    first = cache.entry(GROUP, NOW)
    assert cache.renewed(GROUP, NOW + WAIT_SECONDS).reader is first.reader


# ---- failures


def test_a_failed_ec2_query_fails_nothing() -> None:
    """The fallback is used; the failure is logged, and counted while it persists."""
    account = Account(FakeFormats(throttled=True))
    cache = account.container()
    entry = cache.entry(GROUP, NOW)
    assert entry.candidates.layouts == FALLBACK
    assert entry.unavailable
    assert "RequestLimitExceeded" in account.warnings[0]
    assert cache.entry(GROUP, NOW + WAIT_SECONDS - 1) is entry


def test_ec2_is_queried_again_later_and_recovers() -> None:
    """Not before, by any container."""
    account = Account(FakeFormats({GROUP: [SHORT.to_log_format()]}, throttled=True))
    cache = account.container()
    cache.entry(GROUP, NOW)
    account.formats.throttled = False
    assert account.container().entry(GROUP, NOW + 5).candidates.layouts == FALLBACK
    assert len(account.formats.asked) == 1
    healed = cache.entry(GROUP, NOW + WAIT_SECONDS)
    assert (healed.candidates.layouts[0], healed.unavailable) == (SHORT, False)


def test_old_formats_are_preferred_to_the_fallback() -> None:
    """Formats rarely change; EC2 often throttles."""
    account = Account()
    account.container().entry(GROUP, NOW)
    account.formats.throttled = True
    entry = account.container().entry(GROUP, NOW + 24 * VALID_SECONDS)
    assert entry.candidates.layouts[0] == SHORT
    assert entry.unavailable


def test_a_failed_renewal_keeps_the_known_formats() -> None:
    """Lines that matched still match."""
    account = Account()
    cache = account.container()
    first = cache.entry(GROUP, NOW)
    account.formats.throttled = True
    renewed = cache.renewed(GROUP, NOW + WAIT_SECONDS)
    assert renewed.reader is first.reader
    assert renewed.unavailable


@pytest.mark.parametrize("operation", ["recall", "take_turn"])
def test_without_the_state_table_ec2_is_not_queried(operation: str) -> None:
    """Nothing would limit the number of containers that query."""
    account = Account(memory=MemoryLogFormats(away={operation}))
    entry = account.container().entry(GROUP, NOW)
    assert entry.candidates.layouts == FALLBACK
    assert entry.unavailable
    assert account.formats.asked == []


def test_a_failed_write_does_not_affect_this_container() -> None:
    """It uses the formats that it learned, even if the table contains older ones."""
    account = Account()
    account.container().entry(GROUP, NOW)
    account.memory.away = {"keep"}
    account.formats.groups[GROUP] = [ADDED.to_log_format()]
    cache = account.container()
    later = NOW + VALID_SECONDS
    assert cache.entry(GROUP, later).candidates.layouts[0] == ADDED
    assert any("could not be stored" in note for note in account.warnings)
    assert cache.renewed(GROUP, later + 1).candidates.layouts[0] == ADDED
    account.formats.throttled = True
    assert cache.entry(GROUP, later + VALID_SECONDS).candidates.layouts[0] == ADDED


def test_while_another_container_queries_the_others_do_not_wait() -> None:
    """Lines are parsed with the known formats, and soon with those that the other container learned."""
    account = Account()
    account.memory.asked_at[GROUP] = NOW - 1  # its query is pending
    cache = account.container()
    entry = cache.entry(GROUP, NOW)
    assert (entry.candidates.layouts, entry.unavailable) == (FALLBACK, False)
    assert account.formats.asked == []
    account.memory.learned[GROUP] = LearnedFormats((SHORT.to_log_format(),), unreported=False, at=NOW)
    assert cache.entry(GROUP, NOW + SOON_SECONDS).candidates.layouts[0] == SHORT


def test_a_terminated_container_does_not_block_others_for_long() -> None:
    """Its turn expires."""
    account = Account()
    account.memory.asked_at[GROUP] = NOW - WAIT_SECONDS
    assert account.container().entry(GROUP, NOW).candidates.layouts[0] == SHORT


def test_a_warning_is_logged_once() -> None:
    """Not with every batch, nor with every lookup without changes."""
    account = Account(FakeFormats({GROUP: ["${srcaddr} ${dstaddr} ${brand-new}", "${bytes}"]}))
    cache = account.container()
    for second in (0, 1, VALID_SECONDS):
        cache.entry(GROUP, NOW + second)
    assert len(account.warnings) == 2
    assert any("brand-new" in note for note in account.warnings)
    assert any("lacks" in note for note in account.warnings)


def test_an_invalid_configured_format_fails_at_start() -> None:
    """It is a setting that must be corrected."""
    with pytest.raises(LogFormatError, match="lacks"):
        LogFormatCache(FakeFormats(), MemoryLogFormats(), (LogFormat.parse("${bytes}"),), print)
