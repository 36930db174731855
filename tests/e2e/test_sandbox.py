"""The sandbox of `make up`: events go to deployed functions, and `make down` ends it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from local.environment import PROJECT
from local.payload import read
from local.sandbox import NotUp, Sandbox, State
from local.scenario import Stage
from local.server import FOLDERS
from local.terminal import Terminal

EVENTS = PROJECT / "events"
NAME = f"sandbox-test-{os.getpid()}"


@pytest.mark.e2e
def test_an_event_goes_to_its_function_and_its_notifications_are_shown_once(stage: Stage) -> None:
    """The monitor pages; the enforcer covers a VPC that was created for the event."""
    state = State(os.getpid(), stage.aws.endpoint, stage.stack)
    assert state.notifications(seconds=0) == []
    result, failed = state.invoke(read(EVENTS / "monitor" / "host-probing.json"))
    assert not failed
    assert isinstance(result, dict)
    assert result["Findings"] >= 1
    assert [each.detector for each in state.notifications(seconds=10)] == ["host-probing"]
    assert state.notifications(seconds=0) == []
    result, failed = state.invoke(read(EVENTS / "enforcer" / "create-vpc.json"))
    assert not failed
    assert isinstance(result, dict)
    (vpc,) = result["created"]
    assert [group for _, group in stage.flow_logs(vpc)] == [stage.stack.flow_log_group]


UP = f"""
from local.sandbox import Sandbox
from local.terminal import Terminal
Sandbox(Terminal(), {NAME!r}).up()
"""
"""What `make up` runs, under another name."""


@pytest.mark.e2e
def test_it_stays_up_until_it_is_stopped() -> None:
    """A second `up` finds the first one; after `down` nothing of it answers."""
    output = io.StringIO()
    sandbox = Sandbox(Terminal(output), NAME)
    subprocess.run([sys.executable, "-c", UP], check=True, env=os.environ | {"PYTHONPATH": str(PROJECT)})
    state = sandbox.state()
    try:
        assert sandbox.up() == 0
        assert sandbox.state() == state
        variables = (FOLDERS / NAME / "environment.sh").read_text()
        assert f"export AWS_ENDPOINT_URL={state.endpoint}\n" in variables
        assert sandbox.inbox() == 0
        assert "No new notifications." in output.getvalue()
    finally:
        assert sandbox.down() == 0
    with pytest.raises(NotUp, match="make up"):
        sandbox.state()
    with pytest.raises(URLError):
        urlopen(state.endpoint, timeout=5)  # noqa: S310  # loopback
    assert sandbox.down() == 0
    assert "not up" in output.getvalue()


def test_what_needs_a_sandbox_says_how_to_start_it() -> None:
    """And nothing is started for it."""
    sandbox = Sandbox(Terminal(io.StringIO()), f"{NAME}-none")
    with pytest.raises(NotUp, match="run `make up`"):
        sandbox.inbox()
    with pytest.raises(NotUp):
        sandbox.send(Path("events/monitor/scan.json"))
