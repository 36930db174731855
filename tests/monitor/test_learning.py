"""Learning: what a batch adds to the baselines, and what it does not."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from flowwarden.errors import StateUnavailable
from flowwarden.monitor.baseline.baseline import Edge
from flowwarden.monitor.baseline.peers import DYNAMIC, peer_of
from flowwarden.network.direction import INTERNET, OWN
from flowwarden.network.services import SERVICE_NAMES, TCP
from flowwarden.policy.policy import Policy
from flowwarden.records.model import Flow
from tests.examples import examples
from tests.flows import flow
from tests.monitor.batches import Container, table
from tests.monitor.fakes_interfaces import FakeDirectory, interface
from tests.monitor.fakes_state import MemoryEvidence
from tests.monitor.weeks import DAY, KNOCKS, POLICY, SCAN, TODAY, got, lasting, learned, look, moved, tried


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


def known(evidence: MemoryEvidence, port: int, server: str, at: int) -> bool:
    """Whether the role usually connects to the port of the server, on the day of `at`."""
    view, _ = Container(POLICY, evidence, FakeDirectory.of(interface("eni-1"))).begin(
        table(tried(server, port, at))
    )
    return view.profile("eni-1", at).knows(
        Edge("out", TCP, min(port, DYNAMIC), peer_of(server, class_of(server)))
    )


def class_of(server: str) -> int:
    """The class of a server of these tests."""
    return OWN if server.startswith("10.") else INTERNET


SERVERS = st.sampled_from(["203.0.113.9", "10.0.7.7"])
PORTS = st.one_of(st.sampled_from([4444, 9001, 31_337, 40_000, 50_000]), st.integers(11_000, 65_000))


@given(server=SERVERS, port=PORTS, days=st.lists(st.integers(0, 5), min_size=1, max_size=8))
@examples(0.3)
def test_later_records_alone_make_nothing_usual(server: str, port: int, days: list[int]) -> None:
    """A connection whose opening was not seen cannot be reported, so it is not learned, on whichever days."""
    assume(port not in SERVICE_NAMES)
    evidence = MemoryEvidence(dict(LEARNED.items))
    for day in sorted(days):
        look(lasting(server, port, TODAY + day * DAY + 3600), evidence, TODAY + day * DAY + 3660)
    assert not known(evidence, port, server, TODAY + 6 * DAY)


@pytest.mark.parametrize("server", ["203.0.113.9", "10.0.7.7"])
def test_a_connection_that_lasts_is_learned_from_its_opening_on(server: str) -> None:
    """Seen on two days it is usual, and stays so as long as it lasts, without another opening."""
    evidence = learned(*got("198.51.100.7", 443))
    look(got(server, 4444, TODAY + 3600), evidence, TODAY + 3660)
    assert not known(evidence, 4444, server, TODAY + DAY)
    for day in range(1, 40):
        at = TODAY + day * DAY + 3600
        look(lasting(server, 4444, at), evidence, at + 60)
    assert known(evidence, 4444, server, TODAY + 40 * DAY)


def test_a_role_that_is_learned_learns_connections_that_were_open_before() -> None:
    """Nothing new is reported yet, so the guess does no harm: else each reconnection would be new."""
    evidence = learned(*lasting("203.0.113.9", 4444))
    assert known(evidence, 4444, "203.0.113.9", TODAY)


def test_without_flags_every_record_is_learned() -> None:
    """None shows more than another."""
    evidence = MemoryEvidence(dict(LEARNED.items))
    for day in range(2):
        at = TODAY + day * DAY + 3600
        flows = [without_flags(each) for each in got("203.0.113.9", 4444, at)]
        look(flows, evidence, at + 60)
    assert known(evidence, 4444, "203.0.113.9", TODAY + 2 * DAY)


def without_flags(one: Flow) -> Flow:
    """The flow in a format without the field."""
    ends = f"{one.srcaddr}:{one.srcport}", f"{one.dstaddr}:{one.dstport}"
    return flow(*ends, flow_direction=one.flow_direction, start=one.start, end=one.end)


LEARNED = learned(*got("198.51.100.7", 443))


def test_a_hanging_table_is_called_once_per_batch() -> None:
    """Each call takes seconds from the time for sending pages."""
    table = Hanging()
    many = [tried(f"10.0.9.{host}", 8080) for host in range(1, 60)]
    assert [found.detector for found in look([*many, *KNOCKS], table)] == ["scan"]
    assert table.waited == 1
