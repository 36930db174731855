"""Runs the project's own tools, and ends them with all that they started if we are told to end."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from local.environment import PROJECT

FAREWELL_SECONDS = 10
"""What a tool gets to end by itself: sam removes its container."""


def run(
    command: Sequence[str | Path], environment: Mapping[str, str], stdout: IO[bytes], stderr: IO[bytes]
) -> int:
    """Run a command in the project's folder until it ends; return its exit code.

    It runs in a process group of its own. Whatever interrupts us ends the whole group.
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
        end_group(process, signal.SIGINT, FAREWELL_SECONDS)
        raise


def end_group(process: subprocess.Popen[bytes], farewell: signal.Signals, seconds: float) -> None:
    """Ask a process group to end, by its leader, and see to it that it does."""
    _signal(process.pid, farewell)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        pass
    finally:
        # Whatever of the group has not ended by now: what the leader started.
        _signal(process.pid, signal.SIGKILL)
        process.wait()


def _signal(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return
