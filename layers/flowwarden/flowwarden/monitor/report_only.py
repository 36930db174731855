"""Report-only detectors: their findings are listed in the hourly digest, and do not notify. Pure.

So a detector runs in production before it pages. It must not weaken the others meanwhile: its findings
inhibit none (see `triage`), open no incident, claim nothing, and take nothing from the budget for pages. The
baselines learn as if it paged, so a detector finds the same before and after it is promoted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from msgspec.structs import replace

from flowwarden.monitor.findings import Finding, Severity


def only_reported(findings: Iterable[Finding], detectors: Collection[str]) -> list[Finding]:
    """The findings; those of these detectors no longer notify."""
    return [
        replace(each, severity=Severity.INFO, report_only=True)
        if each.severity.pages and each.detector in detectors
        else each
        for each in findings
    ]


def would_notify(finding: Finding) -> bool:
    """Whether it notifies, or would if its detector were not report-only."""
    return finding.severity.pages or (finding.report_only and not finding.silenced)
