"""The subject line of a notification, shortened to the number of characters that receivers show. Pure."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from flowwarden.notify.incident import Event
from flowwarden.printable import one_line

FITTING: Final = 98
"""Characters of a subject that fit into an email of SNS and, with the incident, into one SMS."""
_LONG_ADDRESS: Final = re.compile(r"(?<![0-9a-fA-F:])(?=[0-9a-fA-F:]{23,})(?:[0-9a-fA-F]*:){4,}[0-9a-fA-F]+")
"""An IPv6 address that is longer than its shortened form."""


class Title(Struct, frozen=True, kw_only=True):
    """What a notification is about."""

    summary: str
    """One sentence."""
    brief: str = ""
    """The same in few words; empty if the sentence is short."""


def subject_line(severity: str, title: Title, region: str, event: Event = Event.OPENED) -> str:
    """`[HIGH] What was found (eu-west-1)` on one line, shortened until it fits.

    A later notification of an incident has `[HIGH UPDATED]` or `[HIGH REOPENED]`. The line first loses
    the Region, then uses the short sentence, then shortens IPv6 addresses. The text contains everything
    in full.
    """
    brief = title.brief or title.summary
    facts = [each.removesuffix(".") for each in (title.summary, brief, shortened(brief))]
    endings = (f" ({region})", "")
    label = severity if event is Event.OPENED else f"{severity} {event}"
    lines = [one_line(f"[{label.upper()}] {fact}{end}") for fact in facts for end in endings]
    return next((line for line in lines if len(line) <= FITTING), lines[-1])


def shortened(text: str) -> str:
    """The text with `2600:1f18:..:1234:5678` for long IPv6 addresses: the network, and the host in it."""
    return _LONG_ADDRESS.sub(_short_address, text)


def _short_address(address: re.Match[str]) -> str:
    groups = address[0].split(":")
    return ":".join([*groups[:2], "..", *groups[-2:]])
