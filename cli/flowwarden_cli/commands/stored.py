"""What a command prints about stored items that it could not read or change."""

from __future__ import annotations

from typing import Final

from flowwarden.aws.caller import is_denied
from flowwarden.errors import FlowWardenError
from flowwarden.notify.text import plural
from flowwarden.unreadable import Unreadable
from flowwarden_cli.terminal.console import Console

PERMISSIONS: Final = "docs/command-line.md lists the permissions that your credentials need"
_NAMED: Final = 3
"""Notes that are printed."""


def explained(error: FlowWardenError) -> str:
    """The error, with what to do if the caller lacks a permission."""
    cause = error.__cause__
    denied = isinstance(cause, Exception) and is_denied(cause)
    return f"{error}; {PERMISSIONS}" if denied else str(error)


def warn(unreadable: Unreadable, console: Console) -> None:
    """Print what was left out, on standard error; nothing if everything could be read."""
    notes = unreadable.take()
    if not notes.count:
        return
    console.report(f"warning: {plural(notes.count, 'part')} of the stored items cannot be read")
    for each in notes.named[:_NAMED]:
        console.report(f"  {each}")
