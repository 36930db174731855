"""The tables about incidents: faults and invariants of the dispatcher, the budget and digests; and days."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from benchmarks.reliability.lives import Lives
from benchmarks.reliability.matrix import Row
from benchmarks.reliability.proofs import Proof, tests_of
from tests.dispatcher.lives import invariants
from tests.faults import Fault

NOTIFIED: Final = "each sink notified"
COPIES: Final = "copies ≤ 1 + faults"
BUDGET: Final = "budget kept"
RESOLVED: Final = "resolved once, in time"
DIGESTS: Final = "digest once, no count twice"
INVARIANTS: Final = NOTIFIED, COPIES, BUDGET, RESOLVED, DIGESTS
_ABOUT: Final = dict(zip(INVARIANTS, invariants.INVARIANTS, strict=True))
PROOFS: Final = "proven by"
"""The only column of the table of days."""

_LIVES: Final = "dispatcher/lives/test_lives"
_SEVERAL: Final = tests_of(_LIVES, "several_mishaps", "the_same_holds_on_the_table")
_UNCOUNTED: Final = tests_of("notify/test_over_budget", "without_the_table_every_page_goes_out")


def _lives(*ways: Mapping[str, object]) -> dict[str, tuple[Proof, ...]]:
    """The row of a mishap at each call."""
    return {name: tuple(Lives(about, **way) for way in ways) for name, about in _ABOUT.items()}  # type: ignore[arg-type]  # names of its members


def _everywhere(*proofs: Proof) -> dict[str, tuple[Proof, ...]]:
    return dict.fromkeys(INVARIANTS, proofs)


def _table(fault: Fault, *, second: bool) -> Row:
    """The row of a call that is not answered: pages that the budget could not count are sent."""
    sinks = {"fault": fault, "second": second, "sinks": True}
    row = _lives({"fault": fault, "second": second})
    return row | {BUDGET: (*_lives(sinks)[BUDGET], _UNCOUNTED)}


def _faults() -> dict[str, Row]:
    rows = dict[str, Row]()
    for second, how in ((False, ""), (True, ", and a second dispatcher runs")):
        rows[f"a call is refused{how}"] = _table(Fault.REFUSED, second=second)
        rows[f"an answer is lost{how}"] = _table(Fault.UNANSWERED, second=second)
        rows[f"a crash before a call{how}"] = _lives({"fault": Fault.CRASH_BEFORE, "second": second})
        rows[f"a crash after a call{how}"] = _lives({"fault": Fault.CRASH_AFTER, "second": second})
    return rows


FAULTS: Final[Mapping[str, Row]] = {
    **_faults(),
    "a sink fails": _lives({"fault": Fault.REFUSED, "sinks": True})
    | {
        DIGESTS: (
            *_lives({"fault": Fault.REFUSED, "sinks": True})[DIGESTS],
            tests_of("dispatcher/digests/test_sending", "a_digest_that_is_refused_is_sent_later"),
        )
    },
    "a sink hangs until the function ends": _lives({"fault": Fault.CRASH_BEFORE, "sinks": True}),
    "a sink answers after the timeout": _lives(
        {"fault": Fault.UNANSWERED, "sinks": True}, {"fault": Fault.CRASH_AFTER, "sinks": True}
    ),
    "two dispatchers at once": _lives({"second": True})
    | {
        BUDGET: (
            *_lives({"second": True})[BUDGET],
            tests_of("notify/test_budget_faults", "another_run_at_each_step"),
        ),
        DIGESTS: (
            *_lives({"second": True})[DIGESTS],
            tests_of("dispatcher/digests/test_sending", "two_runs_at_once_send_one_digest"),
        ),
    },
    "the table is throttled or absent": _everywhere(tests_of(_LIVES, "the_table_is_away_for_many_calls"))
    | {
        BUDGET: (_UNCOUNTED,),
        DIGESTS: (
            tests_of("dispatcher/digests/test_sending", "without_time_or_table_a_later_run_sends_it"),
            tests_of("monitor/test_digest_rows", "a_failed_write_is_repeated_by_a_later_batch"),
        ),
    },
    "clocks differ by up to five minutes": _everywhere(
        tests_of(_LIVES, "clocks_differ_and_batches_come_twice")
    ),
    "several faults at once": _everywhere(_SEVERAL)
    | {
        BUDGET: (
            _SEVERAL,
            tests_of("notify/test_budget_faults", "no_fault_exceeds_the_budget_or_loses_an_incident"),
            tests_of("notify/test_budget_faults", "the_same_holds_on_the_table"),
            tests_of("dispatcher/test_page_budget", "no_crash_of_the_dispatcher_exceeds_the_budget"),
        )
    },
    "batches doubled": _everywhere(tests_of(_LIVES, "clocks_differ_and_batches_come_twice"))
    | {
        DIGESTS: (
            tests_of("monitor/test_digest_rows", "shuffled_and_doubled_batches_give_the_same_item"),
            tests_of("state/test_digests", "a_batch_that_is_processed_twice_counts_once"),
        )
    },
    "batches late by hours, shuffled and doubled": {
        NOTIFIED: (
            tests_of(
                "dispatcher/test_days",
                "late_and_doubled_batches_change_neither_incidents_nor_notifications",
            ),
        ),
        COPIES: (
            tests_of(
                "dispatcher/test_days",
                "late_and_doubled_batches_change_neither_incidents_nor_notifications",
                "a_batch_that_arrives_a_day_after_the_end_sends_nothing",
            ),
        ),
        RESOLVED: (
            tests_of(
                "dispatcher/test_days",
                "batches_that_are_later_than_the_wait_reopen_an_incident_at_most_three_times",
                "without_records_an_incident_is_not_resolved",
            ),
        ),
        DIGESTS: (
            tests_of("monitor/test_digest_rows", "shuffled_and_doubled_batches_give_the_same_item"),
            tests_of(
                "dispatcher/digests/test_sending",
                "late_findings_are_in_the_next_digest_without_the_batches_that_were_sent",
            ),
        ),
    },
    "a damaged item": _everywhere(
        tests_of("benchmarks/test_fuzz_incidents", "no_damaged_item_harms_another_incident_or_is_shown_raw")
    )
    | {
        BUDGET: (tests_of("aws/dynamodb/test_page_budget", "a_damaged_item_stops_no_page_and_is_repaired"),),
        DIGESTS: (
            tests_of(
                "aws/dynamodb/test_digests", "a_damaged_item_is_read_as_far_as_possible_and_takes_additions"
            ),
        ),
    },
    "a batch from a failure queue": {
        NOTIFIED: (
            tests_of(
                "redrive/test_pages_once",
                "a_batch_that_failed_pages_once_when_it_is_processed_again",
                "a_command_that_ends_after_the_invocation_neither_loses_the_batch_nor_pages_twice",
            ),
        ),
        COPIES: (
            tests_of("redrive/test_pages_once", "a_batch_that_failed_pages_once_when_it_is_processed_again"),
        ),
    },
}
"""The row of each kind of fault."""

_DAYS: Final[Mapping[str, tuple[Proof, ...]]] = {
    "10,000 internet scanners try a /28 for a day: no page": (
        tests_of("dispatcher/test_days", "a_day_of_ten_thousand_internet_scanners_sends_nothing"),
        tests_of("dispatcher/digests/test_day_of_scanners", "the_day_pages_nothing"),
    ),
    "the same day makes one daily digest": (
        tests_of(
            "dispatcher/digests/test_day_of_scanners",
            "one_daily_digest_names_the_busiest_scanner_with_its_ports",
        ),
    ),
    "an inside scan on that day opens in its first batch": (
        tests_of("dispatcher/test_days", "an_inside_scan_in_such_a_day_opens_within_one_batch"),
        tests_of(
            "dispatcher/digests/test_day_of_scanners", "an_inside_scan_in_that_day_opens_within_one_batch"
        ),
    ),
    "its page is sent within two minutes, also if the first publish fails": (
        tests_of(
            "dispatcher/test_days",
            "an_inside_scan_in_such_a_day_is_sent_within_two_minutes_if_its_function_ends_before",
            "a_refused_page_of_such_a_scan_is_sent_once_by_the_retry_or_by_the_dispatcher",
        ),
    ),
    "an inside scan of two days is one incident with at most two updates": (
        tests_of("dispatcher/test_days", "a_scanner_of_two_days_is_one_incident"),
    ),
    "when it stops, it is resolved": (
        tests_of("dispatcher/test_days", "when_it_stops_it_is_resolved_six_hours_later"),
    ),
}
DAYS: Final[Mapping[str, Row]] = {day: {PROOFS: proofs} for day, proofs in _DAYS.items()}
"""What holds of simulated days."""
