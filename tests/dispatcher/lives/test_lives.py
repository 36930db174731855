"""Whatever fails, once or several times: each receiver gets each incident and its end, within the budget."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cache
from itertools import product
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flowwarden.unreadable import CLOCKS
from tests.dispatcher.lives import invariants
from tests.dispatcher.lives.invariants import violations
from tests.dispatcher.lives.scenario import LAST_SEEN, TERMS
from tests.dispatcher.lives.simulated_stack import Mishaps, SimulatedStack
from tests.dispatcher.lives.stacks import lived, on_table
from tests.examples import examples
from tests.faults import Fault
from tests.matrix import some

WELL: Final[Mapping[str, list[str]]] = {name: [] for name in invariants.INVARIANTS}
CALLS: Final = st.integers(0, 220)
SEVERAL: Final = st.dictionaries(CALLS, st.sampled_from(Fault), max_size=3)
OTHERS: Final = st.sets(CALLS, max_size=3)
SKEWS: Final = st.integers(-CLOCKS, CLOCKS)
SMALL_SKEWS: Final = st.integers(-TERMS.lease, TERMS.lease)
"""If clocks differed by more than a lease, a dispatcher would send what a batch is just sending."""


@cache
def calls() -> tuple[str, ...]:
    """The calls of a stack without mishaps."""
    stack = lived()
    return tuple(stack.mishaps.calls[: stack.calls])


def test_without_mishaps_everything_is_sent_once() -> None:
    """Both receivers get the same: three pages, a roll-up of two, an update and a new page, and six ends."""
    stack = lived()
    for sink in ("chat", "mail"):
        events = Counter(each.event for each in stack.sent if each.sink == sink)
        assert events == {"page": 5, "roll-up": 1, "resolved": len(LAST_SEEN)}
    (digest,) = (each for each in stack.sent if each.sink == "operations")
    assert digest.event == "hourly-digest"
    assert violations(stack) == WELL


@pytest.mark.matrix(4)
@pytest.mark.hypothesis
@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("second", [False, True], ids=["alone", "with a second dispatcher"])
def test_each_call_fails_once_in_each_way(fault: Fault, *, second: bool) -> None:
    """`make reliability` tries every call."""
    for number, _ in some([*enumerate(calls())], 5, f"{fault} {second}"):
        stack = lived(Mishaps({number: fault}, {number} if second else ()))
        assert violations(stack) == WELL, (number, calls()[number])
        assert [each for _, each in stack.mishaps.hit] == [fault]


@pytest.mark.matrix
@pytest.mark.hypothesis
def test_a_second_dispatcher_runs_at_each_call() -> None:
    """From begin to end, while the other function is at this call."""
    for number, _ in some([*enumerate(calls())], 10, "second"):
        assert violations(lived(Mishaps({}, {number}))) == WELL, number


@pytest.mark.matrix
@pytest.mark.hypothesis
def test_the_table_is_away_for_many_calls() -> None:
    """From any call on, throttled or absent: calls of the sinks work. Then it answers again."""
    for number, length in some([*product(range(len(calls())), (5, 20, 60))], 8, "away"):
        away = {
            each: Fault.REFUSED
            for each in range(number, min(number + length, len(calls())))
            if not invariants.is_sink(calls()[each])
        }
        assert violations(lived(Mishaps(away))) == WELL, (number, length)


@given(failing=SEVERAL, others=OTHERS, skew=SMALL_SKEWS, twice=st.booleans())
def test_several_mishaps(failing: Mapping[int, Fault], others: set[int], skew: int, *, twice: bool) -> None:
    """With clocks that differ, and batches that are delivered twice."""
    assert violations(lived(Mishaps(failing, others), skew=skew, twice=twice)) == WELL


@given(skew=SKEWS, twice=st.booleans())
def test_clocks_differ_and_batches_come_twice(skew: int, *, twice: bool) -> None:
    """Without a fault, each notification arrives exactly once."""
    stack = lived(skew=skew, twice=twice)
    assert violations(stack) == WELL
    assert max(Counter((each.sink, each.event, each.what) for each in stack.sent).values()) == 1


@pytest.mark.slow
@pytest.mark.usefixtures("state_table")
@examples(0.1)
@given(failing=SEVERAL, others=OTHERS, skew=SMALL_SKEWS, twice=st.booleans())
def test_the_same_holds_on_the_table(
    failing: Mapping[int, Fault], others: set[int], skew: int, *, twice: bool
) -> None:
    """On an emulator of DynamoDB."""
    assert violations(SimulatedStack(on_table(), Mishaps(failing, others), skew, twice).live()) == WELL


@pytest.mark.slow
@pytest.mark.usefixtures("state_table")
def test_the_fakes_make_the_same_calls_as_the_table() -> None:
    """So the numbers of the calls mean the same in both."""
    stack = SimulatedStack(on_table(), Mishaps({})).live()
    assert [each.partition(".")[2] for each in stack.mishaps.calls[: stack.calls]] == [
        each.partition(".")[2] for each in calls()
    ]
    assert stack.sent == lived().sent


def broken(stack: SimulatedStack) -> set[str]:
    """The invariants that do not hold."""
    return {name for name, found in violations(stack).items() if found}


def test_each_invariant_can_fail() -> None:
    """If a notification is lost, repeated, sent too early or too late, or a digest counts a batch twice."""
    stack = lived()
    sent = list(stack.sent)
    page = next(each for each in sent if each.event == "page" and not each.critical)
    end = next(each for each in sent if each.event == "resolved")
    digest = next(each for each in sent if each.event == "hourly-digest")
    for changed, expected in (
        ([each for each in sent if each is not page], set()),  # `a` gets worse: it is sent again
        ([each for each in sent if each.keys != page.keys], {invariants.NOTIFIED, invariants.RESOLVED}),
        ([*sent, page], {invariants.COPIES}),
        ([*sent, *(replace(page, keys=(key,)) for key in LAST_SEEN)],
         {invariants.BUDGET, invariants.COPIES}),
        ([*sent, end], {invariants.RESOLVED}),
        ([*sent, replace(end, at=end.at - 2 * 3600)], {invariants.RESOLVED}),
        ([*sent, digest], {invariants.DIGESTS}),
        ([each for each in sent if each is not digest], {invariants.DIGESTS}),
        ([replace(each, what="3 batches") if each is digest else each for each in sent],
         {invariants.DIGESTS}),
    ):  # fmt: skip
        stack.sent = changed
        assert broken(stack) == expected
