"""`flowwarden replay`: what it prints, its exit codes, and its errors."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import Never

import msgspec
import pytest
from msgspec.structs import replace

from flowwarden.bootstrap.log_archive import LogArchive
from flowwarden.errors import DamagedSource, SourceError
from flowwarden.network.interface import NetworkInterface
from flowwarden.replay.comparison import Comparison
from flowwarden.replay.interface_file import InterfaceFile, encoded
from flowwarden.replay.result import ReplayResult
from flowwarden.sources.inputs import Input
from flowwarden.state.sets import DAY
from flowwarden_cli.commands import replay, replaying
from tests.cli.fakes_console import Ended, flowwarden
from tests.outside import LABELED
from tests.replay.archives import LAYOUT, PROBER, SCANNER, incidents, ordinary
from tests.sources.held import ACCEPTED, HEADER

SLIPS = LABELED / "slips_vertical.log"
QUIET, PAGED = 0, 3


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A folder with a scan, in two files."""
    lines = incidents()
    folder = tmp_path / "archive"
    folder.mkdir()
    for name, some in (("b.log.gz", lines[:2000]), ("a.log.gz", lines[2000:])):
        text = "\n".join([" ".join(LAYOUT.names), *some, ""])
        (folder / name).write_bytes(gzip.compress(text.encode()))
    return folder


def result_of(ended: Ended) -> ReplayResult:
    """The JSON document of a replay."""
    return msgspec.json.decode(ended.stdout, type=ReplayResult)


def test_ordinary_traffic_ends_with_0(tmp_path: Path) -> None:
    """The exit code is for a policy's CI."""
    path = tmp_path / "flows.log"
    path.write_text("\n".join([" ".join(LAYOUT.names), *ordinary()]))
    ended = flowwarden(["replay", path])
    assert ended.code == QUIET
    assert "Pages: none." in ended.stdout


def test_pages_end_with_3_and_the_text_names_their_hosts(archive: Path) -> None:
    """The files are read by time, whatever their names."""
    ended = flowwarden(["replay", archive])
    assert ended.code == PAGED
    assert SCANNER in ended.stdout
    assert PROBER in ended.stdout
    assert "Late" not in ended.stdout
    assert ended.stderr == ""


@pytest.mark.skipif(not SLIPS.exists(), reason="needs ../shared/data")
def test_a_real_port_scan_is_named_with_its_target() -> None:
    """A trace of the Stratosphere project."""
    ended = flowwarden(["replay", SLIPS])
    assert ended.code == PAGED
    assert "192.168.1.9" in ended.stdout
    assert "45.33.32.156" in ended.stdout


def test_the_document_has_what_the_text_says(archive: Path) -> None:
    """The types of docs/schemas decode it."""
    result = result_of(flowwarden(["replay", archive, "--format", "json"]))
    assert {each.subject for each in result.incidents} == {SCANNER, PROBER}
    assert result.sources == 2
    assert result.pages == 2


def test_standard_input_is_read(archive: Path) -> None:
    """A pipe is read once."""
    lines = "\n".join([" ".join(LAYOUT.names), *incidents()]).encode()
    piped = result_of(flowwarden(["replay", "-", "--format", "json"], lines))
    assert piped.incidents == result_of(flowwarden(["replay", archive, "--format", "json"])).incidents


def test_two_policies_are_compared(archive: Path, tmp_path: Path) -> None:
    """The exit code is about the second one."""
    muting = tmp_path / "muting.json"
    mute = {"detector": "scan", "subject": SCANNER, "until": "never", "reason": "tested"}
    muting.write_text(json.dumps({"mutes": [mute]}))
    empty = tmp_path / "empty.json"
    empty.write_text("{}")
    ended = flowwarden(["replay", archive, "--policy", empty, "--policy", muting, "--format", "json"])
    found = msgspec.json.decode(ended.stdout, type=Comparison)
    assert (len(found.lost), len(found.added), found.both) == (1, 0, 1)
    assert ended.code == PAGED
    back = flowwarden(["replay", archive, "--policy", muting, "--policy", empty])
    assert "Added by B: 1. Lost with B: 0." in back.stdout


def test_the_interfaces_of_the_file_are_used(archive: Path, tmp_path: Path) -> None:
    """The others are learned from the lines."""
    eni = f"eni-{66:017x}"
    known = NetworkInterface(interface_id=eni, addresses=(SCANNER,), tags={"Role": "scanner"}, vpc_id="vpc-1")
    path = tmp_path / "interfaces.json"
    path.write_text(encoded(InterfaceFile(account="111122223333", region="eu-west-1", interfaces=(known,))))
    result = result_of(flowwarden(["replay", archive, "--interfaces", path, "--format", "json"]))
    assert result.interfaces_learned == result.interfaces - 1
    assert any("vpc-1" in each.text for each in result.incidents)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("srcaddr dstaddr action\n10.0.0.5 10.0.0.9 ACCEPT\n", "no record has a time"),
        ("nothing of a flow log\n", "no line is a flow or a gap"),
        ("", "nothing was read"),
    ],
)
def test_what_cannot_be_replayed_is_an_error(tmp_path: Path, content: str, message: str) -> None:
    """Exit code 0 would mean that nothing was found."""
    path = tmp_path / "flows.log"
    path.write_text(content)
    ended = flowwarden(["replay", path])
    assert ended.code == 1
    assert message in ended.stderr


def test_bad_lines_are_counted_and_not_fatal(tmp_path: Path) -> None:
    """They are listed with what was not judged."""
    path = tmp_path / "flows.log"
    path.write_text(f"{HEADER}\n{ACCEPTED}\nodd\n\n{ACCEPTED}\n")
    ended = flowwarden(["replay", path])
    assert ended.code == QUIET
    assert "2 accepted, 0 rejected, 0 gaps, 1 malformed line" in ended.stdout


def test_a_source_that_is_not_read_to_its_end_is_an_error(archive: Path) -> None:
    """What was read of it is replayed nevertheless."""
    whole = (archive / "b.log.gz").read_bytes()
    (archive / "b.log.gz").write_bytes(whole[: len(whole) // 2])
    ended = flowwarden(["replay", archive, archive / "missing"])
    assert ended.code == 1
    assert "2 not read to the end" in ended.stdout
    assert "truncated" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--policy", "a", "--policy", "b", "--policy", "c"], "give --policy once, or twice"),
        (["--policy", "-"], "only one of the files can be standard input"),
        (["--log-format", "${bytes}"], "--log-format:"),
        (["--format", "xml"], "invalid choice"),
    ],
)
def test_wrong_usage_ends_with_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is read."""
    with pytest.raises(SystemExit) as ended:
        flowwarden(["replay", "-", *arguments])
    assert ended.value.code == 2
    assert message in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("option", ["--policy", "--interfaces"])
@pytest.mark.parametrize("content", ["[]", "{", '{"version": "9", "interfaces": []}'])
def test_a_file_that_is_not_valid_is_an_error(tmp_path: Path, option: str, content: str) -> None:
    """The message names the file or the setting."""
    path = tmp_path / "given.json"
    path.write_text(content)
    ended = flowwarden(["replay", "-", option, path])
    assert ended.code == 1
    assert ended.stderr.startswith("error: ")


def unused(*_: object) -> Iterator[Never]:
    """Reads nothing, because nothing calls it."""
    raise AssertionError


def of_group(messages: list[list[str]], *options: object, error: SourceError | None = None) -> Ended:
    """Replay a log group with these pages of messages, of which the last may be followed by an error."""

    def read(_name: str, begin: int, end: int) -> Iterator[list[str]]:
        assert end - begin == 7 * DAY
        yield from messages
        if error is not None:
            raise error

    known = InterfaceFile(account="111122223333", region="eu-west-1", interfaces=())
    opened = LogArchive(messages=read, events=unused, layouts=(LAYOUT,), known=known, notes=("a note",))
    command = replace(replay.COMMAND, run=lambda given, at: replay.run(given, at, lambda *_: opened))
    arguments = ["replay", "--log-group", "/flows", "--since", "7d", *options]
    return flowwarden(arguments, commands=[command])


def test_a_log_group_is_replayed_like_its_records_in_files(archive: Path) -> None:
    """Its pages need no header."""
    lines = incidents()
    pages = [lines[at : at + 1000] for at in range(0, len(lines), 1000)]
    ended = of_group(pages, "--format", "json")
    assert ended.code == PAGED
    assert "note: a note" in ended.stderr
    assert [each.subject for each in result_of(ended).incidents] == [
        each.subject for each in result_of(flowwarden(["replay", archive, "--format", "json"])).incidents
    ]
    assert all("/flows" in each.text for each in result_of(ended).incidents)


def test_a_log_group_that_cannot_be_read_to_its_end_is_an_error() -> None:
    """What was read of it is replayed."""
    ended = of_group([incidents()], error=DamagedSource("log group /flows: throttled"))
    assert ended.code == 1
    assert SCANNER in ended.stdout
    assert "error: log group /flows: throttled" in ended.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--since", "1d", "-"],
        ["--log-group", "/flows", "-"],
        ["--log-group", "/flows", "--since", "soon"],
    ],
)
def test_a_path_or_a_log_group_is_needed(arguments: list[str]) -> None:
    """Not both, and a time only with the second."""
    known = InterfaceFile(interfaces=())
    opened = LogArchive(messages=unused, events=unused, layouts=(LAYOUT,), known=known)
    command = replace(replay.COMMAND, run=lambda given, at: replay.run(given, at, lambda *_: opened))
    with pytest.raises(SystemExit) as ended:
        flowwarden(["replay", *arguments], commands=[command])
    assert ended.value.code == 2


def test_objects_of_a_bucket_are_replayed_like_files(archive: Path) -> None:
    """Those whose names have a time are opened once, in that order."""
    opened: list[str] = []

    def listed(url: str) -> Iterator[Input]:
        assert url == "s3://bucket/logs/"
        for name, hour in (("a", "09"), ("b", "08")):
            path = archive / f"{name}.log.gz"
            key = f"{url}1_vpcflowlogs_eu-west-1_fl-1_20270115T{hour}00Z_{name}.log.gz"
            yield Input(key, path.stat().st_size, opener=partial(_opened, path))

    def _opened(path: Path) -> BufferedReader:
        opened.append(path.name)
        return path.open("rb")

    command = replace(replay.COMMAND, run=lambda given, at: replaying.run(given, at, bucket=listed))
    ended = flowwarden(["replay", "s3://bucket/logs/", "--format", "json"], commands=[command])
    files = flowwarden(["replay", archive, "--format", "json"])
    assert result_of(ended).incidents == result_of(files).incidents
    assert opened == ["b.log.gz", "a.log.gz"]
