"""The columnar reader returns the same records as a simple, independent reader."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import islice, product
from string import ascii_uppercase
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowwarden.errors import LogFormatError
from flowwarden.records.columnar.flow_table import COLUMNS, TEXT_KINDS, FlowTable
from flowwarden.records.columnar.reader import CHUNK, FEW, LARGEST_CHUNK, ColumnarReader
from flowwarden.records.columnar.string_pool import REMEMBERED
from flowwarden.records.columnar.tokenizer import ABSENT, LONGEST_DISTINCT, MIX
from flowwarden.records.fields import BY_NAME, TRAFFIC_KINDS
from flowwarden.records.line_reader import TOO_MANY
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT, LogFormat
from flowwarden.records.model import Flow, Gap
from tests.examples import examples
from tests.records.slow_reader import read_slowly
from tests.records.strategies import TRICKY, layout_sets, lines

PLAIN = "2 064076352821 eni-0a 10.0.0.5 10.0.1.7 50123 443 6 12 3400 1700000000 1700000059 ACCEPT OK"
NODATA = "2 064076352821 eni-0a - - - - - - - 1700000000 1700000059 - NODATA"
EVERYTHING = LogFormat((*BY_NAME, "quite-new"))
"""All fields."""


ODD = "\ufffd\x7f\t\x00\u00e9\n 1"
"""Characters that do not occur in plain lines, except the last two."""


def whole(table: FlowTable) -> Sequence[Flow]:
    """All flows of a table."""
    return table.flows(np.arange(len(table)))


def value(table: FlowTable, attribute: str, row: int) -> Any:
    """The value of a column for one flow, in the form of Flow."""
    return values(table, attribute)[row]


def values(table: FlowTable, attribute: str) -> list[Any]:
    """The values of a column for all flows, in the form of Flow."""
    numbers = table[attribute].tolist()
    if COLUMNS[attribute] in TEXT_KINDS:
        return [table.text(number) for number in numbers]
    return [None if number == ABSENT else number for number in numbers]


def compare(batch: list[str], layouts: list[LogFormat], reader: ColumnarReader) -> None:
    """Compare the table with the slow reader's result for each line."""
    known = {line: read_slowly(line, layouts) for line in dict.fromkeys(batch)}
    expected = [known[line] for line in batch]
    table = reader.read(batch)
    flows = whole(table.flows)
    assert Counter(flows) == Counter(each for each in expected if isinstance(each, Flow))
    for attribute in COLUMNS:
        assert values(table.flows, attribute) == [getattr(flow, attribute) for flow in flows], attribute
    assert table.gaps == [each for each in expected if isinstance(each, Gap)]
    assert [bad.line for bad in table.malformed] == [
        line for line, each in zip(batch, expected, strict=True) if each is None
    ]


@examples(1)
@given(st.data(), layout_sets())
def test_a_table_equals_the_slow_reader(data: st.DataObject, layouts: list[LogFormat]) -> None:
    """For valid lines, nearly valid lines and gaps, with a cold and a warm cache."""
    batch = data.draw(st.lists(lines(layouts) | st.text(ODD, max_size=60), min_size=1, max_size=8))
    reader = ColumnarReader(layouts)
    compare(batch, layouts, reader)
    for _ in range(2):
        compare(batch * -(-FEW // len(batch)), layouts, reader)  # enough lines for the fast path


@pytest.mark.parametrize("layout", [DEFAULT_LOG_FORMAT, EVERYTHING])
@pytest.mark.parametrize("status", ["OK", "NODATA"])
def test_a_table_equals_the_slow_reader_for_every_unusual_token_in_every_field(
    layout: LogFormat, status: str
) -> None:
    """In one batch with all others; and, for some of them, chosen evenly, in a batch of their own."""
    plain = dict.fromkeys(BY_NAME, "1") | {
        "srcaddr": "10.0.0.1",
        "dstaddr": "2001:db8::dead:beef:1:2",
        "pkt-srcaddr": "10.0.0.1",
        "pkt-dstaddr": "10.0.0.2",
        "interface-id": "eni-0123456789abcdef0",
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
        for token in [plain[name], *TRICKY, "1234567", "12345678", "123456789", "1" * 16, "1" * 17]
    ]
    reader = ColumnarReader([layout])
    compare(batch, [layout], reader)
    for line in batch[:: 1 + 2 * len(batch) // settings().max_examples]:
        compare([line], [layout], reader)
        compare([line] * FEW, [layout], reader)


@given(st.lists(st.text() | st.just(PLAIN)), layout_sets())
def test_any_text_becomes_exactly_one_record_per_line(texts: list[str], layouts: list[LogFormat]) -> None:
    """No line raises an error."""
    table = ColumnarReader(layouts).read(texts)
    assert len(table.flows) + len(table.gaps) + len(table.malformed) == len(texts)


def test_a_large_batch_of_odd_lines_is_counted_to_its_last_line() -> None:
    """Odd lines beyond the limit are malformed, and the reason says so; plain lines between them are read."""
    masked = PLAIN.replace("10.0.0.5", "***")
    lines = [*[masked, PLAIN] * CHUNK, masked]
    table = ColumnarReader([DEFAULT_LOG_FORMAT], singly=300).read(lines)
    reasons = Counter(each.reason for each in table.malformed)
    assert len(table.flows) == CHUNK
    assert [each.line for each in table.malformed] == [masked] * (CHUNK + 1)
    assert 300 <= CHUNK + 1 - reasons[TOO_MANY] < 600
    assert len(reasons) == 2


def test_a_batch_of_many_chunks_is_read_to_its_last_line() -> None:
    """Texts keep their numbers across chunks, and flows are built from the right lines."""
    lines = [
        PLAIN.replace("50123", str(number % 60_000)).replace("10.0.1.7", f"10.1.{number % 7}.{number % 251}")
        for number in range(2 * CHUNK + 1)
    ]
    lines[CHUNK // 2] = NODATA
    table = ColumnarReader([DEFAULT_LOG_FORMAT]).read(lines)
    assert (len(table.flows), len(table.gaps), table.malformed) == (2 * CHUNK, 1, [])
    ports = [int(line.split()[5]) for line in lines if line is not NODATA]
    addresses = [line.split()[4] for line in lines if line is not NODATA]
    assert table.flows["srcport"].tolist() == ports
    assert [table.flows.text(number) for number in table.flows["dstaddr"].tolist()] == addresses
    chosen = [0, CHUNK // 2, CHUNK, 2 * CHUNK - 1]
    assert [flow.srcport for flow in table.flows.flows(np.array(chosen))] == [ports[row] for row in chosen]


def test_plain_flows_come_first_and_flows_can_be_requested_in_any_order() -> None:
    """Other lines are read by the line reader, and are flows as well."""
    odd = PLAIN.replace(" ", "  ").replace("50123", "7")
    lines = [odd, *[PLAIN] * FEW, odd, PLAIN.replace("50123", "9")]
    table = ColumnarReader([DEFAULT_LOG_FORMAT]).read(lines)
    assert table.flows["srcport"].tolist() == [*[50123] * FEW, 9, 7, 7]
    assert [flow.srcport for flow in table.flows.flows(np.array([FEW + 2, FEW, 0, FEW + 1]))] == [
        7,
        9,
        50123,
        7,
    ]


def test_layouts_of_one_batch_share_their_columns() -> None:
    """If a layout lacks a field, the value in the column is absent."""
    nat = LogFormat.parse("instance-id interface-id srcaddr dstaddr pkt-srcaddr")
    lines = [PLAIN, "i-1 eni-0b 10.0.0.1 10.0.0.2 10.9.9.9"] * FEW
    table = ColumnarReader([DEFAULT_LOG_FORMAT, nat]).read(lines)
    assert table.flows["dstport"].tolist() == [443] * FEW + [ABSENT] * FEW
    assert [table.flows.text(number) for number in table.flows["pkt_srcaddr"]] == (
        [None] * FEW + ["10.9.9.9"] * FEW
    )
    assert set(table.flows["reject_reason"].tolist()) == {ABSENT}


def test_a_line_break_within_a_line_affects_only_that_line() -> None:
    """The ends of such lines are ambiguous, so the lines are read one by one."""
    table = ColumnarReader([DEFAULT_LOG_FORMAT]).read([*[PLAIN] * FEW, f"{PLAIN}\n{PLAIN}", PLAIN])
    assert (len(table.flows), len(table.malformed)) == (FEW + 1, 1)


@pytest.mark.parametrize("broken", ["\x7f", "\t", "\u00e9"])
def test_unusual_characters_do_not_hide_a_later_invalid_line(broken: str) -> None:
    """Regardless of how many such characters precede it."""
    wrong = PLAIN.replace("50123", f"50{broken}123")
    table = ColumnarReader([DEFAULT_LOG_FORMAT]).read(["\ufffd" * 3000, *[PLAIN] * FEW, wrong, PLAIN])
    assert len(table.flows) == FEW + 1
    assert [bad.line for bad in table.malformed] == ["\ufffd" * 3000, wrong]


def test_long_lines_affect_neither_other_records_nor_memory() -> None:
    """Senders of lines control their length; thirty bytes per character would be too many."""
    lines = [PLAIN, *["\u00e9" * (LARGEST_CHUNK // 4)] * 12, *[PLAIN] * FEW, "x" * 2 * LARGEST_CHUNK, PLAIN]
    reader = ColumnarReader([DEFAULT_LOG_FORMAT])
    tracemalloc.start()
    try:
        table = reader.read(lines)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (len(table.flows), len(table.malformed)) == (FEW + 2, 13)
    assert peak < 60 * LARGEST_CHUNK


ODDLY_SPELLED: dict[str, Callable[[str], str]] = {
    "tabs": lambda line: line.replace(" ", "\t"),
    "milliseconds": lambda line: line.replace("1700000000", "1700000000123"),
    "zeros": lambda line: line.replace(" 443 ", f" {'0' * 17}443 "),
    "null": lambda line: line.replace(" 6 ", " null "),
    "edges": lambda line: f"\ufeff{line}\r\n",
}
"""Valid lines that are left to the line reader."""


@pytest.mark.parametrize("spelling", ["tabs", "null"])
def test_many_lines_in_an_odd_spelling_are_not_held_as_objects(spelling: str) -> None:
    """Each object takes a kilobyte; in columns, a flow takes a tenth of that."""
    line = ODDLY_SPELLED[spelling](PLAIN)
    few, many = (_peak([line] * count) for count in (CHUNK, 2 * CHUNK))
    assert many - few < CHUNK * 250


def _peak(lines: list[str]) -> int:
    """Bytes that reading takes at most, while the table is in use."""
    reader = ColumnarReader([DEFAULT_LOG_FORMAT])
    tracemalloc.start()
    try:
        table = reader.read(lines)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(table.flows) == len(lines)
    return peak


def test_flows_of_many_odd_lines_are_those_of_their_lines() -> None:
    """Among plain lines, gaps and malformed ones, whichever rows are requested."""
    spellings: list[Callable[[str], str]] = [*ODDLY_SPELLED.values(), str]
    lines = [
        spellings[n % len(spellings)](PLAIN.replace("50123", str(n % 65_536)))
        if n % 7
        else (NODATA, "odd")[n % 2]
        for n in range(2 * CHUNK)
    ]
    table = ColumnarReader([DEFAULT_LOG_FORMAT]).read(lines)
    flows = whole(table.flows)
    assert values(table.flows, "srcport") == [flow.srcport for flow in flows]
    assert sorted(flow.srcport or 0 for flow in flows) == [n for n in range(2 * CHUNK) if n % 7]
    some = np.array([len(flows) - 1, 0, CHUNK, 0])
    assert table.flows.flows(some) == [flows[row] for row in some]
    assert len(flows) + len(table.gaps) + len(table.malformed) == len(lines)


def test_lines_that_match_a_blind_layout_are_malformed() -> None:
    """As in the line reader."""
    layout = LogFormat.parse("srcaddr dstaddr srcport log-status")
    without_addresses = LogFormat.parse("instance-id account-id srcport log-status")
    table = ColumnarReader([layout], [without_addresses]).read(["10.0.0.1 10.0.0.2 1 OK"] * FEW)
    assert (len(table.flows), len(table.malformed)) == (0, FEW)


def test_exceeding_the_string_pool_limit_does_not_change_results() -> None:
    """A new pool is created; a table that is still in use keeps its own."""
    reader = ColumnarReader([DEFAULT_LOG_FORMAT])
    first = reader.read([PLAIN])
    addresses = [f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}" for n in range(REMEMBERED + 9)]
    many = [PLAIN.replace("10.0.1.7", address) for address in addresses]
    for _ in range(2):
        table = reader.read(many)
        assert [table.flows.text(number) for number in table.flows["dstaddr"].tolist()] == addresses
    assert value(first.flows, "dstaddr", 0) == "10.0.1.7"


def test_only_the_beginning_of_overlong_tokens_is_kept() -> None:
    """Senders of lines control their length, and the pool is kept across batches."""
    reader = ColumnarReader([DEFAULT_LOG_FORMAT])
    lines = [PLAIN.replace("10.0.1.7", f"{'9' * 25_000}{number}") for number in range(2 * FEW)]
    table = reader.read(lines)
    assert len(table.malformed) == len(lines)
    again = reader.read([PLAIN] * FEW)
    assert sum(map(len, again.flows.texts)) < 1000 + 2 * FEW * LONGEST_DISTINCT


def test_a_hash_collision_does_not_merge_texts() -> None:
    """An attacker that controls addresses or names can construct a collision, and must not hide behind it."""
    mix, word, mask = int(MIX), 8, 2**64 - 1
    one = int.from_bytes(b"aaaaaaaa", "little"), int.from_bytes(b"bbbbbbbb", "little")
    twin = None
    for letters in islice(product(ascii_uppercase, repeat=word), 10**6):
        begin = "".join(reversed(letters))
        first = int.from_bytes(begin.encode(), "little")
        second = ((one[0] * mix) ^ one[1] ^ (first * mix)) & mask
        text = second.to_bytes(word, "little")
        if all(33 <= byte < 127 for byte in text):
            twin = begin + text.decode()
            break
    assert twin, "no printable twin was found; has the hash changed?"
    table = ColumnarReader([DEFAULT_LOG_FORMAT]).read(
        [PLAIN.replace("eni-0a", interface) for interface in ("aaaaaaaabbbbbbbb", twin)] * FEW
    )
    found = Counter(values(table.flows, "interface_id"))
    assert found == {"aaaaaaaabbbbbbbb": FEW, twin: FEW}


def test_layouts_without_flows_are_rejected_as_in_the_line_reader() -> None:
    """Before any line is read."""
    with pytest.raises(LogFormatError, match="lacks"):
        ColumnarReader([LogFormat.parse("version bytes")])


def test_an_unknown_column_is_an_error() -> None:
    """A wrong name differs from an absent field."""
    with pytest.raises(KeyError):
        ColumnarReader([DEFAULT_LOG_FORMAT]).read([PLAIN]).flows["account_id"]
