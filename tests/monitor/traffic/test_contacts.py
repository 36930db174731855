"""Contacts: which services a host contacts, and the outcome."""

from __future__ import annotations

from itertools import repeat

import numpy as np
import pytest

from flowwarden.monitor.baseline.peers import peer_of
from flowwarden.monitor.traffic.contact import Contact, ContactOutcome
from flowwarden.monitor.traffic.contacts import Contacts
from flowwarden.monitor.traffic.interface_index import InterfaceIndex
from flowwarden.network.addresses import AddressClassifier
from flowwarden.network.direction import AWS_SERVICE, INTERNET, OWN, Directions
from flowwarden.network.traffic import Traffic
from flowwarden.records.columnar.flow_table import FlowTable
from flowwarden.records.model import Action, Flow, FlowDirection
from tests.flows import flow, rejected

CLIENT, SERVER = "10.0.1.5", "10.0.2.9"
OUT, IN = FlowDirection.EGRESS, FlowDirection.INGRESS
SYN, SYN_ACK, RST = 2, 18, 4


def contacts(*flows: Flow) -> list[Contact]:
    """All contacts of a batch."""
    found = batch_of(*flows)
    return [
        contact
        for number, edge in enumerate(found.edges.keys)
        for contact in found.one_by_one(found.edges.of(number).tolist(), repeat(edge.peer))
    ]


def batch_of(*flows: Flow) -> Contacts:
    """The contacts of a batch."""
    table = FlowTable.of(flows)
    return Contacts(Directions(Traffic(table), AddressClassifier()), InterfaceIndex(table))


def asked(port: int = 5432, **given: object) -> Flow:
    """The client's request, as its own interface logs it."""
    return flow(f"{CLIENT}:40000", f"{SERVER}:{port}", **{"tcp_flags": SYN, "flow_direction": OUT} | given)


def answered(port: int = 5432, **given: object) -> Flow:
    """The reply to it."""
    return flow(f"{SERVER}:{port}", f"{CLIENT}:40000", **{"tcp_flags": SYN_ACK, "flow_direction": IN} | given)


@pytest.mark.parametrize(
    ("flows", "outcome"),
    [
        ([asked(), answered()], ContactOutcome.ANSWERED),
        ([asked()], ContactOutcome.UNANSWERED),
        ([asked(), answered(tcp_flags=RST)], ContactOutcome.REFUSED),
        (
            [rejected(f"{CLIENT}:40000", f"{SERVER}:5432", tcp_flags=SYN, flow_direction=OUT)],
            ContactOutcome.REFUSED,
        ),
    ],
)
def test_a_contact_is_answered_refused_or_neither(flows: list[Flow], outcome: ContactOutcome) -> None:
    """A reset alone is no answer: no process listens."""
    (contact,) = contacts(*flows)
    assert (contact.client, contact.server, contact.port) == (CLIENT, SERVER, 5432)
    assert contact.outcome is outcome
    assert contact.failed is (outcome is not ContactOutcome.ANSWERED)
    assert (contact.peer, contact.inside) == ("10.0.2.0/24", True)


def test_at_the_servers_interface_the_peer_is_the_network_of_the_client() -> None:
    """The other end, as seen from the interface that logged the contact."""
    (contact,) = contacts(asked(flow_direction=IN), answered(flow_direction=OUT))
    assert contact.peer == "10.0.1.0/24"


def test_many_windows_and_ports_of_a_client_are_one_contact() -> None:
    """A contact is a place, not a connection."""
    found = contacts(asked(), asked(start=1_764_000_060), answered(), asked(port=22))
    assert sorted((each.port, each.outcome) for each in found) == [
        (22, ContactOutcome.UNANSWERED), (5432, ContactOutcome.ANSWERED),
    ]  # fmt: skip


def test_flows_without_a_known_initiator_are_not_a_contact() -> None:
    """A web server's replies to thousands of ports, resets to a scanner, late packets, ICMP."""
    assert contacts(
        *(flow(f"{CLIENT}:443", f"203.0.113.9:{n}", tcp_flags=RST, flow_direction=OUT) for n in range(3, 99)),
        rejected(f"{CLIENT}:443", "203.0.113.9:50000", tcp_flags=1, flow_direction=OUT),
        flow(f"{CLIENT}:0", f"{SERVER}:0", protocol=1, flow_direction=OUT),
    ) == []  # fmt: skip


def test_a_leftover_is_not_an_attempt() -> None:
    """The security group no longer tracks the connection; a rejected SYN is an attempt."""
    listens = [asked(), answered()]
    for flags, clients in ((0, [CLIENT]), (1, [CLIENT]), (2, [CLIENT, "10.0.1.9"])):
        other = rejected("10.0.1.9:40009", f"{SERVER}:5432", tcp_flags=flags, flow_direction=OUT)
        assert sorted(each.client for each in contacts(*listens, other)) == clients


@pytest.mark.parametrize("flags", [0, 1, 4, 5])
@pytest.mark.parametrize("action", list(Action))
def test_an_established_connection_seen_midstream_is_no_failed_attempt(flags: int, action: Action) -> None:
    """After an idle timeout a FIN, ACK or RST travels alone, and the far end may reset it.

    With a SYN it is an attempt, whatever else the window contains.
    """
    lone = asked(443, tcp_flags=flags, action=action)
    reset = answered(443, tcp_flags=RST)
    other = [
        flow("10.0.1.9:40000", f"{SERVER}:443", tcp_flags=SYN, flow_direction=OUT),
        flow(f"{SERVER}:443", "10.0.1.9:40000", tcp_flags=SYN_ACK, flow_direction=IN),
    ]
    for flows in ([lone], [lone, reset], [lone, *other], [lone, reset, *other], [reset, *other]):
        assert [each.client for each in contacts(*flows) if each.failed] == []
    attempt = asked(443, tcp_flags=SYN | flags, action=action)
    assert [each.failed for each in contacts(attempt)] == [True]
    assert [each.outcome for each in contacts(attempt, reset)] == [ContactOutcome.REFUSED]


def test_a_midstream_connection_that_is_answered_is_a_contact() -> None:
    """Most windows of a long connection contain no SYN: they can be learned as usual."""
    (contact,) = contacts(asked(443, tcp_flags=0), answered(443, tcp_flags=0))
    assert (contact.client, contact.outcome) == (CLIENT, ContactOutcome.ANSWERED)


def test_of_two_formats_of_a_record_the_one_with_flags_decides() -> None:
    """Two flow logs that write to one log group; without flags alone, the packet looks like an attempt."""
    for action in Action:
        whole, short = (asked(443, tcp_flags=flags, action=action) for flags in (1, None))
        assert contacts(whole, short) == []
        assert [each.failed for each in contacts(short)] == [True]


@pytest.mark.parametrize("port", [22, 443, 5432, 8443])
def test_without_flags_tcp_from_a_service_port_to_a_client_port_is_a_reply(port: int) -> None:
    """A late packet of a server, accepted or rejected, is no failed attempt of the server."""
    for made in (flow, rejected):
        found = contacts(made(f"{CLIENT}:{port}", f"{SERVER}:50123", flow_direction=OUT))
        assert [each.client for each in found if each.failed] == []


def test_without_flags_an_earlier_accept_identifies_a_leftover() -> None:
    """One connection that expired while in use: it was answered and is no failure."""
    ends = f"{CLIENT}:40000", f"{SERVER}:31000"
    before = flow(*ends, flow_direction=OUT)
    refused = rejected(*ends, flow_direction=OUT, start=1_764_000_300)
    assert [each.outcome for each in contacts(before, refused)] == [ContactOutcome.UNANSWERED]
    assert [each.outcome for each in contacts(refused)] == [ContactOutcome.REFUSED]


def test_a_contact_with_a_guessed_initiator_causes_no_finding() -> None:
    """It may be learned as usual."""
    flows = [flow(f"{SERVER}:31000", f"{CLIENT}:32000", flow_direction=IN), asked()]
    found = batch_of(*flows)
    groups = np.arange(len(found))
    assert len(found) == 2
    assert [each.port for each in found.one_by_one(groups[found.is_sure].tolist(), repeat("peer"))] == [5432]


def test_a_servers_replies_belong_to_its_clients_contacts() -> None:
    """Regardless of the number of ports."""
    found = contacts(
        *(
            flow(f"{CLIENT}:53", f"10.0.9.9:{port}", protocol=17, action=None, flow_direction=OUT)
            for port in range(40_000, 40_100)
        )
    )
    assert [each.client for each in found if each.client == CLIENT] == []


def test_silence_is_not_a_failure_for_protocols_without_answers() -> None:
    """Unanswered UDP may be a log or a metric."""
    assert contacts(
        rejected(f"{CLIENT}:40000", f"{SERVER}:514", protocol=17, flow_direction=OUT)
    )[0].failed  # fmt: skip
    assert contacts(flow(f"{CLIENT}:40000", f"{SERVER}:514", protocol=17, flow_direction=OUT)) == []


def test_peers_are_internal_networks_or_classes() -> None:
    """Never an internet address."""
    assert peer_of("10.1.2.3", OWN) == "10.1.2.0/24"
    assert peer_of("2600:1f18:1:2:3::9", OWN) == "2600:1f18:1:2::/64"
    assert peer_of("203.0.113.9", INTERNET) == "internet"
    assert peer_of("52.1.2.3", AWS_SERVICE) == "aws-service"
