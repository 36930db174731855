"""The table of faults and invariants: the proofs of each cell, and their results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from benchmarks.reliability.deletions import Deletions, Foreign
from benchmarks.reliability.poison import Poison
from benchmarks.reliability.proofs import ByTests, Evidence, Loaded, MonitorCalls, Proof, Verdict, tests_of
from benchmarks.tables import table
from tests.faults import Fault

LOST: Final = "no page lost"
COPIES: Final = "copies ≤ 2"
FOREIGN: Final = "no foreign deletion"
REPORTED: Final = "deletions reported once"
WRITES: Final = "writes ≤ 200"
LINES: Final = "lines accounted for"
RAW: Final = "no raw control character"
INVARIANTS: Final = LOST, COPIES, FOREIGN, REPORTED, WRITES, LINES, RAW
INAPPLICABLE: Final = "–"  # noqa: RUF001 - a dash in a table

type Row = Mapping[str, tuple[Proof, ...]]
"""The proofs of each invariant. An invariant without proofs does not apply to the fault."""


_REPLACEMENT: Final = tests_of(
    "enforcer/test_replacement", "no_fault_uncovers_a_covered_vpc_or_deletes_an_unmanaged_flow_log"
)

_REDRIVEN: Final = (
    tests_of(
        "redrive/test_pages_once",
        "a_batch_that_failed_pages_once_when_it_is_processed_again",
        "a_command_that_ends_after_the_invocation_neither_loses_the_batch_nor_pages_twice",
    ),
)


def _failing(fault: Fault, poison: Poison, *, cold: bool) -> Row:
    """The row of a failing call. The proofs of the enforcer and of the load run are in the cold rows only."""
    row: dict[str, tuple[Proof, ...]] = {
        LOST: (MonitorCalls(fault, cold, "lost"),),
        COPIES: (MonitorCalls(fault, cold, "repeated"),),
    }
    if not cold:
        return row
    others: tuple[Proof, ...] = () if fault.crashes else (_REPLACEMENT,)
    return row | {
        FOREIGN: (Foreign(fault), *others),
        REPORTED: (Deletions(fault),),
        WRITES: (Loaded(poison, "writes"),),
        LINES: (Loaded(poison, "lines"),),
        RAW: (Loaded(poison, "text"),),
    }


def _loaded(poison: Poison | None) -> Row:
    return {
        LOST: (Loaded(poison, "pages"),),
        COPIES: (Loaded(poison, "pages"),),
        WRITES: (Loaded(poison, "writes"),),
        LINES: (Loaded(poison, "lines"),),
        RAW: (Loaded(poison, "text"),),
    }


FAULTS: Final[Mapping[str, Row]] = {
    "a call is refused, warm": _failing(Fault.REFUSED, Poison.REFUSED, cold=False),
    "a call is refused, cold": _failing(Fault.REFUSED, Poison.REFUSED, cold=True),
    "an answer is lost, warm": _failing(Fault.UNANSWERED, Poison.UNANSWERED, cold=False),
    "an answer is lost, cold": _failing(Fault.UNANSWERED, Poison.UNANSWERED, cold=True),
    "a crash before a call": _failing(Fault.CRASH_BEFORE, Poison.CRASH_BEFORE, cold=True),
    "a crash after a call": _failing(Fault.CRASH_AFTER, Poison.CRASH_AFTER, cold=True),
    "a slow table": {
        LOST: (
            tests_of(
                "monitor/test_slow_services",
                "a_table_of_a_fifth_of_a_second_per_call_delays_no_page",
                "no_latency_keeps_pages_from_going_out",
            ),
        ),
        COPIES: (
            tests_of(
                "monitor/test_slow_services", "a_page_that_is_sent_is_confirmed_although_the_budget_is_spent"
            ),
        ),
    },
    "no table": {
        LOST: (tests_of("monitor/test_pipeline", "without_the_state_table_pages_are_sent"),),
        FOREIGN: (
            tests_of(
                "enforcer/test_managed",
                "without_the_state_table_nothing_is_deleted",
                "nothing_is_deleted_before_the_deletion_is_stored",
            ),
        ),
        REPORTED: (
            tests_of(
                "enforcer/test_deletion_events",
                "without_the_state_table_a_deletion_is_reported_with_the_principal",
            ),
        ),
    },
    "a damaged item": {
        LOST: (
            tests_of("functions/test_hostile_state", "no_damage_to_an_item_loses_a_page_or_fails_a_batch"),
            tests_of("aws/dynamodb/test_damaged_items", "a_damaged_claim_silences_no_incident"),
        ),
        FOREIGN: (
            tests_of(
                "enforcer/test_damaged_registry",
                "a_damaged_record_deletes_nothing_and_is_reported_once",
                "a_record_with_an_impossible_time_proves_nothing",
            ),
        ),
        REPORTED: (
            tests_of(
                "enforcer/test_damaged_registry",
                "an_impossible_time_keeps_no_deletion_from_being_reported",
                "a_deletion_with_an_impossible_time_hides_no_flow_log",
            ),
        ),
    },
    "a malformed AWS response": {
        LOST: (
            tests_of(
                "aws/test_hostile_answers",
                "a_malformed_description_costs_the_monitor_no_other_interface",
                "a_malformed_flow_log_costs_no_other_log_format",
            ),
        ),
        REPORTED: (
            tests_of(
                "enforcer/test_missed_deletions",
                "an_unreadable_description_is_no_deletion",
                "what_cannot_be_read_of_others_hides_no_deletion",
            ),
        ),
    },
    "a call about names fails": {
        LOST: (
            tests_of(
                "aws/ec2/test_names_refused",
                "a_call_that_fails_leaves_the_rest_of_the_page",
                "without_any_permission_the_page_goes_out",
            ),
            tests_of(
                "monitor/test_names_on_pages",
                "a_page_without_names_is_as_before_and_says_why",
                "slow_lookups_delay_a_page_by_a_bounded_time",
            ),
        ),
        RAW: (
            tests_of("monitor/test_names_on_pages", "odd_names_harm_no_page"),
            tests_of(
                "monitor/render/test_named_host",
                "no_text_from_outside_leaves_its_line",
                "hostile_text_anywhere_in_a_description_adds_no_line",
            ),
        ),
    },
    "a call about rules fails": {
        LOST: (
            tests_of(
                "aws/ec2/test_rules_refused",
                "a_call_that_fails_leaves_the_page_as_it_is",
                "without_any_permission_the_page_goes_out",
            ),
            tests_of(
                "monitor/rules/test_pages",
                "pages_are_on_time_while_ec2_hangs_or_throttles",
                "pages_are_on_time_while_ec2_is_slow",
            ),
        ),
    },
    "forged text": {
        **_loaded(Poison.HOSTILE),
        RAW: (
            Loaded(Poison.HOSTILE, "text"),
            tests_of(
                "monitor/render/test_hostile_text",
                "hostile_text_anywhere_in_a_finding_adds_no_line",
                "hostile_text_about_the_batch_adds_no_line",
                "hostile_text_in_a_roll_up_adds_no_line",
            ),
            tests_of(
                "enforcer/reporting/test_hostile_text", "hostile_text_anywhere_in_a_report_adds_no_line"
            ),
            tests_of(
                "cli/test_hostile",
                "no_source_raises_or_reaches_the_terminal_raw",
                "no_explained_line_raises_or_reaches_the_terminal_raw",
                "no_name_of_a_file_raises_or_reaches_the_terminal_raw",
            ),
        ),
    },
    "malformed lines": _loaded(Poison.MALFORMED),
    "mostly unparsed lines": _loaded(Poison.UNPARSED),
    "an undecodable payload": {
        LINES: (
            Loaded(Poison.PAYLOAD, "lines"),
            tests_of("functions/test_monitor_events", "an_invalid_event_raises_its_error"),
        )
    },
    "a batch delivered twice": _loaded(None),
    "a batch from a failure queue": {
        LOST: (
            *_REDRIVEN,
            tests_of("redrive/test_redrive", "a_message_in_process_is_not_lost_when_the_command_ends"),
        ),
        COPIES: _REDRIVEN,
    },
    "a loud batch": {
        LOST: (tests_of("monitor/test_loud_batches", "findings_beyond_the_budget_are_counted_and_stated"),),
        WRITES: (
            tests_of(
                "monitor/test_loud_batches",
                "any_batch_makes_at_most_200_writes",
                "the_loudest_shapes_make_few_calls",
            ),
        ),
    },
    "the stack's tag on everything": {
        FOREIGN: (
            tests_of(
                "enforcer/test_managed",
                "with_our_tag_on_everything_nothing_of_others_is_changed",
                "a_tagged_flow_log_without_a_record_covers_and_is_reported_once",
            ),
        )
    },
    "a flow log deleted by others": {
        REPORTED: (
            tests_of(
                "enforcer/test_deletions",
                "a_deletion_is_reported_once_under_every_circumstance",
                "a_deletion_is_reported_once_in_every_order",
            ),
        )
    },
}
"""The row of each kind of fault. The retry runs in the same container ("warm") or in a new one ("cold")."""


class Cell(Struct, frozen=True):
    """A cell of the table."""

    fault: str
    invariant: str
    verdicts: tuple[Verdict, ...]

    @property
    def failures(self) -> list[str]:
        """The failed proofs, in words."""
        return [f"{self.fault}, {self.invariant}: {why}" for each in self.verdicts for why in each.failures]

    @property
    def text(self) -> str:
        """The proofs; a dash if the invariant does not apply."""
        return (
            "FAILED" if self.failures else " + ".join(each.proven for each in self.verdicts) or INAPPLICABLE
        )


def cell_tests(*tables: Mapping[str, Row]) -> list[str]:
    """The tests of all cells of these tables."""
    rows = (row for faults in tables for row in faults.values())
    proofs = (proof for row in rows for some in row.values() for proof in some)
    return sorted({each for proof in proofs if isinstance(proof, ByTests) for each in proof.node_ids})


def prove(
    evidence: Evidence, faults: Mapping[str, Row] = FAULTS, invariants: Sequence[str] = INVARIANTS
) -> list[Cell]:
    """Evaluate the proofs of every cell, row by row."""
    return [
        Cell(fault, invariant, tuple(proof.verdict(evidence) for proof in row.get(invariant, ())))
        for fault, row in faults.items()
        for invariant in invariants
    ]


def markdown(cells: Iterable[Cell], head: str = "fault") -> str:
    """The table; `head` is that of its first column."""
    rows, columns = dict[str, list[str]](), dict[str, None]()
    for each in cells:
        columns[each.invariant] = None
        rows.setdefault(each.fault, [each.fault]).append(each.text)
    return table((head, *columns), rows.values())
