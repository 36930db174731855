"""Grave behavior of a host whose role is new in a learned VPC: a changed tag does not turn detectors off."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec.structs import replace as with_fields

from flowwarden.monitor.baseline.baseline import LEARNING_DAYS
from flowwarden.records.model import Flow
from tests.flows import flow
from tests.monitor.fakes_interfaces import FakeDirectory, interface
from tests.monitor.fakes_state import MemoryEvidence
from tests.monitor.weeks import CLIENT, DAY, IN, OUT, TODAY, got, learned, look, tried

RENAMED = FakeDirectory.of(interface("eni-1", "maintenance"))
ELSEWHERE = FakeDirectory.of(with_fields(interface("eni-1", "maintenance"), vpc_id="vpc-2"))
UNTAGGED = FakeDirectory.of(with_fields(interface("eni-1"), tags={}))
OTHERS = FakeDirectory.of(interface("eni-1", "another"))

MOVES = [each for host in (1, 2, 3) for each in got(f"10.0.9.{host}", 22)]
GUESSES = [each for port in range(45) for each in got("10.0.9.1", 22, client_port=41_000 + port)]
SERVED = [
    flow("10.0.7.7:41000", f"{CLIENT}:5432", tcp_flags=2, flow_direction=IN),
    flow(f"{CLIENT}:5432", "10.0.7.7:41000", tcp_flags=18, flow_direction=OUT),
]


def found(flows: list[Flow], evidence: MemoryEvidence, known: FakeDirectory) -> list[str]:
    """The detectors with a finding that pages, in a copy of the evidence."""
    table = replace(evidence, items=dict(evidence.items))
    return [each.detector for each in look(flows, table, known=known) if each.severity.pages]


@pytest.mark.parametrize("known", [RENAMED, UNTAGGED], ids=["another tag", "no tag"])
def test_grave_behavior_of_a_new_role_is_found_in_a_learned_vpc(known: FakeDirectory) -> None:
    """As that of a role without any usual behavior."""
    evidence = learned()
    assert found(MOVES, evidence, known) == ["lateral-movement"]
    assert found(GUESSES, evidence, known) == ["brute-force"]
    for strange in got("10.0.9.1", 22), got("203.0.113.9", 4444):
        assert found(SERVED + strange, evidence, known) == ["database-egress"]


def test_ordinary_behavior_of_a_new_role_is_learned() -> None:
    """A deployment: all of it is new, and none of it is grave."""
    evidence = learned()
    services = [each for host in range(1, 30) for each in got(f"10.0.9.{host}", 8080)]
    outside = [each for host in range(1, 9) for each in got(f"203.0.113.{host}", 443)]
    controllers = [
        each
        for host in (10, 11, 12)
        for port in (53, 88, 389, 445, 135)
        for each in got(f"10.0.50.{host}", port)
    ]
    assert found(services + outside + MOVES[:4] + controllers, evidence, RENAMED) == []
    assert found(SERVED + got("203.0.113.9", 443), evidence, RENAMED) == []
    per_request = [each for port in range(500) for each in got("10.0.9.1", 3306, client_port=41_000 + port)]
    assert found(per_request, evidence, RENAMED) == []
    failures = [tried(f"10.0.9.{host}", 8080) for host in range(1, 15)]
    assert found(failures, evidence, RENAMED) == [], "scan found, although the role is learned"


def test_in_a_new_vpc_everything_is_learned() -> None:
    """The first two weeks of a deployment are quiet, and so are those of another VPC."""
    evidence = learned()
    for flows in MOVES, GUESSES, SERVED + got("203.0.113.9", 4444):
        assert found(flows, evidence, ELSEWHERE) == []
        assert found(flows, MemoryEvidence(), RENAMED) == []


@pytest.mark.parametrize(("days", "judged"), [(1, False), (7, False), (LEARNING_DAYS - 1, False), (16, True)])
def test_a_vpc_is_learned_as_long_as_a_role(days: int, *, judged: bool) -> None:
    """Its age is that of its first learned day."""
    assert bool(found(MOVES, learned(days=days), RENAMED)) is judged


def test_a_table_that_does_not_answer_makes_no_role_new() -> None:
    """The baseline of the role is missing, not empty."""
    evidence = learned()
    away = replace(evidence, is_away=True)
    assert found(MOVES, away, RENAMED) == []


def test_what_a_new_role_administers_each_day_becomes_usual() -> None:
    """On five days, without a finding: two hosts a day are no lateral movement."""
    evidence = learned()
    for ago in range(6, 0, -1):
        at = TODAY - ago * DAY + 3600
        flows = [each for host in (1, 2) for each in got(f"10.0.9.{host}", 22, at)]
        assert look(flows, evidence, at, known=OTHERS) == []
    assert found(MOVES, evidence, OTHERS) == []
    assert found(MOVES, evidence, RENAMED) == ["lateral-movement"]


@pytest.mark.parametrize("days", [1, 7, LEARNING_DAYS - 1, LEARNING_DAYS + 1])
def test_a_new_role_is_judged_on_every_day_of_its_learning(days: int) -> None:
    """And after it: a changed tag turns no detector off, not even for the days in between."""
    evidence = learned()
    for ago in range(days, 0, -1):
        at = TODAY - ago * DAY + 3600
        assert look(got("10.0.3.1", 5432, at), evidence, at, known=RENAMED) == []
    assert found(MOVES, evidence, RENAMED) == ["lateral-movement"]
    assert found(GUESSES, evidence, RENAMED) == ["brute-force"]
    assert found(got("10.0.3.1", 5432), evidence, RENAMED) == [], "found, although it is usual"
