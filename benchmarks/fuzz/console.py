"""Runs the command line in memory, and checks its output."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr
from io import StringIO
from typing import Final

from benchmarks.fuzz.kind import LONGEST_LINE, Problem, raw
from flowwarden_cli.commands import COMMANDS
from flowwarden_cli.commands.command import Command
from tests.cli.fakes_console import Ended, flowwarden

_FLOWS: Final = re.compile(r"([\d,]+) flows?, ([\d,]+) gaps?.*, ([\d,]+) malformed lines? in ")


def read_source(data: bytes, *options: str) -> Iterator[Problem]:
    """Read bytes as a file and print all records: each record is counted, and each line of output is JSON."""
    ended = _ended(["read", "--flows", "--gaps", "--malformed", *options, "-"], data)
    yield from _output(ended)
    counted = _FLOWS.search(ended.stderr)
    if counted is None:
        yield Problem("no summary", ended.stderr[:500])
    elif sum(int(each.replace(",", "")) for each in counted.groups()) != len(ended.records):
        yield Problem("records that are counted and not printed", ended.stderr[:500])


def run_command(
    arguments: Sequence[str], data: bytes = b"", commands: Sequence[Command] = COMMANDS
) -> Iterator[Problem]:
    """Run a command whose output is text, and check the output."""
    yield from _output(_ended(arguments, data, commands))


def _ended(arguments: Sequence[str], data: bytes, commands: Sequence[Command] = COMMANDS) -> Ended:
    errors = StringIO()
    try:
        with redirect_stderr(errors):
            return flowwarden(arguments, data, commands)
    except SystemExit as ended:  # wrong usage, which argparse reports itself
        return Ended(ended.code if isinstance(ended.code, int) else 1, "", errors.getvalue())


def _output(ended: Ended) -> Iterator[Problem]:
    yield from raw("standard output", ended.stdout)
    yield from raw("standard error", ended.stderr, LONGEST_LINE)
    if ended.code not in (0, 1, 2):
        yield Problem(f"the exit code {ended.code}")
    if ended.code and not ended.stderr.strip():
        yield Problem("an end with an error and without a message")
