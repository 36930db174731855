"""`flowwarden completion`: prints a script with which a shell completes the command's arguments."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace, _SubParsersAction
from typing import Final

from flowwarden_cli.commands.command import SUCCEEDED, Command
from flowwarden_cli.terminal.console import Console

_SHELLS: Final = ("bash", "zsh")
_PATHS: Final = {"PATH", "FILE", "WHAT"}
"""The metavars of arguments that are completed with the names of files and folders, or begin with one."""
_FILES: Final = {
    "bash": "_flowwarden_files",
    "zsh": "_files",
    "preamble": {"bash": '_flowwarden_files() {\n  compgen -f -- "$1"\n}'},
}
"""How each shell completes them. In bash with quotes, unlike `shtab.FILE`, so that names may contain
spaces."""
_DESCRIPTION: Final = """\
Prints a script for your shell. With it, the Tab key completes the commands,
options, choices and file names of flowwarden.
"""
_EXAMPLES: Final = """\
bash: add this line to ~/.bashrc
  source <(flowwarden completion bash)

zsh: add this line to ~/.zshrc, below the line that calls compinit
  eval "$(flowwarden completion zsh)"

exit codes: 0 success; 2 wrong usage
"""


def _add_arguments(command: ArgumentParser) -> None:
    command.add_argument("shell", choices=_SHELLS, metavar="SHELL", help=" or ".join(_SHELLS))


def _run(options: Namespace, console: Console) -> int:
    import shtab  # noqa: PLC0415  only this command needs it, and the others start faster without it

    _prepare(options.parser)
    console.print(shtab.complete(options.parser, options.shell).rstrip("\n"))
    return SUCCEEDED


def _prepare(parser: ArgumentParser) -> None:
    """Mark the arguments that are files, and describe each command by its line in the list of commands."""
    for action in parser._actions:  # noqa: SLF001  argparse has no public list of a parser's arguments
        if action.metavar in _PATHS:
            action.complete = _FILES  # type: ignore[attr-defined]  # where shtab looks for it
        if isinstance(action, _SubParsersAction):
            for line in action._choices_actions:  # noqa: SLF001  the same for the list of commands
                action.choices[line.dest].description = line.help
                _prepare(action.choices[line.dest])


COMMAND: Final = Command(
    name="completion",
    help="print a script for completion in bash or zsh",
    description=_DESCRIPTION,
    epilog=_EXAMPLES,
    add_arguments=_add_arguments,
    run=_run,
)
