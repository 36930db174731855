"""Learning: what a batch adds to the baselines, and what it does not."""

from __future__ import annotations

from flowwarden.errors import StateUnavailable
from flowwarden.policy.policy import Policy
from tests.monitor.batches import Container
from tests.monitor.fakes_interfaces import FakeDirectory, interface
from tests.monitor.fakes_state import MemoryEvidence
from tests.monitor.weeks import DAY, KNOCKS, POLICY, SCAN, TODAY, got, learned, look, moved, tried


class Hanging(MemoryEvidence):
    """A table that answers nothing, and counts the calls."""

    waited: int = 0

    def _answer(self) -> None:
        self.waited += 1
        raise StateUnavailable("ReadTimeoutError, by the test")


def test_an_incident_is_not_learned() -> None:
    """Otherwise three days of it would make it usual."""
    evidence = learned()
    with_success = [*SCAN, *got("10.0.9.99", 8080)]
    for ago in range(4):
        at = TODAY + ago * DAY + 3600
        flows = [moved(each, at) for each in with_success]
        assert [found.detector for found in look(flows, evidence, at)] == ["scan"]


def test_a_container_writes_new_edges_once() -> None:
    """And nothing for an ordinary batch."""
    evidence = learned()
    writes = evidence.writes
    one = Container(POLICY, evidence, FakeDirectory.of(interface("eni-1")))
    for _ in range(5):
        one.found(got("10.0.3.1", 5432), TODAY + 7200)
    assert evidence.writes == writes + 1, "the day's edges"


def test_nothing_is_learned_from_an_exempt_host() -> None:
    """What only it may do is not usual for the others."""
    policy = Policy(exempt=("10.0.0.1",))  # the interface's address in EC2
    evidence = MemoryEvidence()
    for ago in range(21, 0, -1):
        look(got("10.0.9.200", 22, TODAY - ago * DAY + 3600), evidence, TODAY - ago * DAY + 3600, policy)
    assert evidence.items == {}


def test_a_hanging_table_is_called_once_per_batch() -> None:
    """Each call takes seconds from the time for sending pages."""
    table = Hanging()
    many = [tried(f"10.0.9.{host}", 8080) for host in range(1, 60)]
    assert [found.detector for found in look([*many, *KNOCKS], table)] == ["scan"]
    assert table.waited == 1
