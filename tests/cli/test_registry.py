"""The registry of commands: main knows only the registered commands."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

import pytest

from flowwarden_cli.commands import COMMANDS
from flowwarden_cli.commands.command import Command, UsageError
from flowwarden_cli.main import run
from flowwarden_cli.terminal.console import Console
from tests.cli.fakes_console import fake_console, written

PAGE = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text()
FOLDER = Path(__file__).parents[2] / "cli" / "flowwarden_cli" / "commands"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_has_a_section_in_the_docs(command: Command) -> None:
    """And its help lists the exit codes."""
    assert f"\n## flowwarden {command.name}\n" in PAGE
    assert "exit codes: 0 success" in command.epilog


def test_every_file_with_a_command_is_registered_once() -> None:
    """With the file's name."""
    files = {path.stem for path in FOLDER.glob("*.py") if "\nCOMMAND: Final" in path.read_text()}
    assert files == {each.name.replace("-", "_") for each in COMMANDS}
    assert len(files) == len(COMMANDS)


def add_arguments(parser: ArgumentParser) -> None:
    """Add one argument."""
    parser.add_argument("count", type=int)


def count(options: Namespace, console: Console) -> int:
    """Print the number, and return it as the exit code."""
    if options.count < 0:
        raise UsageError("count: write 0 or more")
    console.print(str(options.count))
    return int(options.count)


COUNT = Command(
    name="count", help="count", description="Counts.", epilog="", add_arguments=add_arguments, run=count
)


def test_a_registered_command_gets_its_arguments_and_sets_the_exit_code() -> None:
    """No other code needs to know the command."""
    console = fake_console()
    assert run(["count", "3"], console, (*COMMANDS, COUNT)) == 3
    assert written(console.stdout) == b"3\n"


@pytest.mark.parametrize("arguments", [["count", "3"], ["count"]])
def test_an_unregistered_command_is_wrong_usage(arguments: list[str]) -> None:
    """Even if its file exists."""
    with pytest.raises(SystemExit) as ended:
        run(arguments, fake_console())
    assert ended.value.code == 2


def test_inconsistent_arguments_are_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints the reason below the usage."""
    with pytest.raises(SystemExit) as ended:
        run(["count", "--", "-1"], fake_console(), (COUNT,))
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith("flowwarden count: error: count: write 0 or more\n")
