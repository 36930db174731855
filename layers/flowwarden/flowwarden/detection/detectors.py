"""The table of detectors, and the one way to run them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from flowwarden.detection import (
    blocked_connection,
    database_initiates,
    internet_rejects,
    lateral_movement,
    listener_goes_out,
    probing,
    public_into_private,
    scan,
    scan_hit,
    shut_service,
)
from flowwarden.detection.findings import Finding, Severity
from flowwarden.detection.suspects import Suspect
from flowwarden.network.direction import DirectedFlow
from flowwarden.network.places import places
from flowwarden.policy import Policy

type Detector = Callable[[Sequence[DirectedFlow], Policy], list[Finding]]

type SuspectDetector = Callable[[Suspect, Sequence[DirectedFlow]], list[Finding]]

INSPECT_SUSPECTS: dict[str, SuspectDetector] = {
    scan.NAME: scan.inspect,
    lateral_movement.NAME: lateral_movement.inspect,
    database_initiates.NAME: database_initiates.inspect,
}
"""Every detector that looks at what a host does over time, by its name."""

OTHERS: frozenset[str] = frozenset({scan_hit.NAME, internet_rejects.NAME})
"""Detectors that the watcher runs for the service that they are about, and those that count columns."""

DETECTORS: dict[str, Detector] = {
    blocked_connection.NAME: blocked_connection.inspect,
    probing.NAME: probing.inspect,
    shut_service.NAME: shut_service.inspect,
    public_into_private.NAME: public_into_private.inspect,
    listener_goes_out.NAME: listener_goes_out.inspect,
}
"""Every detector that looks at a batch alone, by its name."""

INHIBITS: dict[str, frozenset[str]] = {
    probing.NAME: frozenset({blocked_connection.NAME}),
    scan.NAME: frozenset({probing.NAME, blocked_connection.NAME, lateral_movement.NAME}),
    database_initiates.NAME: frozenset({listener_goes_out.NAME}),
    scan_hit.NAME: frozenset({public_into_private.NAME}),
    lateral_movement.NAME: frozenset({blocked_connection.NAME}),
}
"""A finding of the first silences findings of the others about the same subject in the same batch."""


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
    findings = [finding for detect in DETECTORS.values() for finding in detect(flows, policy)]
    findings = [*over_time, *findings]
    silenced = {
        (inhibited, finding.subject)
        for finding in findings
        for inhibited in INHIBITS.get(finding.detector, ())
    }
    exempt = places(policy.exempt)
    return [
        replace(finding, severity=Severity.INFO) if exempt.hold(finding.subject) else finding
        for finding in findings
        if (finding.detector, finding.subject) not in silenced
    ]
