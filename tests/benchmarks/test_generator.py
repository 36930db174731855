"""The measured payloads: the same for a seed, with the documented shares."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.clock import AT_ONCE, seeds
from benchmarks.generator import GAPS, IPV6, REJECTS, lines, payload
from benchmarks.interfaces import FLEET, fleet, interface
from benchmarks.layouts import layouts, log_format
from benchmarks.ways.floors import document
from flowwarden.records.line_reader import LineReader
from flowwarden.records.model import Action, GapKind, Records
from flowwarden.records.subscription import LogBatch, decode

RECORDS = 2_000
LAYOUTS = layouts()

layout_names = pytest.mark.parametrize("name", LAYOUTS)


def read(name: str, seed: int = 1) -> Records:
    """A generated payload of this layout, as parsed by the reader."""
    return LineReader((LAYOUTS[name],)).read(lines(LAYOUTS[name], RECORDS, seed))


@layout_names
def test_the_same_seed_gives_the_same_payload(name: str) -> None:
    """Another seed gives another payload, of another interface."""
    assert payload(LAYOUTS[name], 50, 7).event == payload(LAYOUTS[name], 50, 7).event
    assert payload(LAYOUTS[name], 50, 7).event != payload(LAYOUTS[name], 50, 8).event


@layout_names
def test_every_line_is_a_flow_or_a_gap(name: str) -> None:
    """No line is malformed; most gaps are NODATA, some are SKIPDATA."""
    records = read(name)
    assert not records.malformed
    assert len(records.gaps) == RECORDS * GAPS
    assert {gap.kind for gap in records.gaps} == set(GapKind)


@layout_names
def test_the_shares_are_the_documented_ones(name: str) -> None:
    """Rejects exactly; IPv6 except for the few records that are gaps."""
    flows = read(name).flows
    assert sum(flow.action is Action.REJECT for flow in flows) == RECORDS * REJECTS
    assert sum(":" in flow.srcaddr for flow in flows) == pytest.approx(RECORDS * IPV6, abs=RECORDS * GAPS)


@pytest.mark.parametrize("records", [1_000, 10_000])
def test_most_flows_have_their_own_key_for_any_size(records: int) -> None:
    """There are about 80 % as many keys as flows."""
    flows = LineReader((LAYOUTS["v2"],)).read(lines(LAYOUTS["v2"], records, 1)).flows
    keys = Counter((f.srcaddr, f.dstaddr, f.dstport, f.protocol, f.action) for f in flows)
    assert len(keys) / len(flows) == pytest.approx(0.8, abs=0.05)


@layout_names
def test_a_payload_is_one_interface_with_one_address_of_each_family(name: str) -> None:
    """Each flow has the interface's address at one end, as in AWS."""
    flows = read(name).flows
    assert len({flow.interface_id for flow in flows}) == 1
    for ipv6 in (False, True):
        ends = [{flow.srcaddr, flow.dstaddr} for flow in flows if (":" in flow.srcaddr) is ipv6]
        assert len(set.intersection(*ends)) == 1


@layout_names
@pytest.mark.parametrize("count", [10, 500])
def test_several_interfaces_share_the_records_in_equal_parts(name: str, count: int) -> None:
    """Including gaps; no interface is left out."""
    place = LAYOUTS[name].names.index("interface-id")
    records = Counter(line.split()[place] for line in lines(LAYOUTS[name], RECORDS, 1, count))
    assert set(records) == {each.interface_id for each in fleet()[:count]}
    assert set(records.values()) == {RECORDS // count}


@layout_names
def test_each_flow_has_the_address_of_its_own_interface_at_one_end(name: str) -> None:
    """Also for payloads of many interfaces."""
    flows = LineReader((LAYOUTS[name],)).read(lines(LAYOUTS[name], RECORDS, 1, 200)).flows
    for flow in flows:
        own = interface(flow.interface_id or "")
        assert len({flow.srcaddr, flow.dstaddr} & {own.ipv4, own.ipv6}) == 1


def test_interfaces_of_the_fleet_have_their_own_addresses_and_share_security_groups() -> None:
    """As in a VPC; the security group is the role."""
    assert len({each.ipv4 for each in fleet()}) == len({each.ipv6 for each in fleet()}) == FLEET
    assert 10 < len({each.security_group for each in fleet()}) < FLEET / 10


def test_all_properties_of_an_interface_follow_from_its_id() -> None:
    """So the benchmark's EC2 agrees with the payload; another id is another interface."""
    one, other, *_ = fleet()
    assert interface(one.interface_id) == one
    assert interface(other.interface_id) != one


def test_payloads_with_one_seed_and_different_sizes_share_no_far_end() -> None:
    """Otherwise a way that caches addresses would read the second payload faster."""
    few, many = (LineReader((LAYOUTS["v2"],)).read(lines(LAYOUTS["v2"], size, 1)).flows for size in (50, 500))
    ends = [{end for flow in flows for end in (flow.srcaddr, flow.dstaddr)} for flows in (few, many)]
    assert not ends[0] & ends[1]


def test_the_document_is_what_cloudwatch_logs_delivers() -> None:
    """One stream of one group; every event has its own id."""
    event = payload(LAYOUTS["v2"], 100, 1).event
    batch = decode(event["awslogs"]["data"], 2**20)
    assert isinstance(batch, LogBatch)
    assert list(batch.lines) == lines(LAYOUTS["v2"], 100, 1)
    assert batch.log_stream == f"{batch.lines[0].split()[2]}-all"

    events = document(event)["logEvents"]
    assert len({each["id"] for each in events}) == 100


def test_the_template_defines_the_measured_format() -> None:
    """Not the benchmark."""
    assert LAYOUTS["template"].to_log_format() == log_format()
    assert len(LAYOUTS["template"].names) > len(LAYOUTS["v2"].names)


@pytest.mark.parametrize("records", [20, 50, 1_000, 4_500, 10_000, 100_000])
def test_rounds_share_no_payload(records: int) -> None:
    """So no cache makes a way look faster than it is; a round has a bounded number of records."""
    all_seeds = [seed for number in range(20) for seed in seeds(records, number)]
    assert len(all_seeds) == len(set(all_seeds))
    assert len(seeds(records, 0)) * records <= max(records, AT_ONCE)
