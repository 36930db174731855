"""`flowwarden replay` on the log group of the deployed stack, as a person runs it."""

from __future__ import annotations

import time
from pathlib import Path
from signal import SIGINT
from threading import Timer
from typing import Final

import pytest

from local.feed import Conversation, Host
from local.sandbox import State
from local.scenario import Stage
from local.scenes import Scene
from tests.e2e import command

pytestmark = pytest.mark.e2e

PAGED: Final = 3
DAY: Final = 86_400
TRIED: Final = 60
SCANNER: Final = Host(
    address="10.34.1.66",
    interface="eni-0e2e000000000034",
    instance="i-0e2e000000000034",
    subnet="subnet-0e2e0000000000034",
    vpc="vpc-0e2e0000000000034",
)
SCAN: Final = Scene(
    title="a scan",
    about="",
    conversations=tuple(
        Conversation(
            at=SCANNER,
            client=SCANNER.address,
            client_port=41_000 + number,
            server=f"10.34.9.{number + 1}",
            port=8080,
            answered=False,
            packets=1,
        )
        for number in range(TRIED)
    ),
    pages=("scan",),
    verdict="",
)
SCANNED: Final = f"{SCANNER.address} failed to connect to about "

LONGEST: Final = 60.0
"""Seconds after which the command is ended. It takes five."""


@pytest.fixture(scope="module")
def paged(deployed: Stage) -> str:
    """The page about a scan of yesterday."""
    deployed.pages.take()
    deployed.operations.take()
    played = deployed.play(SCAN, int(time.time()) - DAY)
    assert played.problems == ()
    return played.deliveries[0].text


def test_one_command_turns_the_log_group_of_yesterday_into_a_report(
    paged: str, state: State, tmp_path: Path
) -> None:
    """As docs/replay.md shows it. The report names the scan that the monitor paged."""
    report = tmp_path / "report.html"
    group = state.stack.flow_log_group
    code, printed = command.run_as_written(
        state, "replay", "--log-group", group, "--since", "2d", "--report", str(report)
    )
    assert code == PAGED
    for text in (paged, printed, report.read_text()):
        assert SCANNED in text


@pytest.mark.usefixtures("paged")
def test_a_live_replay_prints_what_is_found_until_it_is_ended(state: State) -> None:
    """As docs/replay.md shows it: the scan when it is found, and the summary at Ctrl-C."""
    group = state.stack.flow_log_group
    process = command.started(state, "replay", "--log-group", group, "--since", "2d", "--live")
    ending = Timer(LONGEST, process.kill)
    ending.start()
    try:
        assert process.stdout is not None
        found = next((line for line in process.stdout if SCANNED in line), "")
        assert "opened, to pages: " in found, process.stderr and process.stderr.read()
        process.send_signal(SIGINT)
        summary, stderr = process.communicate()
    finally:
        ending.cancel()
        process.kill()
    assert (process.returncode, "Traceback" in stderr) == (PAGED, False)
    assert SCANNED in summary
