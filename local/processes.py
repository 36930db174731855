"""Runs the project's tools, and ends them with all their child processes when this process ends."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from local.environment import PROJECT

GRACE_SECONDS = 10
"""Seconds for a tool to end by itself: sam removes its container."""


def run(
    command: Sequence[str | Path], environment: Mapping[str, str], stdout: IO[bytes], stderr: IO[bytes]
) -> int:
    """Run a command in the project's folder until it ends; return its exit code.

    It runs in its own process group. An interrupt of this process ends the whole group.
    """
    process = subprocess.Popen(
        command,
        env=dict(environment),
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
    )
    try:
        return process.wait()
    except BaseException:
        end_group(process, signal.SIGINT, GRACE_SECONDS)
        raise


def end_group(process: subprocess.Popen[bytes], first: signal.Signals, seconds: float) -> None:
    """Signal a process group, wait for its leader for `seconds`, then kill the group."""
    _signal(process.pid, first)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        pass
    finally:
        # Kill the rest of the group: children of the leader that still run.
        _signal(process.pid, signal.SIGKILL)
        process.wait()


def _signal(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return
