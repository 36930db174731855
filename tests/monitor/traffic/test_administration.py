"""Administration in a window: the bound of its sets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flowwarden.monitor.traffic.administration import bounded
from flowwarden.monitor.traffic.excess import ADMINISTERED, FAILED, SESSIONS
from flowwarden.state.schema import CONTACTS_DAY, MOST_SESSIONS
from flowwarden.state.sets import Addition, merged
from tests.monitor.batches import Container
from tests.monitor.fakes_interfaces import FakeDirectory, interface
from tests.monitor.weeks import TODAY, got, learned

NUMBERS = st.frozensets(st.integers(0, 2**31 - 1), max_size=60)


@given(NUMBERS, NUMBERS)
def test_a_small_window_gets_everything(numbers: frozenset[int], known: frozenset[int]) -> None:
    """And what it has is not written again."""
    before = {SESSIONS: known, ADMINISTERED: known}
    added = bounded(Addition("k", {SESSIONS: numbers, FAILED: frozenset({1})}, 9), before)
    assert merged(before, added.sets)[SESSIONS] == known | numbers
    assert (added.key, added.kept_until, added.sets[FAILED]) == ("k", 9, frozenset({1}))
    assert known.isdisjoint(added.sets.get(SESSIONS, ()))


def test_a_full_window_gets_nothing_more() -> None:
    """Of too many numbers in a batch, the same ones remain in every container."""
    many = frozenset(range(3 * MOST_SESSIONS))
    first = bounded(Addition("k", {SESSIONS: many}, 9), {})
    assert first.sets == {SESSIONS: frozenset(range(MOST_SESSIONS))}
    assert bounded(Addition("k", {SESSIONS: many}, 9), first.sets).sets == {}


def test_a_host_that_administers_thousands_keeps_its_windows_small() -> None:
    """Over many batches of a container, and its lateral movement is found."""
    evidence, detectors = learned(), set()
    container = Container(evidence=evidence, directory=FakeDirectory.of(interface("eni-1")))
    for net in range(20, 40):
        flows = [each for host in range(1, 100) for each in got(f"10.0.{net}.{host}", 22)]
        detectors |= {each.detector for each in container.found(flows, TODAY + 7200)}
    assert "lateral-movement" in detectors
    windows = [sets for key, sets in evidence.items.items() if key.startswith(CONTACTS_DAY.prefix)]
    for name in (SESSIONS, ADMINISTERED):
        assert max(len(sets.get(name, ())) for sets in windows) == MOST_SESSIONS
