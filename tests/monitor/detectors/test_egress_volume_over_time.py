"""Uploads over weeks: usual volumes are learned, much larger ones are reported."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import chain, pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flowwarden.monitor.findings import Finding, TrafficFinding
from flowwarden.monitor.traffic.usual_volume import MEGABYTE
from flowwarden.policy.policy import Policy
from flowwarden.records.model import Flow, FlowDirection
from flowwarden.state.schema import MOST_UPLOADS
from tests.examples import examples
from tests.flows import flow
from tests.monitor.batches import Container
from tests.monitor.fakes_interfaces import FakeDirectory, interface
from tests.monitor.fakes_state import MemoryEvidence

DAY = 86_400
TODAY = 20_400 * DAY
HOST = "10.0.1.5"


def look(
    flows: Sequence[Flow], evidence: MemoryEvidence, now: int, policy: Policy | None = None, role: str = "web"
) -> list[TrafficFinding]:
    """One batch, in a new container."""
    return Container(policy or Policy(), evidence, FakeDirectory.of(interface("eni-1", role))).found(
        flows, now
    )


def asked(server: str, at: int, size: int = 360, port: int = 40_000) -> list[Flow]:
    """A connection of the host, with its answer."""
    client = f"{HOST}:{port}"
    times = {"start": at, "end": at + 50}
    return [
        flow(client, server, tcp_flags=3, bytes=size, flow_direction=FlowDirection.EGRESS, **times),
        flow(server, client, tcp_flags=19, flow_direction=FlowDirection.INGRESS, **times),
    ]


def sent(megabytes: int, at: int = TODAY + 3600, port: int = 40_000) -> list[Flow]:
    """An upload."""
    return asked("203.0.113.9:443", at, megabytes * MEGABYTE, port)


def learned(megabytes: int = 0, days: int = 21, every: int = 1) -> MemoryEvidence:
    """Evidence of a role with daily internet connections and recurring uploads of this size."""
    return _learned(megabytes, days, every).copy()


@cache
def _learned(megabytes: int, days: int, every: int) -> MemoryEvidence:
    """Several tests begin with the same weeks; none of them changes this original."""
    evidence = MemoryEvidence()
    for ago in range(days, 0, -1):
        at = TODAY - ago * DAY + 3600
        look(asked("203.0.113.9:443", at), evidence, at + 60)
        if megabytes and ago % every == 0:
            look(sent(megabytes, at), evidence, at + 60)
    return evidence


def found(findings: Sequence[Finding]) -> list[str]:
    """The detectors with a finding."""
    return [finding.detector for finding in findings]


def test_gigabytes_of_a_role_without_uploads_are_reported() -> None:
    """In one record or in many, in any batches and containers."""
    assert found(look(sent(600), learned(), TODAY + 3700)) == ["egress-volume"]
    evidence = learned()
    parts = [look(sent(150, port=40_000 + part), evidence, TODAY + 3700) for part in range(4)]
    assert [found(part) for part in parts] == [[], [], [], ["egress-volume"]]
    assert parts[-1][0].subject == HOST


def many(count: int, size: int, per_batch: int = 100) -> list[list[Flow]]:
    """Batches of connections of the same size, to changing hosts."""
    flows = [
        asked(f"203.0.113.{number % 250}:443", TODAY + 3600 + number % 3000, size, 30_000 + number)[0]
        for number in range(count)
    ]
    return [flows[begin : begin + per_batch] for begin in range(0, count, per_batch)]


def test_small_connections_are_summed() -> None:
    """A gigabyte in connections of 2.5 MB or 100 KB is found; a tenth of it is not."""
    for size in (2_500_000, 100_000):
        evidence = learned()
        found_in = [found(look(batch, evidence, TODAY + 7000)) for batch in many(10**9 // size, size)]
        assert ["egress-volume"] in found_in
        evidence = learned()
        found_in = [found(look(batch, evidence, TODAY + 7000)) for batch in many(10**8 // size, size)]
        assert {*map(tuple, found_in)} == {()}


def test_the_page_shows_all_connections_of_the_batch() -> None:
    """Not only the records of the sample."""
    evidence = learned()
    findings = [each for batch in many(400, 2_500_000) for each in look(batch, evidence, TODAY + 7000)]
    assert {each.tally.connections for each in findings} == {100}


def test_a_repeated_delivery_counts_once() -> None:
    """Delivery is at least once."""
    evidence = learned()
    assert [look(sent(400), evidence, TODAY + 3700) for _ in range(5)] == [[]] * 5


@examples(0.25)
@given(cuts=st.sets(st.integers(1, 8)), random=st.randoms(use_true_random=False))
def test_order_repetition_and_partition_of_batches_change_nothing(cuts: set[int], random: Random) -> None:
    """Nine uploads are one incident, seven are none, in any container."""
    base = learned().items
    for count, expected in ((9, {("egress-volume", HOST)}), (7, set())):
        evidence = MemoryEvidence(dict(base))
        records = [sent(60, port=40_000 + number) for number in range(count)]
        ends = [0, *sorted(cut for cut in cuts if cut < count), count]
        parts = [[*chain(*records[a:b])] for a, b in pairwise(ends)] * 2
        random.shuffle(parts)
        found_in_parts = [each for part in parts for each in look(part, evidence, TODAY + 3700)]
        assert {(each.detector, each.subject) for each in found_in_parts} == expected


def test_hours_are_evaluated_separately() -> None:
    """A small volume in each is no finding."""
    evidence = learned()
    hours = [look(sent(400, TODAY + hour * 3600), evidence, TODAY + hour * 3600 + 60) for hour in range(1, 6)]
    assert hours == [[]] * 5


def test_backups_are_usual_and_much_larger_uploads_are_not() -> None:
    """Daily or weekly."""
    for every in (1, 7):
        usual = learned(1000, days=28, every=every)
        assert look(sent(2000), usual, TODAY + 3700) == []
        assert found(look(sent(20_000), usual, TODAY + 3700)) == ["egress-volume"]
    seldom = learned(1000, days=28, every=14)
    assert found(look(sent(2000), seldom, TODAY + 3700)) == ["egress-volume"]


def test_a_reported_volume_is_learned_up_to_the_limit() -> None:
    """Repeated exfiltration is reported each time, and a large backup is usual after some days."""
    evidence = learned()
    days = [TODAY + day * DAY + 3600 for day in range(8)]
    stolen = [found(look(sent(8000, at), evidence, at + 60)) for at in days]
    assert stolen[:5] == [["egress-volume"]] * 5
    assert stolen[-1] == []
    small = learned()
    assert [bool(look(sent(1000, at), small, at + 60)) for at in days] == [True] * 3 + [False] * 5


def test_learning_roles_exempt_hosts_and_gateways_are_not_a_finding() -> None:
    """Backups of a learning role are new; gateways send for other hosts."""
    assert look(sent(2000), learned(days=3), TODAY + 3700) == []
    assert look(sent(2000), learned(), TODAY + 3700, Policy(exempt=(HOST,))) == []
    assert look(sent(2000), MemoryEvidence(), TODAY + 3700, role="nat") == []


def test_without_the_table_nothing_is_reported() -> None:
    """The usual volume is unknown."""
    evidence = learned(1000)
    container = Container(evidence=evidence, directory=FakeDirectory.of(interface("eni-1")))
    at = TODAY + 3600
    container.found(asked("203.0.113.9:443", at), at)
    evidence.is_away = True
    assert container.found(sent(2000), at + 60) == []


def test_ordinary_traffic_writes_nothing_and_a_flood_of_uploads_a_bounded_number() -> None:
    """Two writes for each of a few hosts and hours."""
    evidence = learned()
    before = evidence.writes
    calls = [asked("203.0.113.9:443", TODAY + 3600, 9000, port) for port in range(40_000, 40_030)]
    look([*chain(*calls)], evidence, TODAY + 3700)
    ordinary = evidence.writes - before
    hosts = [
        flow(f"10.0.{n}.5:40000", "203.0.113.9:443", tcp_flags=2, bytes=600 * MEGABYTE,
             flow_direction=FlowDirection.EGRESS, start=TODAY + 3600)
        for n in range(100)
    ]  # fmt: skip
    assert ordinary <= 1, "the day's edges of the role"
    container = Container(evidence=evidence, directory=FakeDirectory.of(interface("eni-1")))
    before = evidence.writes
    container.found(hosts, TODAY + 3700)
    sums = [key for key in evidence.written[before:] if key.startswith(("uploads#", "upload-sizes#"))]
    assert 0 < len(sums) <= 2 * MOST_UPLOADS
    assert len(set(sums)) == len(sums)


def upload(megabytes: int, port: int, host: str = HOST, interface_id: str = "eni-1") -> Flow:
    """A record of an upload."""
    usual = {"tcp_flags": 3, "flow_direction": FlowDirection.EGRESS, "start": TODAY + 3600}
    size = megabytes * MEGABYTE
    return flow(f"{host}:{port}", "203.0.113.9:443", bytes=size, interface_id=interface_id, **usual)


@pytest.mark.parametrize(("there", "reported"), [(9, ["eni-1"]), (900, ["eni-1", "eni-2"])])
def test_a_page_shows_the_uploads_of_its_own_interface(there: int, reported: list[str]) -> None:
    """Another VPC has the same address, and its host sends too; each finding has its own records."""
    vpcs = interface("eni-1"), replace(interface("eni-2"), vpc_id="vpc-2")
    flows = [upload(600, 1), upload(7, 2), *(upload(there, port, HOST, "eni-2") for port in (3, 4, 5))]
    for order in (flows, flows[::-1]):
        findings = Container(evidence=learned(), directory=FakeDirectory.of(*vpcs)).found(order, TODAY + 3700)
        shown = [(each.example.flow.interface_id, each.tally.records) for each in findings]
        assert sorted(shown, key=str) == [(each, 2 if each == "eni-1" else 3) for each in reported]


def test_the_hosts_that_send_most_are_judged_however_many_records_others_have() -> None:
    """Many hosts with more, smaller records; exempt ones take no room."""
    hosts = range(1, 3 * MOST_UPLOADS)
    others = [upload(5, port, f"10.0.2.{host}") for host in hosts for port in range(3)]
    exempt = [upload(5000, 1, f"10.0.3.{host}") for host in hosts]
    for flows in ([*others, *exempt, upload(600, 1)], [upload(600, 1), *exempt, *others]):
        findings = look(flows, learned(), TODAY + 3700, Policy(exempt=("10.0.3.0/24",)))
        assert [(each.detector, each.subject) for each in findings] == [("egress-volume", HOST)]
