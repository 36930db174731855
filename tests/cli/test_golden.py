"""The output of the command changes only on purpose."""

from __future__ import annotations

import re
from argparse import ArgumentParser

import pytest

from flowwarden_cli.commands import COMMANDS
from flowwarden_cli.commands.command import Command
from tests.cli.golden import FOLDER, path_of, transcript
from tests.cli.golden_runs import RUNS

LONGEST = 160
"""Lines of a transcript that can be reviewed in one sitting."""


@pytest.mark.parametrize("name", RUNS)
def test_a_transcript_equals_its_golden_file(name: str) -> None:
    """If the change is intended, run `make golden` and review the difference."""
    assert transcript(name) == path_of(name).read_text()


def test_every_transcript_has_a_golden_file_and_every_file_a_transcript() -> None:
    """None is missing or left over, and none is too long to review."""
    assert {each.name for each in FOLDER.iterdir()} == {path_of(name).name for name in RUNS}
    assert [each.name for each in FOLDER.iterdir() if len(each.read_text().splitlines()) > LONGEST] == []


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_option_of_a_command_is_used_in_a_transcript(command: Command) -> None:
    """A new option needs a run that uses it."""
    parser = ArgumentParser()
    command.add_arguments(parser)
    runs = [each.arguments for runs in RUNS.values() for each in runs]
    used = {word for words in runs if words[:1] == (command.name,) for word in words}
    assert set(re.findall(r"--[a-z][a-z-]*", parser.format_usage())) <= used


def test_the_help_fits_a_terminal_of_80_columns() -> None:
    """Also where argparse does not wrap it: descriptions, examples and exit codes."""
    assert [line for line in path_of("help").read_text().splitlines() if len(line) > 80] == []
