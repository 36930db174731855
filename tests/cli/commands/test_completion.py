"""`flowwarden completion`: the script completes commands, options, choices and files in the real shell."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flowwarden_cli.commands import COMMANDS
from flowwarden_cli.commands.test_page import SINKS
from tests.cli.fakes_console import flowwarden

COMPLETE = """
source /dev/stdin
cd "$1"; shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
entry=$(complete -p flowwarden) entry=${entry#*-F } entry=${entry%% *}
"$entry" 2> /dev/null  # compopt reports that no completion is in progress
printf '%s\\n' "${COMPREPLY[@]}"
"""
"""Completes the last of the words as bash does when the Tab key is pressed: with the registered function."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with files and a folder in it."""
    (tmp_path / "flows.log.gz").touch()
    (tmp_path / "AWS Logs").mkdir()
    (tmp_path / "AWS Logs" / "first.gz").touch()
    return tmp_path


def completed(folder: Path, *words: str) -> list[str]:
    """The completions of the last word, in this folder."""
    script = flowwarden(["completion", "bash"]).stdout
    done = subprocess.run(
        ["bash", "--norc", "-c", COMPLETE, "bash", folder, "flowwarden", *words],
        input=script, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.split("\n")[:-1]


@pytest.mark.parametrize(
    ("words", "completions"),
    [
        (["re"], ["read", "replay", "redrive"]),
        ([""], [each.name for each in COMMANDS]),
        (["--v"], ["--version"]),
        (["wri"], [""]),
        (["read", "--ma"], ["--malformed"]),
        (["read", "flows.log.gz", "--g"], ["--gaps"]),
        (["read", "--only", ""], ["ACCEPT", "REJECT"]),
        (["plan", "--ma"], [""]),
        (["plan", "--po"], ["--policy"]),
        (["policy", ""], ["check"]),
        (["redrive", "--queue", ""], ["monitor", "enforcer", "events"]),
        (["redrive", "--d"], ["--dry-run"]),
        (["incidents", ""], ["list", "show", "ack", "resolve", "mute"]),
        (["incidents", "mute", "8cf7", "--f"], ["--for"]),
        (["mutes", ""], ["list", "remove"]),
        (["test-page", "--sink", ""], [*SINKS]),
        (["completion", "b"], ["bash"]),
    ],
)
def test_commands_options_and_choices_are_completed(
    words: list[str], completions: list[str], folder: Path
) -> None:
    """Each command has its own options; a word that matches nothing has no completion."""
    assert completed(folder, *words) == completions


@pytest.mark.parametrize(
    ("words", "completions"),
    [
        (["read", "fl"], ["flows.log.gz"]),
        (["read", "--gaps", "fl"], ["flows.log.gz"]),
        (["read", "--only", "REJECT", "fl"], ["flows.log.gz"]),
        (["read", "flows.log.gz", "A"], ["AWS Logs"]),
        (["read", "AWS Logs/f"], ["AWS Logs/first.gz"]),
        (["plan", "--policy", "fl"], ["flows.log.gz"]),
        (["plan", "--settings", "fl"], ["flows.log.gz"]),
        (["plan", "--stack", "fl"], [""]),
    ],
)
def test_files_are_completed_where_an_argument_is_a_file(
    words: list[str], completions: list[str], folder: Path
) -> None:
    """Also in folders, and with spaces in the name."""
    assert completed(folder, *words) == completions


def test_the_zsh_script_describes_each_command_with_its_line_in_the_help() -> None:
    """And completes files; if zsh is installed, it parses the script."""
    script = flowwarden(["completion", "zsh"]).stdout
    assert "#compdef flowwarden" in script
    assert "read:'print flow records as JSON lines, or explain one line'" in script
    assert '"--policy[plan with this policy instead of the deployed one]:FILE:_files"' in script
    zsh = shutil.which("zsh")
    if zsh is not None:
        subprocess.run([zsh, "-n"], input=script, text=True, check=True)


def test_other_commands_do_not_load_the_completion_library() -> None:
    """So they start as fast as without completion."""
    code = (
        "import sys; from flowwarden_cli.main import main; main(sys.argv[1:]); exit('shtab' in sys.modules)"
    )
    command = [sys.executable, "-c", code, "read", "--explain", "-"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    assert (
        subprocess.run([*command[:3], "completion", "bash"], capture_output=True, check=False).returncode == 1
    )
