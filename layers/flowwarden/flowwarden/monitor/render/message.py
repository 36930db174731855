"""The parts that all notifications share: subject, detector, ATT&CK technique, attributes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.monitor.detectors import BY_NAME
from flowwarden.monitor.findings import Finding, TrafficFinding
from flowwarden.monitor.mutes import SUGGESTED_DAYS, suggested
from flowwarden.monitor.names import Names
from flowwarden.monitor.quiet import quiet_of
from flowwarden.monitor.render.parts import RenderContext
from flowwarden.monitor.render.text import describe, steps
from flowwarden.monitor.text import Text
from flowwarden.notify.alert import Route
from flowwarden.notify.course import Course
from flowwarden.notify.crowd import Crowd
from flowwarden.notify.draft import Draft, repeats
from flowwarden.notify.evidence import REMIND_SECONDS
from flowwarden.notify.notification import Composed
from flowwarden.notify.subject import Known, Title
from flowwarden.notify.text import plural
from flowwarden.printable import LONGEST_LINE, as_json

LISTED_MUTES: Final = 10
"""Mutes that a notification contains; each matches one finding."""
_HOW_TO_MUTE: Final = f"Mute for {SUGGESTED_DAYS} days: give the reason, and add to `mutes` in the policy"

_BY_COMMAND: Final = "or run"
_LAST: Final = {"mutes": None, "suppressed_batches": None, "last_sent": None}
"""The last members of each document. The draft fills them in."""


class Message[F: Finding = Any](Struct, frozen=True, kw_only=True):
    """A finding and the texts of its notification."""

    finding: F
    text: Text
    steps: tuple[str, ...]
    """The runbook steps, in order."""
    key: str
    """Identifies the incident."""
    context: RenderContext
    crowd: Crowd | Course | None = None
    """The other findings of the incident: with its cause, or about its host."""

    @classmethod
    def about(
        cls,
        finding: F,
        key: str,
        context: RenderContext,
        crowd: Crowd | Course | None = None,
    ) -> Message[F]:
        """Put the finding into words."""
        text = describe(finding)
        todo = steps(finding, text, context)
        return cls(finding=finding, text=text, steps=todo, key=key, context=context, crowd=crowd)

    def draft(
        self,
        kind: str,
        facts: Iterable[str],
        body: Iterable[Iterable[str]],
        document: dict[str, Any],
        *,
        opening: Sequence[str] = (),
        vpc: str | None = None,
    ) -> Draft:
        """The notification without its history.

        Args:
            kind: the attribute by which subscribers filter.
            facts: the lines of the first paragraph.
            body: the paragraphs after it, by lines.
            document: the members of the document that do not depend on the history, in their order.
            opening: lines after the title.
            vpc: SNS rejects empty values, so an unknown VPC is omitted.
        """
        lines = {
            name: tuple(each.split("\n")) for name, each in document.items() if isinstance(each, Composed)
        }
        return Draft(
            title=Title(
                summary=self.text.summary, brief=self.text.brief, about=known_of(self.finding, self.context)
            ),
            severity=self.finding.severity.value,
            region=self.context.region,
            opening=tuple(opening),
            facts=(*facts, self.context.not_sent.line),
            body=tuple(map(tuple, body)),
            identity=self._identity,
            ending=tuple(self.how_to_mute),
            repeats=self.repeats,
            others=self.crowd and replace(self.crowd, mutes=()),  # they are in the draft's own
            document=document | dict.fromkeys(lines) | {"not_sent": self.context.not_sent.document} | _LAST,
            lines=lines | {"mutes": tuple(map(as_json, self.mutes))},
            attributes=attributes(self.finding, kind, self.context) | ({"vpc": vpc} if vpc else {}),
        )

    @property
    def _identity(self) -> tuple[str, str]:
        """The line that names the incident, without its severity."""
        attack = f", ATT&CK {self.technique}" if self.technique else ""
        return f"Incident {self.key}, severity ", f", detector {self.finding.detector}{attack}"

    @property
    def what_to_do(self) -> list[str]:
        """The numbered steps under their heading, a line each, and the address of the runbook."""
        numbered = (f"  {number}. {step}" for number, step in enumerate(self.steps, start=1))
        return ["What to do", *numbered, f"  Runbook: {self.runbook}"]

    @property
    def runbook(self) -> str:
        """The address of the detector's runbook."""
        return self.context.runbook(self.finding.detector)

    @property
    def mutes(self) -> list[dict[str, Any]]:
        """The mutes that match the findings of the notification, as JSON objects; at most `LISTED_MUTES`."""
        own = suggested(self.finding, self.context.hosts, self.context.now)
        return [own, *(self.crowd.mutes if self.crowd else ())][:LISTED_MUTES]

    @property
    def how_to_mute(self) -> list[str]:
        """The lines that say how to mute the findings."""
        # A mute that does not fit into a line would be cut, and no longer be JSON.
        shown = [f"  {text}" for text in map(as_json, self.mutes) if len(text) < LONGEST_LINE]
        rest = 1 + (len(self.crowd.mutes) if self.crowd else 0) - len(shown)
        more = [f"  and {plural(rest, 'more mute')}"] if rest else []
        command = f"  flowwarden incidents mute {self.key} --for {SUGGESTED_DAYS}d --reason TEXT"
        return [_HOW_TO_MUTE, *shown, *more, _BY_COMMAND, command]

    @property
    def repeats(self) -> str:
        """For how long repeats are suppressed."""
        quiet = self.crowd.quiet if self.crowd else None
        if quiet is None:
            quiet = quiet_of(self.finding, self.context.suppression_minutes)
        minutes = self.context.suppression_minutes if quiet is None else quiet // 60
        is_page = BY_NAME[self.finding.detector].route is Route.PAGES
        goes_on = is_page and minutes * 60 < REMIND_SECONDS
        return repeats(minutes, goes_on=goes_on)

    @property
    def technique(self) -> str:
        """MITRE ATT&CK technique; empty if there is none."""
        return BY_NAME[self.finding.detector].technique


def known_of(finding: Finding, context: RenderContext) -> Known:
    """What a finding is about, with its name: a host at an end of its flows, an interface, or a subnet."""
    return Known(finding.subject, _name_of(finding, context))


def _name_of(finding: Finding, context: RenderContext) -> str:
    names = context.names or Names()
    if found := names.interfaces.get(finding.subject):
        return found.name
    if not isinstance(finding, TrafficFinding):
        return ""
    ends = {address for end in (finding.tally.clients, finding.tally.servers) for address, _ in end}
    if finding.subject not in ends:
        return names.subnets.get(finding.subject, "")
    return context.named_host(context.hosts.at(finding.subject, finding.example)).name


def attributes(finding: Finding, kind: str, context: RenderContext) -> dict[str, str]:
    """The attributes of all notifications about an incident, by which subscribers filter."""
    return {
        "kind": kind,
        "severity": finding.severity.value,
        "detector": finding.detector,
        "account": context.account_id,
        "region": context.region,
    }
