"""scan over days: new and failing contacts, compared with usual ones, over several batches."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.monitor.detectors import host_probing, scan
from flowwarden.monitor.detectors.base import Detector
from flowwarden.monitor.render.text import describe
from flowwarden.policy.policy import Policy
from flowwarden.records.model import Flow
from tests.examples import examples
from tests.flows import flow, rejected
from tests.monitor.batches import Container
from tests.monitor.fakes_interfaces import FakeDirectory, interface
from tests.monitor.fakes_state import MemoryEvidence
from tests.monitor.weeks import CLIENT, DAY, IN, OUT, SCAN, TODAY, got, learned, look, tried


def test_many_failed_places_are_a_scan() -> None:
    """Spread over batches of one probe each, each in a new container."""
    evidence = learned()
    findings = [found for probe in SCAN for found in look([probe], evidence)]
    assert {found.detector for found in findings} == {"scan"}
    assert {found.subject for found in findings} == {CLIENT}
    assert findings[0].example.confidence >= 0.95
    assert "tag:Role=web" in describe(findings[0]).because


def test_slow_probes_are_found_within_the_day() -> None:
    """One every 20 min is never twelve within an hour."""
    evidence = learned()
    probes = [tried(f"10.0.9.{n}", 22 + n, TODAY + 600 + n * 1200) for n in range(1, 40)]
    arrived = [(probe, TODAY + 900 + n * 1200) for n, probe in enumerate(probes, 1)]
    findings = [found for probe, now in arrived for found in look([probe], evidence, now)]
    assert {found.detector for found in findings} == {"scan"}
    assert "within 24 h" in describe(findings[0]).summary


def test_failures_of_usual_contacts_are_not_a_scan() -> None:
    """An outage of the database's network: the edge is known."""
    evidence = learned()
    outage = [tried(f"10.0.3.{host}", 5432) for host in range(1, 60)]
    assert look(outage, evidence) == []


def test_idle_connections_that_a_nat_gateway_forgot_are_not_a_scan() -> None:
    """Their last packets go to many servers, and nothing answers or a reset does: no SYN, no attempt."""
    servers = [f"198.51.100.{host}" for host in range(1, 60)]
    for flags in (0, 1, 4, 5):
        lone = [tried(server, 443, tcp_flags=flags) for server in servers]
        for learning in (MemoryEvidence(), learned()):
            assert look(lone, learning) == []
    assert [found.detector for found in look([tried(each, 443) for each in servers], learned())] == ["scan"]


def test_rejected_udp_between_client_ports_is_not_a_scan() -> None:
    """A media server's peers are behind rules that reject them; the same at service ports is a scan."""

    def refused(port: int) -> list[Flow]:
        return [
            rejected(f"{CLIENT}:{40_000 + n % 7}", f"10.0.{n}.9:{port + n % 3}", protocol=17,
                     flow_direction=OUT, start=TODAY + 3600, end=TODAY + 3609)
            for n in range(10, 70)
        ]  # fmt: skip

    detectors: list[Detector] = [scan.DETECTOR, host_probing.DETECTOR]
    for port, expected in ((50_000, []), (1_600, ["scan", "host-probing"])):
        container = Container(Policy(), learned(), FakeDirectory.of(interface("eni-1")))
        found = container.found(refused(port), TODAY + 7200, detectors)
        assert [each.detector for each in found] == expected


def test_answers_outweigh_failures() -> None:
    """A host with many answers knows its servers."""
    evidence = learned()
    found = [each for host in range(1, 21) for each in got(f"10.0.8.{host}", 9200)]
    assert look([*SCAN, *found], evidence) == []


def test_while_a_role_is_learned_only_more_failures_count() -> None:
    """All contacts are new."""
    assert look([*SCAN, *got("10.0.9.1", 22), *got("10.0.9.2", 22)], MemoryEvidence()) == []
    many = [tried(f"10.0.9.{host}", 8080) for host in range(1, 60)]
    assert [found.detector for found in look(many, MemoryEvidence())] == ["scan"]
    unknown = FakeDirectory()
    assert [found.detector for found in look(many, MemoryEvidence(), known=unknown)] == ["scan"]
    internet = [tried(f"203.0.113.{host}", 8080) for host in range(1, 60)]
    assert look(internet, MemoryEvidence(), known=unknown) == [], "found at what may be a NAT gateway"


def test_gateways_and_exempt_hosts_are_not_a_finding() -> None:
    """A NAT gateway connects for other hosts; an exempt scanner is allowed to scan."""
    evidence = learned()
    gateway = FakeDirectory({"eni-1": interface("eni-1")})
    nat = interface("eni-1")
    gateway.known["eni-1"] = type(nat)(
        **{name: getattr(nat, name) for name in nat.__struct_fields__} | {"kind": "nat_gateway"}
    )
    assert look(SCAN, evidence, known=gateway) == []
    assert look(SCAN, evidence, policy=Policy(exempt=(CLIENT,))) == []


def test_without_the_table_a_batch_is_evaluated_alone() -> None:
    """Many failures in one batch suffice; the failed call is counted."""
    evidence = MemoryEvidence(is_away=True)
    many = [tried(f"10.0.9.{host}", 8080) for host in range(1, 60)]
    assert [found.detector for found in look(many, evidence)] == ["scan"]


@pytest.mark.parametrize("seed", range(3))
@examples(0.25)
@given(cuts=st.lists(st.integers(0, 30), max_size=6), random=st.randoms(use_true_random=False))
def test_order_repetition_and_partition_of_batches_change_no_incident(
    seed: int, cuts: list[int], random: Random
) -> None:
    """The same incidents, regardless of containers, repetition and order."""
    base = learned()
    source = Random(seed)  # noqa: S311 - draws traffic
    flows = [tried(f"10.0.9.{source.randrange(1, 30)}", source.choice((22, 445, 8080))) for _ in range(24)]
    flows += [each for host in range(4) for each in got(f"10.0.9.{host + 40}", 22)]

    def incidents(batches: list[list[Flow]]) -> set[tuple[str, str]]:
        evidence = MemoryEvidence(dict(base.items))
        found = [each for batch in batches for each in look(batch, evidence)]
        return {(each.detector, each.subject) for each in found}

    places = sorted({0, len(flows) // 2 * 2, *(cut // 2 * 2 for cut in cuts)})
    parts = [flows[a:b] for a, b in zip(places, [*places[1:], len(flows)], strict=True)]
    random.shuffle(parts)
    assert incidents([part for part in parts * 2 if part]) == incidents([flows])
    assert ("scan", CLIENT) in incidents([flows])


def test_a_rejected_scan_is_reported_like_an_unanswered_one() -> None:
    """The reason of the failure does not matter."""
    evidence = learned()
    refused = [
        rejected(
            f"{CLIENT}:40000", f"10.0.9.{host}:8080", tcp_flags=2, flow_direction=OUT, start=TODAY + 3600
        )
        for host in range(1, 15)
    ]
    assert [found.detector for found in look(refused, evidence)] == ["scan"]


def test_a_batch_over_the_end_of_a_window_hides_no_scan() -> None:
    """Every window that it touches is evaluated."""
    evidence = learned()
    midnight = TODAY + DAY
    before = [tried(f"10.0.9.{host}", 8080, midnight - 600) for host in range(1, 15)]
    assert [
        each.detector
        for each in look([*before, tried("10.0.9.99", 8080, midnight + 5)], evidence, midnight + 60)
    ] == ["scan"]


def test_a_record_with_a_wrong_time_hides_no_scan() -> None:
    """One record from the next year does not shift the batch to the future."""
    assert [
        each.detector for each in look([*SCAN, tried("10.0.9.99", 8080, TODAY + 400 * DAY)], learned())
    ] == ["scan"]


def test_equal_addresses_in_other_vpcs_are_other_hosts() -> None:
    """Many VPCs use 172.31.0.0/16."""
    evidence = learned()
    other = interface("eni-1")
    values = {name: getattr(other, name) for name in other.__struct_fields__} | {"vpc_id": "vpc-2"}
    elsewhere = FakeDirectory({"eni-1": type(other)(**values)})
    assert look(SCAN[:8], evidence) == []
    assert look(SCAN[8:], evidence, known=elsewhere) == []


def test_unanswered_udp_to_the_internet_is_not_a_scan() -> None:
    """Browsers try QUIC and fall back."""
    refused = [
        rejected(f"{CLIENT}:4000", f"203.0.113.{host}:443", protocol=17, flow_direction=OUT, start=TODAY + 60)
        for host in range(1, 30)
    ]
    assert look(refused, learned()) == []


def test_usual_udp_is_learned() -> None:
    """Although its initiator is only likely; its outage is no scan."""
    asked = [
        flow(f"{CLIENT}:40000", "10.0.4.2:53", protocol=17, flow_direction=OUT),
        flow("10.0.4.2:53", f"{CLIENT}:40000", protocol=17, flow_direction=IN),
    ]
    evidence = MemoryEvidence()
    for ago in range(21, 0, -1):
        at = TODAY - ago * DAY + 3600
        flows = [
            flow(
                f"{one.srcaddr}:{one.srcport}", f"{one.dstaddr}:{one.dstport}", protocol=17,
                flow_direction=one.flow_direction, start=at, end=at + 9,
            )
            for one in asked
        ]  # fmt: skip
        look(flows, evidence, at)
    outage = [
        rejected(f"{CLIENT}:4000", f"10.0.4.{host}:53", protocol=17, flow_direction=OUT, start=TODAY + 60)
        for host in range(1, 30)
    ]
    assert look(outage, evidence) == []


def test_a_failed_login_is_stored_without_sessions() -> None:
    """It has no connections to count."""
    evidence = learned()
    batches = [[tried(f"10.0.9.{host}", 22)] for host in range(1, 30)]
    detectors = {found.detector for batch in batches for found in look(batch, evidence)}
    assert detectors == {"scan", "lateral-movement"}
