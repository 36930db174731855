"""`flowwarden read`: which records it prints, in which form, and what it reports."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.fakes_console import flowwarden
from tests.sources.held import ACCEPTED, HEADER, NODATA, REJECTED, SKIPDATA, gz

ODD = "2 111122223333"
ALL = f"{HEADER}\n{ACCEPTED}\n{NODATA}\n{REJECTED}\n{ODD}\n{SKIPDATA}\n"
FLOW = {
    "version": 2, "account-id": "111122223333", "interface-id": "eni-0a", "srcaddr": "10.0.0.5",
    "dstaddr": "10.0.0.9", "srcport": 51234, "dstport": 22, "protocol": 6, "packets": 9, "bytes": 840,
    "start": 1700000000, "end": 1700000060, "action": "ACCEPT", "log-status": "OK",
}  # fmt: skip


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A file with two flows, two gaps and a malformed line."""
    path = tmp_path / "flows.log.gz"
    path.write_bytes(gz(ALL))
    return path


def test_flows_are_printed_with_the_names_of_aws_in_the_order_of_the_layout(log: Path) -> None:
    """Numbers become JSON numbers, texts stay texts."""
    ended = flowwarden(["read", log])
    assert [(record["srcaddr"], record["action"]) for record in ended.records] == [
        ("10.0.0.5", "ACCEPT"),
        ("198.51.100.7", "REJECT"),
    ]
    assert list(ended.records[0].items()) == list(FLOW.items())
    assert ended.code == 0


def test_an_absent_value_is_null() -> None:
    """So every record of a layout has the same keys."""
    ended = flowwarden(["read", "-"], b"srcaddr dstaddr dstport vpc-id mood\n10.0.0.1 10.0.0.2 - - -\n")
    assert ended.records == [
        {"srcaddr": "10.0.0.1", "dstaddr": "10.0.0.2", "dstport": None, "vpc-id": None, "mood": None}
    ]


@pytest.mark.parametrize(
    ("options", "printed"),
    [
        ([], ["ACCEPT", "REJECT"]),
        (["--only", "REJECT"], ["REJECT"]),
        (["--only", "ACCEPT"], ["ACCEPT"]),
        (["--gaps"], ["NODATA", "SKIPDATA"]),
        (["--malformed"], ["malformed"]),
        (["--gaps", "--malformed"], ["NODATA", "SKIPDATA", "malformed"]),
        (["--flows", "--gaps", "--malformed"], ["ACCEPT", "REJECT", "NODATA", "SKIPDATA", "malformed"]),
        (["--only", "REJECT", "--gaps"], ["REJECT", "NODATA", "SKIPDATA"]),
    ],
)
def test_options_choose_what_is_printed(log: Path, options: list[str], printed: list[str]) -> None:
    """Flows, unless gaps or malformed lines are requested; combinations are possible."""
    records = flowwarden(["read", log, *options]).records
    assert [r.get("action") or r.get("log-status") or "malformed" for r in records] == printed


def test_flows_without_an_action_are_neither_accepted_nor_rejected() -> None:
    """The command does not guess."""
    assert (
        flowwarden(["read", "-", "--only", "ACCEPT"], b"srcaddr dstaddr\n10.0.0.1 10.0.0.2\n").records == []
    )


def test_a_gap_is_printed_with_its_log_status(log: Path) -> None:
    """With its interface, start and end."""
    assert flowwarden(["read", log, "--gaps"]).records[1] == {
        "account-id": "111122223333",
        "interface-id": "eni-0a",
        "resource-id": None,
        "start": 1700000000,
        "end": 1700000060,
        "log-status": "SKIPDATA",
    }


def test_a_malformed_line_is_printed_with_its_position_and_reason(log: Path) -> None:
    """So the line can be found in an editor."""
    assert flowwarden(["read", log, "--malformed"]).records == [
        {"source": str(log), "line": 5, "reason": "2 tokens where the log format has 14", "text": ODD}
    ]


def test_a_file_name_that_is_not_utf8_is_printed_with_escapes(tmp_path: Path) -> None:
    """JSON is UTF-8, and Linux accepts any bytes in a name."""
    path = os.fsencode(tmp_path) + b"/od\xffd.log"
    Path(os.fsdecode(path)).write_text(ODD)
    (record,) = flowwarden(["read", os.fsdecode(path), "--malformed"]).records
    assert record["source"] == f"{tmp_path}/od\\xffd.log"


def test_an_empty_path_is_an_error_and_not_the_current_folder() -> None:
    """A script passes one if a variable is not set."""
    ended = flowwarden(["read", ""])
    assert (ended.code, ended.stdout) == (1, "")
    assert "the path is empty" in ended.stderr


def test_a_folder_without_files_is_noted(tmp_path: Path) -> None:
    """The folder may contain only hidden files, which are not read; a file without lines needs no note."""
    (tmp_path / "_SUCCESS").touch()
    assert flowwarden(["read", tmp_path]).stderr.startswith("note: no files; ")
    assert "no files" not in flowwarden(["read", tmp_path / "_SUCCESS"]).stderr


@pytest.mark.parametrize("options", [[], ["--only", "REJECT"], ["--gaps"]])
def test_the_summary_counts_all_records_read(log: Path, options: list[str]) -> None:
    """Whether printed or not; it goes to standard error, with the first malformed line."""
    ended = flowwarden(["read", log, *options])
    assert ended.stderr.splitlines() == [
        "2 flows, 2 gaps (1 NODATA, 1 SKIPDATA), 1 malformed line in 1 source",
        f"first malformed: {log}, line 5: 2 tokens where the log format has 14: '2 111122223333'",
        "--malformed prints all of them, with the reasons; --explain LINE explains one",
    ]


def test_masked_addresses_are_explained(tmp_path: Path) -> None:
    """The log format is right, so the advice about formats would mislead."""
    path = tmp_path / "masked.log"
    path.write_text(f"{ACCEPTED.replace('10.0.0.5', '********')}\n")
    ended = flowwarden(["read", path])
    assert ended.code == 1
    assert "data protection policy masks addresses: take IpAddress out of it" in ended.stderr
    assert "--format" not in ended.stderr
    path.write_text(f"{ODD}\n")
    assert "data protection" not in flowwarden(["read", path]).stderr


def test_the_summary_is_one_line_if_nothing_is_malformed() -> None:
    """There is nothing else to report."""
    assert (
        flowwarden(["read", "-"], ACCEPTED.encode()).stderr
        == "1 flow, 0 gaps, 0 malformed lines in 1 source\n"
    )


def test_a_format_is_for_lines_without_a_header() -> None:
    """In AWS's notation, or as field names."""
    for text in ("${dstaddr} ${srcaddr}", "dstaddr,srcaddr"):
        ended = flowwarden(["read", "--format", text, "-"], b"10.0.0.9 10.0.0.5\n")
        assert ended.records == [{"dstaddr": "10.0.0.9", "srcaddr": "10.0.0.5"}]
    assert flowwarden(["read", "--format", "srcaddr dstaddr", "-"], ALL.encode()).records[0] == FLOW


def test_several_formats_are_distinguished() -> None:
    """As when several flow logs write to one log group."""
    ended = flowwarden(
        ["read", "--format", "srcaddr dstaddr", "--format", "srcaddr dstaddr action", "-"],
        b"10.0.0.1 10.0.0.2\n10.0.0.1 10.0.0.2 REJECT\n",
    )
    assert [len(record) for record in ended.records] == [2, 3]


def test_a_missing_format_is_requested() -> None:
    """If no line matches."""
    assert "pass it: --format" in flowwarden(["read", "-"], b"10.0.0.1 10.0.0.2\n").stderr
    assert "pass it: --format" not in flowwarden(["read", "-"], ALL.encode()).stderr


def test_unknown_fields_are_kept_and_reported_once() -> None:
    """In a format and in a header."""
    ended = flowwarden(["read", "--format", "srcaddr dstaddr mood", "-"], b"10.0.0.1 10.0.0.2 good\n")
    assert (ended.records[0]["mood"], ended.stderr.count("mood")) == ("good", 1)
    header = b"srcaddr dstaddr mood\n10.0.0.1 10.0.0.2 good\n"
    ended = flowwarden(["read", "-"], header * 3)
    assert ([r["mood"] for r in ended.records], ended.stderr.count("mood")) == (["good"] * 3, 1)


def test_an_unreadable_source_does_not_stop_the_others(log: Path, tmp_path: Path) -> None:
    """The exit code is 1; records before the damage are printed."""
    cut = tmp_path / "cut.gz"
    cut.write_bytes(gz(f"{ACCEPTED}\n" * 3_000)[:-20])
    ended = flowwarden(["read", tmp_path / "missing", cut, log])
    assert ended.code == 1
    assert len(ended.records) > 2
    assert ended.records[-1]["action"] == "REJECT"
    first, second, summary = ended.stderr.splitlines()[:3]
    assert first.startswith(f"error: {tmp_path / 'missing'}: No such file")
    assert second.startswith(f"error: {cut}: the gzip data is truncated: ")
    assert summary.endswith("in 3 sources, 2 not read to the end")


def test_a_folder_and_standard_input_are_read_like_files(log: Path) -> None:
    """In the order of the arguments."""
    ended = flowwarden(["read", "-", log.parent], REJECTED.encode())
    assert [record["action"] for record in ended.records] == ["REJECT", "ACCEPT", "REJECT"]


def test_non_ascii_text_is_printed_as_utf8() -> None:
    """Percent-encoded tags are decoded."""
    ended = flowwarden(
        ["read", "-"], b"srcaddr dstaddr instance-tag\n10.0.0.1 10.0.0.2 caf%C3%A9%20au%20lait\n"
    )
    assert ended.records[0]["instance-tag"] == "café au lait"
