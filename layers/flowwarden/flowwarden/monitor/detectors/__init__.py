"""Detectors, one file each; they read neither clock nor environment. `DETECTORS` is the only registry."""

from __future__ import annotations

from typing import Final

from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.detectors import (
    blocked_connection,
    brute_force,
    database_egress,
    egress_denied,
    egress_volume,
    host_probing,
    interface_silent,
    internet_brute_force,
    internet_rejects,
    internet_to_admin_port,
    internet_to_private,
    lateral_movement,
    nacl_blocks_replies,
    new_egress_port,
    ping_sweep,
    records_skipped,
    reject_spike,
    scan,
    scanner_connected,
    service_blocked,
    unexpected_egress,
    unjudged_records,
    unparsed_lines,
)
from flowwarden.monitor.detectors.base import Detector
from flowwarden.monitor.findings import Finding
from flowwarden.monitor.view import BatchView

DETECTORS: Final[tuple[Detector, ...]] = (
    scan.DETECTOR,
    lateral_movement.DETECTOR,
    brute_force.DETECTOR,
    database_egress.DETECTOR,
    scanner_connected.DETECTOR,
    blocked_connection.DETECTOR,
    host_probing.DETECTOR,
    service_blocked.DETECTOR,
    egress_denied.DETECTOR,
    nacl_blocks_replies.DETECTOR,
    egress_volume.DETECTOR,
    internet_to_private.DETECTOR,
    internet_to_admin_port.DETECTOR,
    internet_brute_force.DETECTOR,
    unexpected_egress.DETECTOR,
    new_egress_port.DETECTOR,
    ping_sweep.DETECTOR,
    unparsed_lines.DETECTOR,
    unjudged_records.DETECTOR,
    records_skipped.DETECTOR,
    interface_silent.DETECTOR,
    reject_spike.DETECTOR,
    internet_rejects.DETECTOR,
)
"""Every detector, in the order in which they run and in which the documentation lists them."""

BY_NAME: Final = {each.name: each for each in DETECTORS}

_WITHOUT_FLOWS: Final = tuple(each for each in DETECTORS if not each.about_flows)


def detected(view: BatchView, state: StateView) -> list[Finding]:
    """The findings of all detectors in a batch.

    Many batches have no flows, but records of times without data. Only some detectors run for these.
    """
    detectors = DETECTORS if len(view.records.flows) else _WITHOUT_FLOWS
    return [each for one in detectors for each in one.detect(view, state, view.policy.thresholds)]
