"""`flowwarden doctor`: reads a deployed stack, checks it, and prints the report."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable

from flowwarden.bootstrap.doctor import read
from flowwarden.doctor.facts import Facts
from flowwarden.doctor.report import as_document, as_text, examine, is_sound
from flowwarden.errors import FlowWardenError
from flowwarden_cli.commands.command import SUCCEEDED, UNREADABLE
from flowwarden_cli.commands.stack import region_of
from flowwarden_cli.commands.stored import explained
from flowwarden_cli.terminal.console import Console


def run(
    options: Namespace, console: Console, wired: Callable[[str, str | None, int], Facts] | None = None
) -> int:
    """Check the stack; return the exit code.

    Args:
        options: `stack`, `region` and `json`.
        console: where to print.
        wired: reads the stack in a Region at a time (Unix seconds); by default from AWS.
    """
    try:
        facts = (wired or read)(options.stack, region_of(options.region), int(console.now()))
    except FlowWardenError as error:
        console.report(f"error: {explained(error)}")
        return UNREADABLE
    lines = examine(facts)
    if options.json:
        console.print_document(as_document(lines, facts.place))
    else:
        console.print(as_text(lines, facts.place))
    return SUCCEEDED if is_sound(lines) else UNREADABLE
