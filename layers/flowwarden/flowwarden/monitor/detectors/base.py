"""What a detector declares about itself: one value, which code, documentation and tests use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum

from msgspec import Struct

from flowwarden.monitor.findings import Finding, Severity
from flowwarden.monitor.traffic.host_activity import HostActivity
from flowwarden.network.direction import DirectedFlow
from flowwarden.notify.alert import Route
from flowwarden.policy.policy import Policy


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


class PerBatch(Struct, frozen=True):
    """Runs once for a batch, over its selected flows; `triage.inspect` calls it."""

    inspect: Callable[[Sequence[DirectedFlow], Policy], list[Finding]]


class PerHost(Struct, frozen=True):
    """Runs once for a host and batch, over the host's new contacts; `Watcher.inspect` calls it."""

    inspect: Callable[[HostActivity, Sequence[DirectedFlow], Policy], list[Finding]]


class RunBy(Struct, frozen=True):
    """Takes other input than flows or one host. A module of the monitor prepares the input and calls it."""

    module: str
    """The module's name in `flowwarden.monitor`."""


type Detect = PerBatch | PerHost | RunBy


class Detector(Struct, frozen=True, kw_only=True):
    """One detector.

    `detect` says how it runs today. There are three kinds of input: the flows of a batch (`PerBatch`), the
    activity of one host (`PerHost`), and anything else (`RunBy`). A detector that has two ways to its
    finding lists both.
    """

    name: str
    """Stands in pages, the log, the README, docs/detectors.md and `inhibits`."""
    summary: str
    """Its row in the README."""
    severity: Severity
    """Of its findings. `triage.inspect` lowers that of exempt hosts, and `blocked-connection` waits."""
    route: Route = Route.PAGES
    technique: str = ""
    """MITRE ATT&CK technique; empty for faults."""
    thresholds: tuple[str, ...] = ()
    """Fields of `Thresholds` that it depends on."""
    needs: frozenset[Need] = frozenset()
    inhibits: tuple[str, ...] = ()
    """Names of detectors. Its finding silences their findings in the same batch, about the same subject or,
    if the subject is a subnet, in it."""
    teaches: bool = False
    """Whether the baseline learns what it finds. True where novelty is all that is wrong."""
    detect: tuple[Detect, ...]
