"""scan over days: new and failing, compared with what is usual, whichever batches show it."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.monitor.render.text import describe
from flowwarden.policy.policy import Policy
from flowwarden.records.model import Flow
from tests.examples import examples
from tests.flows import flow, rejected
from tests.monitor.fakes_interfaces import FakeDirectory, interface
from tests.monitor.fakes_state import MemoryEvidence
from tests.monitor.weeks import CLIENT, DAY, IN, OUT, SCAN, TODAY, got, learned, look, tried


def test_a_host_that_tries_many_places_in_vain_scans() -> None:
    """Spread over batches of one probe each, every one in another container."""
    evidence = learned()
    findings = [found for probe in SCAN for found in look([probe], evidence)]
    assert {found.detector for found in findings} == {"scan"}
    assert {found.subject for found in findings} == {CLIENT}
    assert findings[0].example.confidence >= 0.95
    assert "tag:Role=web" in describe(findings[0]).because


def test_slow_probes_are_found_within_the_day() -> None:
    """One every twenty minutes is at no time twelve within an hour."""
    evidence = learned()
    probes = [tried(f"10.0.9.{n}", 22 + n, TODAY + 600 + n * 1200) for n in range(1, 40)]
    arrived = [(probe, TODAY + 900 + n * 1200) for n, probe in enumerate(probes, 1)]
    findings = [found for probe, now in arrived for found in look([probe], evidence, now)]
    assert {found.detector for found in findings} == {"scan"}
    assert "within 24 h" in describe(findings[0]).summary


def test_what_is_usual_may_fail_as_it_likes() -> None:
    """An outage of the database's network: the edge is known, so it is nobody's scan."""
    evidence = learned()
    outage = [tried(f"10.0.3.{host}", 5432) for host in range(1, 60)]
    assert look(outage, evidence) == []


def test_answers_outweigh_failures() -> None:
    """A host that finds what it asks for knows whom to ask."""
    evidence = learned()
    found = [each for host in range(1, 21) for each in got(f"10.0.8.{host}", 9200)]
    assert look([*SCAN, *found], evidence) == []


def test_while_a_role_is_learned_it_takes_more_failures_and_nothing_else_counts() -> None:
    """All that it does is new."""
    assert look([*SCAN, *got("10.0.9.1", 22), *got("10.0.9.2", 22)], MemoryEvidence()) == []
    many = [tried(f"10.0.9.{host}", 8080) for host in range(1, 60)]
    assert [found.detector for found in look(many, MemoryEvidence())] == ["scan"]
    unknown = FakeDirectory()
    assert [found.detector for found in look(many, MemoryEvidence(), known=unknown)] == ["scan"]
    internet = [tried(f"203.0.113.{host}", 8080) for host in range(1, 60)]
    assert look(internet, MemoryEvidence(), known=unknown) == [], "it may be a NAT gateway"


def test_gateways_and_exempt_hosts_scan_nobody() -> None:
    """A NAT gateway asks in others' names; a scanner of ours may."""
    evidence = learned()
    gateway = FakeDirectory({"eni-1": interface("eni-1")})
    nat = interface("eni-1")
    gateway.known["eni-1"] = type(nat)(
        **{name: getattr(nat, name) for name in nat.__struct_fields__} | {"kind": "nat_gateway"}
    )
    assert look(SCAN, evidence, known=gateway) == []
    assert look(SCAN, evidence, policy=Policy(exempt=(CLIENT,))) == []


def test_without_the_table_a_batch_is_judged_by_itself() -> None:
    """Its own failures are enough if they are many; the loss is counted."""
    evidence = MemoryEvidence(is_away=True)
    many = [tried(f"10.0.9.{host}", 8080) for host in range(1, 60)]
    assert [found.detector for found in look(many, evidence)] == ["scan"]


@pytest.mark.parametrize("seed", range(3))
@examples(0.25)
@given(cuts=st.lists(st.integers(0, 30), max_size=6), random=st.randoms(use_true_random=False))
def test_order_repetition_and_partition_of_batches_change_no_incident(
    seed: int, cuts: list[int], random: Random
) -> None:
    """What is found in the end is the same, whoever saw which part of it, how often and in which order."""
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


def test_a_rejected_scan_is_told_like_an_unanswered_one() -> None:
    """Whatever stops it."""
    evidence = learned()
    refused = [
        rejected(
            f"{CLIENT}:40000", f"10.0.9.{host}:8080", tcp_flags=2, flow_direction=OUT, start=TODAY + 3600
        )
        for host in range(1, 15)
    ]
    assert [found.detector for found in look(refused, evidence)] == ["scan"]


def test_a_batch_over_the_end_of_a_window_hides_no_scan() -> None:
    """Every window that it touches is judged."""
    evidence = learned()
    midnight = TODAY + DAY
    before = [tried(f"10.0.9.{host}", 8080, midnight - 600) for host in range(1, 15)]
    assert [
        each.detector
        for each in look([*before, tried("10.0.9.99", 8080, midnight + 5)], evidence, midnight + 60)
    ] == ["scan"]


def test_a_record_with_a_wrong_time_hides_no_scan() -> None:
    """One of a year ahead makes no batch of the future."""
    assert [
        each.detector for each in look([*SCAN, tried("10.0.9.99", 8080, TODAY + 400 * DAY)], learned())
    ] == ["scan"]


def test_hosts_of_other_vpcs_with_the_same_address_are_others() -> None:
    """172.31.0.0/16 is everybody's."""
    evidence = learned()
    other = interface("eni-1")
    values = {name: getattr(other, name) for name in other.__struct_fields__} | {"vpc_id": "vpc-2"}
    elsewhere = FakeDirectory({"eni-1": type(other)(**values)})
    assert look(SCAN[:8], evidence) == []
    assert look(SCAN[8:], evidence, known=elsewhere) == []


def test_udp_that_the_internet_does_not_get_is_no_scan() -> None:
    """Browsers try QUIC and do without."""
    refused = [
        rejected(f"{CLIENT}:4000", f"203.0.113.{host}:443", protocol=17, flow_direction=OUT, start=TODAY + 60)
        for host in range(1, 30)
    ]
    assert look(refused, learned()) == []


def test_udp_that_was_usual_is_usual() -> None:
    """Learned though its initiator is only likely; an outage of it is none of the host's doing."""
    asked = [
        flow(f"{CLIENT}:40000", "10.0.4.2:53", protocol=17, flow_direction=OUT),
        flow("10.0.4.2:53", f"{CLIENT}:40000", protocol=17, flow_direction=IN),
    ]
    evidence = MemoryEvidence()
    for ago in range(21, 0, -1):
        at = TODAY - ago * DAY + 3600
        told = [
            flow(
                f"{one.srcaddr}:{one.srcport}", f"{one.dstaddr}:{one.dstport}", protocol=17,
                flow_direction=one.flow_direction, start=at, end=at + 9,
            )
            for one in asked
        ]  # fmt: skip
        look(told, evidence, at)
    outage = [
        rejected(f"{CLIENT}:4000", f"10.0.4.{host}:53", protocol=17, flow_direction=OUT, start=TODAY + 60)
        for host in range(1, 30)
    ]
    assert look(outage, evidence) == []


def test_a_failed_login_leaves_the_table_what_else_there_is() -> None:
    """It has no connections to count."""
    evidence = learned()
    batches = [[tried(f"10.0.9.{host}", 22)] for host in range(1, 30)]
    told = {found.detector for batch in batches for found in look(batch, evidence)}
    assert told == {"scan", "lateral-movement"}
