"""The parts that all notifications share: subject, detector, ATT&CK technique, attributes. Pure."""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct

from flowwarden.monitor.detectors import BY_NAME
from flowwarden.monitor.findings import Finding, TrafficFinding
from flowwarden.monitor.mutes import SUGGESTED_DAYS, suggested
from flowwarden.monitor.names import Names
from flowwarden.monitor.quiet import quiet_of
from flowwarden.monitor.render.course import Course
from flowwarden.monitor.render.crowd import Crowd
from flowwarden.monitor.render.parts import RenderContext, repeats
from flowwarden.monitor.render.subject import Known, subject_line
from flowwarden.monitor.render.text import describe, steps
from flowwarden.monitor.text import Text
from flowwarden.notify.alert import Route
from flowwarden.notify.claims import Claim
from flowwarden.notify.evidence import REMIND_SECONDS
from flowwarden.notify.notification import Composed
from flowwarden.notify.text import plural
from flowwarden.printable import LONGEST_LINE, as_json

LISTED_MUTES: Final = 10
"""Mutes that a notification contains; each matches one finding."""
_HOW_TO_MUTE: Final = f"Mute for {SUGGESTED_DAYS} days: give the reason, and add to `mutes` in the policy"

_BY_COMMAND: Final = "or run"


class Message[F: Finding = Any](Struct, frozen=True, kw_only=True):
    """A finding and the texts of its notification."""

    finding: F
    text: Text
    steps: tuple[str, ...]
    """The runbook steps, in order."""
    key: str
    """Identifies the incident."""
    claim: Claim
    """What was sent before."""
    context: RenderContext
    crowd: Crowd | Course | None = None
    """The other findings of the incident: with its cause, or about its host."""

    @classmethod
    def about(
        cls,
        finding: F,
        key: str,
        claim: Claim,
        context: RenderContext,
        crowd: Crowd | Course | None = None,
    ) -> Message[F]:
        """Put the finding into words."""
        text = describe(finding)
        todo = steps(finding, text, context)
        if crowd is not None:
            text = crowd.titled(text, claim)
        return cls(finding=finding, text=text, steps=todo, key=key, claim=claim, context=context, crowd=crowd)

    @property
    def subject(self) -> str:
        """The summary on one line, with severity and region; shorter if it is long."""
        severity, region, event = self.finding.severity, self.context.region, self.claim.event
        return subject_line(severity, self.text, region, event, known_of(self.finding, self.context))

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
    def mute_lines(self) -> Composed:
        """The mutes as JSON, a line each: the members of a document are folded, and would not match."""
        return Composed.of(map(as_json, self.mutes), end="")

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
        """When the incident was last sent, and how long repeats are suppressed."""
        quiet = self.crowd.quiet if self.crowd else None
        if quiet is None:
            quiet = quiet_of(self.finding, self.context.suppression_minutes)
        minutes = self.context.suppression_minutes if quiet is None else quiet // 60
        is_page = BY_NAME[self.finding.detector].route is Route.PAGES
        goes_on = is_page and minutes * 60 < REMIND_SECONDS
        return repeats(self.claim, minutes, goes_on=goes_on)

    @property
    def technique(self) -> str:
        """MITRE ATT&CK technique; empty if there is none."""
        return BY_NAME[self.finding.detector].technique

    @property
    def identity(self) -> str:
        """The last line of a text: incident key, severity, and detector."""
        attack = f", ATT&CK {self.technique}" if self.technique else ""
        return (
            f"Incident {self.key}, severity {self.finding.severity}, detector {self.finding.detector}{attack}"
        )

    def attributes(self, kind: str) -> dict[str, str]:
        """The attributes that subscribers filter by."""
        return attributes(self.finding, kind, self.context) | {"event": self.claim.event.value}


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
