"""Prints which stored items a command could not read."""

from __future__ import annotations

from flowwarden.notify.text import plural
from flowwarden.unreadable import Unreadable
from flowwarden_cli.terminal.console import Console

_NAMED = 3
"""Notes that are printed."""


def warn(unreadable: Unreadable, console: Console) -> None:
    """Print what was left out, on standard error; nothing if everything could be read."""
    notes = unreadable.take()
    if not notes.count:
        return
    console.report(f"warning: {plural(notes.count, 'part')} of the stored items cannot be read and left out")
    for each in notes.named[:_NAMED]:
        console.report(f"  {each}")
