"""A notification: a text for people, a document for machines, and attributes for routing."""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class Notification(Struct, frozen=True, kw_only=True):
    """A message about an incident or about the enforcer's changes, ready for any sink.

    `subject` is one line, which a sink fits to its limits; `document` contains JSON values only;
    subscribers filter by `attributes`, so their names are part of the interface.
    """

    subject: str
    text: str
    document: dict[str, Any]
    attributes: dict[str, str]


def one_line(text: str, limit: int = 256) -> str:
    """Untrusted text as a safe part of one line: printable, at most `limit` characters.

    The text cannot forge a line or a heading, hide text, or displace the rest of the line. Consecutive
    whitespace becomes one space; other non-printable characters (control characters, bidirectional marks,
    lone surrogates) become `?`; `...` marks truncation. All scripts are kept. `limit` must be at least 3.
    """
    printable = "".join(char if char.isprintable() else "?" for char in " ".join(text.split()))
    return printable if len(printable) <= limit else f"{printable[: limit - 3]}..."
