"""A notification about an incident, without what only the claim shows: what was reported before. Pure.

A notification is written before its incident is claimed, and stored with the claim. The monitor and the
dispatcher both complete the draft from the claim, so both send the same.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.notify.claims import Claim
from flowwarden.notify.course import Course
from flowwarden.notify.crowd import Crowd
from flowwarden.notify.evidence import SEVERITIES, Evidence
from flowwarden.notify.incident import REOPENED, Incident, times_reopened
from flowwarden.notify.notification import Composed, Notification
from flowwarden.notify.subject import Title, subject_line
from flowwarden.notify.text import duration, moment, repeat_count


class Draft(Struct, frozen=True, kw_only=True, tag="draft", tag_field="stored"):
    """A notification about an incident, without its history."""

    title: Title
    severity: str
    region: str
    opening: tuple[str, ...] = ()
    """Lines after the title."""
    facts: tuple[str, ...]
    """The lines of the first paragraph."""
    body: tuple[tuple[str, ...], ...]
    """The paragraphs after what is said about other findings of the incident, by lines."""
    identity: tuple[str, str]
    """The line that names the incident: what stands before its severity, and after it."""
    ending: tuple[str, ...]
    """The lines of the paragraph about mutes."""
    links: tuple[str, ...] = ()
    """The lines of the last paragraph."""
    repeats: str
    """For how long repeats are suppressed."""
    others: Crowd | Course | None = None
    """The other findings of the incident."""
    document: dict[str, Any]
    """With None for each member that depends on the history."""
    lines: dict[str, tuple[str, ...]]
    """The members of the document that have several lines, by lines."""
    attributes: dict[str, str]

    def completed(self, claim: Claim, evidence: Evidence | None = None) -> Notification:
        """The notification; `evidence` is that of the alert."""
        title, severity = self._title(claim), self._severity(claim, evidence)
        labels = {"severity": severity, "event": claim.event.value}
        others = {self.others.member: self.others.document(claim)} if self.others else {}
        history = {"suppressed_batches": claim.suppressed_batches, "last_sent": claim.last_sent}
        if again := times_reopened(claim.earlier, claim.event):
            history[REOPENED] = again
        lines = {name: Composed.of(each, end="") for name, each in self.lines.items()}
        shown = lines | {"summary": title.summary}
        return Notification(
            subject=subject_line(severity, title, self.region, claim.event),
            text=self._text(title, severity, claim),
            document=self.document | labels | shown | others | history,
            attributes=self.attributes | labels,
        )

    def revised(self, incident: Incident, claim: Claim, evidence: Evidence | None) -> Incident:
        """The incident with the title and the severity that its notification has."""
        if not isinstance(self.others, Course):
            return incident
        severity = self._severity(claim, evidence)
        attributes = incident.attributes | {"severity": severity}
        title = self._title(claim).named
        return replace(incident, title=title, severity=severity, attributes=attributes)

    def _title(self, claim: Claim) -> Title:
        return self.others.titled(self.title, claim) if self.others else self.title

    def _severity(self, claim: Claim, evidence: Evidence | None) -> str:
        """That of the finding; if kinds of evidence combine, that of all that was seen."""
        if evidence is None or not evidence.combines:
            return self.severity
        return severity_of(evidence.together(claim.reported, claim.joined))

    def _text(self, title: Title, severity: str, claim: Claim) -> Composed:
        before, after = self.identity
        return Composed.of(
            (title.summary, *self.opening),
            self.facts,
            self.others.lines(claim) if self.others else (),
            *self.body,
            (f"{_last(claim)}{self.repeats}", f"{before}{severity}{after}"),
            self.ending,
            self.links,
        )


def severity_of(evidence: Evidence) -> str:
    """The severity that the gravity of evidence stands for."""
    return SEVERITIES[min(evidence.gravity, len(SEVERITIES) - 1)]


def _last(claim: Claim) -> str:
    """When the incident was last sent; '' if it was not."""
    if claim.last_sent is None:
        return ""
    return (
        f"Last sent at {moment(claim.last_sent)}; {repeat_count(claim.suppressed_batches)} suppressed since. "
    )


def repeats(minutes: int, *, goes_on: bool) -> str:
    """For how many minutes repeats are suppressed; `goes_on`: whether each of them begins the time again."""
    again = " Each repeat begins that time again; if the evidence grows, it is sent." if goes_on else ""
    return f"Repeats suppressed for {duration(minutes)}.{again}"
