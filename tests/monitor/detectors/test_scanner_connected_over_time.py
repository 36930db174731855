"""scanner-connected over days: refused all over, and let in."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from flowwarden.network.initiator import Basis
from flowwarden.records.model import Flow
from flowwarden.state.schema import MOST_SCANNERS
from tests.flows import flow, rejected
from tests.monitor.batches import Container
from tests.monitor.fakes_interfaces import FakeDirectory, interface
from tests.monitor.weeks import CLIENT, IN, KNOCKS, OUT, POLICY, TODAY, VISITOR, knock, learned, look, visit


def test_a_flood_of_visitors_is_no_flood_of_writes() -> None:
    """The internet decides how many there are."""
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
def test_of_many_that_scan_alike_the_same_are_remembered_by_every_container(turned: bool) -> None:  # noqa: FBT001
    """Whatever it read before: which are cut off is a matter of their addresses."""
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


def test_a_scanner_that_is_let_in_somewhere_new_is_a_hit() -> None:
    """Refused in one batch, let in in another, of another container."""
    evidence = learned()
    assert look(KNOCKS, evidence) == []
    (found,) = look(visit(8081), evidence)
    assert (found.detector, found.subject, str(found.service)) == ("scanner-connected", CLIENT, "tcp/8081")
    (together,) = look([*KNOCKS, *visit(8081)], learned())
    assert together.detector == "scanner-connected"


def test_a_scanner_who_takes_his_time_is_one_all_the_same() -> None:
    """A few places in each batch, each in a container of its own; the same six are six."""
    slow = learned()
    assert [look(KNOCKS[at : at + 4], slow) for at in range(0, 12, 4)] == [[]] * 3
    assert look(visit(8081), slow) != []
    evidence = learned()
    assert look(KNOCKS[:6], evidence) == []
    assert look([*KNOCKS[:6], *visit(8081)], evidence) == []
    assert look([*KNOCKS[6:], *visit(8081)], evidence) != []
    assert look(visit(8082), evidence) != []


def test_a_hit_is_told_though_the_refusals_come_after_it() -> None:
    """Batches overtake each other: of twelve refusals four came before the visit, and eight after it."""
    evidence = learned()
    assert look(KNOCKS[:4], evidence) == []
    assert look(visit(8081), evidence) == []
    (found,) = look(KNOCKS[4:], evidence)
    assert (found.detector, found.subject, str(found.service)) == ("scanner-connected", CLIENT, "tcp/8081")
    in_order = learned()
    (usual,) = [each for batch in (KNOCKS, visit(8081)) for each in look(batch, in_order)]
    assert (usual.subject, usual.service, usual.severity) == (found.subject, found.service, found.severity)


def test_a_late_hit_is_told_once_and_whichever_day_the_refusals_are_of() -> None:
    """Not again with each refusal of the day; and refused yesterday, let in, and refused again today."""
    evidence = learned()
    assert look(KNOCKS[:4], evidence) == []
    assert look(visit(8081), evidence) == []
    container = Container(POLICY, evidence, FakeDirectory.of(interface("eni-1")))
    told = [len(container.found(KNOCKS, TODAY + 7200)) for _ in range(4)]
    assert told == [1, 0, 0, 0]
    over_midnight = learned()
    yesterday = [knock(port, start=TODAY - 3600, end=TODAY - 3590) for port in range(9000, 9004)]
    assert look(yesterday, over_midnight, TODAY - 1800) == []
    assert look(visit(8081), over_midnight) == []
    assert [found.detector for found in look(KNOCKS, over_midnight)] == ["scanner-connected"]


def test_visits_of_who_was_refused_nowhere_are_not_written_down() -> None:
    """Or each user of a new service were a write."""
    evidence = learned()
    writes = evidence.writes
    look([each for n in range(40) for each in visit(8081, visitor=f"203.0.113.{n}")], evidence)
    assert evidence.writes - writes <= 1, "the edges of the day"


def test_who_is_known_for_a_scanner_costs_no_more_writes() -> None:
    """However many places he tries after that."""
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


def test_visitors_who_knocked_nowhere_and_usual_services_are_no_hits() -> None:
    """Nor is a handful of refusals, nor a reset."""
    evidence = learned(*visit(443))
    assert look([*KNOCKS, *visit(443)], evidence) == []
    assert look(visit(8081, visitor="203.0.113.77"), evidence) == []
    few = learned()
    assert look([*KNOCKS[:6], *visit(8081)], few) == []
    request, answer = visit(8081)
    reset = flow(f"{CLIENT}:8081", f"{VISITOR}:50001", tcp_flags=4, flow_direction=OUT, start=answer.start)
    assert look([*KNOCKS, request, reset], learned()) == []


def test_without_flags_the_refusals_tell_who_started_it() -> None:
    """Two ports that nobody knows say little; that he was refused elsewhere says the rest."""
    evidence = learned()
    assert look([knock(port, tcp_flags=None) for port in range(7000, 7012)], evidence) == []
    (found,) = look(_unflagged(visit(8888)), evidence)
    assert (found.detector, found.subject, str(found.service)) == ("scanner-connected", CLIENT, "tcp/8888")
    assert (found.example.confidence, found.example.verdict.evidence) == (0.95, Basis.SCANNER)
    assert look(_unflagged(visit(8888, visitor="203.0.113.77")), evidence) == []
    assert look(_unflagged(visit(8888))[:1], evidence) == [], "not answered"


def test_answers_that_come_too_late_make_nobody_a_scanner() -> None:
    """Without flags they look like attempts at our clients' ports; nor is such a port a service."""
    evidence = learned()
    late = [
        rejected(f"{VISITOR}:61000", f"{CLIENT}:{port}", flow_direction=IN, start=TODAY + 3600)
        for port in range(40000, 40012)
    ]
    assert look(late, evidence) == []
    ours = [
        flow(f"{CLIENT}:40100", f"{VISITOR}:61000", start=TODAY + 5400),
        flow(f"{VISITOR}:61000", f"{CLIENT}:40100", start=TODAY + 5400),
    ]
    assert look(ours, evidence) == []
    look([knock(port, tcp_flags=None) for port in range(7000, 7012)], evidence)
    assert look(ours, evidence) == [], "a port of clients"


def test_a_scanner_that_is_let_in_to_administer_is_a_hit_while_a_role_is_learned() -> None:
    """Any other service may be what the role is for, and so may this one on the first two days."""
    for grave in (22, 3389, 6379):
        (found,) = look([*KNOCKS, *visit(grave)], learned(days=2))
        assert (found.detector, found.subject) == ("scanner-connected", CLIENT)
        assert look([*KNOCKS, *visit(grave)], learned(days=1)) == []
        assert look([*KNOCKS, *visit(grave)], learned(*visit(grave), days=2)) == [], "a bastion"
    assert look([*KNOCKS, *visit(443), *visit(8081)], learned(days=2)) == []


def _unflagged(flows: Sequence[Flow]) -> list[Flow]:
    return [
        flow(
            f"{each.srcaddr}:{each.srcport}", f"{each.dstaddr}:{each.dstport}", start=each.start, end=each.end
        )
        for each in flows
    ]
