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
