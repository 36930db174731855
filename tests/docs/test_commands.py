"""The commands in the docs work: a shell expands them, and SAM's own parser reads them."""

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
INSTALLING_PAGE = ROOT / "docs" / "installing.md"
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
"""Runs in SAM's environment: prints the parameters that SAM takes from each command, or why it refuses it."""

SAM = 'sam() { printf "%s\\0" "$@"; }\n'
"""Replaces `sam` in the shell: prints the arguments after expansion."""


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a page, with continued lines joined."""
    found = re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)
    return [block.replace("\\\n", " ") for block in found]


def commands(page: Path) -> list[str]:
    """Every `sam deploy` of a page that sets parameters, in blocks and inline."""
    lines = [line for block in blocks(page, "sh") for line in block.splitlines()]
    inline = re.findall(r"(?<!`)`(sam deploy [^`]+)`(?!`)", page.read_text())
    return [each for each in (*lines, *inline) if re.match(r"sam deploy .*--parameter-overrides", each)]


COMMANDS = [(page.name, command) for page in PAGES for command in commands(page)]
(POLICY,) = blocks(INSTALLING_PAGE, "json")


@pytest.fixture(scope="module")
def parser() -> Iterator[subprocess.Popen[str]]:
    """SAM's own command-line parser; one process for all commands, because it takes seconds to start."""
    command = [str(tool("sam", "python")), "-c", PARSER]
    with subprocess.Popen(
        command, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


class Shell:
    """A folder in which commands run."""

    def __init__(self, folder: Path, parser: subprocess.Popen[str]) -> None:
        self.folder = folder
        self._parser = parser

    def parsed(self, command: str) -> dict[str, Any]:
        """Expand a command in bash and parse the result with SAM."""
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
        """The parameters that SAM takes from a command, which it must not refuse."""
        answer = self.parsed(command)
        assert "refusal" not in answer, answer
        parameters: dict[str, str] = answer["parameters"]
        assert parameters, command
        return parameters


@pytest.fixture
def project(tmp_path: Path, parser: subprocess.Popen[str]) -> Shell:
    """A folder with the project's SAM files, and the policy of docs/installing.md in policy.json.

    The template has one resource only: SAM parses it for each command, and needs the parameters.
    """
    shutil.copy(ROOT / "samconfig.toml", tmp_path)
    parameters = stack.TEXT.partition("\nConditions:\n")[0]
    resources = "\nResources:\n  Topic:\n    Type: AWS::SNS::Topic\n"
    (tmp_path / "template.yaml").write_text(parameters + resources)
    (tmp_path / "policy.json").write_text(POLICY)
    return Shell(tmp_path, parser)


def refusals(parameters: dict[str, str]) -> list[str]:
    """The parameters that CloudFormation would refuse."""
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
def test_a_deployment_in_the_docs_sets_valid_parameters(page: str, command: str, project: Shell) -> None:
    """Each name is a parameter, and each value arrives complete."""
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
def test_a_command_that_would_not_work_is_detected(command: str, refused: list[str], project: Shell) -> None:
    """Proves that the check of the docs' commands can fail."""
    assert refusals(project.understood(command)) == refused


def test_sam_refuses_an_empty_value_without_quotes(project: Shell) -> None:
    """Therefore the docs write `''` to unset a parameter."""
    answer = project.parsed("sam deploy --parameter-overrides PagesEmail=")
    assert "PagesEmail= is not a valid format" in answer["refusal"]


def test_the_page_shows_a_policy_from_a_file_a_rate_with_a_space_and_how_to_unset(project: Shell) -> None:
    """The three values that are easy to get wrong."""
    shown = [project.understood(command) for command in commands(PARAMETERS_PAGE)]
    assert {"Policy": POLICY.strip()} in shown
    assert {"SweepRate": "rate(30 minutes)"} in shown
    assert {"PagesEmail": ""} in shown


@pytest.mark.parametrize("subcommand", ["build", "deploy"])
def test_build_and_deploy_read_the_table_for_samconfig(subcommand: str, project: Shell) -> None:
    """When it is appended to the existing file."""
    (table,) = blocks(PARAMETERS_PAGE, "toml")
    with (project.folder / "samconfig.toml").open("a") as config:
        config.write(f"\n{table}")
    written = tomllib.loads(table)["default"]["global"]["parameters"]["parameter_overrides"]
    parameters = project.understood(f"sam {subcommand}")
    assert parameters == written
    assert refusals(parameters) == []
    assert Policy.from_json(parameters["Policy"]) != Policy()


def test_sam_reads_the_commented_table_of_samconfig(project: Shell) -> None:
    """When it is uncommented in place."""
    config = project.folder / "samconfig.toml"
    config.write_text(re.sub(r"^#   ", "", config.read_text(), flags=re.MULTILINE))
    assert refusals(project.understood("sam deploy")) == []
    # A TOML table extends to the next header: the lines after it must not become parameters.
    before = tomllib.loads((ROOT / "samconfig.toml").read_text())
    after = tomllib.loads(config.read_text())
    del after["default"]["global"]["parameters"]["parameter_overrides"]
    assert after == before


def test_the_payload_in_the_docs_starts_a_sweep() -> None:
    """In the real handler, with an uncovered VPC."""
    (payload,) = re.findall(r"--payload '([^']+)'", INSTALLING_PAGE.read_text())
    by_hand, by_schedule = (run_of(read(ROOT / "events/enforcer/sweep.json")) for _ in range(2))
    result = by_hand(json.loads(payload))
    assert result["kind"] == "sweep"
    assert result["created"]
    assert result == by_schedule(read(ROOT / "events/enforcer/sweep.json")["event"])
