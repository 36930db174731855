"""The monitor as a system under test; the only module here that knows the project's services.

It includes a user's policy: the subnets of applications and data are private, the data subnets listener-only,
and monitoring is exempt. The subnets behind the network load balancer, which preserves client addresses, are
not private, as the policy's documentation requires.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any, Final

from msgspec.structs import replace

from benchmarks.evaluation.expected_detections import NEVER_PAGED
from benchmarks.evaluation.generator.model import DAY, REGION, Delivery, Interface
from benchmarks.evaluation.memory import (
    Claims,
    DigestHours,
    Directory,
    Evidence,
    Formats,
    Incidents,
)
from benchmarks.evaluation.subject import OVERDUE_SECONDS, Page, Surroundings
from flowwarden.bootstrap.monitor_service import MonitorPorts, build
from flowwarden.dispatcher.dispatch import Dispatcher
from flowwarden.memory.formats import MemoryFormatStore
from flowwarden.memory.sink import MemorySink
from flowwarden.monitor.findings import Finding, InterfaceFinding, TrafficFinding
from flowwarden.monitor.pipeline import Invocation
from flowwarden.monitor.render.ends import TOP
from flowwarden.monitor.render.text import describe
from flowwarden.monitor.report import BatchReport
from flowwarden.network import roles
from flowwarden.network.interface import NetworkInterface
from flowwarden.notify.alert import Route
from flowwarden.notify.claims import ClaimTerms
from flowwarden.notify.incident import Event, Incident
from flowwarden.notify.notification import Notification
from flowwarden.policy.policy import Policy
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT
from flowwarden.records.subscription import LogBatch

QUIET_MINUTES: Final = 240
"""The template's default of SuppressionMinutes."""
LEASE_SECONDS: Final = 50
TIME_LEFT: Final = 60.0
MINUTE: Final = 60

_PRIVATE: Final = frozenset(
    {"app", "web", "worker", "node", "database", "cache", "queue", "monitor", "payment"}
)
_LISTENERS: Final = frozenset({"database", "cache", "queue"})
_OF_INTERFACES: Final = ("_entries", "_at", "bytes")
"""Attributes of the interface cache that a checkpoint contains: a removed interface cannot be described
again."""
_NAMES: Final = re.compile(r"eni-[0-9a-f]+|\d+\.\d+\.\d+\.\d+|[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){7}")


_IN_PARENTHESES: Final = re.compile(r" \([^()]*\)")


class Monitor:
    """`MonitoringService` and `Dispatcher` on ports in memory."""

    name = "Flow Warden"
    learns = True

    def __init__(self, surroundings: Surroundings) -> None:
        self._pages, self._operations = MemorySink("memory:pages"), MemorySink("memory:operations")
        self._evidence = Evidence()
        self._digests = DigestHours()
        self._claims = Claims(ClaimTerms(suppression=QUIET_MINUTES * 60, lease=LEASE_SECONDS))
        self._service = build(
            MonitorPorts(
                formats=Formats(surroundings.layout.to_log_format()),
                format_store=MemoryFormatStore(),
                interfaces=Directory(surroundings.interfaces, described),
                state=self._evidence,
                claims=self._claims,
                digests=self._digests,
                pages=self._pages,
                operations=self._operations,
            ),
            policy(surroundings.interfaces().values()),
            (surroundings.layout, DEFAULT_LOG_FORMAT),
            region=REGION,
            suppression_minutes=QUIET_MINUTES,
        )
        self._incidents = Incidents(self._claims)
        routes = {Route.PAGES: (self._pages,), Route.OPERATIONS: (self._operations,)}
        self._dispatcher = Dispatcher(self._incidents, self._claims, self._evidence, routes)
        self._minute = 0
        """Unix seconds of the last run of the dispatcher."""

    @property
    def write_units(self) -> Counter[str]:
        """Write units of claims, evidence, digests, and the dispatcher."""
        return self._claims.write_units + self._evidence.write_units + self._digests.write_units

    def process(self, delivery: Delivery) -> list[Page]:
        """Process a delivery in one invocation, after the runs of the dispatcher before it."""
        ended = self._dispatch(delivery)
        result = self._inspected(delivery)
        sent = self._pages.take() + self._operations.take()
        return [*ended, *(page(each, delivery) for each in sent), *unpaged(result, delivery)]

    def findings(self, delivery: Delivery) -> tuple[Finding, ...]:
        """Process a delivery without the dispatcher; return all findings, also those that do not page."""
        found = self._inspected(delivery).found
        self._pages.take()
        self._operations.take()
        return found

    def _inspected(self, delivery: Delivery) -> BatchReport:
        batch = LogBatch(
            *(delivery.account, delivery.log_group, delivery.log_stream, delivery.lines),
            batch_id=str(delivery.number),
        )
        return self._service.process(batch, Invocation("one", lambda: TIME_LEFT), delivery.arrived)

    def _dispatch(self, delivery: Delivery) -> list[Page]:
        """Run the dispatcher in each minute before the delivery in which an incident is due."""
        found = []
        while (minute := self._next_minute()) <= delivery.arrived:
            self._minute = minute
            self._dispatcher.run(str(self._minute), self._minute, lambda: TIME_LEFT)
            for each in self._pages.take() + self._operations.take():
                found += ended(each, self._minute) or [page(each, delivery)]
        return found

    def _next_minute(self) -> int:
        due = -(-self._incidents.next_check // MINUTE) * MINUTE
        return max(due, self._minute + MINUTE)

    def overdue(self, now: int) -> list[str]:
        """See the protocol."""
        return [
            key.incident
            for key, item in self._claims.items.items()
            if item.check_at is not None and item.incident is not None and not item.pending
            if item.incident.last_seen + _longest(item.incident) + OVERDUE_SECONDS < now
        ]

    def state(self) -> Any:  # noqa: ANN401 -- see the protocol
        """The claims, the evidence, and what is only in the caches: scanners, and removed interfaces."""
        caches = self._service._caches  # noqa: SLF001
        kept = {name: getattr(caches.interfaces, name) for name in _OF_INTERFACES}
        return self._claims, self._evidence, caches.state.refused, kept, self._minute

    def restore(self, state: Any) -> None:  # noqa: ANN401 -- see the protocol
        """Continue with this state; the other caches are lost."""
        claims, evidence, refused, interfaces, self._minute = state
        caches = self._service._caches  # noqa: SLF001
        caches.state.refused = refused
        for name, value in interfaces.items():
            setattr(caches.interfaces, name, value)
        self._claims.items = claims.items
        self._claims.write_units = claims.write_units
        self._evidence.items, self._evidence.write_units = evidence.items, evidence.write_units


def _longest(incident: Incident) -> int:
    """Seconds after which it must be over; silent interfaces that are gone are over after a day."""
    return DAY if incident.interfaces else incident.wait


def policy(interfaces: Collection[Interface]) -> Policy:
    """The policy of the network's user. It contains CIDRs, because they work with every log format."""
    private = {each.subnet_cidr for each in interfaces if each.role in _PRIVATE}
    listeners = {each.subnet_cidr for each in interfaces if each.role in _LISTENERS}
    monitors = {each.private_ipv4 for each in interfaces if each.role == "monitor"}
    vpcs = {":".join(address.split(":")[:3]) for each in interfaces for address in each.ipv6}
    return Policy(
        own_cidrs=tuple(sorted(f"{vpc}::/56" for vpc in vpcs)),
        private_subnets=tuple(sorted(private)),
        listener_only=tuple(sorted(listeners)),
        exempt=tuple(sorted(monitors)),
    )


def described(interface: Interface) -> NetworkInterface:
    """An interface of the network as the project's type."""
    balances = interface.requester_managed and interface.interface_type == "interface"
    scaled = {roles.AUTO_SCALING_TAG: interface.auto_scaling_group} if interface.auto_scaling_group else {}
    return NetworkInterface(
        interface_id=interface.interface_id,
        addresses=(interface.private_ipv4, *interface.secondary_ipv4, *interface.ipv6),
        subnet_id=interface.subnet_id,
        vpc_id=interface.vpc_id,
        security_groups=interface.security_groups,
        kind="load_balancer" if balances else interface.interface_type,
        instance_id=interface.instance_id or "",
        tags=dict(interface.tags) | scaled,
    )


def page(notification: Notification, delivery: Delivery) -> Page:
    """A notification as a page."""
    document = notification.document
    initiator = document.get("initiator") or {}
    subject = document.get("subject") or delivery.log_stream.removesuffix("-all")
    named = [subject, document.get("interface") or delivery.log_stream.removesuffix("-all")]
    for ends in ("clients", "servers"):
        named += [each["name"] for each in (document.get(ends) or {}).get("top", ())]
    cause = document.get("same_cause") or {}
    listed = [*document.get("listed", ()), *cause.get("listed", ()), *cause.get("members", ())]
    events = (document.get("same_host") or {}).get("events", ())
    listed += [each["summary"] for each in events]
    for text in (document.get("summary", ""), *listed):
        named += _NAMES.findall(text)
    return Page(
        at=document.get("first"),
        arrived=delivery.arrived,
        detector=document.get("detector", document["kind"]),
        subject=subject,
        key=document.get("incident", ""),
        confidence=initiator.get("confidence"),
        service=document.get("service") or "",
        also=tuple(each["detector"] for each in events),
        names=frozenset(named),
        event=document.get("event", ""),
    )


def ended(notification: Notification, minute: int) -> list[Page]:
    """The incidents that a notification of this minute reports as resolved."""
    document = notification.document
    if document.get("event") != Event.RESOLVED:
        return []
    return [
        Page(
            at=each["last_seen"], arrived=minute, detector=each["detectors"][0], subject=each["subject"],
            key=each["incident"], confidence=None, names=frozenset({each["subject"]}), paged=False,
            event=Event.RESOLVED.value,
        )
        for each in document.get("incidents", [document])
    ]  # fmt: skip


def unpaged(result: BatchReport, delivery: Delivery) -> list[Page]:
    """What a batch found without a page: findings that never page, and those of incidents paged before."""
    traffic = [each for each in result.reported if isinstance(each, TrafficFinding)]
    reported = [each for each in traffic if each.detector in NEVER_PAGED and not each.inhibited]
    return [*(report(each, delivery) for each in reported), *joined(result, delivery)]


def report(finding: TrafficFinding, delivery: Delivery) -> Page:
    """A finding without a page, as in a digest."""
    return Page(
        at=finding.tally.first,
        arrived=delivery.arrived,
        detector=finding.detector,
        subject=finding.subject,
        key="",
        confidence=finding.example.confidence,
        names=frozenset({finding.subject, delivery.log_stream.removesuffix("-all")}),
        paged=False,
    )


def joined(result: BatchReport, delivery: Delivery) -> Iterator[Page]:
    """The findings of a batch that would page, but belong to an incident that was paged before.

    Only the suppressed alerts show them: each has the summary of one finding in its title, with the names of
    the hosts in parentheses.
    """
    titles = map(_without_names, result.delivery.suppressed)
    known = dict(zip(titles, result.delivery.known, strict=True))
    paging = [each for each in result.found if each.severity.pages]
    for finding in paging if known else ():
        summary = _without_names(describe(finding).summary).removesuffix(".")
        keys = [key for title, key in known.items() if title.startswith(summary)]
        if keys and isinstance(finding, TrafficFinding):
            both = finding.tally.clients[:TOP], finding.tally.servers[:TOP]
            about, ends = report(finding, delivery), {name for some in both for name, _ in some}
            yield replace(about, key=keys[0], names=about.names | ends, joined=True)
        elif keys:
            silent = finding.interfaces if isinstance(finding, InterfaceFinding) else ()
            names = frozenset({finding.subject, delivery.log_stream.removesuffix("-all"), *silent})
            yield Page(
                at=None, arrived=delivery.arrived, detector=finding.detector, subject=finding.subject,
                key=keys[0], confidence=None, names=names, paged=False, joined=True,
            )  # fmt: skip


def _without_names(text: str) -> str:
    return _IN_PARENTHESES.sub("", text)
