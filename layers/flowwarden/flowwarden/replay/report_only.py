"""What report-only detectors found, by detector and subject. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from flowwarden.monitor.findings import Finding
from flowwarden.monitor.render.text import describe
from flowwarden.replay.result import ReportOnly


class ReportedOnly:
    """Collects the findings that do not notify because the policy lists their detector in `report_only`."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], ReportOnly] = {}

    def see(self, findings: Iterable[Finding], at: int) -> None:
        """Count those of a batch that was processed at a time (Unix seconds); others do not count.

        A detector can find several things about a subject in a batch, such as one for each service.
        """
        found = {
            (each.detector, each.subject): each
            for each in reversed([*findings])
            if each.report_only and each.subject
        }
        for key, first in found.items():
            known = self._found.get(key)
            self._found[key] = (
                replace(known, findings=known.findings + 1, last=at) if known else _first(first, at)
            )

    def rows(self) -> list[ReportOnly]:
        """One row for each detector and subject, by the time of the first finding."""
        return sorted(self._found.values(), key=lambda each: (each.first, each.detector, each.subject))


def _first(finding: Finding, at: int) -> ReportOnly:
    return ReportOnly(
        detector=finding.detector,
        subject=finding.subject,
        summary=describe(finding).summary,
        findings=1,
        first=at,
        last=at,
    )
