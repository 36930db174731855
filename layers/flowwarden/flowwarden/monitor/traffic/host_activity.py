"""The activity of an internal host: its new contacts, and its hour and day of most failures as sets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import Final

from msgspec import Struct

from flowwarden.monitor.baseline.profile import Standing
from flowwarden.monitor.findings import Tally
from flowwarden.monitor.traffic.administration import Directories, administered, administration
from flowwarden.monitor.traffic.contact import Contact, ContactOutcome
from flowwarden.monitor.traffic.excess import (
    ANSWERED,
    ANSWERED_BY,
    ANSWERED_OUTSIDE,
    DENIED,
    FAILED,
    FAILED_NETWORKS,
    FAILED_OUTSIDE,
    FAILED_USUAL,
)
from flowwarden.monitor.traffic.sessions import server_number
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import DirectedFlow
from flowwarden.network.services import ADMIN_PORTS, TCP, WEB
from flowwarden.state.schema import CONTACTS_DAY, CONTACTS_HOUR, MOST_WINDOWS
from flowwarden.state.sets import DAY, HOUR, Addition, Sets, bucket

type Services = frozenset[tuple[int, int]]
"""Protocols and ports."""

SPANS: Final = {HOUR: "1 h", DAY: "24 h"}
_NO_DIRECTORIES: Final[Directories] = {}
_ITEMS: Final = {HOUR: CONTACTS_HOUR, DAY: CONTACTS_DAY}


class HostActivity(Struct, frozen=True, kw_only=True, dict=True):
    """A host, its new contacts, and what is known of the most significant hour and day of these."""

    client: str
    role: str
    """`UNKNOWN` if EC2 does not describe the interface."""
    learning: bool
    """Whether the role is unknown or too young for new behavior to be unusual."""
    cautious: bool = False
    """Whether the role is new in a learned VPC, so that grave behavior is unusual nevertheless."""
    contacts: tuple[Contact, ...]
    """The new contacts of the batch."""
    hour: Sets
    day: Sets
    begins: Mapping[int, int]
    """When the hour and the day begin (Unix seconds), by span."""
    tally: Callable[[Sequence[Contact]], Tally]
    sample: Callable[[], Sequence[DirectedFlow]]
    """Creates flows of its new contacts, most significant first. `flows` calls it."""
    asks: Services = frozenset()
    """Services that the role usually connects to, on any host."""
    watched: tuple[Contact, ...] = ()
    """The watched contacts of the batch, see `novelty.watched_contacts`; all were answered."""
    sample_watched: Callable[[], Sequence[DirectedFlow]] = tuple
    """Creates flows of its watched contacts. `watched_flows` calls it."""
    databases: frozenset[int] = frozenset()
    """Ports on which the role usually serves a database."""
    only_listens: bool = False
    """Whether the role usually answers others and never connects to the internet."""

    @property
    def learning_all(self) -> bool:
        """Whether even grave behavior is still learned, because it may be usual."""
        return self.learning and not self.cautious

    @cached_property
    def flows(self) -> Sequence[DirectedFlow]:
        """A flow of each of its new contacts, at most `MOST_FLOWS`."""
        return self.sample()

    @cached_property
    def watched_flows(self) -> Sequence[DirectedFlow]:
        """A flow of each of its watched contacts, at most `MOST_FLOWS`."""
        return self.sample_watched()

    def window(self, span: int) -> Sets:
        """The known contacts of the hour or day, as sets."""
        return self.hour if span == HOUR else self.day

    @property
    def administering(self) -> list[DirectedFlow]:
        """The flows that contact internal hosts for remote administration that is unusual for the role."""
        unusual = {port for port in ADMIN_PORTS if (TCP, port) not in self.asks}
        servers = administered(self.day)
        return [
            each
            for each in (*self.flows, *self.watched_flows)
            if each.service_port in unusual and each.server_class is PeerClass.OWN
            if server_number(each.server) in servers
        ]

    def contacting(self, services: AbstractSet[tuple[int, int]]) -> list[DirectedFlow]:
        """The answered flows to these services, given by the numbers and ports of servers."""
        if not services:  # creating the flows is expensive
            return []
        return [
            each
            for each in (*self.answered, *self.watched_flows)
            if (server_number(each.server), each.service_port) in services
        ]

    @property
    def answered(self) -> list[DirectedFlow]:
        """The flows of its new contacts that were answered."""
        places = {(each.server, each.protocol, each.port) for each in self.contacts if not each.failed}
        return [each for each in self.flows if (each.server, each.flow.protocol, each.service_port) in places]


def is_needless(protocol: int | None, port: int | None, peer: PeerClass) -> bool:
    """Whether a database server has no need to connect to a service.

    It needs no administration of internal hosts, and of the internet only web ports: for packages, backups
    and telemetry.
    """
    needless = port in ADMIN_PORTS if peer is PeerClass.OWN else port not in WEB
    return protocol == TCP and needless and peer in {PeerClass.OWN, PeerClass.INTERNET}


def windows(
    host: str, contacts: Sequence[Contact], asks: Services, now: int, directories: Directories
) -> dict[int, dict[int, Addition]]:
    """The additions of a host's contacts to its windows, by span and begin.

    Args:
        host: unique id of the host: addresses are reused in other VPCs.
        contacts: of the batch.
        asks: services that its role usually connects to, on any host.
        now: Unix seconds.
        directories: the directory services that its role usually uses, by network.
    """
    return {
        span: {
            begin * span: Addition(
                item.key_of(begin, host), sets(within, asks, directories), item.kept_until(begin * span)
            )
            for begin, within in sorted(_by_window(contacts, span, now).items())
        }
        for span, item in _ITEMS.items()
    }


def sets(
    contacts: Iterable[Contact], asks: Services = frozenset(), directories: Directories = _NO_DIRECTORIES
) -> dict[str, frozenset[int]]:
    """Contacts as the sets of a window; excludes administration that is usual for the role."""
    found: defaultdict[str, set[int]] = defaultdict(set)
    for contact in contacts:
        usual = (contact.protocol, contact.port) in asks
        if contact.inside:
            for name, numbers in administration(contact, directories, usual=usual).items():
                found[name] |= numbers
        if contact.standing is not Standing.NEW:
            continue
        if contact.outcome is ContactOutcome.DENIED:
            found[DENIED].add(bucket(contact.protocol, contact.port))
        elif usual and contact.inside and contact.failed:
            found[FAILED_USUAL].add(bucket(contact.server))
            found[FAILED_NETWORKS].add(bucket(contact.peer))
        else:
            found[_set_of(contact)].add(bucket(contact.server, contact.protocol, contact.port))
        if contact.inside and not contact.failed:
            found[ANSWERED_BY].add(bucket(contact.server))
    return {name: frozenset(numbers) for name, numbers in found.items() if numbers}


def _set_of(contact: Contact) -> str:
    if contact.inside:
        return FAILED if contact.failed else ANSWERED
    return FAILED_OUTSIDE if contact.failed else ANSWERED_OUTSIDE


def _by_window(contacts: Iterable[Contact], span: int, now: int) -> dict[int, list[Contact]]:
    found: defaultdict[int, list[Contact]] = defaultdict(list)
    for contact in contacts:
        # A record from the future would begin a window that no other record is in.
        found[(min(contact.first, now) if contact.first >= 0 else now) // span].append(contact)
    # Old records would begin windows that are no longer read, and each window costs a write.
    return {begin: found[begin] for begin in sorted(found)[-MOST_WINDOWS:]}
