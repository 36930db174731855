"""Which findings share a cause, by what their detectors declare."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from flowwarden.monitor.alerts import Deployment, Seen, alerts
from flowwarden.monitor.causes import Cause, Shares, cause_of
from flowwarden.monitor.detectors import (
    DETECTORS,
    blocked_connection,
    egress_volume,
    nacl_blocks_replies,
    scan,
    unexpected_egress,
)
from flowwarden.monitor.findings import FlowSample, TrafficFinding
from flowwarden.monitor.traffic.hosts import Hosts
from flowwarden.network.addresses import PeerClass
from flowwarden.network.interface import NetworkInterface
from flowwarden.network.services import Service
from flowwarden.notify.claims import Claim, ClaimState
from flowwarden.records.model import Action, FlowDirection
from flowwarden.records.subscription import LogBatch
from tests.flows import directed, flow
from tests.monitor.fakes_interfaces import having

NOW = 1_764_000_000
IN, OUT = FlowDirection.INGRESS, FlowDirection.EGRESS


def host(address: str, role: str) -> NetworkInterface:
    """An interface with a tag that names its role; without a role, EC2 describes nothing of it."""
    tags = {"Role": role} if role else {}
    return NetworkInterface(interface_id=f"eni-{address}", vpc_id="vpc-1", addresses=(address,), tags=tags)


HOSTS = [
    host("10.0.1.1", "app"),
    host("10.0.1.2", "app"),
    host("10.0.2.1", "db"),
    host("10.0.2.2", "db"),
    host("10.0.9.9", ""),
]
KNOWN = Hosts({each.interface_id: each for each in HOSTS}, having(*((each, NOW) for each in HOSTS)), ["Role"])


def found(
    detector: Any,
    *ends: tuple[str, str],
    here: str,
    side: FlowDirection,
    service: Service | None = None,
    facts: Any = None,
) -> TrafficFinding:
    """A finding about SYNs from the first host of each pair to the second, as an interface logged them."""
    action = Action.REJECT if detector is blocked_connection.DETECTOR else Action.ACCEPT
    where = {"interface_id": f"eni-{here}", "vpc_id": "vpc-1", "flow_direction": side, "tcp_flags": 2}
    flows = directed(*(flow(f"{a}:50000", b, action=action, **where) for a, b in ends))
    subject = ends[0][0]
    made: TrafficFinding = detector.finding(
        subject=subject, peer_class=PeerClass.OWN, sample=FlowSample.of(flows), facts=facts, service=service
    )
    return made


def cause(finding: TrafficFinding, shares: Shares) -> Cause | None:
    """The cause of the finding."""
    return cause_of(finding, shares, KNOWN)


def identity(finding: TrafficFinding, shares: Shares) -> tuple[str, ...] | None:
    """What distinguishes its cause."""
    of_it = cause(finding, shares)
    return of_it.identity if of_it else None


def blocked(client: str, server: str, port: int, side: FlowDirection) -> TrafficFinding:
    """A blocked connection, logged at the side that refuses it."""
    here = server if side is IN else client
    detector = blocked_connection.DETECTOR
    return found(detector, (client, f"{server}:{port}"), here=here, side=side, service=Service(6, port))


def test_inbound_rules_are_those_of_a_role_at_a_service() -> None:
    """Whichever client and server of the role it is; not at another service, nor of another role."""
    same = {
        identity(blocked(client, server, 5432, IN), Shares.RULES)
        for client in ("10.0.1.1", "10.0.9.9")
        for server in ("10.0.2.1", "10.0.2.2")
    }
    assert same == {("vpc-1", "inbound", "tag:Role=db", "6/5432")}
    assert identity(blocked("10.0.1.1", "10.0.2.1", 22, IN), Shares.RULES) not in same
    assert identity(blocked("10.0.2.1", "10.0.1.1", 5432, IN), Shares.RULES) not in same


def test_outbound_rules_are_those_of_the_clients_role() -> None:
    """At any service; the members show which."""
    causes = [cause(blocked("10.0.1.1", "10.0.2.1", port, OUT), Shares.RULES) for port in (5432, 6379)]
    assert [each and each.identity for each in causes] == [("vpc-1", "outbound", "tag:Role=app")] * 2
    assert [each and each.members for each in causes] == [
        ("10.0.1.1 (tcp/5432)",),
        ("10.0.1.1 (tcp/6379)",),
    ]


def test_rules_of_a_side_that_is_not_known_are_no_cause() -> None:
    """A host without a role, also if the other one has one; and a gateway on the way."""
    assert identity(blocked("10.0.1.1", "10.0.9.9", 5432, IN), Shares.RULES) is None
    assert identity(blocked("10.0.9.9", "10.0.2.1", 5432, OUT), Shares.RULES) is None
    detector = blocked_connection.DETECTOR
    passing = found(detector, ("10.0.1.1", "10.0.2.1:5432"), here="gateway", side=OUT)
    assert identity(passing, Shares.RULES) is None


def tries(client: str, *ports: int) -> TrafficFinding:
    """A host tries these ports, each of another host."""
    ends = [(client, f"10.0.7.{number}:{port}") for number, port in enumerate(ports, 1)]
    return found(scan.DETECTOR, *ends, here=client, side=OUT)


def test_one_service_is_common_to_the_hosts_of_a_role() -> None:
    """The second host may join the first."""
    one, two = (cause(tries(each, 7946, 7946), Shares.SERVICE) for each in ("10.0.1.1", "10.0.1.2"))
    assert one is not None
    assert two is not None
    assert one.identity == two.identity
    assert not set(two.asks).isdisjoint(one.places)


@pytest.mark.parametrize(
    ("ports", "tried"),
    [((7946,), "only tcp/7946"), ((22, 22), "only tcp/22"), ((80, 81), "several services")],
)
def test_the_page_says_what_hosts_try(ports: tuple[int, ...], tried: str) -> None:
    """Also if it is remote administration, which other hosts do not join."""
    shown = cause(tries("10.0.1.1", *ports), Shares.SERVICE)
    assert shown is not None
    assert shown.what == f"hosts of tag:Role=app try {tried}"


@pytest.mark.parametrize("ports", [(22, 22), (445,), (7946, 8080)])
def test_remote_administration_and_several_services_are_not_common(ports: tuple[int, ...]) -> None:
    """An intruder tries these: another host that tries them does not join the first."""
    for first in (ports, (7946,)):
        one, two = (
            cause(tries("10.0.1.1", *first), Shares.SERVICE),
            cause(tries("10.0.1.2", *ports), Shares.SERVICE),
        )
        assert one is not None
        assert two is not None
        assert set(two.asks).isdisjoint(one.places)


def sends(client: str, *servers: str, mostly: str = "") -> TrafficFinding:
    """A host sends data to these servers."""
    facts = egress_volume.Facts(role="tag:Role=app", sent=1, usual=0)
    ends = [(client, f"{server}:443") for server in servers]
    made = found(egress_volume.DETECTOR, *ends, here=client, side=OUT, facts=facts)
    return replace(made, mostly=mostly, peer_class=PeerClass.INTERNET)


def test_a_destination_is_the_network_that_most_was_sent_to() -> None:
    """A host joins if a page named its main network; an intruder's main network was not named."""
    named = cause(sends("10.0.1.1", "203.0.113.9", "198.51.100.1"), Shares.DESTINATION)
    same = cause(sends("10.0.1.2", "198.51.100.7", mostly="203.0.113.20"), Shares.DESTINATION)
    other = cause(sends("10.0.1.2", "203.0.113.9", mostly="192.0.2.66"), Shares.DESTINATION)
    assert named is not None
    assert same is not None
    assert other is not None
    assert named.identity == same.identity == other.identity
    assert not set(same.asks).isdisjoint(named.places)
    assert set(other.asks).isdisjoint(named.places)


def test_a_host_of_an_ordinary_change_must_not_go_elsewhere_unnoticed() -> None:
    """Once hosts of its role were reported together; not again and again, if its destinations vary."""
    named = cause(sends("10.0.1.1", "203.0.113.9"), Shares.DESTINATION)
    elsewhere = cause(sends("10.0.1.1", "192.0.2.66"), Shares.DESTINATION)
    assert named is not None
    assert elsewhere is not None
    assert (named.identity, elsewhere.strict) == (elsewhere.identity, True)
    assert set(elsewhere.asks).isdisjoint(named.places)
    assert "10.0.1.1" in elsewhere.asks, "it is a place itself once it was reported for another network"


def test_each_finding_of_a_batch_asks_for_its_own_place() -> None:
    """An intruder on the same interface does not join with the host of an ordinary change."""
    both = [sends("10.0.1.1", "203.0.113.9"), sends("10.0.1.1", "192.0.2.66")]
    batch = LogBatch("111122223333", "group", "stream", (), "batch")
    (alert,) = alerts(
        both,
        Seen(
            batch=batch,
            deployment=Deployment(region="eu-west-1", suppression_minutes=240, runbooks="docs/runbooks"),
            now=1_700_000_000,
            hosts=KNOWN,
        ),
    )
    assert alert.evidence is not None
    networks_asked = ("203.0.113.0/24 6/443", "192.0.2.0/24 6/443")
    assert alert.evidence.asks == tuple((each, "10.0.1.1") for each in networks_asked)
    text = alert.notification(Claim(state=ClaimState.CLAIMED)).text
    networks = "203.0.113.0/24", "192.0.2.0/24"
    shown = "; ".join(f"hosts of tag:Role=app connect to {each} (tcp/443)" for each in networks)
    assert f"Same cause   {shown}: 10.0.1.1\n" in text


@pytest.mark.parametrize("shares", [Shares.SERVICE, Shares.CLIENTS, Shares.DESTINATION])
def test_a_host_without_a_role_shares_nothing(shares: Shares) -> None:
    """Nor does one whose flows another interface logged: not every container knows it."""
    assert cause(tries("10.0.9.9", 7946), shares) is None
    elsewhere = found(scan.DETECTOR, ("10.0.1.1", "10.0.2.1:7946"), here="10.0.2.1", side=IN)
    assert cause(elsewhere, shares) is None


def replies(subnet: str, **where: Any) -> TrafficFinding:
    """A network ACL denies replies from a host of a subnet."""
    flows = directed(
        *(
            flow("10.0.2.1:5432", f"10.0.1.1:5000{port}", action=Action.REJECT, tcp_flags=18, **where)
            for port in range(3)
        )
    )
    return nacl_blocks_replies.DETECTOR.finding(
        subject=subnet,
        peer_class=PeerClass.OWN,
        sample=FlowSample.of(flows),
        facts=None,
        aspect="outbound",
    )


def test_a_network_acl_has_several_subnets_of_a_vpc() -> None:
    """A VPC that only EC2 shows is the same; without one, each subnet is an incident of its own."""
    here = {"interface_id": "eni-10.0.2.1", "flow_direction": OUT}
    named = [replies(each, vpc_id="vpc-1", **here) for each in ("subnet-1", "subnet-2")]
    described = replies("subnet-3", **here)
    identities = {identity(each, Shares.NETWORK_ACL) for each in (*named, described)}
    assert identities == {("vpc-1", "outbound")}
    unknown = replies("subnet-4", interface_id="eni-x", flow_direction=OUT)
    assert identity(unknown, Shares.NETWORK_ACL) is None


def test_a_declared_host_is_an_incident_of_its_own() -> None:
    """A gateway reports it as well, and does not show its role. One whose role shows it shares its cause."""
    why = unexpected_egress.Listener
    for facts, alone in (
        (unexpected_egress.Facts(why.DECLARED), True),
        (unexpected_egress.Facts(why.LEARNED, "tag:Role=app"), False),
    ):
        made = found(
            unexpected_egress.DETECTOR,
            ("10.0.1.1", "203.0.113.9:443"),
            here="10.0.1.1",
            side=OUT,
            facts=facts,
        )
        assert (cause(made, Shares.DESTINATION) is None) == alone


def test_findings_about_administration_share_no_cause() -> None:
    """Benign automation uses the same ports."""
    alone = {each.name for each in DETECTORS if each.shares is Shares.NOTHING and each.severity.pages}
    assert {"lateral-movement", "brute-force"} <= alone


def test_what_is_measured_is_a_fact() -> None:
    """A member of the facts of a detector's findings."""
    named = {each.name: each.measures for each in DETECTORS if each.measures}
    assert named == {
        "scan": "failed",
        "lateral-movement": "servers",
        "brute-force": "sessions",
        "egress-volume": "sent",
    }
