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
