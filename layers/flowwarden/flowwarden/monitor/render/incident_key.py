"""The incident key: identical for findings about the same incident. Pure."""

from __future__ import annotations

import re
from typing import Final

from flowwarden.monitor.causes import Cause
from flowwarden.monitor.detectors import BY_NAME
from flowwarden.monitor.findings import Finding, TrafficFinding, identity, vpc_of
from flowwarden.notify.claims import digest

_ACCOUNT: Final = re.compile(r"[0-9]{12}")
"""AWS writes `unknown` for some interfaces that it manages itself, and other tools write other words."""


def account_of(finding: Finding) -> str | None:
    """The account that the records behind a finding name; None if they name none."""
    account = finding.example.flow.account_id if isinstance(finding, TrafficFinding) else None
    return account if account and _ACCOUNT.fullmatch(account) else None


def incident_key(
    finding: Finding,
    account_id: str,
    region: str,
    log_group: str,
    cause: Cause | None = None,
    host: str = "",
) -> str:
    """The incident key, 32 hexadecimal digits: identical for findings about the same incident.

    For findings about traffic, the key excludes what changes from batch to batch: internet peers and
    ephemeral ports. It also excludes the interface and the log group, because both ends of a rejected
    connection log it, and that is one incident. For findings about missing records, the key includes the log
    group. Findings with the same `cause` are one incident, whatever their subjects, and findings about what
    one `host` does, whatever their detectors.
    """
    scope = vpc_of(finding) if isinstance(finding, TrafficFinding) else log_group
    name, *what = identity(finding)
    name = BY_NAME[name].incident or name
    if host:
        return digest(account_id, region, scope, "acting host", host)
    if cause is not None:
        return digest(account_id, region, scope, name, "cause", *cause.identity)
    return digest(account_id, region, scope, name, *what)
