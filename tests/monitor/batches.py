"""Batches for tests of detectors: a container that processes flows, with all dependencies in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flowwarden.monitor import heartbeats
from flowwarden.monitor.caches.interfaces import InterfaceCache
from flowwarden.monitor.caches.state import StateCache, StateView
from flowwarden.monitor.detectors import DETECTORS
from flowwarden.monitor.detectors.base import Detector
from flowwarden.monitor.findings import Finding, TrafficFinding
from flowwarden.monitor.learning import learn
from flowwarden.monitor.policy_view import PolicyView
from flowwarden.monitor.triage import triage
from flowwarden.monitor.view import BatchView, Context
from flowwarden.notify.alert import Route
from flowwarden.policy.policy import Policy
from flowwarden.records.columnar.flow_table import FlowTable, Table
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT
from flowwarden.records.model import Flow
from flowwarden.records.subscription import LogBatch
from flowwarden.state.schema import BASELINES
from tests.flows import START
from tests.monitor.fakes_interfaces import FakeDirectory
from tests.monitor.fakes_state import MemoryEvidence

NOW = START + 600
POLICY = Policy()
GROUP = LogBatch("111122223333", "/flow-warden/flow-logs", "eni-1-all", (), "batch")


OVER_TIME = tuple(
    each
    for each in DETECTORS
    if each.route is Route.PAGES
    and BASELINES in each.state
    and each.name not in {"blocked-connection", "egress-denied"}
)
"""The detectors that compare a host with the usual behavior of its role, except about rejections."""


class Container:
    """The data that a function's container keeps from batch to batch."""

    def __init__(
        self,
        policy: Policy = POLICY,
        evidence: MemoryEvidence | None = None,
        directory: FakeDirectory | None = None,
        breadth: int = 1,
    ) -> None:
        self._policy = policy
        self._view = PolicyView.of(policy)
        self._state = StateCache(evidence or MemoryEvidence(), breadth)
        self._interfaces = InterfaceCache(directory or FakeDirectory(), lambda _: None, breadth)

    def begin(
        self, records: Table, now: int = NOW, batch: LogBatch = GROUP, view: type[BatchView] = BatchView
    ) -> tuple[BatchView, StateView]:
        """A batch before any detector has inspected it."""
        state = self._state.for_batch()
        context = Context(
            formats=(DEFAULT_LOG_FORMAT,),
            interfaces=self._interfaces.for_batch(now),
            state=state,
            policy=self._view,
            now=now,
        )
        return view(batch, records, context), state

    def found(
        self, flows: Sequence[Flow], now: int = NOW, detectors: Sequence[Detector] = OVER_TIME
    ) -> list[TrafficFinding]:
        """The findings of some detectors in flows, before triage; the batch is learned."""
        view, state = self.begin(table(*flows), now)
        thresholds = self._policy.thresholds
        findings = [each for one in detectors for each in one.detect(view, state, thresholds)]
        learn(view, findings, state)
        return of_traffic(findings)

    def detect(
        self, detector: Detector, records: Table, now: int = NOW, batch: LogBatch = GROUP
    ) -> list[Finding]:
        """The findings of one detector, with the heartbeats of the batch recorded."""
        view, state = self.begin(records, now, batch)
        heartbeats.see(view, state)
        found = list(detector.detect(view, state, self._policy.thresholds))
        heartbeats.write(view, state)
        return found


def of_traffic(findings: Sequence[Finding]) -> list[TrafficFinding]:
    """The findings about flows."""
    return [each for each in findings if isinstance(each, TrafficFinding)]


def table(*flows: Flow) -> Table:
    """Flows as the records of a batch."""
    return Table(FlowTable.of(flows), [], [])


def finding_with(detector: Detector) -> Callable[..., list[TrafficFinding]]:
    """A function that returns the detector's findings in flows, in a container without history."""

    def found(flows: Sequence[Flow], policy: Policy = POLICY, now: int = NOW) -> list[TrafficFinding]:
        return of_traffic(Container(policy).detect(detector, table(*flows), now))

    return found


def triaged(flows: Sequence[Flow], policy: Policy = POLICY, now: int = NOW) -> list[TrafficFinding]:
    """The remaining findings of all detectors except those that only log, in a new container."""
    paging = [each for each in DETECTORS if each.route is not Route.LOG]
    return of_traffic(triage(Container(policy).found(flows, now, paging), policy).remaining)


def batch(*flows: Flow) -> tuple[Flow, ...]:
    """The flows of one batch."""
    return flows
