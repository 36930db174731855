"""What a detector declares about itself: one value, which code, documentation and tests use."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum

from msgspec import Struct

from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.findings import Finding, Severity
from flowwarden.monitor.traffic.host_activity import HostActivity
from flowwarden.monitor.view import BatchView
from flowwarden.notify.alert import Route
from flowwarden.policy.detection import Thresholds
from flowwarden.state.schema import Item


class Need(StrEnum):
    """What a detector needs beyond addresses and ports. Without it, the detector finds less or nothing."""

    BASELINE = "baseline"
    """The learned habits of the host's role."""
    TCP_FLAGS = "tcp-flags"
    """The field, which tells for sure who started a connection."""
    SUBNET_ID = "subnet-id"
    """The field, by which the policy or the finding names a subnet."""
    HEARTBEATS = "heartbeats"
    """The remembered times at which interfaces wrote."""


type Detect = Callable[[BatchView, StateView, Thresholds], Iterable[Finding]]
"""Finds what there is to find in a batch.

Args: the batch; what earlier batches added to the state table; the user's thresholds.
"""


def each_host(inspect: Callable[[HostActivity, Thresholds], Iterable[Finding]]) -> Detect:
    """A detector's `detect` that looks at the active hosts of a batch, one by one."""

    def detect(view: BatchView, _state: StateView, thresholds: Thresholds) -> Iterable[Finding]:
        return [finding for host in view.active_hosts for finding in inspect(host, thresholds)]

    return detect


class Detector(Struct, frozen=True, kw_only=True):
    """One detector: what it is called, what it needs, and what it does."""

    name: str
    """Stands in pages, the log, the README, docs/detectors.md and `inhibits`."""
    summary: str
    """Its row in the README."""
    severity: Severity
    """Of its findings. `triage` lowers that of exempt hosts, and `blocked-connection` waits."""
    route: Route = Route.PAGES
    technique: str = ""
    """MITRE ATT&CK technique; empty for faults."""
    thresholds: tuple[str, ...] = ()
    """Fields of `Thresholds` that it depends on."""
    needs: frozenset[Need] = frozenset()
    state: tuple[Item, ...] = ()
    """Items of `state/schema.py` that it reads or writes."""
    inhibits: tuple[str, ...] = ()
    """Names of detectors. Its finding silences their findings in the same batch, about the same subject or,
    if the subject is a subnet, in it."""
    teaches: bool = False
    """Whether the baseline learns what it finds. True where novelty is all that is wrong."""
    detect: Detect
