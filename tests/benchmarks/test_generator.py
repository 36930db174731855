"""The payloads that are measured: the same for a seed, with the mixture that the results tell of."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.clock import AT_ONCE, seeds
from benchmarks.generator import GAPS, IPV6, REJECTS, lines, payload
from benchmarks.layouts import layouts, log_format
from benchmarks.ways.floors import document
from flowwarden.records.line_reader import LineReader
from flowwarden.records.model import Action, GapKind, Records
from flowwarden.records.subscription import LogBatch, decode

RECORDS = 2_000
LAYOUTS = layouts()

layout_names = pytest.mark.parametrize("name", LAYOUTS)


def read(name: str, seed: int = 1) -> Records:
    """What the generator makes of this layout, as the reader takes it."""
    return LineReader((LAYOUTS[name],)).read(lines(LAYOUTS[name], RECORDS, seed))


@layout_names
def test_the_same_seed_gives_the_same_payload(name: str) -> None:
    """Another seed gives another one, of another interface."""
    assert payload(LAYOUTS[name], 50, 7).event == payload(LAYOUTS[name], 50, 7).event
    assert payload(LAYOUTS[name], 50, 7).event != payload(LAYOUTS[name], 50, 8).event


@layout_names
def test_every_line_is_a_flow_or_a_gap(name: str) -> None:
    """Nothing in the mixture is malformed; most gaps are silence, some are lost sight."""
    records = read(name)
    assert not records.malformed
    assert len(records.gaps) == RECORDS * GAPS
    assert {gap.kind for gap in records.gaps} == set(GapKind)


@layout_names
def test_the_shares_are_those_that_are_told(name: str) -> None:
    """Rejects exactly; IPv6 but for the few whose record is a gap."""
    flows = read(name).flows
    assert sum(flow.action is Action.REJECT for flow in flows) == RECORDS * REJECTS
    assert sum(":" in flow.srcaddr for flow in flows) == pytest.approx(RECORDS * IPV6, abs=RECORDS * GAPS)


@pytest.mark.parametrize("records", [1_000, 10_000])
def test_most_flows_have_a_key_of_their_own_whatever_the_size(records: int) -> None:
    """There are about 80 % as many keys as flows."""
    flows = LineReader((LAYOUTS["v2"],)).read(lines(LAYOUTS["v2"], records, 1)).flows
    keys = Counter((f.srcaddr, f.dstaddr, f.dstport, f.protocol, f.action) for f in flows)
    assert len(keys) / len(flows) == pytest.approx(0.8, abs=0.05)


@layout_names
def test_a_payload_is_one_interface_with_one_address_of_each_family(name: str) -> None:
    """Each flow has the interface's address at one end, as AWS writes it."""
    flows = read(name).flows
    assert len({flow.interface_id for flow in flows}) == 1
    for ipv6 in (False, True):
        ends = [{flow.srcaddr, flow.dstaddr} for flow in flows if (":" in flow.srcaddr) is ipv6]
        assert len(set.intersection(*ends)) == 1


def test_the_document_is_what_cloudwatch_logs_delivers() -> None:
    """One stream of one group; every event with an id of its own."""
    event = payload(LAYOUTS["v2"], 100, 1).event
    batch = decode(event["awslogs"]["data"], 2**20)
    assert isinstance(batch, LogBatch)
    assert list(batch.lines) == lines(LAYOUTS["v2"], 100, 1)
    assert batch.log_stream == f"{batch.lines[0].split()[2]}-all"

    events = document(event)["logEvents"]
    assert len({each["id"] for each in events}) == 100


def test_the_template_says_which_format_is_measured() -> None:
    """Not the benchmark."""
    assert LAYOUTS["template"].to_log_format() == log_format()
    assert len(LAYOUTS["template"].names) > len(LAYOUTS["v2"].names)


@pytest.mark.parametrize("records", [1_000, 4_500, 10_000, 100_000])
def test_no_round_sees_a_payload_of_another(records: int) -> None:
    """So that nothing which a way remembers makes it look faster than it is."""
    all_seeds = [seed for number in range(20) for seed in seeds(records, number)]
    assert len(all_seeds) == len(set(all_seeds))
    assert len(seeds(records, 0)) * records <= max(records, AT_ONCE)
