"""`flowwarden replay --checkpoint`: an interrupted replay that goes on prints what another one prints."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest
from msgspec.structs import replace

from flowwarden.bootstrap.log_archive import LogArchive
from flowwarden.errors import SourceError
from flowwarden.network.interface import NetworkInterface
from flowwarden.replay.interface_file import InterfaceFile, encoded
from flowwarden_cli.commands import replay, replaying
from flowwarden_cli.commands.checkpoint_file import MAGIC, Saved, read, write
from flowwarden_cli.commands.checkpoints import PAUSE, SHARE
from flowwarden_cli.commands.replay import Wiring
from flowwarden_cli.main import run
from tests.cli.fakes_console import Ended, fake_console, flowwarden, written
from tests.replay.archives import BEGIN, HOUR, LAYOUT, end_of, ordinary, probing, scan

LINES: Final = [
    *sorted([*ordinary(3, 3), *scan(BEGIN + HOUR), *probing(BEGIN + 4500)], key=end_of),
    "odd line",
]
HEADER: Final = " ".join(LAYOUT.names)


class Clock:
    """A clock on which a checkpoint is due after each slice; Ctrl-C is pressed when it is read once more."""

    def __init__(self, interrupted_after: int | None = None) -> None:
        self._interrupted_after = interrupted_after
        self.calls = 0

    def __call__(self) -> int:
        """The time: each step is longer than all pauses after the step before."""
        if self.calls == self._interrupted_after:
            raise KeyboardInterrupt
        self.calls += 1
        return int(PAUSE) * int((2 * SHARE) ** self.calls)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An archive in two files."""
    folder = tmp_path / "archive"
    folder.mkdir()
    for name, some in (("b.log.gz", LINES[:300]), ("a.log.gz", LINES[300:])):
        (folder / name).write_bytes(gzip.compress("\n".join([HEADER, *some, ""]).encode()))
    return folder


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The file of the checkpoint, which does not exist yet."""
    return tmp_path / "replay.state"


def replayed(
    *given: object, clock: Callable[[], float] | None = None, wired: Wiring | None = None, now: int = BEGIN
) -> Ended:
    """Replay with a checkpoint after each slice; code 130 if it was interrupted."""
    console = replace(fake_console(clock=clock or Clock()), now=lambda: float(now))
    command = replace(replay.COMMAND, run=lambda options, at: replaying.run(options, at, wired))
    code = 130
    with suppress(KeyboardInterrupt):
        code = run([str(each) for each in ("replay", *given)], console, [command])
    return Ended(code, written(console.stdout).decode(), written(console.stderr))


def interrupt(file: Path, *given: object, after: int = 25) -> Ended:
    """Press Ctrl-C in a replay once it has written a checkpoint."""
    ended = replayed(*given, "--checkpoint", file, clock=Clock(after))
    assert ended.code == 130
    assert file.exists()
    return ended


def test_the_output_is_that_of_a_replay_without_interruption(folder: Path, file: Path) -> None:
    """To the byte, with the exit code, although Ctrl-C is pressed again and again, also while it reads."""
    given = (folder, "--format", "json")
    expected = flowwarden(["replay", *given])
    codes = []
    for after in range(9, 200, 5):
        ended = replayed(*given, "--checkpoint", file, clock=Clock(after))
        codes.append(ended.code)
        if ended.code != 130:
            break
    assert len(codes) > 3
    assert (ended.code, ended.stdout) == (expected.code, expected.stdout) == (3, expected.stdout)
    assert not file.exists()
    assert [each.name for each in file.parent.iterdir()] == ["archive"]


def test_messages_say_where_it_stands(folder: Path, file: Path) -> None:
    """What remains, and how to go on."""
    note = f"note: --checkpoint {file}: "
    early = replayed(folder, "--checkpoint", file, clock=Clock(3))
    assert early.stderr == f"{note}there is none yet, so the same command starts from the beginning\n"
    ended = interrupt(file, folder)
    assert ended.stderr.startswith(f"{note}the checkpoint of 2027-01-15T")
    assert ended.stderr.endswith("remains; run the same command again to go on\n")
    assert replayed(folder, "--checkpoint", file).stderr.startswith(f"{note}goes on after the records until")


def test_two_policies_go_on_with_any_number_of_processes(folder: Path, file: Path) -> None:
    """Each replay has its state, wherever it runs."""
    for name, content in (("a.json", {}), ("b.json", {"report_only": ["scan"]})):
        (file.parent / name).write_text(json.dumps(content))
    given = (folder, "--policy", file.parent / "a.json", "--policy", file.parent / "b.json")
    interrupt(file, *given, "--workers", 2)
    ended = replayed(*given, "--checkpoint", file)
    assert ended.stdout == flowwarden(["replay", *given]).stdout
    assert not file.exists()


def test_a_copy_of_the_archive_is_the_same_archive(folder: Path, file: Path) -> None:
    """Names and times of files do not matter, and what was added after the checkpoint is read."""
    interrupt(file, folder)
    moved = folder.rename(folder.with_name("moved"))
    (moved / "a.log.gz").rename(moved / "c.log.gz")
    os.utime(moved / "b.log.gz", (0, 0))
    (moved / "d.log").write_text("\n".join([HEADER, LINES[-2]]))
    ended = replayed(moved, "--checkpoint", file)
    assert ended.stdout == flowwarden(["replay", moved]).stdout


def other_content(folder: Path) -> None:
    """One byte of the file is another one; its size and its time are the same."""
    path = folder / "b.log.gz"
    text = gzip.decompress(path.read_bytes()).replace(b" 40000 ", b" 40009 ", 1)
    path.write_bytes(gzip.compress(text))


def no_content(folder: Path) -> None:
    """A file is missing."""
    (folder / "b.log.gz").unlink()


def less_content(folder: Path) -> None:
    """The archive ends early."""
    (folder / "a.log.gz").unlink()
    path = folder / "b.log.gz"
    path.write_bytes(gzip.compress("\n".join([HEADER, *LINES[:40]]).encode()))


@pytest.mark.parametrize("change", [other_content, no_content, less_content])
def test_other_records_are_refused(folder: Path, file: Path, change: Callable[[Path], None]) -> None:
    """Whatever the names and sizes of the files are; the checkpoint stays as it is."""
    interrupt(file, folder)
    before = file.read_bytes()
    change(folder)
    ended = replayed(folder, "--checkpoint", file)
    assert (ended.code, ended.stdout) == (1, "")
    assert "was written with other records: those of 2027-01-15T" in ended.stderr
    assert "or delete it to start from the beginning" in ended.stderr
    assert file.read_bytes() == before


def test_fewer_records_are_refused(folder: Path, file: Path) -> None:
    """An archive that ends where a slice ends."""
    interrupt(file, folder)
    saved = read(file)
    assert saved is not None
    changed(file, slices=(*saved.slices[:-1], *[b"12345678"] * 99))
    changed(file, slices=saved.slices + saved.slices[-1:])
    short = folder / "short.log"
    for each in folder.iterdir():
        each.unlink()
    first = LINES[: sum(end_of(each) < BEGIN + 600 for each in LINES[:-1])]
    short.write_text("\n".join([HEADER, *first]))
    ended = replayed(folder, "--checkpoint", file)
    assert (ended.code, ended.stdout) == (1, "")
    assert "was written with more records" in ended.stderr


@pytest.mark.parametrize(
    ("options", "differs"),
    [
        (("--policy", "policy.json"), "--policy"),
        (("--interfaces", "interfaces.json"), "--interfaces"),
        (("--as-delivered",), "--as-delivered"),
        (("--log-format", "srcaddr dstaddr"), "--log-format"),
        (("--format", "json"), "output (--format json or --report)"),
    ],
)
def test_other_options_are_refused_by_name(
    folder: Path, file: Path, monkeypatch: pytest.MonkeyPatch, options: Sequence[str], differs: str
) -> None:
    """Nothing is replayed."""
    monkeypatch.chdir(file.parent)
    Path("policy.json").write_text('{"report_only": ["scan"]}')
    known = NetworkInterface(interface_id="eni-1")
    Path("interfaces.json").write_text(encoded(InterfaceFile(interfaces=(known,))))
    interrupt(file, folder)
    ended = replayed(folder, *options, "--checkpoint", file)
    assert (ended.code, ended.stdout) == (1, "")
    assert ended.stderr == (
        f"error: --checkpoint {file}: was written with another {differs}; use what it was written with, or "
        "delete it to start from the beginning\n"
    )


def changed(file: Path, **members: object) -> None:
    """Write the checkpoint with other members."""
    saved = read(file)
    assert saved is not None
    assert write(file, replace(saved, **members)) == ""


def test_another_version_is_refused(folder: Path, file: Path) -> None:
    """It may find something else."""
    interrupt(file, folder)
    saved = read(file)
    assert saved is not None
    changed(file, terms={**saved.terms, "version of Flow Warden": "0"})
    assert "another version of Flow Warden;" in replayed(folder, "--checkpoint", file).stderr


def test_a_state_of_another_kind_is_refused(folder: Path, file: Path) -> None:
    """The checksum is right, but the content is none of ours."""
    interrupt(file, folder)
    changed(file, states=(b"\x92\x91\xa9os:system\x93\x09\x00\x91\xa4true",))
    ended = replayed(folder, "--checkpoint", file)
    assert ended.code == 1
    assert "the replay cannot go on from it: unknown type os:system; delete it" in ended.stderr


def test_a_checkpoint_with_too_few_states_is_refused(folder: Path, file: Path) -> None:
    """And not read beyond its end."""
    (file.parent / "a.json").write_text("{}")
    given = (folder, "--policy", file.parent / "a.json", "--policy", file.parent / "b.json")
    (file.parent / "b.json").write_text('{"report_only": ["scan"]}')
    interrupt(file, *given)
    changed(file, states=(b"",))
    assert "it has 1 states for 2 policies" in replayed(*given, "--checkpoint", file).stderr


@pytest.mark.parametrize("part", [0.0, 0.3, 0.99])
def test_a_damaged_file_is_refused(folder: Path, file: Path, part: float) -> None:
    """Cut, or with another byte; it is not changed."""
    interrupt(file, folder)
    whole = file.read_bytes()
    at = len(MAGIC) + int((len(whole) - len(MAGIC)) * part)
    for content in (whole[:at], whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]):
        file.write_bytes(content)
        ended = replayed(folder, "--checkpoint", file)
        assert (ended.code, ended.stdout) == (1, "")
        assert "is damaged or incomplete; delete it" in ended.stderr
        assert file.read_bytes() == content


def test_another_file_is_neither_read_nor_replaced(folder: Path, file: Path) -> None:
    """Such as the archive, or a checkpoint of another version."""
    for content in (b"mine", b"", MAGIC.replace(b"1", b"2")):
        file.write_bytes(content)
        ended = replayed(folder, "--checkpoint", file)
        assert ended.code == 1
        assert "is not a checkpoint of this version" in ended.stderr
        assert file.read_bytes() == content


def test_a_place_that_cannot_be_written_is_refused_at_once(folder: Path, file: Path) -> None:
    """Not after an hour. In the archive, it would become a part of it."""
    for path, why in (
        (file.parent / "none" / "x", "its folder does not exist"),
        (file.parent, "is a folder"),
        (folder / "x", "is in a folder that is replayed"),
    ):
        ended = replayed(folder, "--checkpoint", path)
        assert (ended.code, ended.stdout) == (1, "")
        assert why in ended.stderr


@pytest.mark.parametrize("name", ["replay.state", "./archive/../replay.state"])
def test_the_file_of_the_report_is_refused(folder: Path, file: Path, name: str) -> None:
    """The checkpoint is deleted at the end, and the report would be, too."""
    ended = replayed(folder, "--checkpoint", file, "--report", f"{file.parent}/{name}")
    assert (ended.code, ended.stdout) == (1, "")
    assert ended.stderr == f"error: --checkpoint {file}: is also the file of --report; write another name\n"


def test_a_file_that_the_replay_reads_is_refused(folder: Path, file: Path) -> None:
    """It would be replaced, and deleted at the end."""
    file.write_text("{}")
    for option, given in (("PATH", [folder, file]), ("--policy", [folder, "--policy", file])):
        ended = replayed(*given, "--checkpoint", file)
        assert (ended.code, file.read_text()) == (1, "{}")
        assert f"is also the file of {option}; write another name" in ended.stderr


def test_a_pipe_is_refused(folder: Path, file: Path) -> None:
    """Reading it may never end."""
    os.mkfifo(file)
    ended = replayed(folder, "--checkpoint", file)
    assert (ended.code, ended.stdout) == (1, "")
    assert "is not a regular file" in ended.stderr


def test_a_link_remains_one(folder: Path, file: Path) -> None:
    """The checkpoint is the file that it names."""
    target = file.with_name("elsewhere.state")
    file.symlink_to(target)
    interrupt(file, folder)
    assert (file.is_symlink(), target.is_file()) == (True, True)


def test_an_empty_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """A script's variable that is not set would mean that no checkpoint was asked for."""
    with pytest.raises(SystemExit) as ended:
        replayed("x", "--checkpoint", "")
    assert ended.value.code == 2
    assert "the value is empty" in capsys.readouterr().err


@pytest.mark.parametrize("workers", [1, 2])
def test_a_forged_state_is_a_clear_error(folder: Path, file: Path, workers: int) -> None:
    """Its checksum is right, and so are its types, but not its content: also in another process."""
    for name in ("a.json", "b.json"):
        file.with_name(name).write_text("{}")
    both = ("--policy", file.with_name("a.json"), "--policy", file.with_name("b.json"))
    options = both if workers > 1 else ()
    interrupt(file, folder, *options)
    saved = read(file)
    assert saved is not None
    changed(file, states=tuple(b"\xc0" for _ in saved.states))
    ended = replayed(folder, *options, "--checkpoint", file, "--workers", workers)
    assert (ended.code, ended.stdout, "Traceback" in ended.stderr) == (1, "", False)
    assert "the replay cannot go on from it: " in ended.stderr


def test_a_file_that_another_program_made_meanwhile_is_not_deleted(folder: Path, file: Path) -> None:
    """No checkpoint was due in this short replay."""

    def clock() -> float:
        file.write_text("theirs")
        return 0

    assert replayed(folder, "--checkpoint", file, clock=clock).code == 3
    assert file.read_text() == "theirs"


def test_a_full_disk_ends_no_replay(folder: Path, file: Path) -> None:
    """Here, the folder of the file is removed while the replay runs; it says so, and prints its result."""
    place = file.parent / "place"
    place.mkdir()

    class Removing(Clock):
        def __call__(self) -> int:
            if place.exists() and self.calls == 25:
                for each in place.iterdir():
                    each.unlink()
                place.rmdir()
            return super().__call__()

    ended = replayed(folder, "--checkpoint", place / "x", clock=Removing())
    assert (ended.code, ended.stdout) == (3, flowwarden(["replay", folder]).stdout)
    assert "cannot be written: No such file or directory; the replay continues" in ended.stderr


class LogGroup:
    """A log group of which one read fails, and whose interfaces change."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []
        self.fails = False
        self.answers = 400
        """Lines before the failure."""

    def wired(self, *_: object) -> LogArchive:
        """The log group now."""
        account = f"{len(self.asked):012d}"
        known = InterfaceFile(account=account, region="eu-west-1", interfaces=())
        return LogArchive(messages=self._messages, events=lambda *_: iter(()), layouts=(LAYOUT,), known=known)

    def _messages(self, _name: str, first: int, end: int) -> Iterator[Sequence[str]]:
        self.asked.append((first, end))
        yield from (LINES[at : at + 50] for at in range(0, self.answers, 50))
        if self.fails:
            raise SourceError("the network is down")
        yield LINES[self.answers :]


def test_a_log_group_goes_on_with_its_period_and_interfaces(file: Path) -> None:
    """Although it is later, and other interfaces exist."""
    given = ("--log-group", "/flows", "--since", "1d", "--format", "json")
    group = LogGroup()
    expected = replayed(*given, wired=LogGroup().wired)
    assert replayed(*given, "--checkpoint", file, wired=group.wired, clock=Clock(20)).code == 130
    ended = replayed(*given, "--checkpoint", file, wired=group.wired, now=BEGIN + 999)
    assert group.asked == [(BEGIN - 86_400, BEGIN)] * 2
    assert (ended.code, ended.stdout) == (expected.code, expected.stdout)


def test_what_aws_does_not_answer_is_read_by_the_next_run(file: Path) -> None:
    """The result is printed, and the checkpoint before the failure remains."""
    given = ("--log-group", "/flows", "--checkpoint", file)
    group = LogGroup()
    group.fails = True
    assert replayed(*given, wired=group.wired).code == 1
    group.fails = False
    ended = replayed(*given, wired=group.wired)
    assert ended.stdout == replayed("--log-group", "/flows", wired=LogGroup().wired).stdout
    assert not file.exists()


@pytest.mark.parametrize("answers", [0, 100])
def test_a_failure_before_the_checkpoint_is_no_reason_to_delete_it(file: Path, answers: int) -> None:
    """The records do not differ; those that could not be read are missing."""
    given = ("--log-group", "/flows", "--checkpoint", file)
    group = LogGroup()
    assert replayed(*given, wired=group.wired, clock=Clock(40)).code == 130
    before = file.read_bytes()
    group.fails, group.answers = True, answers
    ended = replayed(*given, wired=group.wired)
    assert (ended.code, ended.stdout) == (1, "")
    assert "error: the network is down\n" in ended.stderr
    assert "was not reached, because records before it could not be read" in ended.stderr
    assert "run the same command again" in ended.stderr
    assert "delete" not in ended.stderr
    assert file.read_bytes() == before


def test_the_file_is_for_its_owner(folder: Path, file: Path) -> None:
    """It contains addresses."""
    interrupt(file, folder)
    assert file.stat().st_mode & 0o777 == 0o600
    assert isinstance(read(file), Saved)
