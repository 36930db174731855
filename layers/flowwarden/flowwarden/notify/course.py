"""The course of an incident about one host: what it did, and since when. Pure.

Each event of a notification is stored with the incident as one of its places (`Evidence.places`), so that a
later notification, from another batch and container, names all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, Final

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.notify.claims import Claim
from flowwarden.notify.subject import Title
from flowwarden.notify.text import moment, plural
from flowwarden.printable import one_line

LONGEST_EVENT: Final = 240
"""Maximum characters of an event's sentence: each write of an incident is billed by its size."""
_STORED: Final = re.compile(r"([0-9]{1,11}) ([a-z]+) ([a-z][a-z-]*) (.+)")


class Event(Struct, frozen=True):
    """What one detector reported about the host."""

    since: int
    """Unix seconds."""
    severity: str
    detector: str
    summary: str

    @property
    def stored(self) -> str:
        """The event as a place of the incident; none of `Behavior` looks like it."""
        return f"{self.since} {self.severity} {self.detector} {one_line(self.summary, LONGEST_EVENT)}"


class Course(Struct, frozen=True, tag="host", tag_field="kind"):
    """What a page says about all that a host did."""

    member: ClassVar[str] = "same_host"
    """The name of its member of the document."""
    host: str
    found: tuple[Event, ...]
    """Of the batch, and what earlier batches reported in other incidents, the page's finding first."""
    quiet: int
    """Seconds for which repeats are suppressed."""
    others: tuple[str, ...] = ()
    """Summaries of the findings of the batch besides the one that the page is about."""
    mutes: tuple[dict[str, Any], ...] = ()
    """The mutes that match these findings, as JSON objects."""

    def events(self, claim: Claim) -> list[Event]:
        """All events of the incident in their order, one for each detector: its latest sentence."""
        latest: dict[str, Event] = {}
        for event in (*self.found, *_stored(claim.reported.places if claim.reported else ())):
            known = latest.setdefault(event.detector, event)
            latest[event.detector] = replace(known, since=min(known.since, event.since))
        return sorted(latest.values(), key=lambda each: (each.since, each.detector))

    def titled(self, title: Title, claim: Claim) -> Title:
        """The title of the page's finding, or one that names all detectors if there are several."""
        events = self.events(claim)
        if len(events) <= 1:
            return title
        named = ", then ".join(f"{each.detector} since {moment(each.since)}" for each in events)
        brief = ", then ".join(each.detector for each in events)
        return replace(title, summary=f"{self.host}: {named}.", brief=f"{self.host}: {brief}")

    def lines(self, claim: Claim) -> Iterator[str]:
        """The paragraph about the events; none if there is only one."""
        events = self.events(claim)
        if len(events) > 1:
            yield f"Same host    {self.host} did all of this, which is one incident:"
            yield from (
                f"  - since {moment(each.since)}, {each.detector} ({each.severity}): {each.summary}"
                for each in events
            )

    def document(self, claim: Claim) -> dict[str, Any]:
        """The same for machines."""
        events = [
            {
                "since": each.since,
                "detector": each.detector,
                "severity": each.severity,
                "summary": each.summary,
            }
            for each in self.events(claim)
        ]
        return {"host": self.host, "events": events}

    def added(self) -> str:
        """`, and 1 more finding about this host`; empty if there are none."""
        count = len(self.others)
        return f", and {plural(count, 'more finding')} about this host" if count else ""


def _stored(places: Iterable[str]) -> Iterator[Event]:
    """The events among the places of an incident, the latest first; what is damaged is left out."""
    matches = [*filter(None, map(_STORED.fullmatch, places))]
    for match in sorted(matches, key=lambda each: -int(each[1])):
        since, severity, detector, summary = match.groups()
        yield Event(int(since), severity, detector, summary)
