"""The reader: every line becomes exactly one flow, gap or malformed record."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.errors import LogFormatError
from flowwarden.records.fields import BY_NAME, TRAFFIC_KINDS
from flowwarden.records.line_reader import CHUNK, TOO_MANY, LineReader
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT, LogFormat
from flowwarden.records.model import (
    FLOW_ATTRIBUTES,
    Action,
    Flow,
    FlowDirection,
    Gap,
    GapKind,
    Malformed,
    Records,
)
from tests.examples import examples
from tests.records.slow_reader import read_slowly
from tests.records.strategies import TRICKY, layout_sets, lines

ACCEPTED = "2 064076352821 eni-0a 10.0.0.5 10.0.1.7 50123 443 6 12 3400 1700000000 1700000059 ACCEPT OK"
FLOW = {
    "srcaddr": "10.0.0.5",
    "dstaddr": "10.0.1.7",
    "srcport": 50123,
    "dstport": 443,
    "protocol": 6,
    "packets": 12,
    "bytes": 3400,
    "start": 1700000000,
    "end": 1700000059,
    "action": Action.ACCEPT,
    "account_id": "064076352821",
    "interface_id": "eni-0a",
}
GAP = Gap(
    kind=GapKind.NODATA, account_id="064076352821", interface_id="eni-0a", start=1700000000, end=1700000059
)
OPTIONAL = {
    field.attribute: position
    for position, field in enumerate(DEFAULT_LOG_FORMAT.fields)
    if field.attribute in FLOW_ATTRIBUTES[2:]
}
"""Positions of the optional attributes of a flow in the default layout."""
NODATA = "2 064076352821 eni-0a - - - - - - - 1700000000 1700000059 - NODATA"


def read(line: str, *layouts: str) -> Records:
    """The records of one line, with the default layout unless others are given."""
    return LineReader([LogFormat.parse(layout) for layout in layouts] or [DEFAULT_LOG_FORMAT]).read([line])


def flow(line: str, *layouts: str) -> Flow:
    """The flow of the line; fails if it is not a flow."""
    records = read(line, *layouts)
    assert not records.malformed
    assert not records.gaps
    return records.flows[0]


def known(one: Flow) -> dict[str, Any]:
    """The attributes of a flow that are not None."""
    values = {name: getattr(one, name) for name in FLOW_ATTRIBUTES}
    return {name: value for name, value in values.items() if value is not None}


def gap(line: str, *layouts: str) -> Gap:
    """The gap of the line; fails if it is not a gap."""
    records = read(line, *layouts)
    assert not records.malformed
    assert not records.flows
    return records.gaps[0]


def reason(line: str, *layouts: str) -> str:
    """The reason why the line is malformed; fails if it is not."""
    records = read(line, *layouts)
    assert (records.flows, records.gaps) == ([], [])
    assert [bad.line for bad in records.malformed] == [line]
    return records.malformed[0].reason


class TestFlows:
    """OK records."""

    def test_the_default_layout_is_read_field_by_field(self) -> None:
        """Account ids keep their leading zero."""
        assert known(flow(ACCEPTED)) == FLOW

    @pytest.mark.parametrize(
        "line",
        [
            ACCEPTED.replace(" ", "  "),
            ACCEPTED.replace(" ", "\t"),
            f"  {ACCEPTED}  ",
            f"{ACCEPTED}\r\n",
            f"\ufeff{ACCEPTED}",
            f"\ufeff  {ACCEPTED}\n",
            ACCEPTED.replace("1700000000", "1700000000123").replace("1700000059", "1700000059999"),
        ],
    )
    def test_whitespace_line_ends_byte_order_mark_and_milliseconds_do_not_matter(self, line: str) -> None:
        """AWS's examples contain a double space; files and other tools cause the others."""
        assert known(flow(line)) == FLOW

    def test_a_byte_order_mark_is_not_part_of_a_text(self) -> None:
        """Not even if the first field is text."""
        assert flow("\ufeffeni-0a 10.0.0.1 10.0.0.2", "interface-id srcaddr dstaddr").interface_id == "eni-0a"
        assert flow("\ufeff- 10.0.0.1 10.0.0.2", "interface-id srcaddr dstaddr").interface_id is None

    @pytest.mark.parametrize("attribute", sorted(OPTIONAL))
    def test_a_dash_in_any_field_but_the_addresses_is_none(self, attribute: str) -> None:
        """A Block Public Access reject has no byte count, a regional NAT gateway no interface."""
        tokens = ACCEPTED.split()
        tokens[OPTIONAL[attribute]] = "-"
        read_flow = flow(" ".join(tokens))
        assert getattr(read_flow, attribute) is None
        assert known(read_flow) == {name: value for name, value in FLOW.items() if name != attribute}

    def test_a_flow_with_an_absent_status_is_a_flow(self) -> None:
        """A dash means that AWS could not compute the value, as in any field."""
        assert known(flow(ACCEPTED.replace(" OK", " -"))) == FLOW

    def test_a_regional_nat_gateway_is_identified_by_its_resource_id(self) -> None:
        """Its records have no interface."""
        layout = "version interface-id resource-id srcaddr dstaddr"
        nat = flow("9 - nat-0123 10.0.0.1 203.0.113.5", layout)
        assert (nat.interface_id, nat.resource_id) == (None, "nat-0123")

    def test_ipv6_and_mixed_families_keep_the_text_of_their_addresses(self) -> None:
        """NAT64 has an IPv6 source and an IPv4 destination."""
        mixed = flow(ACCEPTED.replace("10.0.0.5", "2001:db8:1234:a100:8d6e:3477:df66:f105"))
        assert (mixed.srcaddr, mixed.dstaddr) == ("2001:db8:1234:a100:8d6e:3477:df66:f105", "10.0.1.7")

    def test_icmp_has_ports_zero(self) -> None:
        """Type and code are not logged."""
        icmp = flow(ACCEPTED.replace("50123 443 6", "0 0 1"))
        assert (icmp.srcport, icmp.dstport, icmp.protocol) == (0, 0, 1)

    def test_an_account_that_aws_does_not_report_is_unknown(self) -> None:
        """Some AWS-managed interfaces have no account."""
        assert flow(ACCEPTED.replace("064076352821", "unknown")).account_id == "unknown"

    def test_a_layout_without_version_action_status_or_end_gives_flows(self) -> None:
        """Any field can be omitted, in any order."""
        read_flow = flow("443 10.0.1.7 - 10.0.0.5", "dstport dstaddr instance-id srcaddr")
        assert known(read_flow) == {"srcaddr": "10.0.0.5", "dstaddr": "10.0.1.7", "dstport": 443}

    def test_fields_of_later_versions_are_typed(self) -> None:
        """tcp-flags and traffic-path are numbers, flow-direction is one of two values."""
        layout = (
            "vpc-id subnet-id instance-id tcp-flags pkt-srcaddr pkt-dstaddr pkt-src-aws-service "
            "pkt-dst-aws-service flow-direction traffic-path reject-reason srcaddr dstaddr encryption-status"
        )
        line = "vpc-1 subnet-1 i-1 19 10.0.0.9 3.5.140.2 - S3 egress 8 BPA 10.0.0.1 10.0.0.2 3"
        assert known(flow(line, layout)) == {
            "srcaddr": "10.0.0.1",
            "dstaddr": "10.0.0.2",
            "vpc_id": "vpc-1",
            "subnet_id": "subnet-1",
            "instance_id": "i-1",
            "tcp_flags": 19,
            "pkt_srcaddr": "10.0.0.9",
            "pkt_dstaddr": "3.5.140.2",
            "pkt_dst_aws_service": "S3",
            "flow_direction": FlowDirection.EGRESS,
            "traffic_path": 8,
            "reject_reason": "BPA",
        }

    def test_an_unknown_field_accepts_any_text(self) -> None:
        """The other fields are still read."""
        assert flow("10.0.0.1 über_all 10.0.0.2", "${srcaddr} ${quite-new} ${dstaddr}").dstaddr == "10.0.0.2"

    def test_transit_gateway_records_are_flows_too(self) -> None:
        """They have no action."""
        layout = (
            "version resource-type tgw-id srcaddr dstaddr packets bytes log-status packets-lost-blackhole"
        )
        transit = flow("6 TransitGateway tgw-1 10.0.0.1 10.1.0.1 5 500 OK 0", layout)
        assert (transit.packets, transit.action) == (5, None)
        assert "packets-lost-blackhole is '-1'" in reason(
            "6 TransitGateway tgw-1 10.0.0.1 10.1.0.1 5 500 OK -1", layout
        )


class TestGaps:
    """Windows without flows."""

    def test_nodata_and_skipdata_are_distinguished(self) -> None:
        """NODATA means no traffic, SKIPDATA skipped records."""
        assert gap(NODATA) == GAP
        assert gap(NODATA.replace("NODATA", "SKIPDATA")).kind is GapKind.SKIPDATA

    def test_the_account_of_a_gap_can_be_unknown(self) -> None:
        """As in `2 unknown eni-… NODATA`."""
        assert gap(NODATA.replace("064076352821", "unknown")).account_id == "unknown"

    def test_the_order_of_fields_does_not_matter(self) -> None:
        """Nor do ten dashes after the status."""
        layout = (
            "log-status end account-id srcaddr start dstaddr interface-id action tcp-flags type pkt-srcaddr "
            "pkt-dstaddr flow-direction traffic-path reject-reason resource-id packets"
        )
        line = "NODATA 1700000059 064076352821 - 1700000000 - eni-0a" + " -" * 10
        assert gap(line, layout) == GAP

    def test_a_gap_can_contain_interface_fields(self) -> None:
        """Such as the VPC, or the NAT gateway."""
        line = "vpc-1 nat-1 - - 1700000000 SKIPDATA"
        skipped = gap(line, "vpc-id resource-id srcaddr dstaddr start log-status")
        assert skipped == Gap(kind=GapKind.SKIPDATA, resource_id="nat-1", start=1700000000)

    @pytest.mark.parametrize("status", ["NODATA", "SKIPDATA"])
    def test_a_gap_with_values_of_traffic_stays_a_gap(self, status: str) -> None:
        """The status says that the window has no flow; some tools write zeros in place of dashes."""
        rejected = ACCEPTED.replace("ACCEPT OK", f"REJECT {status}")
        zeros = "2 064076352821 eni-0a 0.0.0.0 0.0.0.0 0 0 0 0 0 1700000000 1700000059 - "
        expected = Gap(**msgspec.structs.asdict(GAP) | {"kind": GapKind(status)})
        assert gap(rejected) == gap(zeros + status) == expected

    def test_values_of_the_wrong_kind_do_not_make_a_gap(self) -> None:
        """The line has another format, or none."""
        assert reason(NODATA.replace("eni-0a -", "eni-0a x")).startswith("srcaddr is 'x'")

    def test_a_gap_with_values_in_the_columns_of_another_format_is_read_in_that_format(self) -> None:
        """Two formats of the same length: only one of them has dashes in all fields of traffic."""
        other = [*DEFAULT_LOG_FORMAT.names]
        other[7:12] = ["start", "end", "protocol", "packets", "bytes"]
        reader = LineReader([DEFAULT_LOG_FORMAT, LogFormat(tuple(other))])
        assert reader.read([NODATA]).gaps == [GAP]
        assert reader.read(
            [NODATA.replace("- - - 1700000000 1700000059", "1700000000 1700000059 - - -")]
        ).gaps == [GAP]


class TestMalformed:
    """Lines that are neither flow nor gap; the reason contains field and value."""

    @pytest.mark.parametrize(
        ("old", "new", "complaint"),
        [
            ("ACCEPT", "SUCCESS", "action is 'SUCCESS', none of ACCEPT, REJECT"),
            ("OK", "GO_AWAY", "log-status is 'GO_AWAY', none of OK, NODATA, SKIPDATA"),
            (" 6 ", " 999 ", "protocol is '999', above 255"),
            ("50123", "65536", "srcport is '65536', above 65535"),
            (" 443 ", " 8080.0 ", "dstport is '8080.0', which is not a number"),
            (" 12 ", " 1_2 ", "packets is '1_2', which is not a number"),
            (" 12 ", " +12 ", "packets is '+12', which is not a number"),
            (" 12 ", " -1 ", "packets is '-1', which is not a number"),
            (" 12 ", " ٣ ", "packets is '٣', which is not a number"),
            (" 12 ", " None ", "packets is 'None', which is not a number"),
            (" 3400 ", " 9223372036854775808 ", "bytes is '9223372036854775808', above"),
            ("10.0.0.5", "10.0.0.500", "srcaddr is '10.0.0.500', which is not an IPv4 or IPv6 address"),
            ("10.0.1.7", "-", "dstaddr absent, but log-status does not report a gap"),
            ("2 ", "two ", "version is 'two', which is not a number"),
            ("1700000059", "1700000059000000", "end is '1700000059000000', which is neither"),
            (" OK", "", "13 tokens where the log format has 14"),
            (" OK", " OK OK", "15 tokens where the log format has 14"),
            (" OK", " OK #web traffic", "16 tokens where the log format has 14"),
            (" OK", f" OK\n{ACCEPTED}", "28 tokens where the log format has 14"),
            (" OK", " OK" + " -" * 10, "24 tokens where the log format has 14"),
            ("2 ", "2026-11-24T03:00:00.000Z 2 ", "15 tokens where the log format has 14"),
        ],
    )
    def test_a_line_with_an_invalid_token_is_malformed(self, old: str, new: str, complaint: str) -> None:
        """No value is guessed, dropped or rounded."""
        assert complaint in reason(ACCEPTED.replace(old, new, 1))

    @pytest.mark.parametrize("line", ["", " ", "\n", "\ufeff", "\t\r\n"])
    def test_a_blank_line_is_malformed(self, line: str) -> None:
        """Log events are never empty; sources that split files into lines skip blank lines themselves."""
        assert reason(line) == "blank line"

    @pytest.mark.parametrize(
        "line", [" ".join(DEFAULT_LOG_FORMAT.names), "version,account_id", "srcaddr quite-new dstaddr\r\n"]
    )
    def test_a_header_line_is_malformed_with_a_specific_reason(self, line: str) -> None:
        """Log events contain none; sources that read files process header lines themselves."""
        assert reason(line, "srcaddr quite-new dstaddr").startswith("header line")

    def test_a_gap_without_a_status_is_malformed(self) -> None:
        """Without log-status, NODATA and SKIPDATA cannot be distinguished."""
        assert reason("eni-0a - -", "interface-id srcaddr dstaddr").startswith("srcaddr and dstaddr absent")

    def test_a_long_token_is_truncated_in_the_reason_but_not_in_the_line(self) -> None:
        """Reasons go to logs."""
        line = ACCEPTED.replace("ACCEPT", "A" * 5000)
        assert len(reason(line)) < 200


class TestSeveralLayouts:
    """Several log formats in one log group."""

    NAT = "instance-id interface-id srcaddr dstaddr"
    SWAPPED = "instance-id srcaddr dstaddr action"

    def test_layouts_are_distinguished_by_the_number_of_tokens(self) -> None:
        """Each line is read with its own layout."""
        nat = "i-1 eni-0b 10.0.0.1 10.0.0.2"
        reader = LineReader([LogFormat.parse(self.NAT), DEFAULT_LOG_FORMAT])
        records = reader.read([ACCEPTED, nat, NODATA, "1 2 3", nat, ACCEPTED])
        read_nat = {
            "srcaddr": "10.0.0.1",
            "dstaddr": "10.0.0.2",
            "instance_id": "i-1",
            "interface_id": "eni-0b",
        }
        assert [known(each) for each in records.flows] == [FLOW, read_nat, read_nat, FLOW]
        assert records.gaps == [GAP]
        assert records.malformed == [Malformed("1 2 3", "3 tokens where the log format has 4 or 14")]

    def test_layouts_of_the_same_length_are_distinguished_by_field_types(self) -> None:
        """Only one layout accepts each of these lines."""
        assert flow("i-1 eni-0b 10.0.0.1 10.0.0.2", self.NAT, self.SWAPPED).interface_id == "eni-0b"
        assert flow("i-1 10.0.0.1 10.0.0.2 REJECT", self.NAT, self.SWAPPED).action is Action.REJECT

    def test_a_line_that_matches_two_layouts_is_malformed(self) -> None:
        """The source is ambiguous."""
        complaint = reason("10.0.0.1 10.0.0.2", "srcaddr dstaddr", "dstaddr srcaddr")
        assert complaint == "fits 2 log formats of 2 fields alike"

    def test_a_line_that_matches_no_layout_has_one_reason_per_layout(self) -> None:
        """For each layout of the same length."""
        complaint = reason("i-1 eni-0b 10.0.0.1 ALLOW", self.NAT, self.SWAPPED)
        assert "dstaddr is 'ALLOW'" in complaint
        assert "; srcaddr is 'eni-0b'" in complaint

    def test_duplicate_layouts_count_once(self) -> None:
        """As when the configured log format is AWS's default."""
        assert known(flow(ACCEPTED, *[DEFAULT_LOG_FORMAT.to_log_format()] * 2)) == FLOW


class TestLayoutsWithoutFlows:
    """The reader rejects them immediately."""

    def test_a_layout_without_addresses_is_rejected_with_the_missing_fields(self) -> None:
        """Before any line is read."""
        with pytest.raises(LogFormatError, match=r"lacks \$\{dstaddr\}: "):
            LineReader([DEFAULT_LOG_FORMAT, LogFormat.parse("version srcaddr")])
        with pytest.raises(LogFormatError, match=r"lacks \$\{srcaddr\} and \$\{dstaddr\}: "):
            LineReader([LogFormat.parse("version bytes")])

    def test_lines_of_a_blind_layout_are_malformed(self) -> None:
        """Even lines that also match another layout; gaps are still gaps."""
        without_addresses = LogFormat.parse("${instance-id} ${account-id} ${srcport} ${log-status}")
        reader = LineReader(
            [LogFormat.parse("${srcaddr} ${dstaddr} ${srcport} ${log-status}")], [without_addresses]
        )
        records = reader.read(
            ["10.0.0.1 10.0.0.2 1 OK", "i-1 1 1 OK", "10.0.0.1 10.0.0.2 70000 OK", "i-1 1 - NODATA"]
        )
        assert [bad.reason.partition(",")[0] for bad in records.malformed] == [
            "fits 2 log formats of 4 fields alike",
            "the log format lacks srcaddr and dstaddr",
            "srcport is '70000'",
        ]
        assert (len(records.flows), len(records.gaps)) == (0, 1)

    def test_an_empty_list_of_layouts_is_rejected(self) -> None:
        """It could not read any line."""
        with pytest.raises(LogFormatError, match="no log format"):
            LineReader([])


def test_the_order_is_kept_and_the_last_line_is_read() -> None:
    """Within flows, gaps and malformed records; a reader can be reused."""
    reader = LineReader([DEFAULT_LOG_FORMAT])
    batch = [ACCEPTED.replace("50123", str(port)) for port in range(1000, 1100)]
    for _ in range(2):
        records = reader.read([*batch, NODATA, "odd", "odder", batch[0]])
        assert [f.srcport for f in records.flows] == [*range(1000, 1100), 1000]
        assert len(records.gaps) == 1
        assert [bad.line for bad in records.malformed] == ["odd", "odder"]


def test_an_empty_batch_has_no_records() -> None:
    """This is not an error."""
    assert LineReader([DEFAULT_LOG_FORMAT]).read([]) == Records([], [], [])


EVERYTHING = LogFormat((*BY_NAME, "quite-new"))
"""All fields."""


@pytest.mark.parametrize("layout", [DEFAULT_LOG_FORMAT, EVERYTHING])
@pytest.mark.parametrize("status", ["OK", "NODATA"])
def test_the_reader_equals_the_slow_reader_for_every_unusual_token_in_every_field(
    layout: LogFormat, status: str
) -> None:
    """One token at a time, so that no other token affects the result."""
    plain = dict.fromkeys(BY_NAME, "1") | {
        "srcaddr": "10.0.0.1",
        "dstaddr": "10.0.0.2",
        "pkt-srcaddr": "10.0.0.1",
        "pkt-dstaddr": "10.0.0.2",
        "flow-direction": "egress",
        "action": "REJECT",
        "log-status": status,
        "quite-new": "1",
    }
    if status != "OK":
        plain |= {name: "-" for name, field in BY_NAME.items() if field.kind in TRAFFIC_KINDS}
    batch = [
        " ".join(token if each == name else plain[each] for each in layout.names)
        for name in layout.names
        for token in [plain[name], *TRICKY]
    ]
    compare(batch, [layout], LineReader([layout]))


@given(st.lists(st.text()), layout_sets())
def test_any_text_becomes_exactly_one_record_per_line(texts: list[str], layouts: list[LogFormat]) -> None:
    """No line raises an error."""
    records = LineReader(layouts).read(texts)
    assert len(records.flows) + len(records.gaps) + len(records.malformed) == len(texts)


@examples(2)
@given(st.data(), layout_sets())
def test_the_reader_equals_the_slow_reader(data: st.DataObject, layouts: list[LogFormat]) -> None:
    """For valid lines, nearly valid lines and gaps, with a cold and a warm cache."""
    batch = data.draw(st.lists(lines(layouts), min_size=1, max_size=8))
    reader = LineReader(layouts)
    for _ in range(2):
        compare(batch, layouts, reader)


@examples(1)
@given(st.data(), layout_sets(), st.sampled_from([1, 3, 40]))
def test_each_flow_has_the_place_of_its_line(
    data: st.DataObject, layouts: list[LogFormat], times: int
) -> None:
    """Across parts, and for lines that are read at once, spaced, or one by one."""
    batch = data.draw(st.lists(lines(layouts), min_size=1, max_size=8)) * times
    parts = [*LineReader(layouts).stream(batch)]
    places = [place for part in parts for place in part.places]
    flows = [flow for part in parts for flow in part.records.flows]
    assert len(places) == len(flows)
    assert [read_slowly(batch[place], layouts) for place in places] == flows


@pytest.mark.parametrize("singly", [0, 1, 300, 1000])
def test_lines_beyond_those_that_are_read_one_by_one_are_malformed(singly: int) -> None:
    """Every line is counted; those before the limit are read as usual, and plain lines always."""
    odd, plain = ACCEPTED.replace(" 6 ", " 006 "), [ACCEPTED] * CHUNK
    parts = [*LineReader([DEFAULT_LOG_FORMAT]).stream([*[odd] * 3 * CHUNK, *plain], singly)]
    flows = [each for part in parts for each in part.records.flows]
    bad = [each for part in parts for each in part.records.malformed]
    read = min(3, -(-singly // CHUNK)) * CHUNK
    assert flows == [flow(ACCEPTED)] * (read + len(plain))
    assert bad == [Malformed(odd, TOO_MANY)] * (3 * CHUNK - read)


def compare(batch: list[str], layouts: list[LogFormat], reader: LineReader) -> None:
    """Compare the reader with the slow one."""
    expected = [read_slowly(line, layouts) for line in batch]
    records = reader.read(batch)
    assert records.flows == [record for record in expected if isinstance(record, Flow)]
    assert records.gaps == [record for record in expected if isinstance(record, Gap)]
    assert [bad.line for bad in records.malformed] == [
        line for line, record in zip(batch, expected, strict=True) if record is None
    ]
    for flow in records.flows:
        for name in FLOW_ATTRIBUTES:
            assert type(getattr(flow, name)) in (str, int, Action, FlowDirection, type(None))


def test_flows_of_a_layout_share_one_class_among_many_layouts() -> None:
    """So flows of two readers can be compared."""
    first = flow(ACCEPTED)
    for number in range(100):
        flow("10.0.0.1 10.0.0.2 x", f"srcaddr dstaddr quite-new-{number}")
    assert flow(ACCEPTED) == first
    assert type(flow(ACCEPTED)) is type(first)
