"""The declaration of a detector: one value, used by code, documentation and tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

from msgspec import Struct

from flowwarden.monitor.behavior import Behavior
from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.causes import Shares
from flowwarden.monitor.findings import (
    Finding,
    FlowSample,
    InterfaceFinding,
    Severity,
    SurplusFinding,
    TrafficFinding,
)
from flowwarden.monitor.text import Text
from flowwarden.monitor.traffic.host_activity import HostActivity
from flowwarden.monitor.view import BatchView
from flowwarden.network.addresses import PeerClass
from flowwarden.network.services import Service
from flowwarden.notify.alert import Route
from flowwarden.policy.detection import Thresholds
from flowwarden.state.item import Item
from flowwarden.state.sets import HOUR


class Need(StrEnum):
    """What a detector needs beyond addresses and ports. Without it, the detector finds less or nothing."""

    BASELINE = "baseline"
    """The learned behavior of the host's role."""
    TCP_FLAGS = "tcp-flags"
    """The field that shows with certainty which end initiated a connection."""
    SUBNET_ID = "subnet-id"
    """The field by which the policy or the finding names a subnet."""
    HEARTBEATS = "heartbeats"
    """The stored times at which interfaces wrote records."""


type Detect[D: Finding = Any] = Callable[[BatchView, StateView, Thresholds], Sequence[D | SurplusFinding]]
"""Returns the findings of a batch.

Args: the batch; what earlier batches added to the state table; the user's thresholds."""


def each_host[D: Finding](inspect: Callable[[HostActivity, Thresholds], Sequence[D]]) -> Detect[D]:
    """A detector's `detect` that inspects the active hosts of a batch one by one."""

    def detect(view: BatchView, _state: StateView, thresholds: Thresholds) -> Sequence[D]:
        return [finding for host in view.active_hosts.inspected for finding in inspect(host, thresholds)]

    return detect


class Detector[D: Finding = Any](Struct, frozen=True, kw_only=True):
    """One detector: its name, its needs, its function and its texts."""

    name: str
    """Used in pages, the log, docs/detectors.md and `inhibits`."""
    summary: str
    """Its row in docs/detectors.md."""
    severity: Severity
    """The severity of its findings. `triage` lowers it for exempt hosts; `blocked-connection` lowers it until
    the rejections persist."""
    route: Route = Route.PAGES
    """Where its findings go that notify."""
    unpaged: Route = Route.LOG
    """Where its findings go that do not: because of the evidence so far, or while a role is learned."""
    quiet: int | None = None
    """Seconds for which repeats of a finding are suppressed; None for the stack's setting."""
    resolve_after: int = 6 * HOUR
    """Seconds of later records without its findings after which an incident is over."""
    incident: str = ""
    """The name under which its findings and those of similar detectors are the same incident, if they have
    the same subject or cause; empty for its own."""
    shares: Shares = Shares.NOTHING
    """What its findings about several subjects must have in common to be one incident with one page."""
    behavior: Callable[[D], Behavior] | None = None
    """What a finding shows that the host does that opens the connections, see `monitor/acting_hosts.py`; None
    if its findings are about a fault, about the attacked end, or about hosts outside."""
    measures: str = ""
    """The member of its facts whose growth is new evidence; empty if only a graver severity is."""
    technique: str = ""
    """MITRE ATT&CK technique; empty for faults."""
    thresholds: tuple[str, ...] = ()
    """Fields of `Thresholds` that it uses."""
    needs: frozenset[Need] = frozenset()
    about_flows: bool = True
    """Whether it finds something in flows only, so that it does not run for a batch without any."""
    state: tuple[Item, ...] = ()
    """Items of `state/schema.py` that it reads or writes."""
    inhibits: tuple[str, ...] = ()
    """Names of detectors. A finding of this detector suppresses their findings about the same subject or, if
    the subject is a subnet, within that subnet: in the same batch, and their pages in later batches."""
    finds: tuple[str, ...] = ()
    """Kinds of incident that it targets, as named by the evaluation of detection; empty if its findings do
    not correspond to incidents."""
    teaches_baseline: bool = False
    """Whether the baseline learns what it finds. True if novelty is the only reason for the finding."""
    rejects: bool = False
    """Whether all records behind its findings are REJECTs."""
    asks_rules: bool = False
    """Whether its pages name the rule that rejects the example: it finds REJECTs of connections that should
    work."""
    runbook: tuple[str, ...] = ()
    """Response steps, in order. Placeholders are `{subject}`, `{region}`, `{log_group}`, the finding's facts
    and the words of its text. Findings about flows also have `{server}`, `{client}` and `{service}`: those
    with the most records."""
    detect: Detect[D]
    text: Callable[[D], Text]
    """Puts a finding into words."""

    def finding[F](
        self: Detector[TrafficFinding[F]],
        *,
        subject: str,
        peer_class: PeerClass,
        sample: FlowSample,
        facts: F,
        service: Service | None = None,
        aspect: str = "",
    ) -> TrafficFinding[F]:
        """A finding of this detector about flows; see `TrafficFinding` for its members."""
        return TrafficFinding(
            detector=self.name,
            severity=self.severity,
            subject=subject,
            peer_class=peer_class,
            service=service,
            aspect=aspect,
            tally=sample.tally,
            example=sample.example,
            facts=facts,
            window=sample.window,
        )

    def surplus(self, paging: int, quiet: int = 0) -> list[SurplusFinding]:
        """The findings that stand for those that were not created; none for 0.

        Args:
            paging: the number of those that would page.
            quiet: the number of those that would not.
        """
        if not paging and not quiet:
            return []
        counts = {self.severity: paging, Severity.INFO: quiet}
        return [
            SurplusFinding(detector=self.name, severity=severity, count=count)
            for severity, count in counts.items()
            if count
        ]

    def interface_finding[F](
        self: Detector[InterfaceFinding[F]],
        subject: str,
        interfaces: tuple[str, ...],
        *,
        first: int | None,
        last: int | None,
        facts: F,
    ) -> InterfaceFinding[F]:
        """A finding of this detector about missing records; see `InterfaceFinding` for its members."""
        return InterfaceFinding(
            detector=self.name,
            severity=self.severity,
            subject=subject,
            interfaces=interfaces,
            first=first,
            last=last,
            facts=facts,
        )
