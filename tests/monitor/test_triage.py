"""Triage: which findings of a batch remain."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from flowwarden.monitor.detectors import DETECTORS, internet_to_private, unexpected_egress
from flowwarden.monitor.render.incident_key import incident_key
from flowwarden.monitor.render.text import describe
from flowwarden.monitor.traffic.selection import without_repeats
from flowwarden.monitor.triage import triage
from flowwarden.monitor.view import BatchView
from flowwarden.policy.policy import Policy
from flowwarden.records.columnar.string_pool import ACCEPT
from flowwarden.records.columnar.tokenizer import Integers
from flowwarden.records.model import Action, Flow, FlowDirection
from tests.flows import flow, make_flow, rejected
from tests.monitor.batches import Container, batch, of_traffic, table, triaged

IN, OUT = FlowDirection.INGRESS, FlowDirection.EGRESS


def test_probing_inhibits_the_blocked_connections_of_the_same_host_only() -> None:
    """One page for the prober; other hosts keep their own."""
    flows = batch(
        *(rejected("10.0.1.66:50000", f"10.0.2.30:{port}") for port in (22, 135, 445, 3306, 3389)),
        rejected("10.0.1.20:50000", "10.0.2.30:5432"),
    )
    found = {(finding.detector, finding.subject) for finding in triaged(flows)}
    assert found == {("host-probing", "10.0.1.66"), ("blocked-connection", "10.0.1.20")}


def test_a_host_of_another_vpc_with_the_same_address_is_another() -> None:
    """Neither is its finding the same, nor does a graver one about it silence others."""
    probes = [rejected("10.0.1.66:50000", f"10.0.2.30:{port}", vpc_id="vpc-1") for port in range(20, 30)]
    (prober,) = triaged(probes)
    here, there = (
        triaged([rejected("10.0.1.66:50000", "10.0.3.30:5432", vpc_id=vpc)])[0] for vpc in ("vpc-1", "vpc-2")
    )
    assert triage([here, there, here], Policy()).remaining == [here, there]
    assert triage([here, prober, there], Policy()).remaining == [prober, there]


def test_an_invalid_subnet_id_is_not_an_address() -> None:
    """A line may contain any text there: no batch fails, regardless of exempt hosts."""
    ends = [("10.0.2.60:443", f"10.0.1.7:4000{n}") for n in range(3)]
    asked = [flow(*end[::-1], tcp_flags=2, subnet_id="poison", flow_direction=IN) for end in ends]
    refused = [rejected(*end, tcp_flags=18, subnet_id="poison", flow_direction=OUT) for end in ends]
    flows = [*asked, *refused]
    (finding,) = triaged(flows, Policy(exempt=("10.0.9.0/24",)))
    assert (finding.detector, finding.subject, finding.severity.pages) == (
        "nacl-blocks-replies",
        "10.0.2.60",
        True,
    )
    (exempt,) = triaged(flows, Policy(exempt=("10.0.2.60",)))
    assert not exempt.severity.pages


def test_the_same_finding_of_a_detector_is_reported_once() -> None:
    """For example, a host that the policy names and whose role is listener-only."""
    flows = [flow("10.0.2.30:49800", "198.51.100.77:443", tcp_flags=2)]
    policy = Policy(listener_only=("10.0.2.30",))
    (finding,) = triaged(flows, policy)
    assert triage([finding, finding], policy).remaining == [finding]


def test_an_empty_batch_has_no_findings() -> None:
    """Without records there are no findings."""
    assert triaged([]) == []


def test_exempt_hosts_are_reported_and_never_page() -> None:
    """An approved scanner; the other host is not exempt."""
    scans = [
        rejected(f"10.0.1.{host}:50000", f"10.0.2.30:{port}") for host in (66, 67) for port in range(20, 30)
    ]
    findings = triaged(scans, Policy(exempt=("10.0.1.66/32",)))
    assert {(f.subject, f.severity.pages) for f in findings} == {("10.0.1.66", False), ("10.0.1.67", True)}


HOSTS = st.sampled_from(["10.0.0.1", "10.0.0.2", "10.0.2.9", "203.0.113.1", "198.51.100.2"])
FLOWS = st.builds(
    make_flow,
    srcaddr=HOSTS,
    dstaddr=HOSTS,
    srcport=st.sampled_from([50000, 50001, 443]),
    dstport=st.sampled_from([22, 443, 5432, 6379, 8080, 50000]),
    protocol=st.just(6),
    packets=st.integers(1, 4),
    action=st.sampled_from(Action),
    tcp_flags=st.sampled_from([None, 0, 2, 18]),
    interface_id=st.just("eni-1"),
)
POLICY = Policy(private_subnets=("10.0.2.0/24",), listener_only=("10.0.0.1",))


@given(st.lists(FLOWS, max_size=20), st.randoms(use_true_random=False), st.integers(1, 2))
def test_order_and_repetition_of_records_change_no_finding(
    flows: list[Flow], random: Random, times: int
) -> None:
    """Delivery is at least once and in any order: same findings, same sums, same incidents."""

    def found(batch: list[Flow]) -> set[tuple[object, ...]]:
        findings = of_traffic(triage(Container(POLICY).found(batch, detectors=DETECTORS), POLICY).remaining)
        keys = [incident_key(f, "1", "r", "g") for f in findings]
        assert len(set(keys)) == len(keys), "two findings of a batch are two incidents"
        return {
            (f.detector, f.severity, describe(f).summary, describe(f).likely, f.tally, key)
            for f, key in zip(findings, keys, strict=True)
        }

    shuffled = flows * times
    random.shuffle(shuffled)
    assert found(flows) == found(shuffled)


class Unselected(BatchView):
    """A batch whose detectors get all accepted flows, not only those of declared places."""

    def with_internet(self, places: tuple[str, ...]) -> Integers:
        """All of them, regardless of the places."""
        accepted = (self.records.flows["action"] == ACCEPT).nonzero()[0]
        return without_repeats(self.records.flows, accepted if places else accepted[:0])


@given(st.lists(FLOWS, max_size=20, unique_by=repr))
def test_selecting_flows_of_declared_places_loses_no_finding(flows: list[Flow]) -> None:
    """Excluding the others saves the cost of creating them, and changes no finding."""
    container = Container(POLICY)
    for detector in (internet_to_private.DETECTOR, unexpected_egress.DETECTOR):
        found, all_of_them = (
            [*detector.detect(*container.begin(table(*flows), view=view), POLICY.thresholds)]
            for view in (BatchView, Unselected)
        )
        assert found == all_of_them
