"""The key of an incident: what makes two findings the same one. Pure."""

from __future__ import annotations

from flowwarden.monitor.findings import Finding, identity
from flowwarden.notify.claims import digest


def incident_key(finding: Finding, account_id: str, region: str) -> str:
    """The same text for findings that are about the same thing: 32 hexadecimal digits.

    It holds no peer on the internet and no ephemeral port, which change from batch to batch, and not the
    interface: both ends of a refused connection log it, and it is one incident.
    """
    parts = (
        account_id,
        region,
        finding.example.flow.vpc_id or "",
        *identity(finding),
    )
    return digest(*parts)
