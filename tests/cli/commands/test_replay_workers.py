"""`flowwarden replay --workers`: the same output by several processes, and what happens if one ends."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flowwarden.policy.policy import Policy
from flowwarden.replay.interface_file import InterfaceFile
from flowwarden.replay.replay import Replay
from flowwarden_cli.commands.replay_runs import assigned
from flowwarden_cli.commands.replay_workers import AHEAD, Assignment, Worker, WorkerEnded
from tests.cli.fakes_console import flowwarden
from tests.replay.archives import LAYOUT, incidents, replayed, slices_of

LINES = [*incidents(), "odd line"]
ASSIGNED = Assignment(
    policy=Policy(),
    log_group="archive",
    known=InterfaceFile(account="111122223333", region="eu-west-1", interfaces=()),
    as_delivered=False,
    observes=True,
)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A folder with an archive in two files, and two policies."""
    folder = tmp_path / "archive"
    folder.mkdir()
    for name, some in (("b.log", LINES[:2000]), ("a.log", LINES[2000:])):
        (folder / name).write_text("\n".join([" ".join(LAYOUT.names), *some, ""]))
    (tmp_path / "a.json").write_text("{}")
    (tmp_path / "b.json").write_text(json.dumps({"report_only": ["scan"]}))
    return folder


@pytest.mark.matrix(1)
@pytest.mark.parametrize(("count", "workers"), [(0, 2), (2, 2), (2, 64)])
def test_the_output_is_that_of_one_process(archive: Path, count: int, workers: int) -> None:
    """To the byte, with the default policy and with two, whether this process replays, too, or only reads."""
    policies = [archive.parent / name for name in ("a.json", "b.json")][:count]
    given = [
        "replay",
        archive,
        "--format",
        "json",
        *(each for path in policies for each in ("--policy", path)),
    ]
    expected = flowwarden(given)
    assert '"scan"' in expected.stdout
    assert flowwarden([*given, "--workers", workers]) == expected


def test_nothing_to_replay_is_the_same_error(tmp_path: Path) -> None:
    """The process is not waited for."""
    path = tmp_path / "empty.log"
    path.write_text("")
    expected = flowwarden(["replay", path])
    assert (expected.code, expected.stderr) == (1, "error: nothing was read\n")
    assert flowwarden(["replay", path, "--workers", 2]) == expected


@pytest.mark.parametrize("number", ["0", "-1", "x"])
def test_a_number_below_1_is_wrong_usage(archive: Path, number: str) -> None:
    """As text is."""
    with pytest.raises(SystemExit) as ended:
        flowwarden(["replay", archive, f"--workers={number}"])
    assert ended.value.code == 2


@contextmanager
def started(build: object) -> Iterator[Worker]:
    """A process, which is ended at the end of the block."""
    worker = Worker(ASSIGNED, build)  # type: ignore[arg-type]
    try:
        yield worker
    finally:
        worker.stop()


def test_a_process_has_the_result_of_a_replay() -> None:
    """With all counts, and what was observed."""
    with started(assigned) as worker:
        slices = slices_of([LINES])
        assert len(slices) > AHEAD + 1
        for one in slices:
            worker.process(one)
        worker.finish()
        result = worker.result(1, 0)
    assert result.incidents
    assert result == replayed(LINES, observes=True)


def ends(_: Assignment) -> Replay:
    """Ends the process, as the kernel does when it lacks memory."""
    sys.exit(9)


def test_a_process_that_ends_early_is_an_error() -> None:
    """And no wait without end."""
    slices = slices_of([LINES])
    with started(ends) as worker:

        def replay() -> None:
            for one in slices:
                worker.process(one)

        with pytest.raises(WorkerEnded, match="ended with status 9; if it lacks memory, use --workers 1"):
            replay()


def test_a_process_that_is_stopped_is_over() -> None:
    """Before its first slice, after some, and if it is stopped again."""
    for count in (0, 3):
        with started(assigned) as worker:
            for one in slices_of([LINES])[:count]:
                worker.process(one)
            worker.stop()
            with pytest.raises(WorkerEnded):
                worker.result(1, 0)
