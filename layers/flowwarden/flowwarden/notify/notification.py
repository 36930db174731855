"""What a sink sends: one text for people, one document for machines, and attributes to route by."""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class Notification(Struct, frozen=True, kw_only=True):
    """A message about an incident or about what the enforcer did, ready for any sink.

    `subject` is one line, which a sink fits to its limits; `document` holds JSON values only;
    `attributes` are what subscribers filter by, so their names are part of the interface.
    """

    subject: str
    text: str
    document: dict[str, Any]
    attributes: dict[str, str]


def one_line(text: str, limit: int = 256) -> str:
    """A stranger's text as a part of a line of ours: printable, at most `limit` characters.

    Whatever the text holds, it can forge no line and no heading, hide nothing, and not crowd out the rest:
    blanks and line breaks become one blank, other characters that do not print (controls, marks that
    turn the direction of writing, halves of surrogate pairs) `?`; `...` marks a cut. Scripts of all
    languages stay. `limit` is at least 3.
    """
    printable = "".join(char if char.isprintable() else "?" for char in " ".join(text.split()))
    return printable if len(printable) <= limit else f"{printable[: limit - 3]}..."
