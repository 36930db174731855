"""scanner-connected over days: refused at many places, then connected."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from flowwarden.network.initiator import Basis
from flowwarden.records.model import Flow
from flowwarden.state.schema import MOST_SCANNERS
from tests.flows import flow, rejected
from tests.monitor.batches import Container
from tests.monitor.fakes_interfaces import FakeDirectory, interface
from tests.monitor.weeks import (
    CLIENT,
    IN,
    KNOCKS,
    OUT,
    POLICY,
    TODAY,
    VISITOR,
    knock,
    learned,
    look,
    paged,
    visit,
)


def test_a_flood_of_visitors_costs_a_bounded_number_of_writes() -> None:
    """The internet controls the number of visitors."""
    evidence = learned()
    writes = evidence.writes
    flood = [
        rejected(
            f"198.51.100.{host}:50000", f"{CLIENT}:{port}", tcp_flags=2, flow_direction=IN, start=TODAY + 60
        )
        for host in range(1, 101)
        for port in range(8000, 8012)
    ]
    look(flood, evidence)
    assert evidence.writes - writes <= 20


@pytest.mark.parametrize("turned", [False, True])
def test_every_container_stores_the_same_scanners(turned: bool) -> None:  # noqa: FBT001
    """Regardless of what it read before: the addresses decide which scanners are cut off."""
    evidence = learned()
    scanners = [f"198.51.100.{host}" for host in range(1, 40)]
    flows = [
        rejected(f"{each}:50000", f"{CLIENT}:{port}", tcp_flags=2, flow_direction=IN, start=TODAY + 60)
        for each in (reversed(scanners) if turned else scanners)
        for port in range(8000, 8012)
    ]
    look(flows, evidence)
    kept = {key.rpartition("#")[2] for key in evidence.items if key.startswith("scanner#")}
    assert kept == set(sorted(scanners)[:MOST_SCANNERS])


def test_a_connection_that_lasts_is_found_once_its_client_is_a_scanner() -> None:
    """It was opened before the refusals, and later records have no SYN; other visitors do not count."""
    evidence = learned()
    assert paged(visit(8082), evidence) == []
    look(KNOCKS, evidence)
    (found,) = look([without_syn(each) for each in visit(8082)], evidence)
    assert (found.detector, found.subject, str(found.service)) == ("scanner-connected", CLIENT, "tcp/8082")
    assert found.example.verdict.evidence is Basis.SCANNER
    other = [without_syn(each) for each in visit(8082, visitor="198.51.100.77")]
    assert look(other, evidence) == []
    assert look([without_syn(each) for each in visit(50_000)], evidence) == []


def without_syn(one: Flow) -> Flow:
    """A later record of the same connection."""
    ends = f"{one.srcaddr}:{one.srcport}", f"{one.dstaddr}:{one.dstport}"
    return flow(*ends, tcp_flags=0, flow_direction=one.flow_direction, start=one.start, end=one.end)


def test_a_scanner_that_connects_to_a_new_service_is_found() -> None:
    """Refused in one batch, accepted in another, in another container."""
    evidence = learned()
    assert look(KNOCKS, evidence) == []
    (found,) = look(visit(8081), evidence)
    assert (found.detector, found.subject, str(found.service)) == ("scanner-connected", CLIENT, "tcp/8081")
    (together,) = look([*KNOCKS, *visit(8081)], learned())
    assert together.detector == "scanner-connected"


def test_a_slow_scanner_is_found() -> None:
    """A few places in each batch, each in a new container; the same six places count once."""
    slow = learned()
    assert [look(KNOCKS[at : at + 4], slow) for at in range(0, 12, 4)] == [[]] * 3
    assert look(visit(8081), slow) != []
    evidence = learned()
    assert look(KNOCKS[:6], evidence) == []
    assert look([*KNOCKS[:6], *visit(8081)], evidence) == []
    assert look([*KNOCKS[6:], *visit(8081)], evidence) != []
    assert look(visit(8082), evidence) != []


def test_a_connection_before_the_last_refusals_is_found() -> None:
    """Batches overtake each other: of twelve refusals, four came before the visit and eight after it."""
    evidence = learned()
    assert look(KNOCKS[:4], evidence) == []
    assert look(visit(8081), evidence) == []
    (found,) = look(KNOCKS[4:], evidence)
    assert (found.detector, found.subject, str(found.service)) == ("scanner-connected", CLIENT, "tcp/8081")
    in_order = learned()
    (usual,) = [each for batch in (KNOCKS, visit(8081)) for each in look(batch, in_order)]
    assert (usual.subject, usual.service, usual.severity) == (found.subject, found.service, found.severity)


def test_a_late_finding_is_reported_once() -> None:
    """Not with each refusal; also if refused yesterday, accepted, and refused again today."""
    evidence = learned()
    assert look(KNOCKS[:4], evidence) == []
    assert look(visit(8081), evidence) == []
    container = Container(POLICY, evidence, FakeDirectory.of(interface("eni-1")))
    found = [len(container.found(KNOCKS, TODAY + 7200)) for _ in range(4)]
    assert found == [1, 0, 0, 0]
    over_midnight = learned()
    yesterday = [knock(port, start=TODAY - 3600, end=TODAY - 3590) for port in range(9000, 9004)]
    assert look(yesterday, over_midnight, TODAY - 1800) == []
    assert look(visit(8081), over_midnight) == []
    assert [found.detector for found in look(KNOCKS, over_midnight)] == ["scanner-connected"]


def test_visits_without_refusals_are_not_stored() -> None:
    """Otherwise each user of a new service would cause a write."""
    evidence = learned()
    writes = evidence.writes
    look([each for n in range(40) for each in visit(8081, visitor=f"203.0.113.{n}")], evidence)
    assert evidence.writes - writes <= 1, "more than the edges of the day"


def test_a_known_scanner_costs_no_more_writes() -> None:
    """Regardless of the number of further places."""
    evidence = learned()
    look(KNOCKS, evidence)
    writes = evidence.writes
    container = Container(POLICY, evidence, FakeDirectory.of(interface("eni-1")))
    for first in range(9000, 9600, 12):
        knocks = [knock(port) for port in range(first, first + 12)]
        container.found(knocks, TODAY + 7200)
    assert evidence.writes - writes <= 1
    (places,) = [sets for key, sets in evidence.items.items() if key.startswith("scanner#")]
    assert len(places["refused-at"]) <= 20


def test_visitors_without_refusals_and_usual_services_are_not_a_finding() -> None:
    """Nor are a handful of refusals or a reset."""
    evidence = learned(*visit(443))
    assert look([*KNOCKS, *visit(443)], evidence) == []
    assert look(visit(8081, visitor="203.0.113.77"), evidence) == []
    few = learned()
    assert look([*KNOCKS[:6], *visit(8081)], few) == []
    request, answer = visit(8081)
    reset = flow(f"{CLIENT}:8081", f"{VISITOR}:50001", tcp_flags=4, flow_direction=OUT, start=answer.start)
    assert look([*KNOCKS, request, reset], learned()) == []


def test_without_flags_the_refusals_identify_the_initiator() -> None:
    """Two unknown ports are weak evidence; refusals elsewhere confirm the visitor as the initiator."""
    evidence = learned()
    assert look([knock(port, tcp_flags=None) for port in range(7000, 7012)], evidence) == []
    (found,) = look(_unflagged(visit(8888)), evidence)
    assert (found.detector, found.subject, str(found.service)) == ("scanner-connected", CLIENT, "tcp/8888")
    assert (found.example.confidence, found.example.verdict.evidence) == (0.95, Basis.SCANNER)
    assert look(_unflagged(visit(8888, visitor="203.0.113.77")), evidence) == []
    assert look(_unflagged(visit(8888))[:1], evidence) == [], "found, although not answered"


def test_late_replies_do_not_make_a_scanner() -> None:
    """Without flags, they look like attempts at client ports; such a port is no service either."""
    evidence = learned()
    late = [
        rejected(f"{VISITOR}:61000", f"{CLIENT}:{port}", flow_direction=IN, start=TODAY + 3600)
        for port in range(40000, 40012)
    ]
    assert look(late, evidence) == []
    replies = [
        flow(f"{CLIENT}:40100", f"{VISITOR}:61000", start=TODAY + 5400),
        flow(f"{VISITOR}:61000", f"{CLIENT}:40100", start=TODAY + 5400),
    ]
    assert look(replies, evidence) == []
    look([knock(port, tcp_flags=None) for port in range(7000, 7012)], evidence)
    assert look(replies, evidence) == [], "found at a client port"


def test_administration_by_a_scanner_is_found_while_a_role_is_learned() -> None:
    """Any other service may be the role's purpose, and so may this one on the first two days."""
    for grave in (22, 3389, 6379):
        (found,) = paged([*KNOCKS, *visit(grave)], learned(days=2))
        assert (found.detector, found.subject) == ("scanner-connected", CLIENT)
        assert paged([*KNOCKS, *visit(grave)], learned(days=1)) == []
        assert paged([*KNOCKS, *visit(grave)], learned(*visit(grave), days=2)) == [], "found at a bastion"
    assert look([*KNOCKS, *visit(443), *visit(8081)], learned(days=2)) == []


def _unflagged(flows: Sequence[Flow]) -> list[Flow]:
    return [
        flow(
            f"{each.srcaddr}:{each.srcport}", f"{each.dstaddr}:{each.dstport}", start=each.start, end=each.end
        )
        for each in flows
    ]
