"""The subject line of a notification, shortened to the number of characters that receivers show. Pure."""

from __future__ import annotations

import re
from typing import Final

from flowwarden.monitor.text import Text
from flowwarden.notify.incident import Event
from flowwarden.printable import one_line

FITTING: Final = 98
"""Characters of a subject that fit into an email of SNS and, with the incident, into one SMS."""
_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:/=+@-]{0,39}")
"""A name that a subject can contain: it cannot end the parenthesis or look like a severity."""
_LONG_ADDRESS: Final = re.compile(r"(?<![0-9a-fA-F:])(?=[0-9a-fA-F:]{23,})(?:[0-9a-fA-F]*:){4,}[0-9a-fA-F]+")
"""An IPv6 address that is longer than its shortened form."""


def subject_line(severity: str, text: Text, region: str, event: Event = Event.OPENED, name: str = "") -> str:
    """`[HIGH] What was found (web-1, eu-west-1)` on one line, shortened until it fits.

    A later notification of an incident has `[HIGH UPDATED]` or `[HIGH REOPENED]`. The line first loses
    the Region, then the name of the host, then uses the short sentence, then shortens IPv6 addresses. The
    text contains everything in full.

    Args:
        severity: of the finding.
        text: its text.
        region: the Region.
        event: what the notification reports.
        name: of the host that the finding is about; '' if it is not known. One with other characters than
            those that AWS recommends for tags is left out: SMS and email subjects do not show all of them.
    """
    brief = text.brief or text.summary
    facts = [each.removesuffix(".") for each in (text.summary, brief, shortened(brief))]
    shown = name if _PLAIN.fullmatch(name) else ""
    endings = [*([f" ({shown}, {region})", f" ({shown})"] if shown else []), f" ({region})", ""]
    label = severity if event is Event.OPENED else f"{severity} {event}"
    lines = [one_line(f"[{label.upper()}] {fact}{end}") for fact in facts for end in endings]
    return next((line for line in lines if len(line) <= FITTING), lines[-1])


def shortened(text: str) -> str:
    """The text with `2600:1f18:..:1234:5678` for long IPv6 addresses: the network, and the host in it."""
    return _LONG_ADDRESS.sub(_short_address, text)


def _short_address(address: re.Match[str]) -> str:
    groups = address[0].split(":")
    return ":".join([*groups[:2], "..", *groups[-2:]])
