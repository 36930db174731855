"""Watching: what hosts do is held against what is usual for their roles and what they did before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct

from flowwarden.detection import blocked_connection, scan_hit
from flowwarden.detection.baseline import Baseline, Edge
from flowwarden.detection.contacts import Contact, Contacts, edge_of, rows_of
from flowwarden.detection.detectors import INSPECT_SUSPECTS
from flowwarden.detection.evidence import DAY, HOUR, Addition
from flowwarden.detection.findings import Finding
from flowwarden.detection.selection import grouped
from flowwarden.detection.suspects import ADMIN_PORTS, DATABASE_PORTS, FAILED, Suspect, by_client, windows
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import DirectedFlow, Directions
from flowwarden.network.places import places
from flowwarden.network.ports import TCP
from flowwarden.network.roles import UNKNOWN, Interface, is_middlebox, role_of
from flowwarden.policy import Policy
from flowwarden.records.tokens import Integers
from flowwarden.services.directory import InterfaceBook
from flowwarden.services.evidence import EvidenceBook, day_of

MOST_CONTACTS = 2048
"""New contacts of an interface that a batch looks at one by one: by far enough for any threshold."""
MOST_SCANNERS = 16
"""Internet hosts that a batch remembers, so that a flood of them does not become a flood of writes."""
MOST_FLOWS = 256
"""Flows behind a finding that are looked at one by one."""


class Familiar(Struct, frozen=True):
    """What is known of the host at an interface."""

    role: str
    baseline: Baseline | None
    """None if the role is not known."""

    @property
    def learning(self) -> bool:
        """Whether new does not mean unusual."""
        return self.baseline is None or self.baseline.learning

    @property
    def databases(self) -> frozenset[int]:
        """Ports on which the role usually serves a database."""
        return frozenset(port for port in DATABASE_PORTS if self.knows(("in", TCP, port)))

    @property
    def administers(self) -> frozenset[int]:
        """Ports on which the role usually administers others."""
        return frozenset(port for port in ADMIN_PORTS if self.knows(("out", TCP, port)))

    def knows(self, edge: Edge) -> bool:
        """Whether an edge is usual for the host."""
        return self.baseline is not None and self.baseline.establishes(edge)


class Watcher:
    """Holds batches against what is remembered. One for a container."""

    def __init__(self, evidence: EvidenceBook, interfaces: InterfaceBook, policy: Policy) -> None:
        self.evidence = evidence
        self._interfaces = interfaces
        self.policy = policy

    def inspect(self, directions: Directions, now: int) -> list[Finding]:
        """What the hosts of a batch do that their roles do not; remembers what they do."""
        return [
            finding
            for rows, interface in self._by_interface(directions, now)
            if interface is None or not is_middlebox(interface)
            for finding in self._inspect(directions, rows, interface, now)
        ]

    def weigh(self, findings: Sequence[Finding], now: int) -> list[Finding]:
        """Hold back what has to go on for a while before it is worth a page."""
        return [
            self._patient(each, now)
            if each.detector == blocked_connection.NAME and each.severity.pages
            else each
            for each in findings
        ]

    def _patient(self, finding: Finding, now: int) -> Finding:
        example = finding.example
        if not finding.severity.pages or example.flow.interface_id is None:
            return finding
        seconds = now if example.flow.start is None else example.flow.start
        interface = self._interfaces.interface(example.flow.interface_id, now)
        familiar = self.familiar(interface, seconds, now)
        if familiar.learning or familiar.knows(edge_of(example)):
            return finding
        sets = self.evidence.add(blocked_connection.refusals(finding, now))
        return blocked_connection.patient(finding, sets[blocked_connection.REFUSED])

    def familiar(self, interface: Interface | None, seconds: int, now: int) -> Familiar:
        """What is known of the host at an interface, for traffic of a moment."""
        if interface is None:
            return Familiar(UNKNOWN, None)
        role = role_of(interface, self.policy.role_tags)
        return Familiar(role, self.evidence.baseline(role, day_of(seconds), now))

    def _by_interface(self, directions: Directions, now: int) -> list[tuple[Integers, Interface | None]]:
        flows = directions.traffic.flows
        numbers = flows["interface_id"]
        names = {number: flows.text(number) for number in np.unique(numbers).tolist()}
        known = self._interfaces.interfaces([name for name in names.values() if name], now)
        return [
            (np.flatnonzero(numbers == number), known.get(name) if name else None)
            for number, name in names.items()
        ]

    def _inspect(
        self, directions: Directions, rows: Integers, interface: Interface | None, now: int
    ) -> list[Finding]:
        contacts = Contacts(directions, rows)
        if not len(contacts):
            return []
        starts = directions.traffic.flows["start"][rows]
        seconds = int(starts.max()) if starts.max() >= 0 else now
        familiar = self.familiar(interface, seconds, now)
        edges = contacts.edges()
        new = [
            contact
            for edge, groups in edges.items()
            if edge[0] == "out" and not familiar.knows(edge)
            # While nearly all is new, only what fails or asks for all ports means anything.
            for telling in (contacts.telling(groups) if familiar.learning else groups,)
            for contact in contacts.one_by_one(telling[:MOST_CONTACTS], str(edge[-1]))
        ]
        findings = self._judge(directions, new, familiar, now)
        findings += self._visits(directions, contacts, edges, familiar, seconds)
        if familiar.baseline is not None and not findings:
            # What an incident does is not to be learned.
            done = {edge for edge, groups in edges.items() if contacts.answered(groups)}
            done |= {_kind(edge) for edge in done}
            self.evidence.learn(familiar.role, day_of(seconds), frozenset(done))
        return findings

    def _judge(
        self, directions: Directions, new: Sequence[Contact], familiar: Familiar, now: int
    ) -> list[Finding]:
        exempt = places(self.policy.exempt)
        findings: list[Finding] = []
        for client, contacts in by_client(new).items():
            if exempt.hold(client):
                continue
            suspect = self._suspect(client, contacts, familiar, now)
            flows: list[DirectedFlow] | None = None
            for inspect in INSPECT_SUSPECTS.values():
                if flows is None:
                    flows = directions.flows(rows_of(contacts, MOST_FLOWS))
                findings += inspect(suspect, flows)
        return findings

    def _visits(
        self,
        directions: Directions,
        contacts: Contacts,
        edges: Mapping[Edge, Integers],
        familiar: Familiar,
        seconds: int,
    ) -> list[Finding]:
        """Internet hosts that were refused all over, and got through to what the internet does not reach."""
        day = day_of(seconds)
        scanners = contacts.refused_visitors(scan_hit.REFUSED_PLACES, MOST_SCANNERS)
        for visitor, places_tried in scanners.items():
            self.evidence.add(Addition(_scanner(visitor, day), {FAILED: places_tried}, (day + 2) * DAY))
        if familiar.learning:
            return []
        visits = [
            contact
            for edge, groups in edges.items()
            if edge[0] == "in" and edge[-1] == PeerClass.INTERNET and not familiar.knows(edge)
            for contact in contacts.one_by_one(groups[:MOST_CONTACTS], str(edge[-1]))
            if not contact.failed
        ]
        keys = {_scanner(each.client, when): each.client for each in visits for when in (day, day - 1)}
        known = {keys[key] for key in self.evidence.recall(keys)} | scanners.keys() if visits else set()
        hits = [each for each in visits if each.client in known]
        flows = directions.flows(rows_of(hits, MOST_FLOWS))
        services = grouped(flows, lambda d: (d.server, d.flow.protocol, d.service_port))
        return [scan_hit.report(familiar.role, group) for group in services.values()]

    def _suspect(self, client: str, contacts: Sequence[Contact], familiar: Familiar, now: int) -> Suspect:
        state = {
            span: [self.evidence.add(addition) for addition in additions][-1]
            for span, additions in windows(client, contacts, familiar.administers, now).items()
        }
        return Suspect(
            client=client,
            role=familiar.role,
            learning=familiar.learning,
            contacts=tuple(contacts),
            hour=state[HOUR],
            day=state[DAY],
            administers=familiar.administers,
            databases=familiar.databases,
        )


def _scanner(visitor: str, day: int) -> str:
    """The item of an internet host that was refused all over on a day."""
    return f"scanner#{day}#{visitor}"


def _kind(edge: Edge) -> Edge:
    """An edge without its far end: what a role serves or asks for, whoever is there."""
    return edge[:-1]
