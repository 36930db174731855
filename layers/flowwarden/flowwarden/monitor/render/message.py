"""The parts that all notifications share: subject, detector, ATT&CK technique, attributes. Pure."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from flowwarden.monitor.detectors import BY_NAME
from flowwarden.monitor.findings import Finding
from flowwarden.monitor.render.parts import RenderContext
from flowwarden.monitor.render.subject import subject_line
from flowwarden.monitor.render.text import describe, steps
from flowwarden.monitor.text import Text
from flowwarden.notify.claims import Claim


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

    @classmethod
    def about(cls, finding: F, key: str, claim: Claim, context: RenderContext) -> Message[F]:
        """Put the finding into words."""
        text = describe(finding)
        todo = steps(finding, text, context)
        return cls(finding=finding, text=text, steps=todo, key=key, claim=claim, context=context)

    @property
    def subject(self) -> str:
        """The summary on one line, with severity and region; shorter if it is long."""
        return subject_line(self.finding.severity, self.text, self.context.region)

    @property
    def what_to_do(self) -> list[str]:
        """The numbered steps under their heading, a line each; nothing if there are none."""
        numbered = [f"  {number}. {step}" for number, step in enumerate(self.steps, start=1)]
        return ["What to do", *numbered] if numbered else []

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
        return {
            "kind": kind,
            "severity": self.finding.severity.value,
            "detector": self.finding.detector,
            "account": self.context.account_id,
            "region": self.context.region,
        }
