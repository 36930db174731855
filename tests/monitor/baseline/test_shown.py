"""Shown edges: stored as numbers that can be read again, in the same write as the other sets."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.monitor.baseline.additions import learned
from flowwarden.monitor.baseline.baseline import MEASURED, PINGS, PRESENT, Edge, bursts_of, guessed_at
from flowwarden.monitor.baseline.peers import network_of
from flowwarden.monitor.baseline.shown import edge_of_number, network_name, network_number, number_of
from flowwarden.network.addresses import PeerClass
from flowwarden.state.schema import BASELINES, KNOWN_ROLES
from tests.examples import examples

ADMINISTERS = Edge("out", 6, 22, "10.0.3.0/24")
NETWORKS = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str).map(network_of)
CLASSES = st.sampled_from([each.value for each in PeerClass if each is not PeerClass.OWN])
REFUSED = st.builds(
    Edge, st.just("refused"), st.integers(0, 255), st.integers(0, 65_535), st.one_of(NETWORKS, CLASSES)
)


@examples(1)
@given(REFUSED)
def test_an_edge_can_be_read_from_its_number(edge: Edge) -> None:
    """Whatever the protocol, port and peer; the number has the length that the schema allows."""
    number = number_of(edge)
    assert number is not None
    assert number < 1 << BASELINES.bits_of("shown")
    assert edge_of_number(number) == edge


@pytest.mark.parametrize(
    "edge",
    [
        ADMINISTERS,
        Edge("out", 6, 3389, "internet"),
        Edge("out", 17, 4444, "internet"),
        Edge("out", 6, 443, "internet"),
        Edge("in", 6, 22, "internet"),
        Edge("in", 6, 5432, "partner"),
        Edge("out", 6, 5432, "10.0.3.0/24"),
        Edge("refused", 6, 8080, "10.0.9.0/24"),
    ],
)
def test_what_a_reviewer_must_see_is_shown(edge: Edge) -> None:
    """Administration, the internet's contacts with grave ports, what goes out, what is refused."""
    assert edge_of_number(number_of(edge) or 0) == edge


@pytest.mark.parametrize(
    "edge",
    [
        Edge("out", 6, 8080, "10.0.3.0/24"),
        Edge("in", 6, 443, "internet"),
        Edge("in", 6, 22, "10.0.3.0/24"),
        PRESENT,
        MEASURED,
        PINGS,
        bursts_of(ADMINISTERS),
        guessed_at(22),
    ],
)
def test_other_edges_are_not_shown(edge: Edge) -> None:
    """Each would cost bytes in every write; what is learned besides edges is in the hashes."""
    assert number_of(edge) is None


@pytest.mark.parametrize("number", [0, 3, 2**91, 2**92 - 1])
def test_a_number_of_no_edge_is_none(number: int) -> None:
    """In an item of another version, or a damaged one."""
    assert edge_of_number(number) is None


@examples(0.5)
@given(
    st.one_of(
        st.builds(IPv4Address, st.integers(0, 2**32 - 1)), st.builds(IPv6Address, st.integers(0, 2**128 - 1))
    )
)
def test_a_network_can_be_read_from_its_number(address: IPv4Address | IPv6Address) -> None:
    """So the networks of a role's hosts can be shown."""
    network = network_of(str(address))
    number = network_number(network)
    assert number is not None
    assert number < 1 << KNOWN_ROLES.bits
    assert network_name(number) == network


def test_shown_edges_are_added_with_the_others() -> None:
    """One addition, so one write."""
    addition = learned("tag:Role=web", 20_000, frozenset({ADMINISTERS, Edge("out", 6, 8080, "10.0.3.0/24")}))
    assert addition.sets["shown"] == {number_of(ADMINISTERS)}
    assert "shown" not in learned("tag:Role=web", 20_000, frozenset({PRESENT})).sets
