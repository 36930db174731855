"""The commands in README and docs/command-line.md: each runs here, or another test runs what it starts."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec import Struct

from tests.cli.fakes_console import flowwarden
from tests.cli.golden import transcript
from tests.docs.test_commands import PAGES, blocks
from tests.docs.test_commands import commands as deployments
from tests.sources.held import ACCEPTED, HEADER, REJECTED, gz

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGE = ROOT / "docs" / "command-line.md"
MAKEFILE = (ROOT / "Makefile").read_text()
OUTPUT = re.compile(r"```sh\n([^`]*flowwarden [^`]*)```\s+```(?:json|text)?\n(.*?)```", re.DOTALL)


class Elsewhere(Struct, frozen=True):
    """A command that this file does not run, and the test that runs what the command starts."""

    reason: str
    test: str
    does: str
    """A text that the test contains if it runs this."""
    recipe: str = ""
    """A text that the recipe in the Makefile contains if it starts the same."""


ELSEWHERE = {
    "make demo": Elsewhere("it takes a minute", "e2e/test_story.py", "narrate(Terminal(", "-m local.demo"),
    "make up": Elsewhere("it stays up", "e2e/conftest.py", "Sandbox(Terminal(), ", "-m local.sandbox up"),
    "make test": Elsewhere("it runs this test", "docs/test_shown_commands.py", "def test_", "/pytest "),
    "sam build": Elsewhere("it takes a minute", "template/test_build.py", "return build(name)"),
}
"""Without `sam deploy`, which SAM's parser checks in test_commands.py."""


def lines(page: Path) -> list[str]:
    """The commands in the sh blocks of a page, without comments."""
    found = [line.partition("  #")[0].strip() for block in blocks(page, "sh") for line in block.splitlines()]
    return [line for line in found if line and not line.startswith("#")]


def recipe(task: str) -> str:
    """The recipe of a task of the Makefile."""
    (found,) = re.findall(rf"^{task}:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    return str(found)


def bash(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script in a folder, with the modules of this checkout."""
    modules = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder, env=modules, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("command", lines(README))
def test_every_command_of_the_readme_is_run(command: str) -> None:
    """Here with its output, or by the test that the table names."""
    if "flowwarden " in command:
        assert command in "".join(shown for shown, _ in OUTPUT.findall(README.read_text()))
    elif command.startswith("sam deploy "):
        assert command in deployments(README)
    else:
        known = ELSEWHERE[command]
        assert known.does in (ROOT / "tests" / known.test).read_text()
        assert known.recipe in (recipe(command.removeprefix("make ")) if known.recipe else "")


def test_the_table_names_no_other_command() -> None:
    """An entry that README no longer shows is removed."""
    assert ELSEWHERE.keys() <= set(lines(README))


def test_the_readmes_flowwarden_command_prints_what_the_readme_promises() -> None:
    """The output is exactly the same, in the project's folder."""
    shown = OUTPUT.findall(README.read_text())
    assert shown
    for command, promised in shown:
        done = bash(command, ROOT)
        assert (done.returncode, done.stdout) == (0, promised), done.stderr


COMMAND = f"""
flowwarden() {{ {shlex.quote(sys.executable)} -m flowwarden_cli "$@"; }}
"""
OTHERS = f"""
aws() {{ [ "$1 $2" = "logs filter-log-events" ]; echo '{{"events": [{{"message": "{ACCEPTED}"}}]}}'; }}
jq() {{ [ "$*" = "-r .srcaddr" ]; sed 's/.*"srcaddr":"\\([^"]*\\)".*/\\1/'; }}
"""
"""What the other commands in the docs print."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files that the docs read."""
    (tmp_path / "AWSLogs").mkdir()
    (tmp_path / "AWSLogs" / "one.log.gz").write_bytes(gz(f"{HEADER}\n{ACCEPTED}\n{REJECTED}\n{REJECTED}\n"))
    (tmp_path / "flows.log.gz").write_bytes(gz(f"{ACCEPTED}\noops\n"))
    (tmp_path / "flows.txt").write_text("10.0.0.1 10.0.0.2 443 ACCEPT\n")
    return tmp_path


def test_the_read_commands_of_the_docs_run(folder: Path) -> None:
    """In one shell: addresses with counts, malformed lines, lines of a custom format, events from AWS."""
    (block,) = [each for each in blocks(PAGE, "sh") if each.startswith("flowwarden read A")]
    done = bash(COMMAND + OTHERS + block, folder)
    assert done.returncode == 0, done.stderr
    counts, malformed, custom, event = done.stdout.splitlines()
    assert counts.split() == ["2", "198.51.100.7"]
    assert '"text":"oops"' in malformed
    assert '"dstport":443' in custom
    assert '"dstport":22' in event
    assert "malformed lines" in done.stderr


def test_the_explained_line_of_the_docs_has_the_result_in_the_docs() -> None:
    """The block below the command."""
    ((command, promised),) = re.findall(
        r"```sh\n(flowwarden read --explain .*)\n```.*?```\n(Result: .*?)```", PAGE.read_text(), re.DOTALL
    )
    printed = flowwarden(shlex.split(command)[1:]).stdout
    assert printed.endswith(f"\n\n{promised}")


def test_every_other_command_line_of_the_docs_is_parsed(capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` at the end checks all words before it, and the commands need a deployed stack."""
    shown = [
        line
        for page in PAGES
        for line in lines(page)
        if re.match(r"(\.venv/bin/)?flowwarden (plan|doctor|redrive|uninstall)", line)
    ]
    assert shown
    for line in shown:
        words = shlex.split(line.partition(" | ")[0])[1:]
        with pytest.raises(SystemExit) as ended:
            flowwarden([*words, "--help"])
        assert ended.value.code == 0, line
    assert capsys.readouterr().err == ""


def test_the_line_for_bash_in_the_docs_registers_the_completion(tmp_path: Path) -> None:
    """The command's help shows the same lines for bash and zsh."""
    in_bash, in_zsh = (line for line in lines(PAGE) if "flowwarden completion" in line)
    done = bash(f"{COMMAND}{in_bash}\ncomplete -p flowwarden", tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"complete .*-F \S+ flowwarden\n", done.stdout)
    helped = transcript("help")
    assert f"  {in_bash}\n" in helped
    assert f"  {in_zsh}\n" in helped
