"""The variables for a shell, and how to remove them."""

from __future__ import annotations

import subprocess

from local.shell_variables import script

ENDPOINT = "http://127.0.0.1:4566"


def after(commands: str) -> dict[str, str]:
    """The environment of a shell with the user's own Region, after the script and these commands."""
    done = subprocess.run(
        ["bash", "-c", f"{script(ENDPOINT)}\n{commands}\nenv"],
        env={"PATH": "/usr/bin:/bin", "AWS_REGION": "us-east-1"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)


def test_aws_tools_use_the_emulator() -> None:
    """Its endpoint, and no account of the user."""
    found = after("")
    assert (found["AWS_ENDPOINT_URL"], found["AWS_ACCESS_KEY_ID"]) == (ENDPOINT, "test")
    assert found["AWS_REGION"] != "us-east-1"


def test_the_stated_command_removes_every_variable() -> None:
    """No AWS tool of the shell uses the emulator then."""
    (command,) = [line for line in script(ENDPOINT).splitlines() if line.startswith("#   unset ")]
    left = after(command.removeprefix("#"))
    assert not [name for name in left if name.startswith(("AWS_", "NO_PROXY"))]
