"""Real records, and unusual lines found in practice, keep their values through the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flowwarden.records.fields import BY_NAME, Kind
from flowwarden.records.log_format import LogFormat
from tests.cli.fakes_console import flowwarden
from tests.outside import DATA, LABELED
from tests.sources.held import ACCEPTED, HEADER, NODATA, REJECTED, gz

TEXTS = {Kind.TEXT, Kind.ENCODED_TEXT, Kind.ADDRESS, Kind.ACTION, Kind.STATUS, Kind.DIRECTION}
GAP_FIELDS = {"account-id", "interface-id", "resource-id", "start", "end", "log-status"}
EVERY_VERSION_5_FIELD = [
    name for name, field in BY_NAME.items() if field.version is not None and field.version <= 5
]

with_real_data = pytest.mark.skipif(
    not DATA.is_dir(), reason="the folder of real records, ../shared/data, is not here"
)


def expected(layout: str, line: str) -> dict[str, Any]:
    """The expected JSON of a line, computed without the reader."""
    values: dict[str, Any] = {}
    for name, cell in zip(layout.split(), line.split(), strict=True):
        is_text = BY_NAME[name].kind in TEXTS
        values[name] = None if cell == "-" else cell if is_text else int(cell)
    if values.get("log-status") in {"NODATA", "SKIPDATA"}:
        return {name: values.get(name) for name in GAP_FIELDS}
    return values


def printed(layout: str, line: str) -> list[dict[str, Any]]:
    """The output for one line of this layout."""
    options = ["--flows", "--gaps", "--malformed", "--format", LogFormat.parse(layout).to_log_format()]
    return flowwarden(["read", *options, "-"], line.encode()).records


def rows(name: str) -> list[dict[str, Any]]:
    """The rows of a file of real records."""
    return [json.loads(row) for row in (DATA / "flow-records" / name).read_text("utf-8").splitlines()]


@with_real_data
def test_the_examples_of_the_user_guide_are_printed_field_by_field() -> None:
    """Two of them have a trailing comment, and are malformed until it is removed."""
    commented = 0
    for row in rows("aws-user-guide-examples.jsonl"):
        line = row["line"]
        if "#" in line:
            commented += 1
            assert ["reason" in record for record in printed(row["fields"], line)] == [True]
            line = line.partition("#")[0]
        assert printed(row["fields"], line) == [expected(row["fields"], line)]
    assert commented == 2


@with_real_data
def test_the_lines_of_another_parser_are_printed_field_by_field() -> None:
    """Version 2 and 5, IPv6, NODATA."""
    samples = rows("sekoia.jsonl")
    for row in samples:
        layout = HEADER if row["line"].startswith("2 ") else " ".join(EVERY_VERSION_5_FIELD)
        assert printed(layout, row["line"]) == [expected(layout, row["line"])]
    assert len(samples) == 5


@with_real_data
@pytest.mark.parametrize("name", ["slips_vertical", "slips_test11_portscan"])
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_the_labeled_files_are_printed_completely(name: str, packed: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a parameter of the test
    """With their header line, both plain and in gzip."""
    path = LABELED / f"{name}.log"
    header, *lines = path.read_text("utf-8").splitlines()
    if packed:
        path = tmp_path / "archive"
        path.write_bytes(gz((LABELED / f"{name}.log").read_text("utf-8")))
    ended = flowwarden(["read", path])
    assert ended.records == [expected(header, line) for line in lines]
    assert ended.stderr == f"{len(lines)} flows, 0 gaps, 0 malformed lines in 1 source\n"


@with_real_data
def test_real_payloads_are_decoded_and_their_lines_are_malformed() -> None:
    """Gzip, zlib with policyLevel, Kinesis: they contain other logs, not flow records, so nothing is read."""
    ended = flowwarden(["read", "--malformed", DATA / "events" / "cloudwatch-logs"])
    assert (ended.code, len(ended.records)) == (1, 12)
    assert {"[ERROR] First test message", "[ERROR] Second test message"} <= {r["text"] for r in ended.records}


@pytest.mark.parametrize(
    ("layout", "line"),
    [
        (HEADER, "2 unknown eni-0a - - - - - - - 1700000000 1700000060 - NODATA"),
        ("log-status end start interface-id srcaddr dstaddr", "NODATA 1700000060 1700000000 eni-0a - -"),
        (HEADER, "2 111122223333 - 10.0.0.5 10.0.0.9 0 0 1 1 84 1700000000 1700000060 ACCEPT OK"),
        (f"{HEADER} resource-id", f"{ACCEPTED.replace('eni-0a', '-')} nat-0a"),
        (HEADER, ACCEPTED.replace("10.0.0.5", "2001:db8::5")),
        (HEADER, ACCEPTED.replace("111122223333", "064076352821")),
        ("srcaddr dstaddr srcport dstport protocol bytes", "10.0.0.5 10.0.0.9 1 2 17 99"),
    ],
    ids=[
        "account unknown",
        "gap in custom order",
        "ICMP",
        "regional NAT",
        "mixed families",
        "leading zero",
        "short",
    ],
)
def test_unusual_records_keep_their_values(layout: str, line: str) -> None:
    """As found in practice."""
    assert printed(layout, line) == [expected(layout, line)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (
            REJECTED.replace(" OK", " NODATA").replace("10.0.0.9", "x"),
            "dstaddr is 'x', which is not an IPv4 or IPv6 address",
        ),
        (f"{NODATA} - - - - - - - - - -", "24 tokens where the log format has 14"),
        (ACCEPTED.replace("ACCEPT", "SUCCESS"), "action is 'SUCCESS', none of ACCEPT, REJECT"),
        (ACCEPTED.replace("OK", "GO_AWAY"), "log-status is 'GO_AWAY', none of OK, NODATA, SKIPDATA"),
        (ACCEPTED.replace(" 6 ", " 999 "), "protocol is '999', above 255"),
        (f"{ACCEPTED} extra", "15 tokens where the log format has 14"),
    ],
)
def test_lines_that_are_not_records_are_malformed_with_the_reason(line: str, reason: str) -> None:
    """The reason contains the value; the reader does not guess."""
    assert printed(HEADER, line) == [{"source": "standard input", "line": 1, "reason": reason, "text": line}]


def test_milliseconds_are_truncated_to_seconds() -> None:
    """Some tools write them."""
    (record,) = printed(HEADER, ACCEPTED.replace("1700000000", "1700000000123"))
    assert record == expected(HEADER, ACCEPTED)


def test_a_gap_in_a_layout_with_ten_more_fields_has_ten_more_dashes() -> None:
    """After the status of the gap."""
    names = " ".join(EVERY_VERSION_5_FIELD[14:24])
    (record,) = printed(f"{HEADER} {names}", f"{NODATA} {' '.join('-' * 10)}")
    assert record == expected(HEADER, NODATA)
