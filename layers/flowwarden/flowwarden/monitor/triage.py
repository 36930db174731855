"""Triage: inhibition between detectors, and the policy's `exempt` hosts. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.monitor.acting_hosts import may_explain
from flowwarden.monitor.detectors import BY_NAME
from flowwarden.monitor.findings import Finding, Severity, TrafficFinding, identity, vpc_of
from flowwarden.network.host_set import HostSet, host_set
from flowwarden.policy.policy import Policy

type Inhibitors = Mapping[tuple[str, str, str | None], list[Finding]]


class Triage(Struct, frozen=True):
    """The findings of a batch, each once."""

    remaining: list[Finding]
    """Findings that no other one inhibits, in the order of detection."""
    inhibited: list[Finding]
    """Findings that another one inhibits. They are counted and logged, and do not notify."""


def triage(found: Iterable[Finding], policy: Policy) -> Triage:
    """Apply inhibition, and the policy's `exempt`.

    Findings about exempt hosts remain, but do not page. A finding of a report-only detector inhibits none,
    because no page would say what it found. Inhibition applies within a VPC, because another VPC
    may use the same addresses. A finding about a subnet also inhibits findings that were logged in it.

    Args:
        found: by all detectors.
        policy: the user's policy.
    """
    findings: dict[tuple[str, ...], Finding] = {}
    for finding in found:
        # A detector can return the same finding more than once.
        findings.setdefault((vpc_of(finding), *identity(finding)), finding)
    inhibitors = _inhibitors(each for each in findings.values() if each.detector not in policy.report_only)
    exempt = host_set(policy.exempt)
    remaining, inhibited = [], []
    for finding in findings.values():
        by = _inhibitor_of(finding, inhibitors)
        if by:
            inhibited.append(inhibited_by(by, finding))
        elif _is_exempt(finding, exempt):
            remaining.append(replace(finding, severity=Severity.INFO, silenced=True))
        else:
            remaining.append(finding)
    return Triage(remaining, inhibited)


def inhibited_by(detector: str, finding: Finding) -> Finding:
    """The finding, which a finding of a detector keeps from notifying."""
    return replace(finding, severity=Severity.INFO, silenced=True, inhibited=detector)


def _inhibitors(findings: Iterable[Finding]) -> Inhibitors:
    """The findings that inhibit, by VPC, inhibited detector and subject."""
    found: defaultdict[tuple[str, str, str | None], list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.subject:  # findings that are only counted have none
            for inhibited in BY_NAME[finding.detector].inhibits:
                found[vpc_of(finding), inhibited, finding.subject].append(finding)
    return found


def _inhibitor_of(finding: Finding, inhibitors: Inhibitors) -> str | None:
    subjects = (finding.subject, _subnet(finding))
    keys = [(vpc_of(finding), finding.detector, each) for each in subjects]
    graver = (each for key in keys for each in inhibitors.get(key, ()))
    return next((each.detector for each in graver if may_explain(each, finding)), None)


def _subnet(finding: Finding) -> str | None:
    """The subnet in which the finding was logged."""
    return finding.example.flow.subnet_id if isinstance(finding, TrafficFinding) else None


def _is_exempt(finding: Finding, exempt: HostSet) -> bool:
    # A subject that is not an end of the flow is a subnet id from a log line, which may look like an address.
    if not isinstance(finding, TrafficFinding):
        return False
    is_host = finding.subject in {finding.example.client, finding.example.server}
    return is_host and exempt.hold(finding.subject)
