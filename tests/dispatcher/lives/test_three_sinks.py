"""Three receivers of pages at once: one that fails neither loses nor repeats what the others get."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.errors import PublishFailed, PublishRefused, PublishUnanswered
from tests.dispatcher.lives import invariants
from tests.dispatcher.lives.invariants import violations
from tests.dispatcher.lives.scenario import FIRST, LAST_SEEN, MINUTES, NOON, SEEN, Batch
from tests.dispatcher.lives.simulated_stack import TRACKER, Mishaps, Outage, SimulatedStack
from tests.dispatcher.lives.stacks import THREE, in_memory, on_table
from tests.examples import examples
from tests.faults import Fault
from tests.matrix import some

WELL: Final[Mapping[str, list[str]]] = {name: [] for name in invariants.INVARIANTS}
ERRORS: Final = (
    PublishFailed("no connection"),
    PublishUnanswered("read timeout"),
    PublishRefused("the service answered with status 404"),
)
CALLS: Final = st.integers(0, 320)


def lived(mishaps: Mishaps | None = None, outage: Outage | None = None) -> SimulatedStack:
    """A stack with three receivers after some hours."""
    return SimulatedStack(in_memory(), mishaps or Mishaps({}), pagers=THREE, outage=outage).live()


def got(stack: SimulatedStack, sink: str) -> Counter[tuple[str, tuple[str, ...]]]:
    """What a receiver got: the events, and the incidents that they are about."""
    return Counter((each.event, each.keys) for each in stack.sent if each.sink == sink)


def test_without_a_fault_all_three_get_the_same() -> None:
    """But the one that tracks incidents gets each end by itself."""
    stack = lived()
    assert violations(stack) == WELL
    assert got(stack, "sns") == got(stack, "chat")
    pages, tracked = got(stack, "sns"), got(stack, TRACKER)
    assert {each: n for each, n in tracked.items() if each[0] != "resolved"} == {
        each: n for each, n in pages.items() if each[0] != "resolved"
    }
    assert {keys for event, keys in tracked if event == "resolved"} == {(key,) for key in LAST_SEEN}


@pytest.mark.matrix(8)
@pytest.mark.parametrize("error", ERRORS, ids=lambda each: type(each).__name__)
@pytest.mark.parametrize("sink", THREE)
@pytest.mark.parametrize("minutes", [1, 20, 120])
def test_a_service_that_fails_for_some_time_affects_no_other(
    sink: str, error: PublishFailed, minutes: int
) -> None:
    """The others get exactly what they would have got, once."""
    stack, well = lived(outage=Outage(sink, NOON, NOON + 60 * minutes, error)), lived()
    for other in {*THREE} - {sink}:
        assert got(stack, other) == got(well, other), other


@pytest.mark.parametrize("sink", THREE)
def test_a_service_that_was_away_gets_everything_afterward(sink: str) -> None:
    """Pages and ends; none of them twice."""
    stack = lived(outage=Outage(sink, NOON, NOON + 7 * 60, ERRORS[0]))
    assert violations(stack) == WELL


def test_what_a_service_refused_is_not_sent_there_again() -> None:
    """What comes later is."""
    stack, well = lived(outage=Outage("chat", NOON, NOON + 600, ERRORS[2])), lived()
    refused = got(well, "chat") - got(stack, "chat")
    assert {event for event, _ in refused} <= {"page", "roll-up"}
    assert sum(refused.values()) == sum(each.sink == "chat" and each.at < NOON + 600 for each in well.sent)


@pytest.mark.parametrize("sink", THREE)
def test_ends_that_a_service_refused_are_sent_there_after_the_repair(sink: str) -> None:
    """Each once, as without the refusal; only their times differ."""
    stack, well = lived(outage=Outage(sink, ENDING, ENDING + 3600, ERRORS[2])), lived()
    for each in THREE:
        ends = [
            Counter(
                key for one in lives.sent if one.sink == each and one.event == "resolved" for key in one.keys
            )
            for lives in (stack, well)
        ]
        assert ends[0] == ends[1], each


ENDING: Final = SEEN[0] + 60
"""When `b` to `e` are resolved."""
ENDED: Final = [(key, severity) for key, severity, _ in FIRST.alerts if key != "a"]
RECURS: Final = tuple(
    Batch(f"recurs {gravity}", ENDING + 30, tuple((key, severity, gravity) for key, severity in ENDED))
    for gravity in (2, 3)
)
"""They recur while one service has not got their ends: as before, and worse."""


@pytest.mark.matrix(6)
@pytest.mark.parametrize("error", ERRORS, ids=lambda each: type(each).__name__)
@pytest.mark.parametrize("again", RECURS, ids=lambda each: each.name)
@pytest.mark.parametrize("sink", THREE)
def test_what_recurs_before_a_service_got_its_end_ends_there_too(
    sink: str, again: Batch, error: PublishFailed
) -> None:
    """The last that each service gets of each incident is its end; the others get every end."""
    outage = Outage(sink, ENDING, ENDING + 120, error)
    stack = SimulatedStack(in_memory(), Mishaps({}), pagers=THREE, outage=outage, more=(again,)).live()
    well = SimulatedStack(in_memory(), Mishaps({}), pagers=THREE, more=(again,)).live()
    assert ENDING in MINUTES
    for each in THREE:
        for key in LAST_SEEN:
            course = [one.event for one in stack.sent if one.sink == each and key in one.keys]
            assert course[-1] == "resolved", (each, key, course)
        if each != sink:
            assert got(stack, each) == got(well, each)
    assert stack.ports.incidents.due(10**12, 100) == []


@pytest.mark.matrix(4)
@pytest.mark.hypothesis
@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("second", [False, True], ids=["alone", "with a second dispatcher"])
def test_each_call_fails_once_in_each_way(fault: Fault, *, second: bool) -> None:
    """As with two receivers."""
    calls = lived().mishaps.calls
    for number, _ in some([*enumerate(calls[: lived().calls])], 5, f"three {fault} {second}"):
        stack = lived(Mishaps({number: fault}, {number} if second else ()))
        assert violations(stack) == WELL, (number, calls[number])


@given(failing=st.dictionaries(CALLS, st.sampled_from(Fault), max_size=3), others=st.sets(CALLS, max_size=3))
def test_several_mishaps(failing: Mapping[int, Fault], others: set[int]) -> None:
    """Of the services, of the table, and of the functions."""
    assert violations(lived(Mishaps(failing, others))) == WELL


@pytest.mark.slow
@pytest.mark.usefixtures("state_table")
@examples(0.1)
@given(failing=st.dictionaries(CALLS, st.sampled_from(Fault), max_size=3))
def test_the_same_holds_on_the_table(failing: Mapping[int, Fault]) -> None:
    """On an emulator of DynamoDB."""
    assert violations(SimulatedStack(on_table(), Mishaps(failing), pagers=THREE).live()) == WELL
