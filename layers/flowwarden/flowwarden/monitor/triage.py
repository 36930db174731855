"""The table of detectors, and the one way to run them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from flowwarden.monitor.detectors import (
    blocked_connection,
    brute_force,
    database_egress,
    egress_volume,
    host_probing,
    interface_silent,
    internet_rejects,
    internet_to_private,
    lateral_movement,
    nacl_blocks_replies,
    records_skipped,
    reject_spike,
    scan,
    scanner_connected,
    service_blocked,
    unexpected_egress,
)
from flowwarden.monitor.findings import Finding, Severity, identity
from flowwarden.monitor.traffic.host_activity import HostActivity
from flowwarden.network.direction import DirectedFlow
from flowwarden.network.host_set import HostSet, host_set
from flowwarden.policy.policy import Policy

type Detector = Callable[[Sequence[DirectedFlow], Policy], list[Finding]]

type SuspectDetector = Callable[[HostActivity, Sequence[DirectedFlow], Policy], list[Finding]]

INSPECT_SUSPECTS: dict[str, SuspectDetector] = {
    scan.NAME: scan.inspect,
    lateral_movement.NAME: lateral_movement.inspect,
    brute_force.NAME: brute_force.inspect,
    database_egress.NAME: database_egress.inspect,
    unexpected_egress.NAME: unexpected_egress.inspect_suspect,
}
"""Every detector that looks at what a host does over time, by its name."""

NOVELTIES: frozenset[str] = frozenset({database_egress.NAME, unexpected_egress.NAME})
"""Detectors that find what is new for a role, and nothing else that would be wrong with it."""

OTHERS: frozenset[str] = frozenset(
    {scanner_connected.NAME, egress_volume.NAME, internet_rejects.NAME, reject_spike.NAME}
)
"""Detectors that the services run for what they are about, those that count columns among them."""

OF_SIGHT: frozenset[str] = frozenset({records_skipped.NAME, interface_silent.NAME})
"""Detectors that look at whether flow logs are written, not at flows. The lookout runs them; what they
find is told to operations."""

DETECTORS: dict[str, Detector] = {
    blocked_connection.NAME: blocked_connection.inspect,
    host_probing.NAME: host_probing.inspect,
    service_blocked.NAME: service_blocked.inspect,
    nacl_blocks_replies.NAME: nacl_blocks_replies.inspect,
    internet_to_private.NAME: internet_to_private.inspect,
    unexpected_egress.NAME: unexpected_egress.inspect,
}
"""Every detector that looks at a batch alone, by its name."""

INHIBITS: dict[str, frozenset[str]] = {
    host_probing.NAME: frozenset({blocked_connection.NAME}),
    scan.NAME: frozenset({host_probing.NAME, blocked_connection.NAME, lateral_movement.NAME}),
    database_egress.NAME: frozenset({unexpected_egress.NAME}),
    scanner_connected.NAME: frozenset({internet_to_private.NAME}),
    lateral_movement.NAME: frozenset({blocked_connection.NAME}),
    brute_force.NAME: frozenset({lateral_movement.NAME}),
    nacl_blocks_replies.NAME: frozenset({blocked_connection.NAME, service_blocked.NAME, reject_spike.NAME}),
}
"""A finding of the first silences findings of the others in the same batch, about the same subject or, if
that is a subnet, in it."""


def inspect(
    flows: Sequence[DirectedFlow], policy: Policy, over_time: Sequence[Finding] = ()
) -> list[Finding]:
    """Run every detector over a batch; what a graver finding says already is left out.

    What is found about exempt hosts stays, but pages nobody.

    Args:
        flows: those that any of the detectors looks at.
        policy: the user's.
        over_time: what was found about hosts over time.
    """
    findings: dict[tuple[str, ...], Finding] = {}
    for finding in (*over_time, *(each for detect in DETECTORS.values() for each in detect(flows, policy))):
        # Two ways may lead to the same statement.
        findings.setdefault(identity(finding), finding)
    silenced = {
        (inhibited, finding.subject)
        for finding in findings.values()
        for inhibited in INHIBITS.get(finding.detector, ())
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
