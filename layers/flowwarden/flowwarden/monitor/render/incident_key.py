"""The key of an incident: what makes two findings the same one. Pure."""

from __future__ import annotations

from flowwarden.monitor.findings import Finding, TrafficFinding, identity
from flowwarden.notify.claims import digest


def account_of(finding: Finding) -> str | None:
    """The account that the records behind a finding name, if they do."""
    return finding.example.flow.account_id if isinstance(finding, TrafficFinding) else None


def incident_key(finding: Finding, account_id: str, region: str, log_group: str) -> str:
    """The same text for findings that are about the same thing: 32 hexadecimal digits.

    Of traffic it holds no peer on the internet and no ephemeral port, which change from batch to batch, and
    neither the interface nor the log group: both ends of a refused connection log it, and it is one incident.
    What is missing is missing from a log group.
    """
    scope = (finding.example.flow.vpc_id or "") if isinstance(finding, TrafficFinding) else log_group
    return digest(account_id, region, scope, *identity(finding))
