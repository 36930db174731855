"""Observes the traffic of a replay, for the report and the JSON document."""

from __future__ import annotations

from flowwarden.monitor.report import BatchReport
from flowwarden.monitor.view import BatchView
from flowwarden.replay.conversations import Conversations
from flowwarden.replay.coverage import Covered
from flowwarden.replay.learned_roles import LearnedRoles
from flowwarden.replay.observed import Observed
from flowwarden.replay.rejected import Rejected
from flowwarden.replay.scan_points import ScanPoints
from flowwarden.state.ports import EvidenceStore


class Observer:
    """All collectors of what was seen."""

    def __init__(self, evidence: EvidenceStore) -> None:
        """Take the state, in which the baselines are learned."""
        self._evidence = evidence
        self._conversations = Conversations()
        self._rejected = Rejected()
        self._scans = ScanPoints()
        self._roles = LearnedRoles()
        self._covered = Covered()

    def see(self, report: BatchReport, view: BatchView) -> None:
        """Add a batch."""
        self._conversations.see(view)
        self._rejected.see(view)
        self._scans.see(report, view)
        self._roles.see(view)
        self._covered.see(view)

    def observed(self) -> Observed:
        """What was seen so far."""
        ports, sources, targets = self._rejected.rankings()
        return Observed(
            conversations=self._conversations.rows(),
            rejected_ports=ports,
            rejected_sources=sources,
            rejected_targets=targets,
            scans=self._scans.pictures(),
            roles=self._roles.roles(self._evidence),
            coverage=self._covered.coverage(),
        )
