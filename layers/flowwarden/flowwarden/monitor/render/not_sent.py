"""The findings of a batch that would page, but are not sent: how many, and why. Pure.

Each notification says so, so that no reader takes silence for the absence of findings.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Self

from msgspec import Struct

from flowwarden.monitor.findings import Finding, counted
from flowwarden.notify.text import plural


class NotSent(Struct, frozen=True):
    """The numbers of findings that are not sent."""

    inhibited: Mapping[str, int] = {}
    """By the detector whose finding explains them."""
    muted: int = 0
    exempt: int = 0
    """About hosts in `exempt`."""
    report_only: int = 0
    """Of report-only detectors."""

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> Self:
        """Those among all findings of a batch."""
        several = [each for each in findings if each.silenced or each.report_only]
        if not several:  # as in nearly all batches
            return cls()
        by = defaultdict[str, list[Finding]](list)
        for each in several:
            by[each.inhibited].append(each)
        rest = by.pop("", [])
        muted = counted(each for each in rest if each.muted)
        report_only = counted(each for each in rest if each.report_only)
        return cls(
            {name: counted(some) for name, some in sorted(by.items())},
            muted,
            counted(rest) - muted - report_only,
            report_only,
        )

    @property
    def line(self) -> str:
        """The row of a text; '' if all were sent."""
        parts = [f"{number} explained by {name}" for name, number in self.inhibited.items()]
        parts += [f"{self.muted} muted"] if self.muted else []
        parts += [f"{self.exempt} about exempt hosts"] if self.exempt else []
        parts += [f"{self.report_only} of report-only detectors"] if self.report_only else []
        count = sum(self.inhibited.values()) + self.muted + self.exempt + self.report_only
        return f"Not sent     {plural(count, 'finding')} of this batch: {', '.join(parts)}" if count else ""

    @property
    def document(self) -> dict[str, Any]:
        """The same for machines."""
        counts = {"muted": self.muted, "exempt": self.exempt, "report_only": self.report_only}
        return {"inhibited": dict(self.inhibited), **counts}
