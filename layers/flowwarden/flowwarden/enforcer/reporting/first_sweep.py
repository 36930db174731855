"""The sweep after a deployment names every VPC: what it did, or why there was nothing to do. Pure.

Later reports only count the VPCs without news. After a deployment the reader wants to see that none is
missing.
"""

from __future__ import annotations

from typing import Final

from flowwarden.enforcer.reporting.report import EnforcementReport, Result, VpcOutcome

HEADINGS: Final = (
    (Result.PENDING, "CHECKED AGAIN LATER"),
    (Result.COVERED, "ALREADY COVERED: nothing was changed"),
    (Result.EXEMPT, "EXEMPT by the policy"),
    (Result.SKIPPED, "SKIPPED: another account owns the VPC"),
    (Result.GONE, "DELETED in the meantime"),
)
"""The results that other reports only count, with their headings."""


def sections(report: EnforcementReport) -> list[tuple[str, tuple[VpcOutcome, ...]]]:
    """The headings and the VPCs below them; none unless a deployment started the sweep."""
    if not report.trigger.deployed:
        return []
    found = [(heading, report.of(result)) for result, heading in HEADINGS]
    return [(heading, outcomes) for heading, outcomes in found if outcomes]
