"""`flowwarden replay --live`: the past, what arrives, and the summary at Ctrl-C."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Never

import msgspec
import pytest
from msgspec.structs import replace

from flowwarden.bootstrap.log_archive import LogArchive
from flowwarden.errors import DamagedSource
from flowwarden.replay.follow import MOST_FAILURES, LogEvent
from flowwarden.replay.interface_file import InterfaceFile
from flowwarden.replay.result import ReplayResult
from flowwarden_cli.commands import replay
from flowwarden_cli.main import run
from flowwarden_cli.terminal.console import Console
from flowwarden_cli.terminal.ending import SIGNALS, STEP, Ending
from tests.cli.fakes_archive import EndingAfter, events_of
from tests.cli.fakes_console import Ended, fake_console, flowwarden, written
from tests.replay.archives import BEGIN, HOUR, LAYOUT, PROBER, SCANNER, end_of, incidents

NOW = BEGIN + 3 * HOUR


def unused(*_: object) -> Iterator[Never]:
    """Reads nothing, because nothing calls it."""
    raise AssertionError


class Group:
    """A log group in which each record arrives five minutes after its end."""

    def __init__(self, lines: Sequence[str], now: int) -> None:
        """Begin at a time (Unix seconds)."""
        self.now = float(now)
        self.fails = False
        self.output: list[str] = []
        """What was printed before each wait."""
        self._events = events_of(lines)

    def read(self, _name: str, begin: int, end: int) -> Iterator[list[LogEvent]]:
        """Those that have arrived."""
        if self.fails:
            raise DamagedSource("log group /flows: throttled")
        there = [each for each in self._events if begin * 1000 <= each.at < end * 1000]
        yield [each for each in there if each.at / 1000 + 300 <= self.now]

    def live(self, *options: str, minutes: int = 120) -> Ended:
        """Replay a day of it, and follow it for some minutes."""
        console = replace(fake_console(), now=lambda: self.now)

        def wait(seconds: float) -> None:
            self.output.append(written(console.stdout).decode())
            self.now += seconds

        return self._run(console, EndingAfter(minutes, wait), *options)

    def _run(self, console: Console, ending: Ending, *options: str) -> Ended:
        known = InterfaceFile(account="111122223333", region="eu-west-1", interfaces=())
        opened = LogArchive(messages=unused, events=self.read, layouts=(LAYOUT,), known=known)
        command = replace(
            replay.COMMAND, run=lambda given, at: replay.run(given, at, lambda *_: opened, ending)
        )
        arguments = ["replay", "--log-group", "/flows", "--since", "1d", "--live", *options]
        code = run(arguments, console, [command])
        return Ended(code, written(console.stdout).decode(), written(console.stderr))


def test_an_incident_is_printed_when_it_is_found_and_the_summary_at_the_end() -> None:
    """A slice is judged 15 minutes after its end."""
    lines = incidents()
    group = Group(lines, NOW - HOUR)
    ended = group.live()
    assert ended.code == 3
    printed = [each for each in group.output if "opened, to pages" in each]
    assert printed, "before the user ended it"
    assert "Pages:" not in group.output[-1]
    assert "Pages:" in ended.stdout
    assert SCANNER in ended.stdout
    assert PROBER in ended.stdout


def test_it_finds_what_a_replay_of_the_same_records_finds(tmp_path: Path) -> None:
    """Whatever part of them was there at its begin."""
    lines = incidents()
    path = tmp_path / "flows.log"
    path.write_text("\n".join([" ".join(LAYOUT.names), *lines, ""]))
    whole = _found(flowwarden(["replay", path, "--format", "json"]))
    for before in (0, HOUR, 2 * HOUR):
        ended = Group(lines, end_of(lines[-1]) + 300 - before).live(
            "--format", "json", minutes=before // 60 + 20
        )
        assert _found(ended) == whole
        assert "opened, to pages" in ended.stderr


def _found(ended: Ended) -> tuple[int, list[str], int]:
    result = msgspec.json.decode(ended.stdout, type=ReplayResult)
    return ended.code, [each.subject for each in result.incidents], result.records.all


def test_a_log_group_that_cannot_be_read_for_long_is_an_error() -> None:
    """A short failure is a note."""
    group = Group(incidents(), NOW)
    group.fails = True
    ended = group.live()
    assert ended.code == 1
    assert ended.stderr.count("note: log group /flows: throttled") == MOST_FAILURES - 1
    assert "error: log group /flows: throttled" in ended.stderr


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["flows.log", "--live"], "--live needs --log-group"),
        (["s3://bucket/", "--live"], "--live needs --log-group"),
        (["flows.log", "--log-group", "/flows", "--live"], "not both"),
        (["--log-group", "/flows", "--live", "--workers", "2"], "--live replays with one policy"),
        (
            ["--log-group", "/flows", "--live", "--checkpoint", "state"],
            "--checkpoint is for a replay that ends",
        ),
        (
            ["--log-group", "/flows", "--live", "--policy", "a", "--policy", "b"],
            "--live replays with one policy",
        ),
    ],
)
def test_live_is_about_one_log_group_and_one_policy(
    options: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing arrives in files."""
    with pytest.raises(SystemExit) as ended:
        flowwarden(["replay", *options])
    assert ended.value.code == 2
    assert why in capsys.readouterr().err


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("first", SIGNALS)
def test_the_first_signal_ends_the_waiting_and_the_second_one_interrupts(first: signal.Signals) -> None:
    """The handlers of before are there again, of both: Ctrl-C may follow a SIGTERM."""
    before, waited = [*map(signal.getsignal, SIGNALS)], list[float]()

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            os.kill(os.getpid(), first)

    with Ending(sleep) as ending:
        ending.wait(60)
        assert ending.is_ended
        assert waited == [STEP] * 3
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        assert [*map(signal.getsignal, SIGNALS)] == before
    assert [*map(signal.getsignal, SIGNALS)] == before
