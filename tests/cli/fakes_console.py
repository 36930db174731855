"""A console in memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from io import BytesIO, StringIO
from typing import Any

from msgspec import Struct

from flowwarden_cli.commands import COMMANDS
from flowwarden_cli.commands.command import Command
from flowwarden_cli.main import run
from flowwarden_cli.terminal.console import Console


class Ended(Struct):
    """The result of a command."""

    code: int
    stdout: str
    stderr: str

    @property
    def records(self) -> list[dict[str, Any]]:
        """The output, decoded."""
        return [json.loads(line) for line in self.stdout.splitlines()]


def fake_console(
    stdin: bytes = b"", *, shows_progress: bool = False, clock: Callable[[], float] = lambda: 0.0
) -> Console:
    """A console that reads this input and records the output."""
    return Console(BytesIO(stdin), BytesIO(), StringIO(), shows_progress, clock)


def flowwarden(
    arguments: Sequence[object], stdin: bytes = b"", commands: Sequence[Command] = COMMANDS
) -> Ended:
    """Run the command with these arguments."""
    console = fake_console(stdin)
    code = run([str(argument) for argument in arguments], console, commands)
    return Ended(code, written(console.stdout).decode(), written(console.stderr))


def written(stream: Any) -> Any:
    """All text written to this stream."""
    return stream.getvalue()
