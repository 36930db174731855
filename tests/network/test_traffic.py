"""The interface's own address, compared with a simple implementation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.network.addresses import CLASSES, AddressClassifier, PeerClass
from flowwarden.network.traffic import Traffic
from flowwarden.records.columnar.flow_table import FlowTable
from flowwarden.records.model import Flow
from tests.examples import examples
from tests.flows import make_flow

CLASSIFIER = AddressClassifier(["2a05:d018:1::/56", "52.0.0.0/24"])
INTERFACES = [None, *(f"eni-{number}" for number in range(12))]
IPV4 = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "52.0.0.9", "203.0.113.5", "198.51.100.7"]
IPV6 = ["2a05:d018:1::1", "2a05:d018:1::2", "2001:db8:1::1", "2001:db8:2::2", "::1", "::ffff:10.0.0.1"]


def pairs(addresses: list[str]) -> st.SearchStrategy[tuple[str, str]]:
    """Two ends, sometimes the same one."""
    return st.tuples(st.sampled_from(addresses), st.sampled_from(addresses))


FLOWS = st.lists(
    st.builds(
        lambda interface_id, ends: make_flow(interface_id=interface_id, srcaddr=ends[0], dstaddr=ends[1]),
        st.sampled_from(INTERFACES),
        pairs(IPV4) | pairs(IPV6),
    ),
    max_size=40,
)
KNOWN = st.dictionaries(
    st.sampled_from(INTERFACES[1:]), st.lists(st.sampled_from(IPV4 + IPV6), max_size=3), max_size=12
)


def own_addresses(flows: Sequence[Flow], known: Mapping[str, Collection[str]]) -> list[str | None]:
    """The own addresses from the columns, as texts."""
    table = FlowTable.of(flows)
    return [table.text(number) for number in Traffic(table).own_addresses(CLASSIFIER, known).tolist()]


def family(flow: Flow) -> bool:
    """Whether a flow is IPv6; IPv4-mapped and loopback addresses count as IPv4."""
    return ":" in flow.dstaddr and not flow.dstaddr.startswith("::")


def expected_addresses(flows: Sequence[Flow], known: Mapping[str, Collection[str]]) -> list[str | None]:
    """Flow by flow: the address that all flows of its interface and family share, then EC2, then own ones."""
    ends: defaultdict[tuple[str | None, bool], list[set[str]]] = defaultdict(list)
    for flow in flows:
        ends[flow.interface_id, family(flow)].append({flow.srcaddr, flow.dstaddr})
    found = []
    for flow in flows:
        common = set.intersection(*ends[flow.interface_id, family(flow)])
        described = common & set(known.get(flow.interface_id or "", ()))
        own = {each for each in common if CLASSES[CLASSIFIER.numbers([each])[0]] is PeerClass.OWN}
        lone = common if len(common) == 1 and ":" in next(iter(common)) else set[str]()
        chosen = described if len(described) == 1 else own or lone
        found.append(next(iter(chosen)) if len(chosen) == 1 else None)
    return found


@examples(3)
@given(FLOWS, KNOWN)
def test_own_addresses_match_the_simple_implementation(
    flows: list[Flow], known: dict[str, list[str]]
) -> None:
    """For many interfaces of both families, with and without EC2's descriptions."""
    assert own_addresses(flows, known) == expected_addresses(flows, known)


@pytest.mark.parametrize("interfaces", [1, 300])
def test_each_of_many_interfaces_has_the_address_that_its_flows_share(interfaces: int) -> None:
    """Regardless of the flows of other interfaces, and of the order."""
    flows = [
        make_flow(interface_id=f"eni-{number}", srcaddr=ends[way], dstaddr=ends[1 - way])
        for peer in range(3)
        for number in range(interfaces)
        for way in (0, 1)
        for ends in [(f"10.0.{number // 250}.{number % 250}", f"10.9.{number % 7}.{peer}")]
    ]
    own = [f"10.0.{number // 250}.{number % 250}" for number in range(interfaces) for _ in range(2)] * 3
    assert own_addresses(flows, {}) == own


def test_only_ec2_decides_a_pair_of_own_addresses() -> None:
    """Not if EC2 describes neither of them, or both."""
    flows = [make_flow(interface_id="eni-1", srcaddr="10.0.0.1", dstaddr="10.0.0.2")]
    assert own_addresses(flows, {"eni-1": ["10.0.0.2"]}) == ["10.0.0.2"]
    assert own_addresses(flows, {}) == [None]
    assert own_addresses(flows, {"eni-1": ["10.0.0.1", "10.0.0.2"]}) == [None]
