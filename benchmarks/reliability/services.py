"""The table about three receivers of pages at once: SNS, chat, and a service that tracks incidents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from benchmarks.reliability.lives import Lives
from benchmarks.reliability.matrix import Row
from benchmarks.reliability.proofs import tests_of
from tests.dispatcher.lives.invariants import COPIES, NOTIFIED, RESOLVED
from tests.dispatcher.lives.stacks import THREE
from tests.faults import Fault

APART: Final = "the others get the same, once"
LATER: Final = "it gets what it missed"
ENDED: Final = "each incident ends there"
INVARIANTS: Final = APART, LATER, ENDED
_TESTS: Final = "dispatcher/lives/test_three_sinks"
_ENDS: Final = "dispatcher/test_refused_ends"
_RECURS: Final = tests_of(_TESTS, "what_recurs_before_a_service_got_its_end_ends_there_too")
_AWAY: Final = tests_of(_TESTS, "a_service_that_fails_for_some_time_affects_no_other")
_SEVERAL: Final = tests_of(_TESTS, "several_mishaps", "the_same_holds_on_the_table")


def _lives(fault: Fault, *, second: bool = False, sinks: bool = False) -> Row:
    """The row of a fault at each call, or at each call of a receiver."""
    of = {APART: (NOTIFIED, COPIES), LATER: (NOTIFIED,), ENDED: (RESOLVED,)}
    return {
        name: tuple(Lives(each, fault, second=second, sinks=sinks, pagers=THREE) for each in about)
        for name, about in of.items()
    }


SERVICES: Final[Mapping[str, Row]] = {
    "one service fails once": _lives(Fault.REFUSED, sinks=True),
    "one service does not answer once": _lives(Fault.UNANSWERED, sinks=True),
    "one service fails, or does not answer, for up to two hours": {
        APART: (_AWAY,),
        LATER: (tests_of(_TESTS, "a_service_that_was_away_gets_everything_afterward"),),
        ENDED: (_RECURS,),
    },
    "one service refuses everything for up to two hours": {
        APART: (_AWAY, tests_of(_TESTS, "what_a_service_refused_is_not_sent_there_again")),
        LATER: (
            tests_of(_TESTS, "ends_that_a_service_refused_are_sent_there_after_the_repair"),
            tests_of(_ENDS, "it_is_reported_once_and_tried_again_after_half_an_hour"),
        ),
        ENDED: (
            _RECURS,
            tests_of(
                _ENDS,
                "if_it_recurs_meanwhile_it_goes_on_and_its_next_end_is_sent",
                "a_run_that_ends_at_any_call_neither_loses_the_end_nor_repeats_it",
            ),
        ),
    },
    "a call to the table or a service fails": _lives(Fault.REFUSED),
    "its answer is lost": _lives(Fault.UNANSWERED),
    "a crash before it, and a second dispatcher runs": _lives(Fault.CRASH_BEFORE, second=True),
    "a crash after it, and a second dispatcher runs": _lives(Fault.CRASH_AFTER, second=True),
    "several mishaps at once": dict.fromkeys(INVARIANTS, (_SEVERAL,)),
}
"""The row of each fault."""
