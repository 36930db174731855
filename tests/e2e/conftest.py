"""One AWS emulator with the real template deployed, by what `make up` runs, for all tests of this folder.

The tests share it in any order: each has VPCs, interfaces and addresses of its own, so that its
incidents are its own. Tests that start an emulator of their own are in `apart/`.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Final
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from local.sandbox import NotUp, Sandbox, State
from local.scenario import Stage
from local.terminal import Terminal
from tests.e2e import schedules

NAME: Final = f"sandbox-test-{os.getpid()}"
UP: Final = f"""
from local.sandbox import Sandbox
from local.terminal import Terminal
Sandbox(Terminal(), {NAME!r}).up()
"""
"""What `make up` runs, under another name."""


@pytest.fixture(scope="session")
def output() -> io.StringIO:
    """What the commands of `sandbox` print."""
    return io.StringIO()


@pytest.fixture(scope="session")
def sandbox(output: io.StringIO) -> Iterator[Sandbox]:
    """A sandbox that a command started, and that stays up when the command has ended.

    After `down`, which ends it, nothing of it answers: this is checked at the end of all tests.
    """
    subprocess.run(
        [sys.executable, "-c", UP], check=True, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    )
    sandbox = Sandbox(Terminal(output), NAME)
    endpoint = sandbox.state().endpoint
    try:
        yield sandbox
    finally:
        assert sandbox.down() == 0
    with pytest.raises(NotUp, match="make up"):
        sandbox.state()
    with pytest.raises(URLError):
        urlopen(endpoint, timeout=5)  # noqa: S310  # loopback
    assert sandbox.down() == 0
    assert "not up" in output.getvalue()


@pytest.fixture(scope="session")
def state(sandbox: Sandbox) -> State:
    """The running sandbox."""
    return sandbox.state()


@pytest.fixture(scope="session")
def deployed(state: State) -> Stage:
    """The deployed stack that all tests share.

    The schedules are off. No test expects the notifications of a scheduled run between two steps. And if an
    update of a function ends such a run, the emulator then ends every invocation of this function, also that
    of a test. A run every 5 minutes meets a test only on a busy machine.
    """
    schedules.disable(state.clients, state.stack)
    return Stage(state.clients, state.stack)


@pytest.fixture
def stage(deployed: Stage) -> Stage:
    """The deployed stack, without notifications of earlier tests."""
    deployed.pages.take()
    deployed.operations.take()
    deployed.monitor.skip()
    deployed.enforcer.skip()
    return deployed
