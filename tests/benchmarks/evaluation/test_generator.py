"""The synthetic traffic is like flow logs, the same for a seed, and has correct labels."""

from __future__ import annotations

import pickle
from collections import Counter
from itertools import pairwise

import pytest

from benchmarks.evaluation.generator.generator import Generator
from benchmarks.evaluation.generator.internet_noise import PACKETS_A_DAY
from benchmarks.evaluation.generator.model import BEGIN, DAY, Delivery, Truth
from benchmarks.evaluation.reading import Reading
from flowwarden.records.model import Action, Flow, Gap
from tests.architecture import source
from tests.benchmarks.evaluation.networks import LAYOUTS, RATE, Made, made, network

RATE_BY_WINDOW = {60: RATE / 3, 600: RATE}
"""Shorter windows have more records, so they get less traffic."""
layout_names = pytest.mark.parametrize("layout", LAYOUTS)

type Ends = tuple[str, str, int | None, int | None]


def day(seed: int, layout: str = "template") -> list[Delivery]:
    """The deliveries of a learning day with little traffic, in windows longer than AWS's."""
    given = network(layout, seed=seed, learning_rate=0.02, window=3600)
    return list(Generator(given).next_day())


def ends(flow: Flow) -> Ends:
    """The packet addresses and the ports."""
    return flow.pkt_srcaddr or "", flow.pkt_dstaddr or "", flow.srcport, flow.dstport


def test_the_same_seed_gives_the_same_deliveries() -> None:
    """Another seed gives other deliveries."""
    assert day(1) == day(1)
    assert day(1) != day(2)


def test_the_layout_changes_only_the_form_of_the_lines() -> None:
    """The same number of lines at the same times, with the same truth."""
    one, other = day(1, "template"), day(1, "v2")
    assert [each.truth for each in one] == [each.truth for each in other]
    assert [each.arrived for each in one] == [each.arrived for each in other]
    assert one[0].lines != other[0].lines


def test_a_restored_generator_continues_with_the_same_deliveries() -> None:
    """A checkpoint after a day has no effect."""
    given = network(learning_days=2, learning_rate=0.02, window=3600)
    straight, aside = Generator(given), Generator(given)
    assert list(straight.next_day()) == list(aside.next_day())
    restored: Generator = pickle.loads(pickle.dumps(aside))  # noqa: S301 -- created by this test
    assert list(straight.next_day()) == list(restored.next_day())
    assert straight.over
    assert restored.over


@layout_names
def test_the_reader_parses_every_line(layout: str) -> None:
    """Without incidents there is no malformed line."""
    result = made(layout)
    assert len(result.flows) > 10_000
    assert result.malformed == []
    assert result.gaps


def test_every_line_has_a_truth_and_only_flows_have_a_side() -> None:
    """A gap has no initiator."""
    result = made()
    reading = Reading(result.network.layout)
    assert all(len(each.lines) == len(each.truth) for each in result.deliveries)
    for delivery in result.deliveries[:500]:
        truths = [truth for _, truth in reading.flows_with_truth(delivery)]
        assert len(truths) == len(delivery.lines) - delivery.truth.count(Truth.NO_FLOW)


def test_the_truth_agrees_with_the_flags() -> None:
    """The initiator sends a SYN, the other end a SYN-ACK, unless it is backscatter."""
    result = made()
    reading = Reading(result.network.layout)
    truths = Counter(
        (flow.tcp_flags & 18, truth)
        for delivery in result.deliveries
        for flow, truth in reading.flows_with_truth(delivery)
        if flow.tcp_flags is not None and flow.tcp_flags & 2
    )
    assert set(truths) == {(2, Truth.SOURCE), (18, Truth.DESTINATION), (18, Truth.NONE)}
    assert truths[18, Truth.NONE] < 0.01 * truths[18, Truth.DESTINATION]


def test_an_internal_conversation_has_at_most_four_records_per_window() -> None:
    """Both interfaces log both directions; only a gateway on the path adds records."""
    result = made()
    hosts = {each.private_ipv4 for each in result.interfaces.values()}
    seen: Counter[object] = Counter()
    for flow in result.flows:
        source, destination, source_port, destination_port = ends(flow)
        if flow.action is Action.ACCEPT and {source, destination} <= hosts:
            both = frozenset({(source, source_port), (destination, destination_port)})
            seen[both, flow.protocol, _window(flow, 600)] += 1
    assert max(seen.values()) == 4


@pytest.mark.parametrize("window", [60, 600])
def test_a_record_is_a_one_way_tuple_in_one_window_of_one_interface(window: int) -> None:
    """It begins and ends in the window, and occurs once."""
    result = made(window=window, learning_rate=RATE_BY_WINDOW[window])
    keys: Counter[object] = Counter()
    for flow in result.flows:
        assert flow.start is not None
        assert flow.end is not None
        assert flow.start <= flow.end
        assert flow.start // window == flow.end // window
        keys[flow.interface_id, *ends(flow), flow.srcaddr, flow.dstaddr, flow.protocol,
             flow.action, flow.flow_direction, _window(flow, window)] += 1  # fmt: skip
    assert set(keys.values()) == {1}


def test_flags_are_ored_over_a_window_and_spread_over_several() -> None:
    """A short connection has SYN and FIN in one record; a long one has windows without either."""
    seen = Counter(
        flow.tcp_flags
        for flow in made(window=60, learning_rate=RATE_BY_WINDOW[60]).flows
        if flow.protocol == 6
    )
    assert set(seen) <= {0, 1, 2, 3, 4, 6, 18, 19}
    assert {0, 1, 2, 3, 4, 18, 19} <= set(seen)


def test_a_window_has_flows_nodata_or_skipdata() -> None:
    """An interface that exists all day has lines for every window."""
    result = made()
    interface = next(each for each in result.interfaces.values() if each.role == "database")
    lines: list[Flow | Gap] = [*result.flows, *result.gaps]
    mine = [each for each in lines if each.interface_id == interface.interface_id]
    assert {_window(each, 600) for each in mine} == set(range(BEGIN // 600, (BEGIN + DAY) // 600))


def test_gateways_and_nodes_record_their_own_address_instead_of_others() -> None:
    """The packet addresses contain the original ones."""
    result = made()
    rewritten = {
        result.interfaces[flow.interface_id].role
        for flow in result.flows
        if flow.interface_id in result.interfaces
        and (flow.srcaddr, flow.dstaddr) != (flow.pkt_srcaddr, flow.pkt_dstaddr)
    }
    assert rewritten == {"nat", "tgw", "node"}


def test_radiation_matches_published_measurements() -> None:
    """27,100 packets per public address and day, most of them rejected, most from few sources."""
    result = made()
    (bastion,) = (each for each in result.interfaces.values() if each.role == "bastion")
    packets: Counter[str] = Counter()
    refused = 0
    for flow in result.flows:
        if flow.interface_id == bastion.interface_id and flow.flow_direction == "ingress":
            strange = not flow.srcaddr.startswith(("10.", "93.184.", "62.40.")) and flow.srcport != 443
            packets[flow.srcaddr] += (flow.packets or 0) if strange else 0
            refused += (flow.packets or 0) if strange and flow.action is Action.REJECT else 0
    assert packets.total() == pytest.approx(PACKETS_A_DAY * RATE, rel=0.3)
    assert refused > 0.9 * packets.total()
    most = sorted(packets.values())[-len(packets) // 10 :]
    assert sum(most) > 0.7 * packets.total()


def test_about_one_interface_in_ten_has_a_public_address() -> None:
    """The interfaces in public subnets."""
    interfaces = made().interfaces.values()
    public = [each for each in interfaces if each.public_ipv4]
    assert len(public) / len(interfaces) == pytest.approx(0.1, abs=0.02)
    assert all(each.public_subnet for each in public)


def test_the_median_interface_writes_far_fewer_records_than_the_mean() -> None:
    """A few interfaces have much of the traffic, as in real accounts."""
    result = made()
    counts = sorted(Counter(flow.interface_id for flow in result.flows).values())
    assert counts[len(counts) // 2] < 0.7 * sum(counts) / len(counts)


def test_deliveries_arrive_late_duplicated_and_out_of_order() -> None:
    """In the order of arrival, which differs from the order of the windows."""
    result = made(learning_slot=1200, learning_rate=0.02)
    assert all(one.arrived <= other.arrived for one, other in pairwise(result.deliveries))
    numbers = [each.number for each in result.deliveries]
    doubled = len(numbers) - len(set(numbers))
    assert 0 < doubled < 0.03 * len(numbers)
    streams = {each.log_stream for each in result.deliveries}
    assert any(
        sorted(stream) != stream
        for name in streams
        if (stream := [each.number for each in result.deliveries if each.log_stream == name])
    )


def test_records_are_as_old_in_deliveries_of_an_hour_as_in_those_of_a_window() -> None:
    """At most about 75 minutes: a late delivery of many windows is not as late as one of a single window."""
    for slot in (600, 3600):
        result = made(learning_slot=slot, learning_rate=0.02)
        reading = Reading(result.network.layout)
        ages = [
            delivery.arrived - min(each.start or 0 for each in records)
            for delivery in result.deliveries
            if (records := _records(reading, delivery))
        ]
        assert 4000 < max(ages) < 600 + 3600 + 240 + 600


def _records(reading: Reading, delivery: Delivery) -> list[Flow | Gap]:
    read = reading.records(delivery)
    return [*read.flows, *read.gaps]


def test_stress_increases_faults() -> None:
    """Eight times as many faults cause more failed internal connections."""
    assert _inside_failures(made(stress=8.0)) > 1.5 * _inside_failures(made())


def _inside_failures(result: Made) -> int:
    """The number of internal connections that were rejected or not answered."""
    asked = {(f.dstaddr, f.srcaddr, f.dstport, f.srcport) for f in result.flows}
    return sum(
        flow.tcp_flags == 2 and (flow.srcaddr, flow.dstaddr, flow.srcport, flow.dstport) not in asked
        for flow in result.flows
        if flow.flow_direction == "egress" and flow.srcaddr.startswith("10.")
    )


def _window(each: Flow | Gap, window: int) -> int:
    return (each.start or 0) // window


def test_the_generator_is_independent_of_the_detectors() -> None:
    """It imports only layouts from the package."""
    files = source.python("benchmarks/evaluation/generator")
    assert files
    taken = {name for path in files for name in source.imports(source.tree(path))}
    assert {name for name in taken if name.startswith("flowwarden")} <= {
        "flowwarden.records.log_format",
        "flowwarden.records.fields",
    }
    assert {name for name in taken if name.startswith("benchmarks")} <= {
        name for name in taken if name.startswith("benchmarks.evaluation.generator")
    }


def test_every_record_has_an_address_of_its_interface() -> None:
    """At the end that the direction of the record says."""
    result = made()
    for flow in result.flows:
        interface = result.interfaces.get(flow.interface_id or "")
        if interface is not None:
            own = {interface.private_ipv4, *interface.ipv6}
            assert own & {flow.srcaddr, flow.dstaddr}
            near = flow.srcaddr if flow.flow_direction == "egress" else flow.dstaddr
            assert near in own
