"""The golden transcripts: what the command prints on both streams, and its exit code, in `golden/`.

`make golden` rewrites them. A changed file is a changed text for users.
"""

from __future__ import annotations

import contextlib
import shlex
from io import BytesIO, StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from msgspec.structs import replace

from flowwarden_cli.commands import (
    COMMANDS,
    baseline,
    doctor,
    incidents,
    interfaces,
    mutes,
    plan,
    redrive,
    replay,
    test_page,
    testing,
    uninstall,
)
from flowwarden_cli.commands.command import Command
from flowwarden_cli.main import run
from flowwarden_cli.terminal.console import Console
from tests.cli.fakes_account import LOOKUPS, NOW
from tests.cli.fakes_archive import INTERFACES, log_group
from tests.cli.golden_files import write_files
from tests.cli.golden_runs import RUNS, Run

FOLDER: Final = Path(__file__).parent / "golden"


def path_of(name: str) -> Path:
    """The golden file of a transcript."""
    return FOLDER / f"{name}.txt"


def transcript(name: str) -> str:
    """The runs of this name, in a folder that holds only the files they read."""
    with TemporaryDirectory() as folder, contextlib.chdir(folder):
        write_files(Path(folder))
        return "\n".join(_shown(each) for each in RUNS[name])


def _shown(each: Run) -> str:
    out, err, code = _ended(each)
    sent = f"echo {shlex.quote(each.stdin.rstrip())} | " * bool(each.stdin)
    errors = f"[standard error]\n{err}" * bool(err)
    return f"$ {sent}{shlex.join(('flowwarden', *each.arguments))}\n{out}{errors}[exit code {code}]\n"


def _ended(each: Run) -> tuple[str, str, int]:
    """Standard output, standard error and the exit code; argparse itself prints help and wrong usage."""
    out, text, err = BytesIO(), StringIO(), StringIO()
    console = Console(
        BytesIO(each.stdin.encode()), out, err, shows_progress=False, clock=lambda: 0.0, now=lambda: NOW
    )
    on_fakes = replace(
        plan.COMMAND, run=lambda options, at: plan.run(options, at, lambda _: each.aws(), LOOKUPS)
    )
    learned = replace(
        baseline.COMMAND, run=lambda options, at: baseline.run(options, at, lambda _: each.learned())
    )
    queues = replace(
        redrive.COMMAND, run=lambda options, at: redrive.run(options, at, lambda *_: each.queues())
    )
    examined = replace(
        doctor.COMMAND, run=lambda options, at: doctor.run(options, at, lambda *_: each.installation())
    )
    on = {
        "uninstall": _removing(each),
        "plan": on_fakes,
        "baseline": learned,
        "redrive": queues,
        "doctor": examined,
        "replay": replace(
            replay.COMMAND, run=lambda options, at: replay.run(options, at, lambda *_: log_group())
        ),
        "interfaces": replace(
            interfaces.COMMAND, run=lambda options, at: interfaces.run(options, at, lambda _: INTERFACES)
        ),
        **_on_stack(each),
    }
    commands = [on.get(command.name, command) for command in COMMANDS]
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(err):
        try:
            code = run(each.arguments, console, commands)
        except SystemExit as ended:
            code = int(ended.code or 0)
    return out.getvalue().decode() + text.getvalue(), err.getvalue(), code


def _removing(each: Run) -> Command:
    """The command that removes a stack, on the account of a run."""
    return replace(
        uninstall.COMMAND,
        run=lambda options, at: uninstall.run(options, at, lambda *_: each.removed()),
    )


def _on_stack(each: Run) -> dict[str, Command]:
    """The commands about incidents, on the stack of a run."""
    stack = each.stack()
    acted = replace(incidents.COMMAND, run=lambda options, at: incidents.run(options, at, lambda *_: stack))
    muted = replace(mutes.COMMAND, run=lambda options, at: mutes.run(options, at, lambda *_: stack))
    tested = replace(
        test_page.COMMAND,
        run=lambda options, at: testing.run(options, at, lambda *_: stack, lambda: "attempt"),
    )
    return {"incidents": acted, "mutes": muted, "test-page": tested}


def main() -> None:
    """Write all golden files."""
    for name in RUNS:
        path_of(name).write_text(transcript(name))


if __name__ == "__main__":
    main()
