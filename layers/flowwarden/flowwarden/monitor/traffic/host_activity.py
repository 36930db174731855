"""Active hosts: internal hosts with behavior new for their role, and their last hour and day.

Restricting the analysis to new contacts removes nearly all noise: outages and stale addresses cause hundreds
of failures, but on known edges.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import Final

from msgspec import Struct

from flowwarden.monitor.baseline.baseline import Edge
from flowwarden.monitor.baseline.peers import class_of
from flowwarden.monitor.baseline.profile import RoleProfile
from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.findings import Tally
from flowwarden.monitor.traffic.contact import Contact, ContactOutcome
from flowwarden.monitor.traffic.contacts import MOST_CONTACTS, Contacts
from flowwarden.monitor.traffic.excess import (
    ADMINISTERED,
    ANSWERED,
    ANSWERED_BY,
    ANSWERED_OUTSIDE,
    DENIED,
    FAILED,
    FAILED_NETWORKS,
    FAILED_OUTSIDE,
    FAILED_USUAL,
    SESSIONS,
    rank,
)
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import DirectedFlow
from flowwarden.network.host_set import host_set
from flowwarden.network.services import ADMIN_PORTS, TCP, UDP, WEB
from flowwarden.policy.policy import Policy
from flowwarden.records.columnar.tokenizer import Integers
from flowwarden.state.schema import CONTACTS_DAY, CONTACTS_HOUR, MOST_HOSTS, MOST_WINDOWS
from flowwarden.state.sets import DAY, HOUR, Addition, Sets, bucket

type Services = frozenset[tuple[int, int]]
"""Protocols and ports."""

HOSTS_OF_BATCH: Final = 128
"""Maximum hosts that a batch inspects."""

SPANS: Final = {HOUR: "1 h", DAY: "24 h"}
_ITEMS: Final = {HOUR: CONTACTS_HOUR, DAY: CONTACTS_DAY}


class HostActivity(Struct, frozen=True, kw_only=True, dict=True):
    """A host, its new contacts, and its known last hour and day."""

    client: str
    role: str
    """`UNKNOWN` if EC2 does not describe the interface."""
    learning: bool
    """Whether the role is unknown or too young for new behavior to be unusual."""
    contacts: tuple[Contact, ...]
    """The new contacts of the batch."""
    hour: Sets
    day: Sets
    begins: Mapping[int, int]
    """When they begin (Unix seconds), by span."""
    tally: Callable[[Sequence[Contact]], Tally]
    sample: Callable[[], Sequence[DirectedFlow]]
    """Creates flows of its new contacts, most significant first. `flows` calls it."""
    asks: Services = frozenset()
    """Services that the role usually connects to, on any host."""
    databases: frozenset[int] = frozenset()
    """Ports on which the role usually serves a database."""
    only_listens: bool = False
    """Whether the role usually answers others and never connects to the internet."""

    @cached_property
    def flows(self) -> Sequence[DirectedFlow]:
        """A flow of each of its new contacts, at most `MOST_FLOWS`."""
        return self.sample()

    def window(self, span: int) -> Sets:
        """The known contacts of the last hour or day."""
        return self.hour if span == HOUR else self.day

    def administering(self, flows: Iterable[DirectedFlow]) -> list[DirectedFlow]:
        """The flows that contact internal hosts for remote administration that is unusual for the role."""
        unusual = {port for port in ADMIN_PORTS if (TCP, port) not in self.asks}
        return [each for each in flows if each.service_port in unusual and each.server_class is PeerClass.OWN]

    @property
    def answered(self) -> list[DirectedFlow]:
        """The flows of its new contacts that were answered."""
        places = {(each.server, each.protocol, each.port) for each in self.contacts if not each.failed}
        return [each for each in self.flows if (each.server, each.flow.protocol, each.service_port) in places]


class _Host(Struct, frozen=True):
    """A host at an interface, with its new contacts that count."""

    place: int
    """The interface's index."""
    client: str
    contacts: Sequence[tuple[Edge, int]]


class ActiveHosts(Struct, frozen=True):
    """The hosts of a batch with new behavior."""

    inspected: tuple[HostActivity, ...]
    others: Sequence[int]
    """The numbers of new contacts of the hosts that are not inspected, most first."""


class HostActivities:
    """Finds the active hosts of a batch, and adds their contacts to the state table.

    A batch can have tens of thousands of hosts with new contacts. At most `MOST_HOSTS` of an interface and
    `HOSTS_OF_BATCH` in all are inspected, those with the most new contacts first.
    """

    def __init__(self, contacts: Contacts, policy: Policy, state: StateView, now: int) -> None:
        self._contacts = contacts
        self._thresholds = policy.thresholds
        self._exempt = host_set(policy.exempt)
        self._state = state
        self._now = now

    def of(
        self, profiles: Mapping[int, RoleProfile], new: Mapping[int, Mapping[Edge, Integers]]
    ) -> ActiveHosts:
        """The active hosts.

        Args:
            profiles: of the hosts, by interface index.
            new: the contacts that are not usual for them, by interface index and edge.
        """
        hosts = [host for place, edges in new.items() for host in self._hosts(place, profiles[place], edges)]
        ranked = sorted(range(len(hosts)), key=lambda at: -len(hosts[at].contacts))
        inspected = [hosts[at] for at in sorted(ranked[:HOSTS_OF_BATCH])]
        left = [len(hosts[at].contacts) for at in ranked[HOSTS_OF_BATCH:]]
        found = [
            self._activity(each.client, self._one_by_one(each), profiles[each.place]) for each in inspected
        ]
        return ActiveHosts(tuple(found), left)

    def _hosts(self, place: int, profile: RoleProfile, new: Mapping[Edge, Integers]) -> list[_Host]:
        """The hosts at an interface, those with the most new contacts first."""
        by_client: defaultdict[int, list[tuple[Edge, int]]] = defaultdict(list)
        for edge, numbers in self._outbound(profile, new):
            for client, number in zip(
                self._contacts.clients(numbers).tolist(), numbers.tolist(), strict=True
            ):
                by_client[client].append((edge, number))
        names = self._contacts.texts(by_client)
        hosts = [
            _Host(place, name, each)
            for name, each in zip(names, by_client.values(), strict=True)
            if not self._exempt.hold(name)
        ]
        return sorted(hosts, key=lambda host: (-len(host.contacts), host.client))[:MOST_HOSTS]

    def _outbound(
        self, profile: RoleProfile, new: Mapping[Edge, Integers]
    ) -> Iterator[tuple[Edge, Integers]]:
        """The new contacts that hosts at an interface initiated and that count, at most `MOST_CONTACTS`."""
        contacts, count, refused = self._contacts, 0, profile.usually_refused([*new])
        learning = profile.learning
        for edge in new:
            if edge.direction != "out" or (edge.peer == PeerClass.INTERNET and _is_common(edge, profile)):
                continue
            # While nearly all contacts are new, only failures, port sweeps and some edges are significant.
            numbers = new[edge][contacts.answered[new[edge]]] if edge in refused else new[edge]
            all_count = not learning or _counts_while_learning(edge, profile)
            counted = numbers if all_count else contacts.significant(numbers, self._thresholds.scan_ports)
            sure = contacts.one_of_each_denied(counted[contacts.is_sure[counted]])[:MOST_CONTACTS]
            if len(sure):
                yield edge, sure
            count += len(sure)
            if count >= MOST_CONTACTS:
                return

    def _one_by_one(self, host: _Host) -> list[Contact]:
        return [
            contact
            for edge, number in host.contacts
            for contact in self._contacts.one_by_one([number], edge.peer)
        ]

    def _activity(self, client: str, contacts: Sequence[Contact], profile: RoleProfile) -> HostActivity:
        asks = profile.asks((each.protocol, each.port) for each in contacts)
        additions = windows(f"{profile.scope}/{client}", contacts, asks, self._now)
        state = {
            span: max(((self._state.add(each), at) for at, each in of_span.items()), key=partial(rank, span))
            for span, of_span in additions.items()
        }
        ranked = sorted(contacts, key=lambda each: (each.port not in ADMIN_PORTS, not each.failed))
        return HostActivity(
            client=client,
            role=profile.role,
            learning=profile.learning,
            contacts=tuple(contacts),
            hour=state[HOUR][0],
            day=state[DAY][0],
            begins={span: at for span, (_, at) in state.items()},
            tally=self._contacts.tally,
            sample=partial(self._contacts.flows, ranked),
            asks=asks,
            databases=profile.databases,
            only_listens=profile.only_listens,
        )


def _counts_while_learning(edge: Edge, profile: RoleProfile) -> bool:
    """Whether an outbound edge is significant although the role is still being learned."""
    return bool(profile.databases) and is_needless(edge.protocol, edge.port, class_of(edge.peer))


def is_needless(protocol: int | None, port: int | None, peer: PeerClass) -> bool:
    """Whether no database needs the service; packages, backups and telemetry use web ports."""
    needless = port in ADMIN_PORTS if peer is PeerClass.OWN else port not in WEB
    return protocol == TCP and needless and peer in {PeerClass.OWN, PeerClass.INTERNET}


def _is_common(edge: Edge, profile: RoleProfile) -> bool:
    """Whether an edge to the internet is insignificant.

    Programs try UDP there and fall back (QUIC, STUN). An interface that EC2 does not describe may belong to a
    NAT gateway, which connects for many hosts.
    """
    return edge.protocol == UDP or profile.interface is None


def windows(
    host: str, contacts: Sequence[Contact], asks: Services, now: int
) -> dict[int, dict[int, Addition]]:
    """The additions of a host's new contacts to its windows, by span and begin.

    Args:
        host: unique id of the host: addresses are reused in other VPCs.
        contacts: of the batch.
        asks: services that its role usually connects to, on any host.
        now: Unix seconds.
    """
    return {
        span: {
            begin * span: Addition(
                item.key_of(begin, host), sets(within, asks), item.kept_until(begin * span)
            )
            for begin, within in sorted(_by_window(contacts, span, now).items())
        }
        for span, item in _ITEMS.items()
    }


def sets(contacts: Iterable[Contact], asks: Services = frozenset()) -> dict[str, frozenset[int]]:
    """Contacts as the sets of a window; excludes administration that is usual for the role."""
    found: defaultdict[str, set[int]] = defaultdict(set)
    for contact in contacts:
        usual = (contact.protocol, contact.port) in asks
        if contact.outcome is ContactOutcome.DENIED:
            found[DENIED].add(bucket(contact.protocol, contact.port))
        elif usual and contact.inside and contact.failed:
            found[FAILED_USUAL].add(bucket(contact.server))
            found[FAILED_NETWORKS].add(bucket(contact.peer))
        else:
            found[_set_of(contact)].add(bucket(contact.server, contact.protocol, contact.port))
        if contact.inside and not contact.failed:
            found[ANSWERED_BY].add(bucket(contact.server))
        if contact.inside and contact.port in ADMIN_PORTS and not usual:
            found[ADMINISTERED].add(bucket(contact.server))
            if sessions := _sessions(contact):
                found[SESSIONS] |= sessions
    return {name: frozenset(numbers) for name, numbers in found.items()}


def _sessions(contact: Contact) -> set[int]:
    """The connections of a contact; none if it failed, because other detectors report failures."""
    if contact.failed:
        return set()
    place = contact.server, contact.protocol, contact.port
    return {bucket(*place, client_port) for client_port in contact.client_ports}


def _set_of(contact: Contact) -> str:
    if contact.inside:
        return FAILED if contact.failed else ANSWERED
    return FAILED_OUTSIDE if contact.failed else ANSWERED_OUTSIDE


def _by_window(contacts: Iterable[Contact], span: int, now: int) -> dict[int, list[Contact]]:
    found: defaultdict[int, list[Contact]] = defaultdict(list)
    for contact in contacts:
        # A record from the future would open a window that no other record is in.
        found[(min(contact.first, now) if contact.first >= 0 else now) // span].append(contact)
    # An old record would open a window that is no longer read, and each window costs a write.
    return {begin: found[begin] for begin in sorted(found)[-MOST_WINDOWS:]}
