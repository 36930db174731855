"""The table of incidents and their schedule: after learning, evenly over the scored days."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from benchmarks.evaluation.generator import (
    brute_force,
    changes,
    evasions,
    exfiltration,
    intrusions,
    outages,
    scans,
)
from benchmarks.evaluation.generator.model import DAY, Incident
from benchmarks.evaluation.generator.scheduler import LabelPart, Scheduler

FIRST: Final = 3600
"""Seconds without incidents at the start of the first scored day."""
SPREAD: Final = 0.6
"""The share of an incident's time slot in which it can begin. This leaves hours between incidents of a kind,
so that a page about one does not count for the next."""
LAST: Final = 7200
"""Seconds at the end in which no incident begins, in addition to its duration."""


class Kind(Struct, frozen=True):
    """A kind of incident."""

    make: Callable[[Scheduler, int], LabelPart]
    """Schedules it, beginning at a time (Unix seconds)."""
    longest: int
    """Maximum duration in seconds."""


KINDS: Final = {
    "fast-vertical-scan": Kind(scans.fast_vertical, 60),
    "horizontal-scan": Kind(scans.horizontal, 300),
    "block-scan": Kind(scans.block, 300),
    "slow-scan": Kind(scans.slow, scans.LONGEST_SLOW),
    "very-slow-scan": Kind(scans.very_slow, scans.LONGEST_VERY_SLOW),
    "lateral-movement": Kind(scans.lateral_movement, 5400),
    "ssh-brute-force": Kind(scans.ssh_brute_force, 1800),
    "listener-goes-out": Kind(intrusions.listener_goes_out, 3600),
    "public-into-private": Kind(intrusions.public_into_private, 1800),
    "exposed-administration": Kind(intrusions.exposed_administration, 1800),
    "beacon": Kind(intrusions.beacon, 5 * 3600),
    "database-initiates": Kind(intrusions.database_initiates, 1800),
    "scan-hit": Kind(intrusions.scan_hit, 1500),
    "exfiltration": Kind(intrusions.exfiltration, 3600),
    "exfiltration-in-pieces": Kind(exfiltration.in_pieces, 3600),
    "slow-exfiltration": Kind(exfiltration.slowly, exfiltration.LONGEST_SLOW),
    "exfiltration-to-bucket": Kind(exfiltration.to_a_bucket, 3600),
    "exfiltration-among-uploads": Kind(exfiltration.among_usual_uploads, 3600),
    "exfiltration-on-new-port": Kind(exfiltration.over_one_connection, 3600),
    "guessing-from-outside": Kind(brute_force.from_outside, 3600),
    "slow-guessing": Kind(brute_force.slowly, brute_force.LONGEST_SLOW),
    "guessing-at-database": Kind(brute_force.at_a_database, 3600),
    "guessing-from-bastion": Kind(brute_force.from_a_bastion, 3600),
    "thin-scan-hit": Kind(evasions.thin_scan_hit, 8 * 3600),
    "stealth-scan": Kind(evasions.stealth_scan, 120),
    "udp-scan": Kind(evasions.udp_scan, 300),
    "scan-from-https": Kind(evasions.scan_from_https, 300),
    "ping-sweep": Kind(evasions.ping_sweep, 300),
    "egress-rejects": Kind(intrusions.egress_rejects, 7 * 3600),
    "security-group-fault": Kind(outages.security_group_fault, 7200),
    "nacl-fault": Kind(outages.nacl_fault, 7200),
    "reject-spike": Kind(outages.reject_spike, 2400),
    "records-lost": Kind(outages.records_lost, 7200),
    "interface-silent": Kind(outages.interface_silent, 7 * 3600),
    "unreadable-lines": Kind(outages.unreadable_lines, 5400),
    "tightened-group": Kind(changes.tightened_group, changes.LONGEST),
    "tightened-egress": Kind(changes.tightened_egress, changes.LONGEST),
    "debug-logging": Kind(changes.debug_logging, changes.LONGEST),
    "gossip-rollout": Kind(changes.gossip_rollout, changes.LONGEST),
    "recovery-test": Kind(changes.recovery_test, changes.LONGEST),
}
"""Every kind, by its name. Scans come from internal hosts."""


class Incidents:
    """Generates incidents and their labels."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._stage = scheduler
        self.labels: list[Incident] = []
        self.planned = self._planned()
        """Begin (Unix seconds) and kind of the incidents that have not begun yet, in order of time."""

    def plan(self, begin: int) -> None:
        """Schedule the incidents of a day; `begin` is its first second."""
        while self.planned and self.planned[0][0] < begin + DAY:
            at, kind = self.planned.pop(0)
            self._stage.kind = kind
            made = KINDS[kind].make(self._stage, at)
            label = Incident(kind, made.source, made.interface_id, made.targets, at, made.end)
            self.labels.append(label)

    def _planned(self) -> list[tuple[int, str]]:
        network, random = self._stage.network, self._stage.random
        planned = []
        for kind, entry in KINDS.items():
            earliest = network.judged_from + FIRST
            latest = max(earliest + 1, network.end - LAST - entry.longest)
            times = range(earliest, latest)
            step = len(times) / max(1, network.incidents_of_each_kind)
            for number in range(network.incidents_of_each_kind):
                offset = int(step * (number + SPREAD * random.random()))
                planned.append((times[min(offset, len(times) - 1)], kind))
        return sorted(planned)
