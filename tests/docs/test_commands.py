"""The commands of the docs do what they say: a shell expands them, and SAM's own parser reads them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flowwarden.policy.policy import Policy
from local.environment import environment, tool
from tests.functions.test_enforcer_events import read, run_of
from tests.template import stack

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PARAMETERS_PAGE = ROOT / "docs" / "parameters.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]

PARSER = """
import json, os, sys
from importlib import import_module
for line in sys.stdin:
    name, arguments, folder = json.loads(line)
    os.chdir(folder)
    try:
        with import_module(f"samcli.commands.{name}.command").cli.make_context(name, arguments) as context:
            answer = {"parameters": context.params["parameter_overrides"]}
    except Exception as error:
        answer = {"refusal": str(error)}
    print(json.dumps(answer), flush=True)
"""
"""Runs in SAM's environment: says of each command which parameters SAM understands, or why it refuses it."""

SAM = 'sam() { printf "%s\\0" "$@"; }\n'
"""The shell's `sam`: prints the arguments that the shell makes of a command."""


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a page, with lines that are continued joined."""
    found = re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)
    return [block.replace("\\\n", " ") for block in found]


def commands(page: Path) -> list[str]:
    """Every `sam deploy` of a page that sets parameters, in blocks and in the text."""
    lines = [line for block in blocks(page, "sh") for line in block.splitlines()]
    inline = re.findall(r"(?<!`)`(sam deploy [^`]+)`(?!`)", page.read_text())
    return [each for each in (*lines, *inline) if re.match(r"sam deploy .*--parameter-overrides", each)]


COMMANDS = [(page.name, command) for page in PAGES for command in commands(page)]
(POLICY,) = blocks(README, "json")


@pytest.fixture(scope="module")
def parser() -> Iterator[subprocess.Popen[str]]:
    """SAM's own parser of command lines; one process for all commands, as it takes seconds to start."""
    command = [str(tool("sam", "python")), "-c", PARSER]
    with subprocess.Popen(
        command, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


class Shell:
    """A folder in which commands are given."""

    def __init__(self, folder: Path, parser: subprocess.Popen[str]) -> None:
        self.folder = folder
        self._parser = parser

    def parsed(self, command: str) -> dict[str, Any]:
        """Have bash expand a command, and SAM read what comes of it."""
        expanded = subprocess.run(
            ["bash", "-euc", SAM + command],
            env=environment(),
            cwd=self.folder,
            capture_output=True,
            check=True,
        ).stdout.decode()
        name, *arguments = expanded.removesuffix("\0").split("\0")
        assert self._parser.stdin is not None
        assert self._parser.stdout is not None
        self._parser.stdin.write(json.dumps([name, arguments, str(self.folder)]) + "\n")
        self._parser.stdin.flush()
        answer: dict[str, Any] = json.loads(self._parser.stdout.readline())
        return answer

    def understood(self, command: str) -> dict[str, str]:
        """The parameters that SAM takes from a command."""
        answer = self.parsed(command)
        assert "refusal" not in answer, answer
        parameters: dict[str, str] = answer["parameters"]
        assert parameters, command
        return parameters


@pytest.fixture
def project(tmp_path: Path, parser: subprocess.Popen[str]) -> Shell:
    """A folder like the project's for SAM, with the README's policy in policy.json."""
    for name in ("template.yaml", "samconfig.toml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "policy.json").write_text(POLICY)
    return Shell(tmp_path, parser)


def refusals(parameters: dict[str, str]) -> list[str]:
    """What CloudFormation would say against the parameters."""
    return [
        f"{name}={value}"
        for name, value in parameters.items()
        if name not in stack.PARAMETERS or not _allowed(value, stack.PARAMETERS[name])
    ]


def _allowed(value: str, parameter: dict[str, Any]) -> bool:
    if parameter["Type"] == "Number":
        try:
            number = float(value)
        except ValueError:
            return False
        if not parameter.get("MinValue", number) <= number <= parameter.get("MaxValue", number):
            return False
    return (
        re.fullmatch(parameter.get("AllowedPattern", r"[\s\S]*"), value) is not None
        and value in map(str, parameter.get("AllowedValues", [value]))
        and len(value) <= parameter.get("MaxLength", 4096)
    )


@pytest.mark.parametrize(("page", "command"), COMMANDS)
def test_a_deployment_in_the_docs_sets_what_cloudformation_takes(
    page: str, command: str, project: Shell
) -> None:
    """Names are parameters, and values arrive whole."""
    parameters = project.understood(command)
    assert refusals(parameters) == [], page
    if "Policy" in parameters:
        assert Policy.from_json(parameters["Policy"]) == Policy.from_json(POLICY)


@pytest.mark.parametrize(
    ("command", "refused"),
    [
        ("""sam deploy --parameter-overrides 'Policy={"exempt":["10.0.9.9"]}'""", ["Policy={"]),
        ("sam deploy --parameter-overrides 'SweepRate=rate(30 minutes)'", ["SweepRate=rate(30"]),
        ("sam deploy --parameter-overrides Name=value", ["Name=value"]),
        ("sam deploy --parameter-overrides MaxInflatedMiB=97 LogLevel=INFO", ["MaxInflatedMiB=97"]),
        ("sam deploy --parameter-overrides LogLevel=LOUD", ["LogLevel=LOUD"]),
    ],
)
def test_a_command_that_would_not_work_is_noticed(command: str, refused: list[str], project: Shell) -> None:
    """So the docs' commands are not merely waved through."""
    assert refusals(project.understood(command)) == refused


def test_sam_takes_no_empty_value_without_quotes(project: Shell) -> None:
    """That is why the docs write `''` to unset one."""
    answer = project.parsed("sam deploy --parameter-overrides PagesEmail=")
    assert "PagesEmail= is not a valid format" in answer["refusal"]


def test_the_page_shows_a_policy_from_a_file_a_rate_with_a_blank_and_how_to_unset(project: Shell) -> None:
    """What people get wrong."""
    shown = [project.understood(command) for command in commands(PARAMETERS_PAGE)]
    assert {"Policy": POLICY.strip()} in shown
    assert {"SweepRate": "rate(30 minutes)"} in shown
    assert {"PagesEmail": ""} in shown


@pytest.mark.parametrize("subcommand", ["build", "deploy"])
def test_the_table_for_samconfig_is_read_by_build_and_deployment(subcommand: str, project: Shell) -> None:
    """Added to the file that is there."""
    (table,) = blocks(PARAMETERS_PAGE, "toml")
    with (project.folder / "samconfig.toml").open("a") as config:
        config.write(f"\n{table}")
    written = tomllib.loads(table)["default"]["global"]["parameters"]["parameter_overrides"]
    parameters = project.understood(f"sam {subcommand}")
    assert parameters == written
    assert refusals(parameters) == []
    assert Policy.from_json(parameters["Policy"]) != Policy()


def test_the_table_that_samconfig_hints_at_is_read(project: Shell) -> None:
    """Uncommented as it stands there."""
    config = project.folder / "samconfig.toml"
    config.write_text(re.sub(r"^#   ", "", config.read_text(), flags=re.MULTILINE))
    assert refusals(project.understood("sam deploy")) == []
    # TOML knows no way back to the table before: what follows must not have become a parameter.
    before = tomllib.loads((ROOT / "samconfig.toml").read_text())
    after = tomllib.loads(config.read_text())
    del after["default"]["global"]["parameters"]["parameter_overrides"]
    assert after == before


def test_the_payload_of_a_sweep_by_hand_makes_the_enforcer_look_at_every_vpc() -> None:
    """The real handler, in a world with an uncovered VPC."""
    (payload,) = re.findall(r"--payload '([^']+)'", PARAMETERS_PAGE.read_text())
    by_hand, by_schedule = (run_of(read(ROOT / "events/enforcer/sweep.json")) for _ in range(2))
    result = by_hand(json.loads(payload))
    assert result["kind"] == "sweep"
    assert result["created"]
    assert result == by_schedule(read(ROOT / "events/enforcer/sweep.json")["event"])
