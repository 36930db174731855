"""The command line: usage, exit codes, pipes, signals."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from flowwarden_cli.commands import COMMANDS
from flowwarden_cli.main import main
from tests.cli.fakes_console import flowwarden
from tests.sources.held import ACCEPTED, REJECTED

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "flowwarden_cli"]
IMPORTED = [str(ROOT / "layers" / "flowwarden"), str(ROOT / "cli")]
FULL = Path("/dev/full")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["read"],
        ["write"],
        ["read", "x", "--only", "DROP"],
        ["read", "x", "--explain", "y"],
        ["read", "x", "--format", "${version} oops"],
        ["read", "x", "--format", "${version} ${action}"],
        ["read", "x", "--format", ""],
    ],
)
def test_wrong_usage_exits_with_2_and_a_reason(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The reason is below the usage."""
    with pytest.raises(SystemExit) as ended:
        flowwarden(arguments)
    assert ended.value.code == 2
    usage, *_, reason = capsys.readouterr().err.splitlines()
    assert usage.startswith("usage: flowwarden")
    assert re.match(r"flowwarden( read)?: error: .", reason)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["read", "--help"]])
def test_help_and_version_exit_with_0(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """On standard output."""
    with pytest.raises(SystemExit) as ended:
        flowwarden(arguments)
    assert ended.value.code == 0
    assert capsys.readouterr().out


def test_the_version_is_the_projects_version(capsys: pytest.CaptureFixture[str]) -> None:
    """The installed one."""
    with pytest.raises(SystemExit):
        main(["--version"])
    (version,) = re.findall(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert capsys.readouterr().out == f"flowwarden {version}\n"


def test_the_command_is_installed_with_the_environment() -> None:
    """`.venv/bin/flowwarden` is in the same folder as Python."""
    done = subprocess.run(
        [Path(sys.executable).with_name("flowwarden"), "read", "-"],
        input=ACCEPTED, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.count("\n") == 1


def test_the_command_starts_without_the_packages_that_only_some_options_need() -> None:
    """Importing numpy takes as long as everything else."""
    code = "import sys, flowwarden_cli.main; print({'boto3', 'numpy', 'shtab'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_a_closed_pipe_ends_the_command_without_an_error(tmp_path: Path) -> None:
    """`flowwarden read … | head -1` reports nothing and does not fail."""
    log = tmp_path / "log"
    log.write_text(f"{ACCEPTED}\n" * 20_000)
    script = f"set -o pipefail; {shlex.join([*COMMAND, 'read', str(log)])} | head -1"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.count("\n"), done.stderr) == (0, 1, "")


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_exits_with_130() -> None:
    """Without a traceback."""
    with subprocess.Popen(
        [*COMMAND, "read", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as reading:
        assert reading.stdin is not None
        assert reading.stdout is not None
        reading.stdin.write(f"{ACCEPTED}\n".encode())
        reading.stdin.flush()
        assert reading.stdout.readline()  # the command now waits for more input
        reading.send_signal(signal.SIGINT)
        _, stderr = reading.communicate()
    assert (reading.returncode, stderr.decode()) == (130, "interrupted\n")


UNPRIVILEGED = """
import os, sys
from flowwarden_cli.main import main
main(["read", os.devnull])  # imports all modules, which the other user may not be able to read
if os.geteuid() == 0:
    os.setuid(65534)
sys.exit(main(["read", *sys.argv[1:]]))
"""
"""Reads paths as a user that file permissions restrict; they do not restrict root."""


def test_files_and_folders_without_read_permission_are_reported(tmp_path: Path) -> None:
    """Each by its name, and the exit code is 1."""
    (tmp_path / "secret.log").write_text(ACCEPTED)
    (tmp_path / "secret.log").chmod(0)
    (tmp_path / "folder").mkdir(mode=0)
    done = subprocess.run(
        [sys.executable, "-c", UNPRIVILEGED, "secret.log", "folder"],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": os.pathsep.join(IMPORTED)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    (tmp_path / "folder").chmod(0o700)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[1:] == [
        *(
            f"error: {name}: Permission denied; check the path and its permissions"
            for name in ("secret.log", "folder")
        ),
        "0 flows, 0 gaps, 0 malformed lines in 2 sources, 2 not read to the end",
    ]


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("arguments", [["read", "-"], ["read", "--explain", ACCEPTED]])
def test_output_that_cannot_be_written_is_an_error_without_a_traceback(arguments: list[str]) -> None:
    """A full disk, whether it is noticed while records are printed or at the end."""
    with FULL.open("w") as full:
        done = subprocess.run(
            [*COMMAND, *arguments],
            input=ACCEPTED,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1:] == ["error: cannot write the output: No space left on device"]
    assert "Traceback" not in done.stderr


def test_records_are_printed_as_soon_as_they_are_read() -> None:
    """So `tail -f … | flowwarden read -` works: nothing waits for the end of the input."""
    with subprocess.Popen(
        [*COMMAND, "read", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as reading:
        assert reading.stdin is not None
        assert reading.stdout is not None
        for line in (ACCEPTED, REJECTED):
            reading.stdin.write(f"{line}\n".encode())
            reading.stdin.flush()
            assert line.split()[3].encode() in reading.stdout.readline()
        reading.communicate()
    assert reading.returncode == 0


def test_files_are_read_without_a_standard_input(tmp_path: Path) -> None:
    """Some schedulers start programs without one."""
    log = tmp_path / "log"
    log.write_text(ACCEPTED)
    done = subprocess.run(
        ["bash", "-c", f"{shlex.join([*COMMAND, 'read', str(log)])} <&-"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.count("\n") == 1


def test_every_option_is_in_the_docs_and_every_one_in_the_docs_exists(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """`docs/command-line.md` matches the parsers."""
    for command in COMMANDS:
        with pytest.raises(SystemExit):
            main([command.name, "--help"])
    page = (ROOT / "docs" / "command-line.md").read_text()
    options = set(re.findall(r"^  (?:-h, )?(--[a-z][a-z-]*)", capsys.readouterr().out, re.MULTILINE))
    assert options
    assert set(re.findall(r"^\| `(--[a-z][a-z-]*)", page, re.MULTILINE)) == options - {"--help"}
