"""The subject line of a notification, shortened to the number of characters that receivers show. Pure."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from flowwarden.notify.incident import Event
from flowwarden.printable import one_line

FITTING: Final = 98
"""Characters of a subject that fit into an email of SNS and, with the incident, into one SMS."""
_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:/=+@-]{0,39}")
"""A name that a sentence can contain: it cannot end the parenthesis or look like a severity. SMS and email
subjects do not show all other characters."""
_LONG_ADDRESS: Final = re.compile(r"(?<![0-9a-fA-F:])(?=[0-9a-fA-F:]{23,})(?:[0-9a-fA-F]*:){4,}[0-9a-fA-F]+")
"""An IPv6 address that is longer than its shortened form."""


class Known(Struct, frozen=True):
    """What a finding is about, and its name."""

    subject: str = ""
    """As the finding's sentences contain it: an address, an id."""
    name: str = ""
    """'' if it is not known."""

    def in_text(self, sentence: str) -> str:
        """The sentence with the name behind the first occurrence of the subject; unchanged without a name.

        At another place, a name could be taken for that of another host in the sentence.
        """
        if not (self.subject and _PLAIN.fullmatch(self.name)):
            return sentence
        whole = rf"(?<![\w.:-]){re.escape(self.subject)}(?![\w:-]|\.\w)"
        return re.sub(whole, lambda found: f"{found[0]} ({self.name})", sentence, count=1)


UNNAMED: Final = Known()


class Title(Struct, frozen=True, kw_only=True):
    """What a notification is about."""

    summary: str
    """One sentence."""
    brief: str = ""
    """The same in few words; empty if the sentence is short."""
    about: Known = UNNAMED
    """What the sentences are about, with its name."""

    @property
    def named(self) -> str:
        """The sentence, with the name of what it is about."""
        return self.about.in_text(self.summary)


def subject_line(severity: str, title: Title, region: str, event: Event = Event.OPENED) -> str:
    """`[HIGH] 10.0.1.5 (web-1) did what was found (eu-west-1)` on one line, shortened until it fits.

    A later notification of an incident has `[HIGH UPDATED]` or `[HIGH REOPENED]`. The line first loses
    the Region, then the name, then uses the short sentence, then shortens IPv6 addresses. The text contains
    everything in full.

    Args:
        severity: of the finding.
        title: what was found, in words.
        region: the Region.
        event: what the notification reports.
    """
    brief = title.brief or title.summary
    sentences = [each.removesuffix(".") for each in (title.summary, brief, shortened(brief))]
    facts = dict.fromkeys(fact for each in sentences for fact in (title.about.in_text(each), each))
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
