"""What a sink sends: one text for people, one document for machines, and attributes to route by."""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class Notification(Struct, frozen=True, kw_only=True):
    """A message about an incident or about what the enforcer did, ready for any sink.

    `subject` is at most 99 printable ASCII characters; `document` holds JSON values only;
    `attributes` are what subscribers filter by, so their names are part of the interface.
    """

    subject: str
    text: str
    document: dict[str, Any]
    attributes: dict[str, str]


MAX_SUBJECT = 99
"""SNS takes fewer than 100 characters."""


def fit_subject(text: str) -> str:
    """A subject that SNS takes: printable ASCII, at most 99 characters, `...` where it was cut.

    A subject that SNS refuses loses the whole notification, so nothing is left to chance.
    """
    printable = "".join(char if " " <= char <= "~" else "?" for char in " ".join(text.split()))
    if len(printable) <= MAX_SUBJECT:
        return printable or "(no subject)"
    return printable[: MAX_SUBJECT - 3] + "..."
