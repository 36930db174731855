"""What scanning hosts tried: time, target and port of each attempt. Pure, and bounded in memory."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

import numpy as np
from msgspec import Struct, field

from flowwarden.monitor.detectors import host_probing, lateral_movement, ping_sweep, scan
from flowwarden.monitor.report import BatchReport
from flowwarden.monitor.view import BatchView
from flowwarden.records.columnar.group_by import Groups, packed
from flowwarden.records.columnar.string_pool import REJECT
from flowwarden.records.columnar.tokenizer import ABSENT, Integers
from flowwarden.replay.observed import Point, ScanPicture

DETECTORS: Final = frozenset(
    each.DETECTOR.name for each in (scan, host_probing, ping_sweep, lateral_movement)
)
"""Their subject is a host that tries others."""
MOST_SUBJECTS: Final = 24
"""Hosts that are drawn."""
MOST_POINTS: Final = 1_500
"""Points of a host: more cannot be told apart in a picture."""
STEP: Final = 10
"""Seconds that are one point in time."""
_PORTS: Final = 2**16


class _Host(Struct):
    """One host."""

    detectors: dict[str, None] = field(default_factory=dict)
    records: int = 0
    points: dict[tuple[int, str, int, bool], None] = field(default_factory=dict)
    """By time, target, port, and whether it was rejected."""


class ScanPoints:
    """Collects the attempts of the hosts that detectors found."""

    def __init__(self) -> None:
        self._hosts: dict[str, _Host] = {}
        self.left_out: set[str] = set()

    def see(self, report: BatchReport, view: BatchView) -> None:
        """Add a batch."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        for finding in report.found:
            if finding.detector in DETECTORS and not finding.silenced and finding.subject:
                found[finding.subject].add(finding.detector)
        if not found:
            return
        numbers = {text: number for number, text in enumerate(view.records.flows.texts) if text in found}
        for subject in sorted(numbers):
            if host := self._host(subject):
                host.detectors |= dict.fromkeys(sorted(found[subject]))
                _add(host, view, numbers[subject])

    def _host(self, subject: str) -> _Host | None:
        if subject not in self._hosts and len(self._hosts) < MOST_SUBJECTS:
            self._hosts[subject] = _Host()
        return self._hosts.get(subject)

    def pictures(self) -> list[ScanPicture]:
        """The hosts with the most records first."""
        ordered = sorted(self._hosts.items(), key=lambda each: (-each[1].records, each[0]))
        return [_picture(subject, host) for subject, host in ordered if host.points]


def _add(host: _Host, view: BatchView, subject: int) -> None:
    flows, directions = view.records.flows, view.directions
    (rows,) = ((directions.client == subject) & (flows["action"] != ABSENT)).nonzero()
    host.records += len(rows)
    times = np.maximum(flows["start"][rows], 0) // STEP
    columns: list[Integers] = [
        times - (base := int(times.min(initial=0))), directions.server[rows], directions.service_port[rows],
        (flows["action"][rows] == REJECT).astype(np.int64),
    ]  # fmt: skip
    groups = Groups(packed(columns, [int(columns[0].max(initial=0)) + 1, len(flows.texts), _PORTS, 2]))
    values = zip(*(each[groups.rows].tolist() for each in columns), strict=True)
    for step, target, port, rejected in values:
        if len(host.points) >= MOST_POINTS:
            return
        host.points[(step + base) * STEP, flows.text(target) or "", port, bool(rejected)] = None


def _picture(subject: str, host: _Host) -> ScanPicture:
    # Both ends log an attempt, and the client's end accepts what the server's rejects.
    attempts: dict[tuple[int, str, int], bool] = {}
    for at, target, port, rejected in sorted(host.points):
        attempts[at, target, port] = rejected
    points = [
        Point(
            at=at, target=target, port=None if port <= 0 else port,
            outcome="rejected" if rejected else "accepted",
        )
        for (at, target, port), rejected in attempts.items()
    ]  # fmt: skip
    return ScanPicture(
        subject=subject,
        detectors=[*host.detectors],
        targets=len({each.target for each in points}),
        ports=len({each.port for each in points} - {None}),
        records=host.records,
        points=points,
    )
