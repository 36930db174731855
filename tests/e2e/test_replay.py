"""`flowwarden replay` on the log group of the deployed stack, as a person runs it."""

from __future__ import annotations

import time
from pathlib import Path
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


def test_one_command_turns_the_log_group_of_yesterday_into_a_report(
    stage: Stage, state: State, tmp_path: Path
) -> None:
    """As docs/replay.md shows it. The report names the scan that the monitor paged."""
    played = stage.play(SCAN, int(time.time()) - DAY)
    assert played.problems == ()
    report = tmp_path / "report.html"
    group = state.stack.flow_log_group
    code, printed = command.run_as_written(
        state, "replay", "--log-group", group, "--since", "2d", "--report", str(report)
    )
    assert code == PAGED
    scanned = f"{SCANNER.address} failed to connect to about "
    assert scanned in played.deliveries[0].text
    assert scanned in printed
    assert scanned in report.read_text()
