"""Watching: what hosts do is held against what is usual for their roles and what they did before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from flowwarden.monitor import uploads, visits
from flowwarden.monitor.baseline.baseline import Edge
from flowwarden.monitor.baseline.peers import class_of, edge_of
from flowwarden.monitor.baseline.profile import RoleProfile
from flowwarden.monitor.caches.interfaces import InterfaceCache
from flowwarden.monitor.caches.state import StateCache, day_of, moment_of
from flowwarden.monitor.detectors import DETECTORS, blocked_connection, database_egress
from flowwarden.monitor.detectors.base import PerHost
from flowwarden.monitor.detectors.scan import exceeded, excess
from flowwarden.monitor.findings import Finding, Severity, identity
from flowwarden.monitor.traffic.contacts import MOST_CONTACTS, Contact, Contacts
from flowwarden.monitor.traffic.host_activity import HostActivity, by_client, windows
from flowwarden.network.addresses import AddressBooks, PeerClass
from flowwarden.network.direction import Directions
from flowwarden.network.host_set import host_set
from flowwarden.network.interface import NetworkInterface
from flowwarden.network.roles import is_middlebox, role_of
from flowwarden.network.services import ADMIN_PORTS, UDP, ServicePorts
from flowwarden.network.traffic import Traffic
from flowwarden.policy.policy import Policy
from flowwarden.records.columnar.flow_table import FlowTable
from flowwarden.records.columnar.tokenizer import Integers
from flowwarden.state.schema import MOST_HOSTS, MOST_REFUSED
from flowwarden.state.sets import DAY, HOUR, Sets

_PER_HOST: Final = tuple(
    way.inspect for detector in DETECTORS for way in detector.detect if isinstance(way, PerHost)
)
_TEACHING: Final = frozenset(detector.name for detector in DETECTORS if detector.teaches)


class BaselineUpdate(Struct, frozen=True):
    """What the contacts at an interface teach about its role, if nothing is found."""

    role: str
    day: int
    usual: frozenset[Edge]
    new: frozenset[Edge]


class Watcher:
    """Holds batches against what is remembered. One for a container."""

    def __init__(self, evidence: StateCache, interfaces: InterfaceCache, policy: Policy) -> None:
        self.evidence = evidence
        self.policy = policy
        self._interfaces = interfaces
        self._lessons: list[BaselineUpdate] = []
        self._tainted = False
        """Whether a host of the batch was found within the hour or day, in whatever batch that was."""
        self._books = AddressBooks(policy.own_cidrs, policy.partner_cidrs)
        self._services = ServicePorts(policy.service_ports)

    @property
    def interfaces_unavailable(self) -> int:
        """Questions about interfaces that EC2 refused, ever."""
        return self._interfaces.unavailable

    def directions(self, flows: FlowTable, now: int) -> Directions:
        """Who asks whom in a batch, with what EC2 tells of the interfaces that logged it and their VPCs."""
        known = self._known(flows, now)
        book = self._books.of(frozenset(cidr for each in known.values() for cidr in each.vpc_cidrs))
        addresses = {name: interface.addresses for name, interface in known.items()}
        return Directions(Traffic(flows, self._services), book, addresses)

    def inspect(self, directions: Directions, now: int) -> list[Finding]:
        """What the hosts of a batch do that their roles do not. Begins with a batch."""
        self.evidence.begin()
        self._lessons, self._tainted = [], False
        return [
            finding
            for rows, interface in self._by_interface(directions, now)
            if interface is None or not is_middlebox(interface)
            for finding in self._inspect(directions, rows, interface, now)
        ]

    def weigh(self, findings: Sequence[Finding], now: int) -> list[Finding]:
        """Hold back what has to go on for a while before it is worth a page."""
        waiting = [
            each
            for each in findings
            if each.detector == blocked_connection.DETECTOR.name and each.severity.pages
        ]
        patient: dict[int, Finding] = {}
        for each in sorted(waiting, key=lambda each: (-each.tally.packets, identity(each))):
            if (scope := self._waits_in(each, now)) is not None:
                # Beyond so many it is not about one of them.
                late = len(patient) >= MOST_REFUSED
                quiet = replace(each, severity=Severity.INFO)
                patient[id(each)] = quiet if late else self._patient(each, scope, now)
        return [patient.get(id(each), each) for each in findings]

    def remember(self, findings: Sequence[Finding]) -> None:
        """Learn from the batch; nothing new from one in which something was found, since it may be that.

        Nor from a host that was found within the day. What is found for being new alone (`teaches`) is
        learned all the same: it is told on two days, and then it is usual.
        """
        pages = any(finding.severity.pages and finding.detector not in _TEACHING for finding in findings)
        for lesson in self._lessons:
            edges = lesson.usual if pages or self._tainted else lesson.usual | lesson.new
            self.evidence.learn(lesson.role, lesson.day, edges)

    def _waits_in(self, finding: Finding, now: int) -> str | None:
        """Where the refused host's address is its own, if what it asks for was never usual; else None."""
        example = finding.example
        if example.flow.interface_id is None:
            return None
        seconds = now if example.flow.start is None else min(example.flow.start, now)
        familiar = self._familiar(self._interfaces.interface(example.flow.interface_id, now), seconds, now)
        return None if familiar.learning or familiar.knows(edge_of(example)) else familiar.scope

    def _patient(self, finding: Finding, scope: str, now: int) -> Finding:
        today, *_ = [self.evidence.add(each) for each in blocked_connection.refusals(finding, scope, now)]
        return blocked_connection.patient(
            finding, today[blocked_connection.REFUSED], self.policy.thresholds.blocked_slots
        )

    def _familiar(self, interface: NetworkInterface | None, seconds: int, now: int) -> RoleProfile:
        """What is known of the host at an interface, for traffic of a moment."""
        if interface is None:
            return RoleProfile.unknown()
        role = role_of(interface, self.policy.role_tags)
        return RoleProfile(interface, role, self.evidence.baseline(role, day_of(seconds), now))

    def _by_interface(
        self, directions: Directions, now: int
    ) -> list[tuple[Integers, NetworkInterface | None]]:
        flows = directions.traffic.flows
        known = self._known(flows, now)
        return [
            ((flows["interface_id"] == number).nonzero()[0], known.get(name) if name else None)
            for number, name in _interfaces_of(flows).items()
        ]

    def _known(self, flows: FlowTable, now: int) -> dict[str, NetworkInterface]:
        """The interfaces that logged the flows, as far as EC2 tells."""
        return self._interfaces.interfaces(filter(None, _interfaces_of(flows).values()), now)

    def _inspect(
        self, directions: Directions, rows: Integers, interface: NetworkInterface | None, now: int
    ) -> list[Finding]:
        contacts = Contacts(directions, rows)
        if not len(contacts):
            return []
        seconds = moment_of(directions.traffic.flows["start"][rows], now)
        familiar = self._familiar(interface, seconds, now)
        new = contacts.edges(known=familiar.knows)
        if familiar.baseline is not None:
            self._lessons.append(self._lesson(contacts, new, familiar, day_of(seconds)))
        findings = self._judge(contacts, self._outbound(contacts, new, familiar), familiar, now)
        findings += uploads.inspect(self.evidence, directions, rows, familiar, self.policy, now)
        limits = self.policy.thresholds
        return findings + visits.inspect(self.evidence, contacts, new, familiar, day_of(seconds), limits)

    def _lesson(
        self,
        contacts: Contacts,
        new: Mapping[Edge, Integers],
        familiar: RoleProfile,
        day: int,
    ) -> BaselineUpdate:
        exempt = host_set(self.policy.exempt)
        addresses = familiar.interface.addresses if familiar.interface else ()
        ways = {"in"} if any(map(exempt.hold, addresses)) else {"in", "out"}  # who may do all teaches nothing
        done = {edge for edge in contacts.answered_edges() if edge[0] in ways}
        return BaselineUpdate(familiar.role, day, frozenset(done - new.keys()), frozenset(done & new.keys()))

    def _judge(
        self, contacts: Contacts, new: Sequence[Contact], familiar: RoleProfile, now: int
    ) -> list[Finding]:
        exempt = host_set(self.policy.exempt)
        clients = {client: each for client, each in by_client(new).items() if not exempt.hold(client)}
        most = sorted(clients.items(), key=lambda item: (-len(item[1]), item[0]))[:MOST_HOSTS]
        findings: list[Finding] = []
        for client, asked in most:
            suspect = self._suspect(client, asked, familiar, now)
            self._tainted |= exceeded(suspect, self.policy.thresholds) is not None
            telling = sorted(asked, key=lambda each: (each.port not in ADMIN_PORTS, not each.failed))
            flows = contacts.flows(telling)
            for inspect in _PER_HOST:
                findings += inspect(suspect, flows, self.policy)
        return findings

    def _outbound(
        self, contacts: Contacts, new: Mapping[Edge, Integers], familiar: RoleProfile
    ) -> list[Contact]:
        """The new contacts of the hosts at an interface that may be held against them."""
        ports, found = self.policy.thresholds.scan_ports, list[Contact]()
        for edge, groups in new.items():
            if edge[0] != "out" or (edge[-1] == PeerClass.INTERNET and _unheard(edge, familiar)):
                continue
            # While nearly all is new, only what fails, asks for all ports or is grave means anything.
            any_tells = not familiar.learning or _is_grave(edge, familiar)
            telling = groups if any_tells else contacts.telling(groups, ports)
            found += contacts.one_by_one(contacts.sure(telling)[:MOST_CONTACTS], str(edge[-1]))
            if len(found) >= MOST_CONTACTS:
                break
        return found

    def _suspect(
        self, client: str, contacts: Sequence[Contact], familiar: RoleProfile, now: int
    ) -> HostActivity:
        asks = familiar.asks((each.protocol, each.port) for each in contacts)
        additions = windows(f"{familiar.scope}/{client}", contacts, asks, now)
        state = {
            span: max((self.evidence.add(each) for each in of_span), key=partial(_telling, span))
            for span, of_span in additions.items()
        }
        return HostActivity(
            client=client,
            role=familiar.role,
            learning=familiar.learning,
            contacts=tuple(contacts),
            hour=state[HOUR],
            day=state[DAY],
            asks=asks,
            databases=familiar.databases,
            only_listens=familiar.only_listens,
        )


def _interfaces_of(flows: FlowTable) -> dict[int, str | None]:
    """Ids of the interfaces that logged the flows, by the numbers of their texts."""
    numbers = flows["interface_id"]
    # Nearly always it is one.
    alike = len(numbers) > 0 and np.count_nonzero(numbers == numbers[0]) == len(numbers)
    return {number: flows.text(number) for number in (numbers[:1] if alike else np.unique(numbers)).tolist()}


def _telling(span: int, sets: Sets) -> tuple[float, int]:
    """Of the windows that a batch touches, which tells most."""
    return excess(sets, span), sum(map(len, sets.values()))


def _is_grave(edge: Edge, familiar: RoleProfile) -> bool:
    """Whether an outbound edge tells of its own accord, though all else of the role is new."""
    match edge:
        case (_, int(protocol), int(port), str(peer)) if familiar.databases:
            return database_egress.is_needless(protocol, port, class_of(peer))
        case _:
            return False


def _unheard(edge: Edge, familiar: RoleProfile) -> bool:
    """Whether an edge to the internet means nothing.

    Programs try UDP there and do without (QUIC, STUN). And an interface that EC2 does not tell may be a NAT
    gateway's, which asks for many hosts.
    """
    return edge[1] == UDP or familiar.interface is None
