"""`flowwarden explain`: what it takes, what it prints, and its errors."""

from __future__ import annotations

import gzip
from pathlib import Path

import msgspec
import pytest

from flowwarden.replay.explain.model import Context, Explanation, RecordExplanation
from flowwarden.replay.result import ReplayResult
from tests.cli.fakes_console import Ended, flowwarden
from tests.replay.archives import BEGIN, HOUR, LAYOUT, PROBER, SCANNER, incidents, line
from tests.sources.held import NODATA, REJECTED

HEADER = " ".join(LAYOUT.names)
UNREADABLE = 1


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A folder with a scan, in two files, of which one is compressed."""
    lines = incidents()
    folder = tmp_path / "archive"
    folder.mkdir()
    (folder / "a.log").write_text("\n".join([HEADER, *lines[:1300], ""]))
    (folder / "b.log.gz").write_bytes(gzip.compress("\n".join([HEADER, *lines[1300:], ""]).encode()))
    return folder


def place(archive: Path, address: str) -> str:
    """FILE:LINE of the last record with an address in the first file."""
    lines = (archive / "a.log").read_text().splitlines()
    return f"{archive / 'a.log'}:{max(at for at, each in enumerate(lines, 1) if f' {address} ' in each)}"


def document_of(ended: Ended) -> Explanation:
    """The JSON document, decoded by the type of its schema."""
    return msgspec.json.decode(ended.stdout, type=Explanation)


def record_of(ended: Ended) -> RecordExplanation:
    """The explanation of a record."""
    assert (ended.code, ended.stderr) == (0, "")
    found = document_of(ended).record
    assert found is not None
    return found


def test_a_line_of_a_file_is_explained_within_its_archive(archive: Path) -> None:
    """The file is not read twice, although it is below the folder."""
    where = place(archive, PROBER)
    said = record_of(flowwarden(["explain", where, archive, "--format", "json"]))
    assert said.where == where
    assert said.line.split()[3] == PROBER
    assert said.flagged
    assert said.context is Context.ARCHIVE


def test_a_file_is_its_own_archive(archive: Path) -> None:
    """Also if it is compressed."""
    last = gzip.decompress((archive / "b.log.gz").read_bytes()).decode().splitlines()
    said = record_of(flowwarden(["explain", f"{archive / 'b.log.gz'}:{len(last)}", "--format", "json"]))
    assert said.line == last[-1]
    assert not said.flagged


def test_a_record_as_text_is_found_in_the_archive(archive: Path) -> None:
    """Or read from standard input."""
    where = place(archive, SCANNER)
    in_file = record_of(flowwarden(["explain", where, archive, "--format", "json"]))
    as_text = record_of(flowwarden(["explain", in_file.line, archive, "--format", "json"]))
    piped = flowwarden(["explain", "-", archive, "--format", "json"], stdin=in_file.line.encode())
    assert as_text == record_of(piped) == msgspec.structs.replace(in_file, where="the record")


def test_a_record_that_the_archive_lacks_is_added_to_it(archive: Path) -> None:
    """At its time, and with the log format of the archive."""
    new = line(BEGIN + HOUR + 1000, SCANNER, SCANNER, "10.0.7.7", (59_999, 22))
    said = record_of(flowwarden(["explain", new, archive, "--format", "json"]))
    assert said.context is Context.ADDED
    assert said.batch > 1


def test_a_record_alone_needs_no_archive() -> None:
    """A detector that judges single records finds something."""
    said = record_of(flowwarden(["explain", REJECTED, "--format", "json"]))
    assert said.context is Context.ALONE
    assert [each.detector for each in said.judgments if each.flagged] == ["internet-rejects"]
    gap = record_of(flowwarden(["explain", NODATA, "--format", "json"]))
    assert (gap.kind, gap.flagged, gap.traffic) == ("gap", False, None)


def test_an_incident_of_a_replay_is_explained_by_its_key(archive: Path) -> None:
    """The key has what `flowwarden replay` says of it."""
    result = msgspec.json.decode(
        flowwarden(["replay", archive, "--format", "json"]).stdout, type=ReplayResult
    )
    for each in result.incidents:
        ended = flowwarden(["explain", each.incident[:8], archive, "--format", "json"])
        said = document_of(ended).incident
        assert said is not None
        assert (said.incident, said.subject, said.timeline) == (each.incident, each.subject, each.timeline)
        assert [one.judgment.detector for one in said.evidence] == each.detectors


def test_an_unknown_incident_names_others(archive: Path) -> None:
    """A key can be mistyped."""
    ended = flowwarden(["explain", "0" * 32, archive])
    assert ended.code == UNREADABLE
    assert "no incident begins with 0000" in ended.stderr
    assert SCANNER in ended.stderr


@pytest.mark.parametrize(
    "given",
    [
        ("-", "-"), ("everything",), ("flows.log:0", "flows.log"), ("8cf70a",), ("",),
        ("flows.log:1", "--policy", "a.json", "--policy", "b.json"),
    ],
)  # fmt: skip
def test_arguments_that_do_not_fit_are_wrong_usage(given: tuple[str, ...]) -> None:
    """Before anything is read."""
    with pytest.raises(SystemExit) as ended:
        flowwarden(["explain", *given])
    assert ended.value.code == 2


@pytest.mark.parametrize(
    ("number", "why"), [("1", "header"), ("99999", "no such line"), ("2000000", "no such line")]
)
def test_a_line_that_is_no_record_is_an_error(archive: Path, number: str, why: str) -> None:
    """It says which lines there are."""
    ended = flowwarden(["explain", f"{archive / 'a.log'}:{number}"])
    assert ended.code == UNREADABLE
    assert why in ended.stderr
    assert ended.stdout == ""


def test_a_malformed_record_is_an_error_with_its_reason() -> None:
    """Its log format may be a custom one."""
    ended = flowwarden(["explain", "10.0.0.5 10.0.0.9 443"])
    assert ended.code == UNREADABLE
    assert "3 tokens where the log format has" in ended.stderr
    assert "--log-format" in ended.stderr


def test_standard_input_is_read_once(archive: Path) -> None:
    """A record that it does not contain cannot be added, because it would be read again."""
    lines = (archive / "a.log").read_bytes()
    ended = flowwarden(["explain", REJECTED, "-"], stdin=lines)
    assert ended.code == UNREADABLE
    assert "save standard input" in ended.stderr


def test_a_policy_changes_the_answer(archive: Path, tmp_path: Path) -> None:
    """One policy only."""
    policy = tmp_path / "policy.json"
    policy.write_text('{"thresholds": {"probing_destinations": 50}}')
    where = place(archive, PROBER)
    options = [where, archive, "--format", "json"]
    assert record_of(flowwarden(["explain", *options])).flagged
    other = record_of(flowwarden(["explain", *options, "--policy", policy]))
    assert "host-probing" not in [each.detector for each in other.judgments if each.flagged]
