"""The table of detectors, and the one way to run them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from flowwarden.detection import (
    blocked_connection,
    internet_rejects,
    listener_goes_out,
    probing,
    public_into_private,
    shut_service,
)
from flowwarden.detection.findings import Finding, Severity
from flowwarden.network.direction import DirectedFlow
from flowwarden.network.places import places
from flowwarden.policy import Policy

type Detector = Callable[[Sequence[DirectedFlow], Policy], list[Finding]]

DETECTORS: dict[str, Detector] = {
    internet_rejects.NAME: internet_rejects.inspect,
    blocked_connection.NAME: blocked_connection.inspect,
    probing.NAME: probing.inspect,
    shut_service.NAME: shut_service.inspect,
    public_into_private.NAME: public_into_private.inspect,
    listener_goes_out.NAME: listener_goes_out.inspect,
}
"""Every detector, by its name."""

INHIBITS: dict[str, frozenset[str]] = {
    probing.NAME: frozenset({blocked_connection.NAME}),
}
"""A finding of the first silences findings of the others about the same subject in the same batch."""


def inspect(flows: Sequence[DirectedFlow], policy: Policy) -> list[Finding]:
    """Run every detector over a batch; what a graver finding says already is left out.

    What is found about exempt hosts stays, but pages nobody.
    """
    findings = [finding for detect in DETECTORS.values() for finding in detect(flows, policy)]
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
