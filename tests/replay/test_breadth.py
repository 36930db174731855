"""A batch with the records of many interfaces has the limits of many batches."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from flowwarden.monitor.caches.interfaces import MOST_NEW, InterfaceCache
from flowwarden.monitor.caches.state import ROLES_READ, StateCache
from flowwarden.monitor.detectors import (
    egress_denied,
    host_probing,
    new_egress_port,
    records_skipped,
    reject_spike,
)
from flowwarden.monitor.detectors.base import Detector
from flowwarden.monitor.detectors.reject_spike import LEAST
from flowwarden.monitor.findings import SurplusFinding
from flowwarden.monitor.traffic.refused_sources import MOST_READ, look_up
from flowwarden.monitor.traffic.row_groups import MOST_FINDINGS
from flowwarden.records.columnar.flow_table import FlowTable, Table
from flowwarden.records.model import Flow, Gap, GapKind
from flowwarden.state.schema import (
    ATTEMPTS,
    BASELINES,
    CONTACTS_HOUR,
    MOST_ATTEMPTS,
    MOST_NEW_EGRESS,
    MOST_REFUSED,
    MOST_SKIPPED,
)
from flowwarden.state.write_budget import MOST_WRITES, WRITES_PER_CLAIM, WriteBudget
from tests.flows import rejected
from tests.monitor.batches import Container
from tests.monitor.fakes_interfaces import FakeDirectory, interface
from tests.monitor.fakes_state import MemoryEvidence
from tests.monitor.weeks import OUT, TODAY, got, learned

NOW = 1_800_000_000


def taken(budget: WriteBudget, key: str, most: int = 100_000) -> int:
    """The writes that a budget allows for items of the kind of this key."""
    return sum(budget.take(key) for _ in range(most))


@pytest.mark.parametrize("key", [BASELINES.prefix, CONTACTS_HOUR.prefix])
def test_a_broad_batch_may_write_as_much_as_many(key: str) -> None:
    assert taken(WriteBudget(7), key) == 7 * taken(WriteBudget(), key)


def test_a_broad_batch_may_claim_more() -> None:
    one, broad = WriteBudget().claims, WriteBudget(7).claims
    assert 7 * one <= broad <= 7 * (one + 1)
    assert broad * WRITES_PER_CLAIM < 7 * MOST_WRITES


def test_a_usual_batch_has_its_limits_unless_it_is_broad() -> None:
    assert StateCache(MemoryEvidence()).for_batch().breadth == 1


@pytest.mark.parametrize("breadth", [1, 3])
def test_a_broad_batch_reads_more_roles(breadth: int) -> None:
    state = StateCache(MemoryEvidence(), breadth).for_batch()
    wanted = [(f"role-{number}", 20_000) for number in range(5 * ROLES_READ)]
    found = state.baselines(wanted, NOW)
    assert sum(each is not None for each in found.values()) == breadth * ROLES_READ
    assert state.unread == (5 - breadth) * ROLES_READ


@pytest.mark.parametrize("breadth", [1, 3])
def test_a_broad_batch_queries_more_interfaces(breadth: int) -> None:
    directory = FakeDirectory()
    cache = InterfaceCache(directory, lambda _: None, breadth)
    cache.known([f"eni-{number}" for number in range(5 * MOST_NEW)], NOW)
    assert [len(each) for each in directory.asked] == [breadth * MOST_NEW]


@pytest.mark.parametrize("breadth", [1, 3])
def test_a_broad_batch_looks_up_more_internet_hosts(breadth: int) -> None:
    state = StateCache(MemoryEvidence(), breadth).for_batch()
    refused = {
        f"203.0.{number // 250}.{number % 250}": frozenset({number}) for number in range(5 * MOST_READ)
    }
    found = look_up([refused], state, 20_000, 15)
    assert len(found.left_out) == (5 - breadth) * MOST_READ


def scanned(hosts: int) -> list[Flow]:
    """The internet tries many ports of hosts."""
    return [
        rejected(f"203.0.113.{each}:40000", f"10.0.{host}.1:22", start=TODAY)
        for host in range(hosts)
        for each in range(LEAST)
    ]


@pytest.mark.parametrize("breadth", [1, 3])
def test_a_broad_batch_compares_more_hosts_with_the_day_before(breadth: int) -> None:
    evidence = MemoryEvidence()
    container = Container(evidence=evidence, breadth=breadth)
    container.detect(reject_spike.DETECTOR, Table(FlowTable.of(scanned(50)), [], []), TODAY + 600)
    stored = sum(key.startswith(ATTEMPTS.prefix) for key in evidence.items)
    assert stored == breadth * MOST_ATTEMPTS


def refused(count: int) -> list[Flow]:
    """The outbound rules of so many hosts deny a service."""
    return [
        rejected(
            f"10.0.1.{host}:40000", "203.0.113.9:443", tcp_flags=2, flow_direction=OUT,
            interface_id=f"eni-{host}", start=TODAY + 3600, end=TODAY + 3609,
        )
        for host in range(count)
    ]  # fmt: skip


def opened(count: int) -> list[Flow]:
    """A role opens so many new ports."""
    return [each for port in range(9000, 9000 + count) for each in got("203.0.113.9", port)]


def probed(count: int) -> list[Flow]:
    """So many hosts are each rejected at twenty services."""
    return [
        rejected(
            f"10.1.{host // 250}.{host % 250}:40000", f"10.0.2.9:{8000 + port}", tcp_flags=2,
            interface_id="eni-1", start=TODAY + 3600, end=TODAY + 3609,
        )
        for host in range(count)
        for port in range(20)
    ]  # fmt: skip


def lost(count: int) -> list[Gap]:
    """AWS skipped records of so many interfaces, three times within an hour."""
    return [
        Gap(kind=GapKind.SKIPDATA, interface_id=f"eni-{number}", start=TODAY + 600 * window)
        for number in range(count)
        for window in range(3)
    ]


@pytest.mark.parametrize(
    ("detector", "flows", "gaps", "most"),
    [
        (egress_denied.DETECTOR, refused(3 * MOST_REFUSED), [], MOST_REFUSED),
        (new_egress_port.DETECTOR, opened(3 * MOST_NEW_EGRESS), [], MOST_NEW_EGRESS),
        (records_skipped.DETECTOR, [], lost(3 * MOST_SKIPPED), MOST_SKIPPED),
        (host_probing.DETECTOR, probed(3 * MOST_FINDINGS), [], MOST_FINDINGS),
    ],
    ids=lambda each: each.name if isinstance(each, Detector) else "",
)
def test_a_broad_batch_inspects_more(
    detector: Detector, flows: Sequence[Flow], gaps: list[Gap], most: int
) -> None:
    """A usual one only counts what is beyond its limit; one of three batches counts nothing."""
    for breadth, beyond in ((1, 2 * most), (3, 0)):
        evidence = learned(*got("198.51.100.7", 443))
        container = Container(
            evidence=evidence, directory=FakeDirectory.of(interface("eni-1")), breadth=breadth
        )
        found = container.detect(detector, Table(FlowTable.of(flows), gaps, []), TODAY + 7200)
        assert sum(each.count for each in found if isinstance(each, SurplusFinding)) == beyond
        assert any(not isinstance(each, SurplusFinding) for each in found)
