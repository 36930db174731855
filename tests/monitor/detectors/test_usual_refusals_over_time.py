"""Refusals over days: what a role is usually refused is learned, and what an intruder does is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial

from msgspec.structs import replace

from flowwarden.monitor.detectors import (
    blocked_connection,
    egress_denied,
    host_probing,
    scan,
    service_blocked,
)
from flowwarden.monitor.detectors.base import Detector
from flowwarden.monitor.findings import TrafficFinding
from flowwarden.monitor.render.incident_key import incident_key
from flowwarden.monitor.render.text import describe
from flowwarden.monitor.traffic.refused_edges import MOST_SERVICES
from flowwarden.network.interface import NetworkInterface
from flowwarden.network.services import ADMIN_PORTS, DATABASE_PORTS
from flowwarden.records.model import Flow
from tests.flows import flow, rejected
from tests.monitor.batches import Container, table
from tests.monitor.fakes_interfaces import FakeDirectory, interface
from tests.monitor.fakes_state import MemoryEvidence
from tests.monitor.weeks import CLIENT, DAY, IN, OUT, POLICY, TODAY, got, learned

DETECTORS: Sequence[Detector] = (
    scan.DETECTOR,
    host_probing.DETECTOR,
    service_blocked.DETECTOR,
    blocked_connection.DETECTOR,
)
SERVER = "10.0.200.1"
NOW = TODAY + 7200


@cache
def _known() -> dict[str, dict[str, frozenset[int]]]:
    return {key: dict(sets) for key, sets in learned().items.items()}


def known() -> MemoryEvidence:
    """Evidence of a role that has been known for weeks."""
    return MemoryEvidence({key: dict(sets) for key, sets in _known().items()})


def refused(server: str, port: int, at: int = NOW, client: str = CLIENT, **given: object) -> Flow:
    """The client's own rules reject a request to an internal server."""
    usual = {"tcp_flags": 2, "flow_direction": OUT, "start": at, "end": at + 9}
    return rejected(f"{client}:40000", f"{server}:{port}", **usual | given)


def batch(
    evidence: MemoryEvidence, flows: Sequence[Flow], at: int = NOW, container: Container | None = None
) -> list[TrafficFinding]:
    """The findings in one batch, which is learned."""
    directory = FakeDirectory.of(interface("eni-1"), interface("eni-2"))
    return (container or Container(POLICY, evidence, directory)).found(flows, at, DETECTORS)


def days(evidence: MemoryEvidence, flows: Callable[[int], Sequence[Flow]], count: int = 3) -> None:
    """The same batch on each of the last days."""
    for ago in range(count, 0, -1):
        at = TODAY - ago * DAY + 7200
        batch(evidence, flows(at), at)


def alone(server: str, at: int) -> list[Flow]:
    """The host is refused one service."""
    return [refused(server, 8080, at)]


def with_outside(count: int, at: int) -> list[Flow]:
    """The host is refused one service inside, and others on the internet."""
    return [*alone(SERVER, at), *(refused("203.0.113.9", 9000 + n, at) for n in range(count - 1))]


def found(evidence: MemoryEvidence, flows: Sequence[Flow]) -> list[str]:
    """The detectors with a finding."""
    return [each.detector for each in batch(evidence, flows)]


def test_what_is_usually_refused_is_no_finding() -> None:
    """Refused on two earlier days; on one, it could be the incident's first day."""
    for count, expected in ((0, ["blocked-connection"]), (1, ["blocked-connection"]), (2, []), (9, [])):
        evidence = known()
        days(evidence, lambda at: [refused(SERVER, 8080, at)], count)
        assert found(evidence, [refused(SERVER, 8080)]) == expected, count


def test_another_service_network_or_role_is_not_usually_refused() -> None:
    """Only the edge is learned; a neighbor of the server counts as the same."""
    evidence = known()
    days(evidence, lambda at: [refused(SERVER, 8080, at)])
    assert found(evidence, [refused("10.0.200.9", 8080)]) == []
    for other in (
        refused(SERVER, 8081),
        refused(SERVER, 8080, protocol=17, tcp_flags=None),
        refused("10.0.201.1", 8080),
    ):
        assert found(evidence, [other]) == ["blocked-connection"]
    another = Container(POLICY, evidence, FakeDirectory.of(interface("eni-1", "db")))
    about = batch(evidence, [refused(SERVER, 8080)], container=another)
    assert [each.detector for each in about] == ["blocked-connection"]


def test_usual_refusals_do_not_count_for_a_scan_probing_or_a_blocked_service() -> None:
    """A terminal server is refused by ten networks every day; new ones are found as before."""
    evidence = known()
    usual = [f"10.0.{net}.9" for net in range(20, 30)]
    for server in usual:
        days(evidence, partial(alone, server))
    flows = [refused(server, 8080) for server in usual]
    assert found(evidence, flows) == []
    assert "host-probing" in found(known(), flows)
    strange = [refused(f"10.0.{net}.9", 8080) for net in range(60, 90)]
    assert {*found(evidence, [*flows, *strange])} >= {"scan", "host-probing"}
    clients = [refused("10.0.20.9", 8080, client=f"10.0.1.{n}") for n in range(20, 30)]
    assert found(evidence, clients) == []
    assert "service-blocked" in found(known(), clients)


def test_a_usual_connection_that_is_refused_is_reported_however_often() -> None:
    """An outage of three days, which was repaired; the next one is an incident again."""
    evidence = known()
    days(evidence, lambda at: [refused("10.0.3.1", 5432, at)])
    about = batch(evidence, [refused("10.0.3.1", 5432)])
    assert [(each.detector, each.severity.pages) for each in about] == [("blocked-connection", True)]


def test_a_scanner_teaches_nothing() -> None:
    """Three days of a scan of a network: on the fourth it is still a scan."""
    evidence = known()
    sweep = [(f"10.0.{net}.9", 8080) for net in range(20, 60)]
    days(evidence, lambda at: [refused(*place, at) for place in sweep])
    assert {*found(evidence, [refused(*place) for place in sweep])} >= {"scan", "host-probing"}


def test_a_host_above_the_limits_of_a_scan_teaches_nothing_in_any_batch() -> None:
    """It scans in the morning, and is refused a single service at noon."""
    evidence = known()

    def day(at: int) -> None:
        batch(evidence, [refused(f"10.0.{net}.9", 8080, at) for net in range(20, 60)], at)
        batch(evidence, [refused("10.0.99.9", 9999, at + 1800)], at + 1800)

    for ago in (3, 2, 1):
        day(TODAY - ago * DAY + 7200)
    alone = batch(evidence, [refused("10.0.99.9", 9999, NOW + DAY // 2)], NOW + DAY // 2)
    assert "blocked-connection" in {each.detector for each in alone}


def test_a_host_that_many_services_refuse_in_a_batch_teaches_nothing() -> None:
    """It may try what it does not know, also slowly; with fewer services, it is a misconfiguration."""
    for count, expected in ((MOST_SERVICES, ["blocked-connection"]), (MOST_SERVICES - 1, [])):
        evidence = known()
        days(evidence, partial(with_outside, count))
        assert found(evidence, [refused(SERVER, 8080)]) == expected


def at_ports(at: int) -> list[Flow]:
    """Each host of a role is refused one of the services that an intruder tries first."""
    ports = enumerate(sorted(ADMIN_PORTS | DATABASE_PORTS))
    return [refused(SERVER, port, at, client=f"10.0.1.{20 + number}") for number, port in ports]


def test_what_an_intruder_tries_first_is_learned_only_once_it_was_reported() -> None:
    """A try a day is not learned; refusals that persisted for two hours were paged, and are."""
    evidence, each_port = known(), len(at_ports(NOW))
    days(evidence, at_ports)
    assert found(evidence, at_ports(NOW)) == ["blocked-connection"] * each_port
    for ago in (2, 1):
        begin = TODAY - ago * DAY + 7200
        for at in range(begin, begin + 13 * 600, 600):
            about = batch(evidence, at_ports(at), at)
        assert [each.severity.pages for each in about] == [True] * each_port
    assert found(evidence, at_ports(NOW)) == []


def at_server(evidence: MemoryEvidence, at: int, *known: NetworkInterface) -> list[TrafficFinding]:
    """A refusal that only the server logged, in a container that has seen records of these interfaces."""
    directory = FakeDirectory.of(replace(interface("eni-9", "db"), addresses=(SERVER,)), *known)
    container = Container(POLICY, evidence, directory)
    view, _ = container.begin(table(), NOW)
    view.interfaces.known(directory.known)
    return batch(
        evidence, [refused(SERVER, 8080, at, flow_direction=IN, interface_id="eni-9")], at, container
    )


def test_a_refusal_that_the_server_logged_is_that_of_the_clients_role() -> None:
    """The server's rules reject it, so only its interface logs it; the client is found by address."""
    client = replace(interface("eni-2"), addresses=(CLIENT,))
    evidence = known()
    for ago in (3, 2, 1):
        at_server(evidence, TODAY - ago * DAY + 7200, client)
    assert at_server(evidence, NOW, client) == []
    assert found(evidence, [refused(SERVER, 8080)]) == [], "its own interface logs it"
    unanswered = [flow(f"{CLIENT}:40000", f"10.0.200.{n}:8080", tcp_flags=2, flow_direction=OUT, start=NOW)
                  for n in range(1, 60)]  # fmt: skip
    assert found(evidence, unanswered) == [], "its own interface logs the request, and no answer"
    (unknown,) = at_server(evidence, NOW)
    assert unknown.detector == "blocked-connection"


def test_a_host_of_another_vpc_is_not_taken_for_the_client() -> None:
    """It has the client's address. Its role learns nothing, and what it is refused says nothing."""
    elsewhere = replace(interface("eni-2"), addresses=(CLIENT,), vpc_id="vpc-2")
    here = replace(interface("eni-3"), addresses=(CLIENT,))
    evidence = known()
    for ago in (3, 2, 1):
        at_server(evidence, TODAY - ago * DAY + 7200, elsewhere)
    assert len(found(evidence, [refused(SERVER, 8080)])) == 1, "the role has learned nothing"
    for ago in (3, 2, 1):
        at_server(evidence, TODAY - ago * DAY + 7200, elsewhere, here)
    assert at_server(evidence, NOW, elsewhere, here) == [], "the client in the server's VPC is known"
    (unknown,) = at_server(evidence, NOW, elsewhere)
    assert unknown.detector == "blocked-connection"


PLACES = [("10.0.3.1", 5432), *((f"10.0.{net}.9", port) for net in (40, 41) for port in (443, 6379, 9200))]
"""Internal services that the hosts of a role use every day."""


@cache
def _busy() -> dict[str, dict[str, frozenset[int]]]:
    evidence = MemoryEvidence()
    for ago in range(21, 0, -1):
        at = TODAY - ago * DAY + 3600
        batch(evidence, [each for place in PLACES for each in got(*place, at)], at)
    return {key: dict(sets) for key, sets in evidence.items.items()}


def busy() -> MemoryEvidence:
    """Evidence of a role that uses these services."""
    return MemoryEvidence({key: dict(sets) for key, sets in _busy().items()})


def test_a_host_whose_usual_connections_its_own_rules_reject_is_a_victim_and_no_scanner() -> None:
    """The outbound rules of eight hosts are tightened: one finding, about their role."""
    every = (*DETECTORS, egress_denied.DETECTOR)
    names = [f"eni-{host}" for host in range(8)]
    container = Container(POLICY, busy(), FakeDirectory.of(*map(interface, names)))
    flows = [
        refused(*place, client=f"10.0.1.{host}", interface_id=f"eni-{host}")
        for host in range(8)
        for place in PLACES
    ]
    (finding,) = container.found(flows, NOW, every)
    assert (finding.detector, finding.subject) == ("egress-denied", "tag:Role=web")
    assert (finding.severity.pages, finding.peer_class, len(finding.tally.clients)) == (True, "own", 8)
    summary = describe(finding).summary
    assert summary == "tag:Role=web is denied 4 services at 3 internal hosts by outbound rules."
    assert describe(finding).because.startswith("8 hosts")
    assert "outbound rules" in describe(finding).likely


def test_the_hosts_of_a_tightened_rule_are_one_incident_in_any_batches() -> None:
    """Each interface's records arrive on their own."""
    keys = set()
    for host in range(8):
        directory = FakeDirectory.of(interface(f"eni-{host}"))
        flows = [refused(*place, client=f"10.0.1.{host}", interface_id=f"eni-{host}") for place in PLACES]
        about = Container(POLICY, busy(), directory).found(flows, NOW, (*DETECTORS, egress_denied.DETECTOR))
        keys |= {incident_key(each, "111122223333", "eu-west-1", "group") for each in about}
    assert len(keys) == 1


def test_the_clients_of_tightened_security_groups_are_no_scanners() -> None:
    """The interfaces of the servers log it; the client is found by its address."""
    client = replace(interface("eni-2"), addresses=(CLIENT,))
    servers = [interface(f"eni-9{number}", "server") for number in range(len(PLACES))]
    container = Container(POLICY, busy(), FakeDirectory.of(client, *servers))
    view, _ = container.begin(table(), NOW)
    view.interfaces.known(["eni-2"])
    flows = [
        refused(*place, flow_direction=IN, interface_id=server.interface_id)
        for place, server in zip(PLACES, servers, strict=True)
    ]
    assert {each.detector for each in container.found(flows, NOW, DETECTORS)} == {"blocked-connection"}


def test_a_host_that_is_refused_new_places_beside_usual_ones_is_a_scanner() -> None:
    """Only refusals of connections that worked before are no evidence of a scan."""
    usual = [refused(*place) for place in PLACES]
    strange = [refused(f"10.0.{net}.9", 8080) for net in range(60, 80)]
    assert {*found(busy(), [*usual, *strange])} >= {"scan", "host-probing"}
    assert "host-probing" not in found(busy(), [*usual, *strange[:3]])


def test_a_few_usual_connections_that_fail_are_blocked_connections() -> None:
    """The host may have been moved; the role is not shut off."""
    about = batch(busy(), [refused(*place) for place in PLACES[:2]])
    assert [each.detector for each in about] == ["blocked-connection"] * 2
