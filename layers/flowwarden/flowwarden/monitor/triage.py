"""Triage: run the detectors that look at a batch alone, and drop what a graver finding says already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from flowwarden.monitor.detectors import BY_NAME, DETECTORS
from flowwarden.monitor.detectors.base import PerBatch
from flowwarden.monitor.findings import Finding, Severity, identity
from flowwarden.network.direction import DirectedFlow
from flowwarden.network.host_set import HostSet, host_set
from flowwarden.policy.policy import Policy

_PER_BATCH: Final = tuple(
    way.inspect for detector in DETECTORS for way in detector.detect if isinstance(way, PerBatch)
)


def inspect(
    flows: Sequence[DirectedFlow], policy: Policy, over_time: Sequence[Finding] = ()
) -> list[Finding]:
    """Run every detector over a batch; what a graver finding says already is left out.

    What is found about exempt hosts stays, but does not page.

    Args:
        flows: those that any of the detectors looks at.
        policy: the user's.
        over_time: what was found about hosts over time.
    """
    findings: dict[tuple[str, ...], Finding] = {}
    for finding in (
        *over_time,
        *(each for inspect_batch in _PER_BATCH for each in inspect_batch(flows, policy)),
    ):
        # Two ways may lead to the same statement.
        findings.setdefault(identity(finding), finding)
    silenced = {
        (inhibited, finding.subject)
        for finding in findings.values()
        for inhibited in BY_NAME[finding.detector].inhibits
    }
    exempt = host_set(policy.exempt)
    return [
        replace(finding, severity=Severity.INFO) if _is_held(finding, exempt) else finding
        for finding in findings.values()
        if silenced.isdisjoint({(finding.detector, finding.subject), (finding.detector, _subnet(finding))})
    ]


def _subnet(finding: Finding) -> str | None:
    """The subnet that the finding was seen in."""
    return finding.example.flow.subnet_id


def _is_held(finding: Finding, exempt: HostSet) -> bool:
    # Other subjects are what a line says of its subnet, which may be any text.
    is_host = finding.subject in {finding.example.client, finding.example.server}
    return is_host and exempt.hold(finding.subject)
