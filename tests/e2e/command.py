"""Runs `flowwarden` on the sandbox, as a person does."""

from __future__ import annotations

import os
import subprocess
import sys

from local.environment import CREDENTIALS, PROJECT, REGION
from local.sandbox import State
from local.stack import STACK


def run(state: State, *arguments: str) -> tuple[int, str]:
    """The exit code of a command about the stack with `--json`, and what it printed."""
    return run_as_written(state, *arguments, "--stack", STACK, "--json")


def run_as_written(state: State, *arguments: str) -> tuple[int, str]:
    """The exit code of a command, and what it printed."""
    process = started(state, *arguments)
    stdout, stderr = process.communicate()
    assert "Traceback" not in stderr, stderr
    return process.returncode, stdout


def started(state: State, *arguments: str) -> subprocess.Popen[str]:
    """A command that runs."""
    variables = {
        **CREDENTIALS,
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": state.endpoint,
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "flowwarden_cli", *arguments],
        env=os.environ | variables, cwd=PROJECT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
