"""Active hosts: the internal hosts of a batch with contacts that are new for their role, or watched.

Restricting the analysis to new contacts removes nearly all noise: outages and stale addresses cause hundreds
of failures, but on known edges.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from itertools import chain, islice, repeat
from typing import Final

import numpy as np
from msgspec import Struct

from flowwarden.monitor.baseline.baseline import Edge
from flowwarden.monitor.baseline.peers import class_of
from flowwarden.monitor.baseline.profile import RoleProfile, Standing
from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.traffic.administration import bounded, counted
from flowwarden.monitor.traffic.contact import Contact, some_of_each_kind
from flowwarden.monitor.traffic.contacts import MOST_CONTACTS, Contacts
from flowwarden.monitor.traffic.excess import rank
from flowwarden.monitor.traffic.host_activity import HostActivity, is_needless, windows
from flowwarden.monitor.traffic.novelty import EdgeContacts, NewContacts
from flowwarden.monitor.traffic.refused_edges import is_grave
from flowwarden.network.addresses import PeerClass
from flowwarden.network.host_set import host_set
from flowwarden.network.services import DATABASE_PORTS, FILE_AND_RPC, TCP, UDP
from flowwarden.policy.policy import Policy
from flowwarden.records.columnar.tokenizer import Integers, Mask
from flowwarden.state.schema import MOST_HOSTS
from flowwarden.state.sets import DAY, HOUR, Addition, Sets, merged

HOSTS_OF_BATCH: Final = 128
"""Maximum hosts that a batch inspects."""


class _Host(Struct, frozen=True):
    """A host at an interface, with its new contacts that count."""

    place: int
    """The interface's index."""
    client: str
    databases: frozenset[int]
    """Ports on which its role serves a database."""
    contacts: Sequence[tuple[Edge, int]]
    watched: Sequence[tuple[Edge, int]]
    grave: int
    """The number of answered contacts with services that an intruder tries first."""


class Uninspected(Struct, frozen=True):
    """A host that a batch does not inspect, because other hosts take precedence."""

    failed: int
    """The number of its new contacts that failed, with denied ones limited as in `excess`."""
    learning: bool
    """Whether its role is unknown or too young for new behavior to be unusual."""


class ActiveHosts(Struct, frozen=True):
    """The hosts of a batch with new behavior."""

    inspected: tuple[HostActivity, ...]
    others: Sequence[Uninspected]
    """The hosts with new contacts that are not inspected."""


class HostActivities:
    """Finds the active hosts of a batch, and adds their contacts to the state table.

    A batch can have tens of thousands of hosts with new contacts. At most `MOST_HOSTS` of an interface and
    `HOSTS_OF_BATCH` in all are inspected: those with the most new contacts or the most grave answers.
    """

    def __init__(
        self, contacts: Contacts, policy: Policy, state: StateView, now: int, are_bursts: Mask | None
    ) -> None:
        """Take the batch; `are_bursts` says which contacts have many small sessions, see `bursts`."""
        self._contacts = contacts
        self._are_bursts = are_bursts
        self._thresholds = policy.thresholds
        self._exempt = host_set(policy.exempt)
        self._state = state
        self._now = now

    def of(self, profiles: Mapping[int, RoleProfile], new: NewContacts, watched: EdgeContacts) -> ActiveHosts:
        """The active hosts.

        Args:
            profiles: the usual behavior of the hosts, by interface index.
            new: the contacts that are not usual for them.
            watched: the contacts that are watched, see `novelty.watched_contacts`.
        """
        counting = self._counting(profiles, new.where(lambda each: each.direction == "out"))
        places = {*counting, *watched}
        hosts = [
            host
            for place in dict.fromkeys([*new, *watched])
            if place in places
            for host in self._hosts(place, profiles[place], counting.get(place, {}), watched.get(place, {}))
        ]
        inspected = _most(hosts, HOSTS_OF_BATCH * self._state.breadth)
        chosen = {(each.place, each.client) for each in inspected}
        left = [
            Uninspected(self._failed(each), profiles[each.place].learning)
            for each in hosts
            if each.contacts and (each.place, each.client) not in chosen
        ]
        found = [self._activity(each, profiles[each.place]) for each in inspected]
        return ActiveHosts(tuple(found), left)

    def _counting(self, profiles: Mapping[int, RoleProfile], new: NewContacts) -> NewContacts:
        """Those of outbound contacts that may count in `_outbound`: while roles are learned, few of them."""
        if not new:
            return new
        edges, learning = new.edges, np.zeros(new.edges.places, bool)
        learning[[place for place, profile in profiles.items() if profile.learning]] = True
        counts = ~learning[edges.owners] | edges.are(_is_needless) | edges.any(self._significant)
        return new.those(counts & edges.any(self._contacts.is_sure))

    @cached_property
    def _significant(self) -> Mask:
        return self._contacts.are_significant(self._thresholds.scan_ports)

    def _failed(self, host: _Host) -> int:
        """The number of new contacts of a host that failed.

        Those that its own rules deny count at most as much as the others, as in `excess`.
        """
        numbers = np.array([number for _, number in host.contacts], np.int64)
        denied = int(self._contacts.denied[numbers].sum())
        failed = int((~self._contacts.answered[numbers]).sum()) - denied
        return failed + min(denied, failed)

    def _hosts(
        self,
        place: int,
        profile: RoleProfile,
        new: Mapping[Edge, Integers],
        watched: Mapping[Edge, Integers],
    ) -> list[_Host]:
        """The hosts at an interface, at most `MOST_HOSTS`."""
        databases = self._databases(place, profile)
        by_client = self._by_client(self._outbound(profile, new, databases))
        watched_by_client = self._by_client(watched.items())
        clients = [*dict.fromkeys([*by_client, *watched_by_client])]
        names = self._contacts.texts(clients)
        hosts = [
            self._host(place, name, databases, by_client.get(each, ()), watched_by_client.get(each, ()))
            for name, each in zip(names, clients, strict=True)
            if not self._exempt.hold(name)
        ]
        return _most(hosts, MOST_HOSTS)

    def _host(
        self,
        place: int,
        name: str,
        databases: frozenset[int],
        contacts: Sequence[tuple[Edge, int]],
        watched: Sequence[tuple[Edge, int]],
    ) -> _Host:
        answered = self._contacts.answered
        grave = sum(bool(answered[number]) for edge, number in (*contacts, *watched) if is_grave(edge))
        return _Host(place, name, databases, contacts, watched, grave)

    def _databases(self, place: int, profile: RoleProfile) -> frozenset[int]:
        """Ports on which the role serves a database.

        If the role is new in a learned VPC, these include the ports on which it does so in this batch.
        """
        if not profile.cautious:
            return profile.databases
        edges, answered = self._contacts.edges, self._contacts.answered
        served = {
            edge.port
            for number, edge in enumerate(edges.keys[edges.at(place)], edges.at(place).start)
            if edge.direction == "in" and edge.protocol == TCP and edge.port in DATABASE_PORTS
            if answered[edges.of(number)].any()
        }
        return profile.databases | served

    def _by_client(
        self, contacts: Iterable[tuple[Edge, Integers]]
    ) -> Mapping[int, Sequence[tuple[Edge, int]]]:
        """Contacts by the text number of their client, at most `MOST_CONTACTS` of an edge."""
        found: defaultdict[int, list[tuple[Edge, int]]] = defaultdict(list)
        for edge, numbers in contacts:
            some = numbers[:MOST_CONTACTS]
            for client, number in zip(self._contacts.clients(some).tolist(), some.tolist(), strict=True):
                found[client].append((edge, number))
        return found

    def _outbound(
        self, profile: RoleProfile, new: Mapping[Edge, Integers], databases: frozenset[int]
    ) -> Iterator[tuple[Edge, Integers]]:
        """The new contacts that hosts at an interface initiated and that count, at most `MOST_CONTACTS`."""
        outbound = [each for each in new if each.direction == "out" and not _is_common(each, profile)]
        if not outbound:
            return
        contacts, count, refused = self._contacts, 0, profile.usually_refused(outbound)
        learning = profile.learning
        # Grave edges first: many other contacts must not displace those of an intruder.
        for edge in sorted(outbound, key=lambda each: (not is_grave(each), each)):
            # While the role is learned, nearly all contacts are new: only failures, port sweeps and some
            # edges are significant.
            numbers = new[edge][contacts.answered[new[edge]]] if edge in refused else new[edge]
            all_count = not learning or _counts_while_learning(edge, databases)
            counted = numbers if all_count else numbers[self._significant[numbers]]
            sure = contacts.one_of_each_denied(counted[contacts.is_sure[counted]])[:MOST_CONTACTS]
            if len(sure):
                yield edge, sure
            count += len(sure)
            if count >= MOST_CONTACTS:
                return

    def _activity(self, host: _Host, profile: RoleProfile) -> HostActivity:
        client = host.client
        contacts, watched = self._inspected(host.contacts), self._inspected(host.watched, profile)
        asks = profile.asks((each.protocol, each.port) for each in (*contacts, *watched))
        peers = {each.peer for each in (*contacts, *watched) if each.port in FILE_AND_RPC}
        directories = {peer: profile.directory_services(peer) for peer in peers}
        host_id = f"{profile.scope}/{client}"
        additions = windows(host_id, [*contacts, *watched], asks, self._now, directories)
        state = {
            span: max(((self._added(each), at) for at, each in of_span.items()), key=partial(rank, span))
            for span, of_span in additions.items()
        }
        return HostActivity(
            client=client,
            role=profile.role,
            learning=profile.learning,
            cautious=profile.cautious,
            contacts=tuple(contacts),
            hour=state[HOUR][0],
            day=state[DAY][0],
            begins={span: at for span, (_, at) in state.items()},
            tally=self._contacts.tally,
            sample=partial(self._contacts.flows, some_of_each_kind(contacts)),
            asks=asks,
            watched=tuple(watched),
            sample_watched=partial(self._contacts.flows, watched),
            databases=host.databases,
            only_listens=profile.only_listens,
        )

    def _inspected(
        self, some: Sequence[tuple[Edge, int]], watched_by: RoleProfile | None = None
    ) -> list[Contact]:
        """Contacts as individual objects: new ones, or with `watched_by`, watched ones of its host."""
        standings = (
            [self._standing(watched_by, *each) for each in some] if watched_by else repeat(Standing.NEW)
        )
        peers = (edge.peer for edge, _ in some)
        return self._contacts.one_by_one((number for _, number in some), peers, standings)

    def _standing(self, profile: RoleProfile, edge: Edge, number: int) -> Standing:
        return profile.standing_of_watched(
            edge, is_burst=self._are_bursts is not None and bool(self._are_bursts[number])
        )

    def _added(self, addition: Addition) -> Sets:
        stored = self._state.add(bounded(addition, self._state.known(addition.key)))
        return counted(merged(stored, addition.sets))


def _most(hosts: Sequence[_Host], most: int) -> list[_Host]:
    """At most `most` hosts, in their order: those with the most new contacts and those with the most `grave`.

    All password guesses with one service are one contact, so the number of contacts alone would miss them.
    """
    if len(hosts) <= most:
        return [*hosts]
    by_contacts = sorted(hosts, key=lambda host: (-len(host.contacts), host.client, host.place))
    by_answers = sorted(hosts, key=lambda host: (-host.grave, host.client, host.place))
    ranked = chain.from_iterable(zip(by_contacts, by_answers, strict=True))
    chosen = {*islice(dict.fromkeys((each.place, each.client) for each in ranked), most)}
    return [each for each in hosts if (each.place, each.client) in chosen]


def _counts_while_learning(edge: Edge, databases: frozenset[int]) -> bool:
    """Whether an outbound edge is significant although the role is still being learned."""
    return bool(databases) and _is_needless(edge)


def _is_needless(edge: Edge) -> bool:
    return is_needless(edge.protocol, edge.port, class_of(edge.peer))


def _is_common(edge: Edge, profile: RoleProfile) -> bool:
    """Whether an edge leads to the internet and is insignificant there.

    Programs try UDP there and fall back (QUIC, STUN). An interface that EC2 does not describe may belong to a
    NAT gateway, which connects for many hosts.
    """
    return edge.peer == PeerClass.INTERNET and (edge.protocol == UDP or profile.interface is None)
