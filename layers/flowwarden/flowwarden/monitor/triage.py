"""Triage: inhibition between detectors, and the policy's `exempt` hosts. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from flowwarden.monitor.detectors import BY_NAME
from flowwarden.monitor.findings import Finding, Severity, TrafficFinding, identity, vpc_of
from flowwarden.network.host_set import HostSet, host_set
from flowwarden.policy.policy import Policy


def triage(found: Iterable[Finding], policy: Policy) -> list[Finding]:
    """The findings that remain after inhibition.

    Findings about exempt hosts remain, but do not page. Inhibition applies within a VPC, because another VPC
    may use the same addresses. A finding about a subnet also inhibits findings that were logged in it.

    Args:
        found: by all detectors.
        policy: the user's policy.
    """
    findings: dict[tuple[str, ...], Finding] = {}
    for finding in found:
        # A detector can return the same finding more than once.
        findings.setdefault((vpc_of(finding), *identity(finding)), finding)
    silenced = {
        (vpc_of(finding), inhibited, finding.subject)
        for finding in findings.values()
        for inhibited in BY_NAME[finding.detector].inhibits
    }
    exempt = host_set(policy.exempt)
    return [
        replace(finding, severity=Severity.INFO, silenced=True) if _is_exempt(finding, exempt) else finding
        for finding in findings.values()
        if silenced.isdisjoint(
            (vpc_of(finding), finding.detector, each) for each in (finding.subject, _subnet(finding))
        )
    ]


def _subnet(finding: Finding) -> str | None:
    """The subnet in which the finding was logged."""
    return finding.example.flow.subnet_id if isinstance(finding, TrafficFinding) else None


def _is_exempt(finding: Finding, exempt: HostSet) -> bool:
    # A subject that is not an end of the flow is a subnet id from a log line, which may look like an address.
    if not isinstance(finding, TrafficFinding):
        return False
    is_host = finding.subject in {finding.example.client, finding.example.server}
    return is_host and exempt.hold(finding.subject)
