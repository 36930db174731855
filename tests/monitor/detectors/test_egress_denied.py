"""egress-denied: the rules of a role's own hosts reject its connections to the internet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flowwarden.monitor.detectors import (
    blocked_connection,
    egress_denied,
    host_probing,
    scan,
    service_blocked,
)
from flowwarden.monitor.detectors.base import Detector
from flowwarden.monitor.findings import Severity, TrafficFinding
from flowwarden.monitor.render.text import describe, steps
from flowwarden.policy.detection import Thresholds
from flowwarden.policy.policy import Policy
from flowwarden.records.model import Flow
from tests.examples import examples
from tests.faults import Faults
from tests.flows import flow, rejected
from tests.monitor.batches import Container, finding_with
from tests.monitor.fakes_interfaces import FakeDirectory, interface
from tests.monitor.fakes_state import MemoryEvidence
from tests.monitor.render.golden import CONTEXT
from tests.monitor.scenarios import Account, Scenario, batches
from tests.monitor.weeks import CLIENT, DAY, IN, OUT, POLICY, TODAY, got, learned

REFUSALS: Sequence[Detector] = (
    scan.DETECTOR,
    blocked_connection.DETECTOR,
    host_probing.DETECTOR,
    service_blocked.DETECTOR,
    egress_denied.DETECTOR,
)
"""The detectors that report rejected connections of internal hosts."""
LIMITS = Thresholds()
inspect = finding_with(egress_denied.DETECTOR)


def denied(server: str, port: int = 443, at: int = TODAY + 3600, client: str = CLIENT, **given: Any) -> Flow:
    """The client's own rules reject a request."""
    usual = {"tcp_flags": 2, "flow_direction": OUT, "start": at, "end": at + 9}
    return rejected(f"{client}:40000", f"{server}:{port}", **usual | given)


def addresses(count: int, port: int = 443, **given: Any) -> list[Flow]:
    """The client's own rules reject requests to this number of internet hosts."""
    return [denied(f"203.0.{n // 250}.{n % 250 + 1}", port, **given) for n in range(count)]


def found(
    flows: Sequence[Flow],
    evidence: MemoryEvidence | None = None,
    directory: FakeDirectory | None = None,
    policy: Policy = POLICY,
    now: int = TODAY + 7200,
) -> list[TrafficFinding]:
    """The findings about rejected connections, before triage."""
    known = directory or FakeDirectory.of(interface("eni-1"))
    return Container(policy, evidence or MemoryEvidence(), known).found(flows, now, REFUSALS)


@pytest.mark.parametrize("usual", [MemoryEvidence(), learned()], ids=["new role", "known role"])
def test_any_number_of_denied_internet_addresses_is_one_finding_about_the_role(usual: MemoryEvidence) -> None:
    """A program tries one update server after the other: no scan, no probing, whatever the number."""
    (finding,) = found(addresses(600), usual)
    assert (finding.detector, finding.subject) == ("egress-denied", "tag:Role=web")
    assert str(finding.service) == "HTTPS (tcp/443)"
    assert (len(finding.tally.servers), finding.tally.clients) == (600, ((CLIENT, 600),))
    summary = describe(finding).summary
    assert summary == "tag:Role=web is denied HTTPS (tcp/443) on the internet by outbound rules."
    assert describe(finding).because.startswith(CLIENT)
    assert "outbound rules" in describe(finding).likely


def test_a_host_that_fails_elsewhere_is_a_scanner() -> None:
    """Hosts that answer with a reset, that do not answer, and internal hosts behind rules."""
    resets = [
        flow(f"{each.dstaddr}:443", f"{CLIENT}:40000", tcp_flags=4, flow_direction=IN, start=TODAY + 3600)
        for each in addresses(40)
    ]
    silent = [flow(f"{CLIENT}:40000", f"{each.dstaddr}:443", tcp_flags=2, flow_direction=OUT,
                   start=TODAY + 3600) for each in addresses(40)]  # fmt: skip
    inside = [denied(f"10.0.{n}.9") for n in range(40, 80)]
    assert {each.detector for each in found([*silent, *resets], learned())} == {"scan"}
    assert {each.detector for each in found(silent, learned())} == {"scan"}
    assert {each.detector for each in found(inside, learned())} == {"scan", "host-probing"}


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 400)), min_size=1, max_size=60))
@examples(0.5)
def test_denied_services_alone_are_never_evidence_of_a_scan(places: list[tuple[int, int]]) -> None:
    """Whichever addresses and unprivileged services, in any mix."""
    flows = [denied(f"203.0.113.{host}", 2000 + service) for host, service in places]
    for usual in (MemoryEvidence(), MemoryEvidence(dict(LEARNED.items))):
        assert {each.detector for each in found(flows, usual)} == {"egress-denied"}


LEARNED = learned()


def test_denied_services_count_once_each_and_at_most_like_other_failures() -> None:
    """Four internal places and a denied service are five; two and ten services are four."""
    least = LIMITS.probing_destinations
    inside = [denied(f"10.0.2.{n}", 22) for n in range(1, least)]
    services = [each for port in range(8001, 8011) for each in addresses(9, port)]
    assert "host-probing" in {each.detector for each in found([*inside, *addresses(50)], learned())}
    few = [*inside[: least // 2], *services]
    assert "host-probing" not in {each.detector for each in found(few, learned())}
    hour = [denied(f"10.0.{n}.9", 22) for n in range(40, 40 + LIMITS.scan_hour - 1)]
    assert "scan" not in {each.detector for each in found(hour, learned())}
    assert "scan" in {each.detector for each in found([*hour, *addresses(50)], learned())}


def test_a_sweep_of_the_privileged_ports_of_one_server_is_a_scan() -> None:
    """No application needs that many ports of one server, whichever rule rejects them."""
    ports = [denied("203.0.113.9", port) for port in range(1, LIMITS.scan_ports + 1)]
    assert "scan" in {each.detector for each in found(ports, learned())}


def test_the_hosts_of_a_role_are_one_finding_and_another_role_is_another() -> None:
    """Two web servers and a database, which is denied another service, too."""
    directory = FakeDirectory.of(interface("eni-1"), interface("eni-2"), interface("eni-3", "db"))
    flows = [
        denied("203.0.113.1"),
        denied("203.0.113.2", client="10.0.1.6", interface_id="eni-2"),
        denied("203.0.113.3", client="10.0.3.1", interface_id="eni-3"),
        denied("203.0.113.3", 123, client="10.0.3.1", interface_id="eni-3"),
    ]
    about = [(each.subject, each.service, len(each.tally.clients)) for each in found(flows, None, directory)]
    assert [(subject, service and service.port, hosts) for subject, service, hosts in about] == [
        ("tag:Role=web", 443, 2),
        ("tag:Role=db", 443, 1),
        ("tag:Role=db", 123, 1),
    ]


def test_hosts_of_unknown_roles_are_findings_of_their_own() -> None:
    """EC2 does not describe their interfaces, so nothing is known in common."""
    flows = [denied("203.0.113.1", client=f"10.0.1.{host}", interface_id=f"eni-{host}") for host in (5, 6)]
    about = found(flows, None, FakeDirectory())
    assert [each.subject for each in about] == ["10.0.1.5", "10.0.1.6"]
    assert describe(about[0]).summary.startswith("10.0.1.5 is denied HTTPS")


def test_a_role_that_is_denied_nearly_everything_is_one_finding() -> None:
    """One page for a default-deny group, not one for each service."""
    many = [denied("203.0.113.1", 8000 + n) for n in range(egress_denied.MOST_SERVICES + 1)]
    (finding,) = found(many)
    assert (finding.service, len(finding.tally.services)) == (None, len(many))
    assert "6 services" in describe(finding).summary
    assert len(found(many[1:])) == egress_denied.MOST_SERVICES


def test_only_the_way_out_is_the_hosts_own_rule() -> None:
    """A NAT gateway's network ACL rejects the request at the gateway's interface: one blocked connection."""
    ends: dict[str, Any] = {"pkt_srcaddr": CLIENT, "pkt_dstaddr": "203.0.113.1"}
    (at_gateway,) = found([denied("10.0.0.9", flow_direction=IN, interface_id="eni-nat", **ends)])
    assert at_gateway.peer_class == "internet"
    assert (at_gateway.detector, at_gateway.subject) == ("blocked-connection", CLIENT)
    (unknown,) = found([denied("203.0.113.1", flow_direction=None, tcp_flags=None)])
    assert unknown.detector == "egress-denied", "an address of the internet has no interface here"
    assert [each.detector for each in found([denied("10.0.2.30", 5432)])] == ["blocked-connection"]


@pytest.mark.parametrize(
    "one",
    [
        denied("203.0.113.1", packets=LIMITS.blocked_packets - 1),
        denied("203.0.113.1", tcp_flags=1),
        denied("203.0.113.1", 50_000, protocol=17, tcp_flags=None),
        rejected("203.0.113.1:40000", f"{CLIENT}:443", tcp_flags=2, flow_direction=IN),
        rejected(f"{CLIENT}:443", "203.0.113.1:40000", tcp_flags=18, flow_direction=OUT),
        flow(f"{CLIENT}:40000", "203.0.113.1:443", tcp_flags=2, flow_direction=OUT),
    ],
    ids=[
        "a stray packet",
        "a leftover",
        "UDP between client ports",
        "from the internet",
        "a reply",
        "accepted",
    ],
)
def test_other_traffic_is_not_a_finding(one: Flow) -> None:
    """Only rejected connections that an internal host opens to the internet count."""
    assert inspect([one]) == []


def test_exempt_hosts_never_page() -> None:
    """The finding stays in the log."""
    flows = [denied("203.0.113.1", at=TODAY + 3600 + n * 600) for n in range(20)]
    evidence = learned(flow(f"{CLIENT}:40000", "203.0.113.9:443", tcp_flags=2, flow_direction=OUT))
    exempt = found(flows, evidence, policy=Policy(exempt=(CLIENT,)))
    assert [each.severity for each in exempt] == [Severity.INFO]


def test_a_service_that_was_usual_pages_at_once() -> None:
    """An outbound rule was tightened; the victims are named as such."""
    evidence = MemoryEvidence()
    for ago in range(21, 0, -1):
        at = TODAY - ago * DAY + 3600
        found([*got("10.0.3.1", 5432, at), *got("203.0.113.9", 443, at)], evidence, now=at)
    (finding,) = found(addresses(40), evidence)
    assert (finding.detector, finding.severity) == ("egress-denied", Severity.MEDIUM)
    first, *_ = steps(finding, describe(finding), CONTEXT)
    assert "outbound rules" in first


def test_a_new_denied_service_pages_once_it_persists() -> None:
    """A release whose rule follows is no incident; refusals in twelve 10-minute slots are, by any host."""
    evidence = learned()
    directory = FakeDirectory.of(interface("eni-1"), interface("eni-2"))
    paged = []
    for n in range(13):
        at = TODAY + 3600 + n * 600
        one = denied(f"203.0.113.{n}", at=at, client=f"10.0.1.{n % 2 + 5}", interface_id=f"eni-{n % 2 + 1}")
        paged.append([each.severity.pages for each in found([one], evidence, directory, now=at)])
    assert paged == [[False]] * 11 + [[True]] * 2


def test_a_reject_reason_is_the_cause() -> None:
    """`reject-reason` states it."""
    (finding,) = inspect([denied("198.51.100.7", reject_reason="BPA")])
    assert describe(finding).likely == "VPC Block Public Access"


def test_repeats_are_suppressed_for_a_month() -> None:
    """A standing misconfiguration is one page a month for a role and service, whichever host and address."""
    days = [TODAY + number * DAY + 3600 for number in (0, 7, 29, 31)]
    times = [at for begin in days for at in range(begin, begin + 13 * 600, 600)]
    delivered = [
        (replace(batch, batch_id=str(at)), now)
        for number, at in enumerate(times)
        for batch, now in batches([denied(f"203.0.113.{number}", at=at)], at=at + 60)
    ]
    account = Account(evidence=learned())
    sent = Scenario("month", account, tuple(delivered), frozenset()).run(Faults()).pages.sent
    assert [each.attributes["detector"] for each in sent] == ["egress-denied"] * 2
    assert "Repeats suppressed for 30 days." in str(sent[0].text)
