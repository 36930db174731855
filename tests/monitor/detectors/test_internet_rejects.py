"""internet-rejects: noise is counted and never pages."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.monitor.detectors import internet_rejects
from flowwarden.monitor.detectors.internet_rejects import MOST_HOSTS, MOST_SCANNERS, SCANNED_PORTS, Scanner
from flowwarden.monitor.findings import Severity, Tally, TrafficFinding, representative
from flowwarden.monitor.render.text import describe
from flowwarden.monitor.traffic.tally import representative_of, tally_of
from flowwarden.network.addresses import AddressClassifier
from flowwarden.network.direction import Directions
from flowwarden.network.traffic import Traffic
from flowwarden.records.columnar.flow_table import FlowTable
from flowwarden.records.model import Action, Flow
from tests.flows import START, flow, make_flow, rejected
from tests.monitor.batches import finding_with


def inspect(*flows: Flow) -> list[TrafficFinding]:
    """The findings of a batch."""
    return finding_with(internet_rejects.DETECTOR)(flows)


def test_rejected_internet_hosts_are_one_finding_per_target() -> None:
    """Many sources, many ports, one finding."""
    noise = [rejected(f"198.51.100.{i}:40000", f"10.0.0.9:{port}") for i in range(3) for port in (22, 23)]
    (finding,) = inspect(*noise)
    assert finding.subject == "10.0.0.9"
    assert finding.severity is Severity.INFO
    assert not finding.severity.pages
    assert (finding.tally.records, len(finding.tally.clients)) == (6, 3)


def test_hosts_of_two_vpcs_with_the_same_address_are_two_findings() -> None:
    """Each with its own traffic; unless the VPCs are not known."""
    vpcs = ("eni-1", "vpc-1", 1), ("eni-2", "vpc-2", 3)
    for named, expected in ((True, [("vpc-1", 1), ("vpc-2", 3)]), (False, [(None, 4)])):
        noise = [
            rejected(f"198.51.100.{n}:40000", "10.0.0.9:22", interface_id=eni, vpc_id=vpc if named else None)
            for eni, vpc, count in vpcs
            for n in range(count)
        ]
        for flows in (noise, noise[::-1]):
            found = [(each.example.flow.vpc_id, each.tally.records) for each in inspect(*flows)]
            assert sorted(found, key=str) == expected


def test_rejected_pings_count_for_their_sender() -> None:
    """ICMP has no ports that show the initiator; the noise still counts."""
    (finding,) = inspect(rejected("198.51.100.1:0", "10.0.0.9:0", protocol=1))
    assert finding.tally.records == 1


def test_a_leftover_in_two_formats_does_not_count() -> None:
    """Two formats in one group: the record with flags identifies it as a leftover."""
    ends = "203.0.113.9:40000", "10.0.0.10:443"
    assert inspect(rejected(*ends, tcp_flags=1), rejected(*ends)) == []
    assert len(inspect(rejected(*ends, tcp_flags=2), rejected(*ends))) == 1


def test_accepted_visits_and_own_attempts_are_not_noise() -> None:
    """Only REJECTs that the internet initiated count."""
    flows = (
        flow("198.51.100.1:40000", "10.0.0.9:443"),
        rejected("10.0.0.9:40000", "198.51.100.1:443"),
        rejected("10.0.0.8:40000", "10.0.0.9:443"),
        rejected("198.51.100.1:443", "10.0.0.9:40000"),  # a late reply to an internal request
    )
    assert inspect(*flows) == []


def test_hosts_beyond_the_limit_are_reported_together() -> None:
    """A sender to every address of a network must not cause a log line for each."""
    flows = [
        rejected(f"198.51.100.{each}:40000", f"10.0.{host // 250}.{host % 250}:22")
        for host in range(1, 301)
        for each in range(1 + (host == 300))
    ]
    findings = inspect(*flows)
    assert len(findings) == MOST_HOSTS + 1
    assert (findings[0].subject, findings[0].tally.records) == ("10.0.1.50", 2)
    assert findings[-1].facts.hosts == 275
    assert describe(findings[-1]).summary == "1 internet host rejected at 275 other hosts."
    assert sum(found.tally.records for found in findings) == len(flows)
    assert len(inspect(*flows[:MOST_HOSTS])) == MOST_HOSTS


def scanned(client: str, host: str, ports: range) -> list[Flow]:
    """An internet host is rejected at ports of a host."""
    return [rejected(f"{client}:40000", f"{host}:{port}") for port in ports]


def test_a_scanner_of_many_ports_is_named() -> None:
    """With the number of ports, which the digest and the log show; background noise is not named."""
    ordinary = scanned("198.51.100.1", "10.0.0.9", range(22, 22 + SCANNED_PORTS - 1))
    (quiet,) = inspect(*ordinary)
    assert quiet.facts.scanners == ()
    assert describe(quiet).summary == "1 internet host rejected at 10.0.0.9."
    (finding,) = inspect(*ordinary, *scanned("203.0.113.9", "10.0.0.9", range(1000, 1040)))
    assert finding.facts.scanners == (Scanner("203.0.113.9", "10.0.0.9", 40),)
    assert describe(finding).summary == (
        "2 internet hosts rejected at 10.0.0.9; ports tried: 203.0.113.9 (40)."
    )


def test_repeated_attempts_at_a_port_are_one_port() -> None:
    """Packets do not make a scanner, nor does one port of many hosts."""
    knocks = [rejected(f"203.0.113.9:{port}", "10.0.0.9:22") for port in range(40_000, 40_050)]
    sweep = [rejected("203.0.113.8:40000", f"10.0.0.{host}:22") for host in range(1, 20)]
    assert [each.facts.scanners for each in inspect(*knocks, *sweep)] == [()] * 19


def test_scanners_that_are_named_are_bounded() -> None:
    """Those with the most ports; an attacker can have any number of addresses."""
    flows = [
        each
        for host in range(1, 60)
        for each in scanned(f"203.0.113.{host}", "10.0.0.9", range(1000, 1010 + host))
    ]
    (finding,) = inspect(*flows)
    assert [each.ports for each in finding.facts.scanners] == [69, 68, 67, 66, 65]
    assert len(finding.facts.scanners) == MOST_SCANNERS


def test_a_scanner_of_a_host_without_a_finding_of_its_own_is_named_with_the_host() -> None:
    """The finding about all other hosts says which of them."""
    noise = [
        rejected(f"198.51.100.{each}:40000", f"10.0.1.{host}:22")
        for host in range(1, MOST_HOSTS + 1)
        for each in range(1, 30)
    ]
    *_, others = inspect(*noise, *scanned("203.0.113.9", "10.0.2.1", range(1000, 1012)))
    assert others.subject == internet_rejects.OTHERS
    assert "ports tried: 203.0.113.9 (12 of 10.0.2.1)" in describe(others).summary


NOISE = st.builds(
    make_flow,
    srcaddr=st.sampled_from(["198.51.100.1", "198.51.100.2"]),
    dstaddr=st.sampled_from(["10.0.0.1", "2001:db8::1"]),
    srcport=st.sampled_from([None, 40_000, 50_000]),
    dstport=st.sampled_from([None, 22, 23]),
    protocol=st.sampled_from([None, 1, 6, 17]),
    packets=st.sampled_from([None, 1, 2**63 - 1]),
    bytes=st.sampled_from([None, 40, 2**63 - 1]),
    start=st.sampled_from([None, START, START + 1]),
    end=st.sampled_from([None, START, START + 1]),
    action=st.just(Action.REJECT),
    tcp_flags=st.sampled_from([None, 2]),
)


@given(st.lists(NOISE, min_size=1, max_size=20))
def test_columns_give_the_same_result_as_flows(flows: list[Flow]) -> None:
    """The same sums, and the same representative flow."""
    directions = Directions(Traffic(FlowTable.of(flows)), AddressClassifier())
    rows = np.arange(len(flows))
    assert tally_of(directions, rows) == Tally.of(directions.flows(rows))
    assert representative_of(directions, rows) == representative(directions.flows(rows))
